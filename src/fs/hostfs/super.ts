/**
 * A mounted host directory.
 *
 * Finds inodes by the host's device and inode number, so that hard links share one inode. Files on another host device
 * than the root get inode numbers from a range of their own. The host's procfs shows no entries: its files would reach
 * into the very process that runs this machine.
 */
import type { Clock } from '../../core/clock.ts';
import { type HostFiles, HostStat } from '../../host/files.ts';
import type { Ram } from '../../mm/ram.ts';
import { EROFS } from '../../uapi/errno.ts';
import type { StatFs } from '../../uapi/statfs.ts';
import type { Inode } from '../inode.ts';
import { SuperBlock } from '../super.ts';
import { HandleCache } from './handles.ts';
import { HostInode } from './inode.ts';
import { ListingCache } from './listings.ts';

const PROC_SUPER_MAGIC = 0x9fa0;
/** Inode numbers of another device than the root's start at a multiple of this. */
const INO_RANGE = 2 ** 44;
const MAX_RANGES = 16;
/** The part of the machine's memory above which unused cached pages are dropped. */
const IDLE_CACHE_PART = 1 / 4;
const CACHES_BETWEEN_TRIMS = 32;

/** A device of the host on which we have seen a file. */
export interface HostDevice {
  readonly dev: number;
  readonly inoBase: number;
  /** It is the host's procfs, whose files are not shown. */
  readonly hidden: boolean;
  readonly inodes: Map<number | string, HostInode>;
}

export interface HostfsOptions {
  readonly readOnly: boolean;
  /** It can never be remounted writable, because the machine was given it only for reading. */
  readonly staysReadOnly?: boolean;
  /** Only the machine changes the host's files, so nothing is asked twice. */
  readonly cacheAlways: boolean;
}

export class HostSuperBlock extends SuperBlock {
  override readonly findsFiles: boolean = true;
  /** The host keeps them. */
  override readonly keepsAccessLists: boolean = true;
  readonly files: HostFiles;
  readonly ram: Ram;
  readonly handles: HandleCache;
  readonly listings: ListingCache = new ListingCache();
  readonly cacheAlways: boolean;
  readonly root: HostInode;
  /** The result of the latest stat of the host. */
  readonly seen: HostStat = new HostStat();
  private readonly rootFd: number;
  private readonly directory: string;
  private readonly devices: Map<number, HostDevice> = new Map();
  /** Inodes with cached pages, the one that got them most recently last. */
  private readonly cached: Set<HostInode> = new Set();
  private untrimmed = 0;
  private readonly staysReadOnly: boolean;
  private readonly reclaimer = (pages: number): void => this.reclaim(pages);

  /** `rootFd` is an O_PATH descriptor of the directory; `name` is its name in /proc/mounts. */
  constructor(
    files: HostFiles,
    env: { readonly clock: Clock; readonly ram: Ram },
    dev: number,
    rootFd: number,
    name: string,
    options: HostfsOptions,
  ) {
    super('hostfs', dev, env.clock);
    this.files = files;
    this.ram = env.ram;
    this.handles = new HandleCache(files);
    this.readOnly = options.readOnly;
    this.staysReadOnly = options.staysReadOnly ?? false;
    this.cacheAlways = options.cacheAlways;
    this.rootFd = rootFd;
    this.directory = name;
    files.stat(rootFd, this.seen);
    this.root = this.inodeOf(rootFd);
    this.root.becomeRoot(rootFd);
    this.ram.reclaimers.add(this.reclaimer);
  }

  override get volatileNames(): boolean {
    return !this.cacheAlways;
  }

  override revalidate(dir: Inode, name: string, inode: Inode | null): boolean {
    return (dir as HostInode).stillNames(name, inode as HostInode | null);
  }

  override remount(_data: string, readOnly: boolean): number {
    return this.staysReadOnly && !readOnly ? -EROFS : 0;
  }

  override statfs(): StatFs {
    const r = this.files.statfs(this.rootFd);
    if (typeof r !== 'number') return r;
    return { type: 0, bsize: 4096, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0, namelen: 255 };
  }

  override showOptions(): string {
    return `${this.cacheAlways ? ',cache=always' : ''},${this.directory}`;
  }

  override iput(inode: Inode): void {
    if (--inode.refs <= 0 && inode !== this.root) this.forget(inode as HostInode);
  }

  override sync(): void {
    for (const inode of this.cached) inode.writeback(0, inode.size);
  }

  override shutdown(): void {
    this.ram.reclaimers.delete(this.reclaimer);
    for (const device of this.devices.values()) {
      for (const inode of device.inodes.values()) this.forget(inode);
    }
    this.handles.closeIdle();
    this.files.close(this.rootFd);
  }

  /** The inode that `seen` describes. `fd` refers to it, or is -1: it is `name` in the directory behind `dirFd`. */
  inodeOf(fd: number, dirFd: number = -1, name: string = ''): HostInode {
    const device = this.devices.get(this.seen.dev) ?? this.meetDevice(fd, dirFd, name);
    const key = keyOf(this.seen);
    let inode = device.inodes.get(key);
    if (inode === undefined || !inode.is(this.seen)) {
      inode = new HostInode(this, device, this.seen);
      device.inodes.set(key, inode);
    } else inode.adopt(this.seen);
    return inode;
  }

  /** Our inode number for one of the host's. */
  inoOf(device: HostDevice, ino: number): number {
    return device.inoBase === 0 ? ino : device.inoBase + (ino % INO_RANGE);
  }

  /** Call when `inode` has got cached pages. */
  cachedPages(inode: HostInode): void {
    this.cached.delete(inode);
    this.cached.add(inode);
    if (++this.untrimmed < CACHES_BETWEEN_TRIMS) return;
    this.untrimmed = 0;
    this.trim(this.ram.totalPages * IDLE_CACHE_PART);
  }

  droppedPages(inode: HostInode): void {
    this.cached.delete(inode);
  }

  /** Drops unused cached pages, the oldest first, until `keep` cached pages are left. */
  trim(keep: number): void {
    let total = 0;
    for (const inode of this.cached) total += inode.cachedPageCount;
    this.reclaim(total - keep);
  }

  private reclaim(pages: number): void {
    let missing = pages;
    for (const inode of this.cached) {
      if (missing <= 0) return;
      const count = inode.cachedPageCount;
      if (inode.dropPages()) missing -= count;
    }
  }

  /** The file has no name any more, so the host may give its inode number to another file. */
  orphaned(inode: HostInode): void {
    const key = keyOf(inode);
    if (inode.device.inodes.get(key) === inode) inode.device.inodes.delete(key);
  }

  /** An orphan got a name. */
  adopted(inode: HostInode): void {
    inode.device.inodes.set(keyOf(inode), inode);
  }

  private forget(inode: HostInode): void {
    this.orphaned(inode);
    inode.letGo();
  }

  private meetDevice(fd: number, dirFd: number, name: string): HostDevice {
    const { dev } = this.seen;
    const index = this.devices.size;
    const inoBase = Math.min(index, MAX_RANGES - 1) * INO_RANGE;
    const device = { dev, inoBase, hidden: this.isProc(fd, dirFd, name), inodes: new Map() };
    this.devices.set(dev, device);
    return device;
  }

  /** Whether the device is procfs; a file that cannot be opened is assumed to be on it. */
  protected isProc(fd: number, dirFd: number, name: string): boolean {
    const opened = fd >= 0 ? fd : this.files.openPath(dirFd, name);
    if (opened < 0) return true;
    const found = this.files.statfs(opened);
    if (fd < 0) this.files.close(opened);
    return typeof found === 'number' || found.type === PROC_SUPER_MAGIC;
  }
}

const EXACT_HIGH = 2 ** 21;

/** The host's inode number: a number if that is exact, otherwise a string. */
export const keyOf = (id: { readonly inoLow: number; readonly inoHigh: number }): number | string =>
  id.inoHigh === 0
    ? id.inoLow
    : id.inoHigh < EXACT_HIGH
      ? id.inoLow + id.inoHigh * 2 ** 32
      : `${id.inoHigh}:${id.inoLow}`;
