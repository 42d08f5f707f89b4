/**
 * A file as an overlay shows it: a file in the upper layer or in a lower one, or a directory in several layers.
 *
 * Attributes are copies of the real file's, updated after each change. Every change of the file copies it up first.
 * An inode whose last user is gone is forgotten; a lookup makes it again from its parts.
 */

import type { Clock } from '../../core/clock.ts';
import type { Cred } from '../../core/cred.ts';
import type { Result } from '../../lib/result.ts';
import type { PageCache } from '../../mm/page-cache.ts';
import { EINVAL, ENODATA, ENOTEMPTY, EPERM } from '../../uapi/errno.ts';
import { O_ACCMODE, O_RDONLY, O_TRUNC, RENAME_EXCHANGE, RENAME_WHITEOUT } from '../../uapi/fcntl.ts';
import { isDir, S_IFDIR, S_IFREG } from '../../uapi/stat.ts';
import type { WalkContext } from '../context.ts';
import type { File } from '../file.ts';
import { type Attributes, Inode, type NewInode } from '../inode.ts';
import { copyUp, linkName } from './copy-up.ts';
import { OverlayFile } from './file.ts';
import { isWhiteout, type LowerPart, lookupReal, type Parts, realOf } from './layers.ts';
import { listMerged, OverlayDir } from './listing.ts';
import { exchangeNames, moveName } from './rename.ts';
import type { OverlaySuperBlock } from './super.ts';
import { clearWhiteout, placeWhiteout, prepareWhiteout, removeReal, removeWhole } from './upper.ts';

export class OverlayInode extends Inode implements Parts {
  declare readonly sb: OverlaySuperBlock;
  upper: Inode | null;
  readonly lowers: readonly LowerPart[];
  readonly path: string;
  /** Where the file is copied up to: one of its names; null once that is gone. Holds a reference. */
  parent: OverlayInode | null = null;
  name = '';
  /** Names missing in the upper file's link count: those only in lower layers, less those that only we made. */
  private uncounted = 0;
  /** Kept by a reference, because other names of the lower file must still lead to this inode. */
  private kept = false;

  constructor(sb: OverlaySuperBlock, parts: Parts, ino: number) {
    const real = realOf(parts);
    super(sb, ino, real.mode, real.ctime);
    this.upper = parts.upper;
    this.lowers = parts.lowers;
    this.path = parts.path;
    this.rdev = real.rdev;
    this.btime = real.btime;
    for (const { inode } of this.lowers) inode.refs++;
    this.sync();
  }

  get real(): Inode {
    return realOf(this);
  }

  override get isSteady(): boolean {
    return this.upper === null && this.uncounted === 0 && this.real.isSteady;
  }

  override get hasFirstPage(): boolean {
    return this.real.hasFirstPage;
  }

  /** Whether it has names besides the one that it is copied up to. */
  get hasOtherNames(): boolean {
    return !isDir(this.mode) && this.nlink > (this.parent === null ? 0 : 1);
  }

  /** The upper file's; 0 without one, if the upper filesystem has flags. */
  override get fsFlags(): number | null {
    const kept = (this.upper ?? this.sb.work)?.fsFlags ?? null;
    return this.upper === null && kept !== null ? 0 : kept;
  }

  override setFsFlags(flags: number): number {
    const r = copyUp(this);
    if (r < 0) return r;
    const set = this.upper!.setFsFlags(flags);
    this.sync();
    return set;
  }

  addName(dir: OverlayInode, name: string): void {
    dir.refs++;
    this.forgetName();
    this.parent = dir;
    this.name = name;
  }

  /** Its name or the inode itself is gone: releases the directory. */
  forgetName(): void {
    const { parent } = this;
    this.parent = null;
    if (parent !== null) this.sb.iput(parent);
  }

  /** Copies the real file's attributes. */
  sync(): void {
    const { real } = this;
    this.mode = real.mode;
    this.uid = real.uid;
    this.gid = real.gid;
    this.acl = real.acl;
    this.defaultAcl = real.defaultAcl;
    this.size = real.size;
    this.blocks = real.blocks;
    this.atime = real.atime;
    this.mtime = real.mtime;
    this.ctime = real.ctime;
    // A merged directory shows one link, as in overlayfs.
    if (!isDir(this.mode)) this.nlink = real.nlink + this.uncounted;
    else
      this.nlink =
        real.nlink === 0 ? 0 : this.lowers.length + (this.upper === null ? 0 : 1) > 1 ? 1 : real.nlink;
  }

  /** The file was copied up: `upper` is its real file from now on. */
  becomeUpper(upper: Inode): void {
    if (this.hasOtherNames) this.keep();
    this.becomesUnsteady();
    this.uncounted = this.nlink - upper.nlink;
    this.upper = upper;
    this.sb.know(upper, this);
    this.sync();
  }

  /** A name is gone; `counted`: the upper layer had it. */
  lostName(dir: OverlayInode, name: string, counted: boolean): void {
    this.becomesUnsteady();
    if (!counted) this.uncounted--;
    if (this.parent === dir && this.name === name) this.forgetName();
    if (isDir(this.mode)) {
      this.nlink = 0;
      return;
    }
    this.sync();
    if (this.nlink > 0 && this.upper === null) this.keep();
    else if (this.kept && this.nlink <= 0) this.unkeep();
  }

  /** A name that only lower layers had is now in the upper layer, too. */
  countName(): void {
    this.becomesUnsteady();
    this.uncounted--;
    this.sync();
  }

  /** The last reference is gone: releases everything but the directory. */
  letGo(): void {
    if (this.lowers.length > 0) this.sb.forget(this.lowers[0]!.inode, this);
    if (this.upper !== null) this.sb.forget(this.upper, this);
    for (const { inode } of this.lowers) inode.sb.iput(inode);
  }

  // Attributes.

  override refresh(): number {
    const r = this.real.refresh();
    if (r < 0) return r;
    if (this.nlink > 0 || !isDir(this.mode)) this.sync();
    return 0;
  }

  override touch(clock: Clock, which: 'atime' | 'mtime' | 'ctime'): void {
    super.touch(clock, which);
    if (this.upper !== null) this.upper[which] = this[which];
  }

  override setattr(attr: Attributes): number {
    const copied = copyUp(this, attr.size);
    if (copied < 0) return copied;
    const r = this.upper!.setattr(attr);
    this.sync();
    return r;
  }

  override permission(mask: number, cred: Cred): number | null {
    const { real } = this;
    const answer = real.permission(mask, cred);
    // The real file may just have asked the host for its lists.
    if (this.acl !== real.acl) this.acl = real.acl;
    return answer;
  }

  override learnLists(): void {
    const { real } = this;
    real.learnLists();
    this.acl = real.acl;
    this.defaultAcl = real.defaultAcl;
  }

  override getxattr(name: string): Result<string> {
    return this.sb.layers.isOwnAttribute(name) ? -ENODATA : this.real.getxattr(name);
  }

  override listxattr(): string[] {
    return this.real.listxattr().filter(name => !this.sb.layers.isOwnAttribute(name));
  }

  override setxattr(name: string, value: string, flags: number): number {
    return this.changeXattr(name, upper => upper.setxattr(name, value, flags));
  }

  override removexattr(name: string): number {
    return this.changeXattr(name, upper => upper.removexattr(name));
  }

  override readlink(who: WalkContext): Result<string> {
    return this.real.readlink(who);
  }

  // Data.

  override open(flags: number, cred: Cred): Result<File> {
    if (this.type === S_IFDIR) return this.openDir(flags, cred);
    if (this.type !== S_IFREG) return this.real.open(flags, cred);
    const truncates = (flags & O_TRUNC) !== 0;
    if ((flags & O_ACCMODE) !== O_RDONLY || truncates) {
      const r = copyUp(this, truncates ? 0 : Number.POSITIVE_INFINITY);
      if (r < 0) return r;
    }
    const file = this.real.open(flags, cred);
    return typeof file === 'number' ? file : new OverlayFile(this, flags, file, cred);
  }

  override pages(): Result<PageCache> {
    return this.real.pages();
  }

  override get hearsStores(): boolean {
    return this.real.hearsStores;
  }

  override stored(): void {
    this.real.stored();
  }

  override writeback(pos: number, len: number): number {
    return this.upper === null ? 0 : this.upper.writeback(pos, len);
  }

  // Directories.

  override lookup(name: string): Result<Inode> {
    const parts = this.sb.layers.find(this, name);
    return typeof parts === 'number' ? parts : this.sb.inodeOf(parts, this, name);
  }

  override mknod(name: string, init: NewInode): Result<Inode> {
    // A device 0:0 would be mistaken for a whiteout.
    if (isWhiteout({ mode: init.mode, rdev: init.rdev })) return -EPERM;
    return this.make(name, upper => upper.mknod(name, init));
  }

  override mkdir(name: string, init: NewInode): Result<Inode> {
    return this.make(name, upper => upper.mkdir(name, init));
  }

  override symlink(name: string, target: string, init: NewInode): Result<Inode> {
    return this.make(name, upper => upper.symlink(name, target, init));
  }

  override tmpfile(init: NewInode): Result<Inode> {
    const copied = copyUp(this);
    if (copied < 0) return copied;
    const upper = this.upper!.tmpfile(init);
    return typeof upper === 'number' ? upper : this.sb.inodeOf({ upper, lowers: [], path: '' }, null, '');
  }

  override link(name: string, inode: Inode): number {
    const file = inode as OverlayInode;
    const copied = copyUp(file);
    if (copied < 0) return copied;
    const made = this.make(name, upper => {
      const r = upper.link(name, file.upper!);
      return r < 0 ? r : file.upper!;
    });
    return typeof made === 'number' ? made : 0;
  }

  override unlink(name: string, inode: Inode): number {
    return this.remove(name, inode as OverlayInode);
  }

  override rmdir(name: string, inode: Inode): number {
    const dir = inode as OverlayInode;
    const r = dir.checkEmpty();
    return r < 0 ? r : this.remove(name, dir);
  }

  override rename(
    oldName: string,
    inode: Inode,
    newDir: Inode,
    newName: string,
    target: Inode | null,
    flags: number,
  ): number {
    if ((flags & RENAME_WHITEOUT) !== 0) return -EINVAL;
    const to = newDir as OverlayInode;
    const moved = inode as OverlayInode;
    const other = target as OverlayInode | null;
    if ((flags & RENAME_EXCHANGE) !== 0) return exchangeNames(this, oldName, moved, to, newName, other!);
    return moveName(this, oldName, moved, to, newName, other);
  }

  /** The inode number of an entry in the upper layer. */
  entryIno(name: string): number {
    const parts = this.sb.layers.find(this, name);
    return typeof parts === 'number' ? 0 : this.sb.inoOf(parts);
  }

  /** Whether lower layers have a name, which shows unless the upper layer hides it. */
  lowerHas(name: string): boolean {
    if (this.lowers.length === 0) return false;
    const found = this.sb.layers.descend(this.lowers, name);
    return typeof found === 'number' || found.length > 0;
  }

  /** 0 if this directory shows no entries, or -errno. */
  checkEmpty(): number {
    const listing = listMerged(this);
    if (typeof listing === 'number') return listing;
    return listing.names.length > 0 ? -ENOTEMPTY : 0;
  }

  private openDir(flags: number, cred: Cred): Result<File> {
    const real = this.real.open(flags, cred);
    return typeof real === 'number' ? real : new OverlayDir(this, flags, real);
  }

  private make(name: string, create: (upper: Inode) => Result<Inode>): Result<Inode> {
    const copied = copyUp(this);
    if (copied < 0) return copied;
    const cleared = clearWhiteout(this, name);
    if (cleared < 0) return cleared;
    const upper = create(this.upper!);
    const hides = cleared === 1 && typeof upper !== 'number' && isDir(upper.mode);
    const r = typeof upper === 'number' ? upper : hides ? this.sb.layers.setOpaque(upper) : 0;
    if (r < 0 && typeof upper !== 'number') removeReal(this.upper!, name, upper);
    if (r < 0 && cleared === 1) this.whiteOut(name);
    this.sync();
    if (typeof upper === 'number' || r < 0) return r;
    const inode = this.sb.inodeOf({ upper, lowers: [], path: `${this.path}/${name}` }, this, name);
    inode.sync();
    return inode;
  }

  private remove(name: string, inode: OverlayInode): number {
    const copied = copyUp(this);
    if (copied < 0) return copied;
    const whiteout = this.lowerHas(name) ? prepareWhiteout(this) : '';
    if (typeof whiteout === 'number') return whiteout;
    const there = lookupReal(this.upper, name);
    if (typeof there === 'number') return there;
    let r = 0;
    if (whiteout !== '') r = placeWhiteout(this, name, whiteout);
    else if (there !== null) r = removeWhole(this.upper!, name, there);
    if (r < 0) return r;
    inode.lostName(this, name, there !== null);
    this.sync();
    return 0;
  }

  private whiteOut(name: string): void {
    const whiteout = prepareWhiteout(this);
    if (typeof whiteout === 'string') placeWhiteout(this, name, whiteout);
  }

  private changeXattr(name: string, change: (upper: Inode) => number): number {
    if (this.sb.layers.isOwnAttribute(name)) return -EPERM;
    const copied = copyUp(this);
    if (copied < 0) return copied;
    const r = change(this.upper!);
    this.sync();
    return r;
  }

  private keep(): void {
    if (!this.kept) this.refs++;
    this.kept = true;
  }

  private unkeep(): void {
    this.kept = false;
    const work = this.sb.work!;
    const link = lookupReal(work, linkName(this));
    if (link !== null && typeof link !== 'number') removeReal(work, linkName(this), link);
    this.uncounted = -this.real.nlink;
    this.nlink = 0;
    this.sb.iput(this);
  }
}
