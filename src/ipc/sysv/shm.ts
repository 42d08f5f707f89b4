/**
 * Shared memory segments (shmget(2), shmop(2)): pages with an id. An area of an address space holds a segment as it
 * would a file, and is one attachment. A segment marked for destruction goes with its last attachment.
 */
import type { Cred } from '../../core/cred.ts';
import type { Result } from '../../lib/result.ts';
import { PageCache } from '../../mm/page-cache.ts';
import { PAGE_SIZE, pageUp, type Ram } from '../../mm/ram.ts';
import type { Backing } from '../../mm/vma.ts';
import { EINVAL, ENOMEM, ENOSPC } from '../../uapi/errno.ts';
import { SHM_DEST, SHMMAX, SHMMNI } from '../../uapi/ipc.ts';
import { IpcObject, IpcTable } from './ids.ts';

/** The process that attaches or detaches, and the time. */
export interface ShmCaller {
  readonly pid: number;
  /** Seconds. */
  readonly now: number;
}

export class Segment extends IpcObject implements Backing {
  readonly cache: PageCache;
  readonly hearsStores = false;
  readonly dev = 1;
  readonly size: number;
  readonly cpid: number;
  lpid = 0;
  atime = 0;
  dtime = 0;
  /** How many areas map it. */
  attached = 0;
  /** Held by the areas, those being unmapped included, and by the table. */
  private refs = 1;
  private readonly segments: Segments;

  constructor(segments: Segments, key: number, size: number, flags: number, cred: Cred, cache: PageCache) {
    const { pid, now } = segments.caller();
    super(key, flags, cred, now);
    this.segments = segments;
    this.size = size;
    this.cpid = pid;
    this.cache = cache;
  }

  get ino(): number {
    return this.id;
  }

  get(): this {
    const { pid, now } = this.segments.caller();
    this.refs++;
    this.attached++;
    this.lpid = pid;
    this.atime = now;
    return this;
  }

  stored(): void {}

  detached(): void {
    const { pid, now } = this.segments.caller();
    this.attached--;
    this.lpid = pid;
    this.dtime = now;
    if (this.attached === 0 && (this.mode & SHM_DEST) !== 0) this.segments.remove(this);
  }

  put(): void {
    if (--this.refs === 0) this.cache.destroy();
  }

  sync(): number {
    return 0;
  }
}

export class Segments extends IpcTable<Segment> {
  readonly caller: () => ShmCaller;
  private readonly ram: Ram;
  /** Pages of all segments' sizes. */
  totalPages = 0;
  /** The largest segment in bytes, and the most pages of all segments (shmmax, shmall). */
  maxSize: number = SHMMAX;
  maxPages: number = SHMMAX;

  constructor(ram: Ram, caller: () => ShmCaller) {
    super(SHMMNI);
    this.ram = ram;
    this.caller = caller;
  }

  shmget(key: number, size: number, flags: number, cred: Cred): number {
    return this.get(
      key,
      flags,
      cred,
      found => (size > found.size ? -EINVAL : 0),
      () => this.make(key, size, flags, cred),
    );
  }

  private make(key: number, size: number, flags: number, cred: Cred): Result<Segment> {
    if (size < 1 || size > this.maxSize) return -EINVAL;
    const pages = pageUp(size) / PAGE_SIZE;
    if (this.totalPages + pages > this.maxPages) return -ENOSPC;
    if (pages > this.ram.totalPages) return -ENOMEM;
    this.totalPages += pages;
    return new Segment(this, key, size, flags, cred, new PageCache(this.ram, pageUp(size), null));
  }

  /** IPC_RMID. */
  destroy(segment: Segment): void {
    segment.mode |= SHM_DEST;
    this.forgetKey(segment);
    if (segment.attached === 0) this.remove(segment);
  }

  override remove(segment: Segment): void {
    if (segment.removed) return;
    super.remove(segment);
    this.totalPages -= pageUp(segment.size) / PAGE_SIZE;
    segment.put();
  }
}
