/**
 * An overlay: a writable upper directory over read-only lower ones, as described in the kernel documentation's
 * overlayfs.rst. It knows its layers only as inodes.
 *
 * Inode numbers: a file of a lower layer keeps its number when it is copied up (an extended attribute of the copy
 * records it). Each layer filesystem has a range of its own; numbers of the first lower one are unchanged.
 * Hard links of a lower file stay one file while the overlay is mounted.
 */
import type { Clock } from '../../core/clock.ts';
import { ROOT_CRED } from '../../core/cred.ts';
import { isDir } from '../../uapi/stat.ts';
import type { StatFs } from '../../uapi/statfs.ts';
import type { WalkContext } from '../context.ts';
import { Dentry, Path } from '../dentry.ts';
import type { Inode } from '../inode.ts';
import { Mount } from '../mount.ts';
import { SuperBlock } from '../super.ts';
import { OverlayInode } from './inode.ts';
import { Layers, type Parts, realOf } from './layers.ts';

const OVERLAYFS_SUPER_MAGIC = 0x794c7630;
const INO_RANGE = 2 ** 48;
const MAX_RANGES = 32;

export interface OverlayOptions {
  /** Where changes go, and an empty directory of the same filesystem to prepare them in; null: read-only. */
  readonly upper: { readonly root: Inode; readonly work: Inode } | null;
  /** Highest first. */
  readonly lowers: readonly Inode[];
  /** Keep the overlay's attributes under `user.overlay.`, for an upper filesystem that has no others. */
  readonly userXattr?: boolean;
  /** The options as /proc/mounts shows them. */
  readonly shown?: string;
}

export class OverlaySuperBlock extends SuperBlock {
  override readonly findsFiles: boolean = true;
  override readonly keepsAccessLists: boolean;
  readonly root: OverlayInode;
  readonly layers: Layers;
  readonly work: Inode | null;
  private readonly held: readonly Inode[];
  private readonly ranges: SuperBlock[] = [];
  private readonly isVolatile: boolean;
  private readonly shown: string;
  /** By each real inode by which a file is found: its upper part, its highest lower one. */
  private readonly inodes: Map<Inode, OverlayInode> = new Map();
  private lastTemporary = 0;
  private reader: WalkContext | null = null;

  constructor(clock: Clock, dev: number, options: OverlayOptions) {
    super('overlay', dev, clock);
    const { upper, lowers } = options;
    this.layers = new Layers(lowers, options.userXattr === true ? 'user.overlay.' : 'trusted.overlay.');
    this.work = upper?.work ?? null;
    this.keepsAccessLists = upper?.work.sb.keepsAccessLists ?? false;
    this.readOnly = upper === null;
    this.shown = options.shown ?? '';
    this.held = upper === null ? lowers : [...lowers, upper.root, upper.work];
    for (const inode of this.held) {
      inode.refs++;
      // Counts as a mount, so that a layer's filesystem stays when it is unmounted elsewhere.
      inode.sb.mounts++;
      if (!this.ranges.includes(inode.sb) && this.ranges.length < MAX_RANGES) this.ranges.push(inode.sb);
    }
    this.isVolatile = this.held.some(inode => inode.sb.volatileNames);
    this.root = this.inodeOf({ upper: upper?.root ?? null, lowers: this.layers.roots, path: '' }, null, '');
  }

  override get volatileNames(): boolean {
    return this.isVolatile;
  }

  override revalidate(dir: Inode, name: string, inode: Inode | null): boolean {
    const found = dir.lookup(name);
    return inode === null ? typeof found === 'number' : found === inode;
  }

  override statfs(): StatFs {
    const { upper, lowers } = this.root;
    return { ...(upper ?? lowers[0]!.inode).sb.statfs(), type: OVERLAYFS_SUPER_MAGIC };
  }

  override showOptions(): string {
    return this.shown;
  }

  override iput(inode: Inode): void {
    // The last file of a directory may release the directory. A loop, because trees can be deep.
    for (let at: OverlayInode | null = inode as OverlayInode; at !== null; ) {
      if (--at.refs > 0 || at === this.root) return;
      const above: OverlayInode | null = at.parent;
      at.parent = null;
      at.letGo();
      at = above;
    }
  }

  override sync(): void {
    for (const { sb } of this.held) sb.sync();
  }

  override shutdown(): void {
    for (const inode of new Set(this.inodes.values())) inode.letGo();
    for (const inode of this.held) {
      const { sb } = inode;
      sb.iput(inode);
      sb.unmount();
    }
  }

  /** The one inode for a file of these parts, which gets the name `name` in `dir`. */
  inodeOf(parts: Parts, dir: OverlayInode | null, name: string): OverlayInode {
    const real = realOf(parts);
    let inode = this.inodes.get(real);
    if (inode === undefined) {
      inode = new OverlayInode(this, parts, this.inoOf(parts));
      this.know(real, inode);
    }
    if (dir !== null) inode.addName(dir, name);
    return inode;
  }

  know(real: Inode, inode: OverlayInode): void {
    real.refs++;
    this.inodes.set(real, inode);
  }

  forget(real: Inode, inode: OverlayInode): void {
    if (this.inodes.get(real) !== inode) return;
    this.inodes.delete(real);
    real.sb.iput(real);
  }

  /** The inode number of a file of these parts: the same before and after copy-up. */
  inoOf(parts: Parts): number {
    const lower = parts.lowers[0];
    if (lower !== undefined) return this.rangeOf(lower.inode.sb) + lower.inode.ino;
    const upper = parts.upper!;
    const known = this.inodes.get(upper);
    if (known !== undefined) return known.ino;
    const origin = isDir(upper.mode) ? 0 : this.layers.originOf(upper);
    return origin !== 0 ? origin : this.rangeOf(upper.sb) + upper.ino;
  }

  /** Where the inode numbers of a layer's filesystem begin. */
  rangeOf(sb: SuperBlock): number {
    const range = this.ranges.indexOf(sb);
    return range <= 0 ? 0 : range * INO_RANGE;
  }

  temporaryName(): string {
    return `#${++this.lastTemporary}`;
  }

  /** For reading links on behalf of no task. */
  get linkReader(): WalkContext {
    if (this.reader === null) {
      const top = new Path(
        new Mount(0, this, new Dentry(null, '', this.root), '', 0),
        new Dentry(null, '', this.root),
      );
      const { clock } = this;
      this.reader = { cred: ROOT_CRED, root: top, cwd: top, namespace: null, umask: 0, clock, current: null };
    }
    return this.reader;
  }
}
