/** Directories of tmpfs. Sizes and link counts are Linux's: 20 bytes per entry, a link for each subdirectory. */
import type { Cred } from '../../core/cred.ts';
import type { Result } from '../../lib/result.ts';
import { EINVAL, EISDIR, ENOENT, ENOTEMPTY } from '../../uapi/errno.ts';
import { RENAME_EXCHANGE, RENAME_WHITEOUT, SEEK_CUR, SEEK_SET } from '../../uapi/fcntl.ts';
import { dirType, isDir, isReg, S_IFCHR, S_IFDIR, S_IFLNK } from '../../uapi/stat.ts';
import { fileAccessed } from '../atime.ts';
import { type EmitEntry, File } from '../file.ts';
import type { Inode, NewInode } from '../inode.ts';
import { listBytes, TmpfsInode } from './inode.ts';
import { NameIndex } from './name-index.ts';
import { TmpfsFile } from './regular.ts';
import type { TmpfsSuper } from './super.ts';
import { isLong, TmpfsSymlink } from './symlink.ts';

const ENTRY_SIZE = 20;
/** Positions 0 and 1 of readdir are "." and ".."; 2 is not used. Names have the positions from here on. */
const FIRST_COOKIE = 3;
/** The position after the oldest name: nothing is left to read. */
const END = 0x7fffffff;

export class TmpfsDir extends TmpfsInode {
  readonly names: NameIndex<TmpfsInode> = new NameIndex(FIRST_COOKIE);
  /** What '..' is; for the root, itself. */
  up: TmpfsDir;

  constructor(sb: TmpfsSuper, init: NewInode, up: TmpfsDir | null) {
    super(sb, init);
    this.up = up ?? this;
    this.nlink = 2;
    this.size = 2 * ENTRY_SIZE;
  }

  override open(flags: number, _cred: Cred): Result<File> {
    return new TmpfsDirFile(this, flags);
  }

  override lookup(name: string): Result<Inode> {
    return this.names.get(name) ?? -ENOENT;
  }

  override mknod(name: string, init: NewInode): Result<Inode> {
    const err = this.sb.takeInode(listBytes(init));
    if (err < 0) return err;
    return this.add(name, isReg(init.mode) ? new TmpfsFile(this.sb, init) : new TmpfsInode(this.sb, init));
  }

  override mkdir(name: string, init: NewInode): Result<Inode> {
    const err = this.sb.takeInode(listBytes(init));
    return err < 0 ? err : this.add(name, new TmpfsDir(this.sb, init, this));
  }

  override symlink(name: string, target: string, init: NewInode): Result<Inode> {
    const err = this.sb.takeInode();
    if (err < 0) return err;
    const taken = isLong(target) ? this.sb.takeBlock() : 0;
    if (taken < 0) {
      this.sb.giveInode();
      return taken;
    }
    return this.add(name, new TmpfsSymlink(this.sb, { ...init, mode: S_IFLNK | 0o777 }, target));
  }

  override tmpfile(init: NewInode): Result<Inode> {
    const err = this.sb.takeInode(listBytes(init));
    if (err < 0) return err;
    const file = new TmpfsFile(this.sb, init);
    file.nlink = 0;
    return file;
  }

  /** Each name but a file's first counts as an inode, so that nr_inodes limits names, too. */
  override link(name: string, inode: Inode): number {
    const err = inode.nlink > 0 ? this.sb.takeInode() : 0;
    if (err < 0) return err;
    inode.nlink++;
    inode.ctime = this.sb.clock.coarse();
    this.add(name, inode as TmpfsInode);
    return 0;
  }

  override unlink(name: string, inode: Inode): number {
    this.remove(name, inode);
    this.takeLink(inode);
    inode.ctime = this.mtime;
    return 0;
  }

  override rmdir(name: string, inode: Inode): number {
    if ((inode as TmpfsDir).names.size > 0) return -ENOTEMPTY;
    this.remove(name, inode);
    inode.nlink = 0;
    inode.ctime = this.mtime;
    return 0;
  }

  override rename(
    oldName: string,
    inode: Inode,
    newDir: Inode,
    newName: string,
    target: Inode | null,
    flags: number,
  ): number {
    const to = newDir as TmpfsDir;
    if ((flags & RENAME_EXCHANGE) !== 0) return this.exchange(oldName, inode, to, newName, target!);
    if (target instanceof TmpfsDir && target.names.size > 0) return -ENOTEMPTY;
    const whiteout = (flags & RENAME_WHITEOUT) !== 0;
    const taken = whiteout ? this.sb.takeInode() : 0;
    if (taken < 0) return taken;
    if (target !== null) to.forgetLink(target);
    if (whiteout) this.placeWhiteout(oldName, inode);
    else this.remove(oldName, inode);
    to.place(newName, inode as TmpfsInode, target);
    inode.ctime = this.mtime;
    return 0;
  }

  /** Frees this directory and everything below it, which must be unused. */
  destroyTree(): void {
    const order: TmpfsInode[] = [this];
    for (let i = 0; i < order.length; i++) {
      const inode = order[i]!;
      if (inode instanceof TmpfsDir) for (const { value } of inode.names.values()) order.push(value!);
    }
    for (const inode of new Set(order)) inode.evict();
  }

  private add(name: string, inode: TmpfsInode): TmpfsInode {
    this.names.set(name, inode);
    if (isDir(inode.mode)) this.nlink++;
    this.changed();
    return inode;
  }

  private remove(name: string, inode: Inode): void {
    this.names.delete(name);
    if (isDir(inode.mode)) this.nlink--;
    this.changed();
  }

  /** Gives `inode` a name here, which may have been `target`'s. */
  private place(name: string, inode: TmpfsInode, target: Inode | null): void {
    if (target !== null && isDir(target.mode)) this.nlink--;
    this.add(name, inode);
    if (inode instanceof TmpfsDir) inode.up = this;
  }

  private forgetLink(target: Inode): void {
    if (isDir(target.mode)) target.nlink = 0;
    else this.takeLink(target);
    target.ctime = this.sb.clock.coarse();
  }

  private takeLink(inode: Inode): void {
    if (--inode.nlink > 0) this.sb.giveInode();
  }

  private exchange(oldName: string, inode: Inode, to: TmpfsDir, newName: string, target: Inode): number {
    this.place(oldName, target as TmpfsInode, inode);
    to.place(newName, inode as TmpfsInode, target);
    inode.ctime = this.mtime;
    target.ctime = this.mtime;
    return 0;
  }

  /** RENAME_WHITEOUT: the old name becomes a device 0:0, which tells an overlay that the name is gone. */
  private placeWhiteout(name: string, inode: Inode): void {
    const init = { mode: S_IFCHR, uid: 0, gid: 0, rdev: 0 };
    this.place(name, new TmpfsInode(this.sb, init), inode);
  }

  private changed(): void {
    this.size = (this.names.size + 2) * ENTRY_SIZE;
    this.mtime = this.sb.clock.coarse();
    this.ctime = this.mtime;
  }
}

class TmpfsDirFile extends File {
  declare readonly inode: TmpfsDir;

  override read(): number {
    return -EISDIR;
  }

  /** SEEK_END is refused (-EINVAL): positions have no meaningful order. */
  override seek(offset: number, whence: number): number {
    return whence === SEEK_SET || whence === SEEK_CUR ? super.seek(offset, whence) : -EINVAL;
  }

  /** Reads from the youngest name to the oldest, so a pass does not include names made, or files renamed, meanwhile. */
  override readdir(pos: number, emit: EmitEntry): number {
    const { names, ino, up } = this.inode;
    fileAccessed(this);
    if (pos <= 0 && !emit('.', ino, dirType(S_IFDIR), 1)) return 0;
    if (pos <= 1 && !emit('..', up.ino, dirType(S_IFDIR), names.upTo(Infinity)?.cookie ?? END)) return 0;
    if (pos === END) return 0;
    let slot = names.upTo(pos <= 1 ? Infinity : pos);
    while (slot !== null) {
      const { cookie, name, value } = slot;
      slot = names.upTo(cookie - 1);
      if (!emit(name, value!.ino, dirType(value!.mode), slot?.cookie ?? END)) return 0;
    }
    return 0;
  }

  override fsync(_dataOnly: boolean): number {
    return 0;
  }
}
