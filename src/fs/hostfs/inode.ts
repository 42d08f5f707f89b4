/** The operations on a file of the host. Errors of the host are passed on unchanged. */
import type { Cred } from '../../core/cred.ts';
import type { Result } from '../../lib/result.ts';
import type { PageCache } from '../../mm/page-cache.ts';
import {
  EACCES,
  ELOOP,
  ENODATA,
  ENODEV,
  ENOENT,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  EROFS,
  ESTALE,
} from '../../uapi/errno.ts';
import { O_ACCMODE, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_WRONLY, RENAME_EXCHANGE } from '../../uapi/fcntl.ts';
import { isDir, isReg, S_IALLUGO, S_IFDIR, S_IFLNK, S_IFREG, S_ISGID, S_ISUID } from '../../uapi/stat.ts';
import type { File } from '../file.ts';
import type { Attributes, Inode, NewInode } from '../inode.ts';
import type { Listing } from '../snapshot-dir.ts';
import { storeLists } from './access-lists.ts';
import { HostDir } from './dir.ts';
import { HostFile } from './file.ts';
import { HostNode } from './node.ts';
import { HostPages } from './pages.ts';

const NOTHING: Listing = { names: [], inos: [], types: [] };
/** In seconds: a file changed this recently may change again within the same tick of the host's clock. */
const GRAIN = 2;

/** Queried by each execve(2). */
const CAPABILITY = 'security.capability';

export class HostInode extends HostNode {
  /** The file's capabilities, cached where they cannot change; null: not asked yet. */
  private capability: Result<string> | null = null;
  /** Pages in memory, from the first mapping (or caching, file.ts) on. */
  mapped: HostPages | null = null;
  /** Number of reads, where they are counted (file.ts). */
  reads = 0;
  private target: string | null = null;
  /** A directory's entries, kept as long as `sb.listings` does. */
  listing: Listing | null = null;

  override get isSteady(): boolean {
    return this.sb.cacheAlways && this.sb.readOnly;
  }

  override get hasFirstPage(): boolean {
    return this.mapped?.cache.isPresent(0) ?? false;
  }

  get cachedPageCount(): number {
    return this.mapped === null ? 0 : this.mapped.cache.pageCount;
  }

  // Attributes.

  override refresh(): number {
    if (this.sb.cacheAlways && !this.stale) return 0;
    const r = this.look();
    // Gone from where it was: the last known attributes have to do.
    return r === -ESTALE ? 0 : r;
  }

  /** Asks the host for the attributes; -ESTALE if the file is not where it was. */
  private look(): number {
    const { seen, files } = this.sb;
    const fd = this.openedFd();
    if (fd >= 0) {
      const r = files.stat(fd, seen);
      if (r < 0) return r;
      this.adopt(seen);
      return 0;
    }
    for (const { dir, name } of this.names) {
      const at = dir.directoryFd();
      if (at < 0 || files.statAt(at, name, seen) < 0 || !this.is(seen)) continue;
      this.adopt(seen);
      return 0;
    }
    return -ESTALE;
  }

  override setattr(attr: Attributes): number {
    if (this.sb.readOnly) return -EROFS;
    if (attr.size !== undefined) {
      const r = this.resize(attr.size);
      if (r < 0) return r;
    }
    const r = this.setOwnerModeTimes(attr);
    this.stale = true;
    this.refresh();
    return r;
  }

  private setOwnerModeTimes(attr: Attributes): number {
    const { files } = this.sb;
    const { mode, uid, gid, atime, mtime } = attr;
    const fd = this.anyFd();
    if (fd < 0) return fd;
    let r = 0;
    if (uid !== undefined || gid !== undefined) r = files.chown(fd, uid ?? -1, gid ?? -1);
    // Storing a list changes the mode, and a later chmod the mask.
    if (r >= 0) r = storeLists(files, fd, attr);
    if (r >= 0 && mode !== undefined) r = files.chmod(fd, mode & S_IALLUGO);
    if (r < 0 || (atime ?? mtime) === undefined) return r;
    r = files.utimens(fd, atime ?? null, mtime ?? null);
    // Truncating has set the host's time already; only the owner may set another.
    return r === -EPERM && attr.size !== undefined ? 0 : r;
  }

  private resize(size: number): number {
    const handle = this.pinWriter();
    if (typeof handle === 'number') return handle;
    const r = this.sb.files.truncate(handle.fd, size);
    if (r >= 0) this.mapped?.cache.truncate(size);
    this.changedByUs(handle.fd);
    this.unpin(handle);
    return r;
  }

  // Directories.

  override lookup(name: string): Result<Inode> {
    if (this.device.hidden) return -ENOENT;
    const dir = this.directoryFd();
    if (dir < 0) return dir;
    const r = this.sb.files.statAt(dir, name, this.sb.seen);
    return r < 0 ? r : this.found(dir, name);
  }

  /** Whether the host still has `inode` (null: nothing) under this name. */
  stillNames(name: string, inode: HostInode | null): boolean {
    if (this.device.hidden) return inode === null;
    const { seen, files } = this.sb;
    const dir = this.directoryFd();
    if (dir < 0) return false;
    const r = files.statAt(dir, name, seen);
    if (r < 0) return inode === null && r === -ENOENT;
    if (inode === null || !inode.is(seen)) return false;
    inode.adopt(seen);
    return true;
  }

  /**
   * Prepares to list this directory: 0, or -errno if the host refuses. A kept listing (`isSteady`) is made anew only if
   * the host's attributes show a change.
   */
  openListing(): number {
    if (this.device.hidden) return 0;
    if (this.listing !== null && this.look() === 0 && this.listing !== null) return 0;
    const fd = this.listFd();
    return Math.min(fd, 0);
  }

  /** The entries, after `openListing`; read-only. */
  list(): Listing | number {
    if (this.device.hidden) return NOTHING;
    if (this.listing !== null) return this.listing;
    const fd = this.listFd();
    const listing = fd < 0 ? fd : this.sb.files.list(fd);
    if (typeof listing === 'number') return listing;
    const { inos } = listing;
    if (this.device.inoBase !== 0)
      for (let i = 0; i < inos.length; i++) inos[i] = this.sb.inoOf(this.device, inos[i]!);
    if (this.isSteady && this.isSettled) this.sb.listings.keep(this, listing);
    return listing;
  }

  /** Whether a change from now on will show in its time. */
  private get isSettled(): boolean {
    return this.sb.clock.coarse().sec - this.mtime.sec > GRAIN;
  }

  override mknod(name: string, init: NewInode): Result<Inode> {
    if (isReg(init.mode)) return this.createRegular(name, init);
    const { files } = this.sb;
    return this.create(name, init, dir => files.mknod(dir, name, init.mode, init.rdev));
  }

  override mkdir(name: string, init: NewInode): Result<Inode> {
    const { files } = this.sb;
    return this.create(name, init, dir => files.mkdir(dir, name, init.mode & S_IALLUGO));
  }

  override symlink(name: string, target: string, init: NewInode): Result<Inode> {
    const { files } = this.sb;
    return this.create(name, init, dir => files.symlink(target, dir, name));
  }

  override tmpfile(init: NewInode): Result<Inode> {
    const dir = this.changeableFd();
    if (dir < 0) return dir;
    const fd = this.sb.files.tmpfile(dir, O_RDWR, init.mode & S_IALLUGO);
    return fd < 0 ? fd : this.made(fd, init);
  }

  override link(name: string, inode: Inode): number {
    const file = inode as HostInode;
    const dir = this.sb.readOnly ? -EROFS : this.pinDirectory();
    if (typeof dir === 'number') return dir;
    const r = file.linkInto(dir.fd, name);
    this.unpin(dir);
    if (r < 0) return r;
    if (file.nlink === 0) this.sb.adopted(file);
    file.addName(this, name);
    file.stale = true;
    this.stale = true;
    return file.refresh();
  }

  override unlink(name: string, inode: Inode): number {
    return this.remove(name, inode as HostInode, false);
  }

  override rmdir(name: string, inode: Inode): number {
    return this.remove(name, inode as HostInode, true);
  }

  override rename(
    oldName: string,
    inode: Inode,
    newDir: Inode,
    newName: string,
    target: Inode | null,
    flags: number,
  ): number {
    const to = newDir as HostInode;
    const from = this.sb.readOnly ? -EROFS : this.pinDirectory();
    if (typeof from === 'number') return from;
    const dir = to.directoryFd();
    const r = dir < 0 ? dir : this.sb.files.rename(from.fd, oldName, dir, newName, flags);
    this.unpin(from);
    if (r < 0) return r;
    const replaced = target as HostInode | null;
    const moved = inode as HostInode;
    replaced?.removeName(to, newName);
    moved.removeName(this, oldName);
    moved.addName(to, newName);
    if ((flags & RENAME_EXCHANGE) !== 0) replaced!.addName(this, oldName);
    else replaced?.lostName();
    for (const touched of [this, to, moved]) touched.stale = true;
    return 0;
  }

  // Links and extended attributes.

  override readlink(): Result<string> {
    if (this.target !== null) return this.target;
    let r: Result<string> = -ENOENT;
    for (const { dir, name } of this.names) {
      const at = dir.directoryFd();
      r = at < 0 ? at : this.sb.files.readlink(at, name);
      if (typeof r === 'string') break;
    }
    if (typeof r === 'string' && this.sb.cacheAlways) this.target = r;
    return r;
  }

  override getxattr(name: string): Result<string> {
    if (!isShown(name)) return -ENODATA;
    if (name === CAPABILITY && this.capability !== null) return this.capability;
    const fd = this.xattrFd();
    if (fd < 0) return fd;
    const value = this.sb.files.getxattr(fd, name);
    if (name === CAPABILITY && this.sb.cacheAlways) this.capability = value;
    return value;
  }

  override listxattr(): string[] {
    const fd = this.xattrFd();
    return fd < 0 ? [] : this.sb.files.listxattr(fd).filter(isShown);
  }

  override setxattr(name: string, value: string, flags: number): number {
    const fd = this.xattrFd(name);
    return fd < 0 ? fd : this.sb.files.setxattr(fd, name, value, flags);
  }

  override removexattr(name: string): number {
    const fd = this.xattrFd(name);
    return fd < 0 ? fd : this.sb.files.removexattr(fd, name);
  }

  // Data.

  override open(flags: number, _cred: Cred): Result<File> {
    if (this.type === S_IFDIR) return HostDir.open(this, flags);
    if (this.type === S_IFLNK) return -ELOOP;
    if (this.type !== S_IFREG) return -ENXIO;
    const access = flags & O_ACCMODE;
    if (access !== O_RDONLY && this.sb.readOnly) return -EROFS;
    const fresh = this.openedFd() < 0;
    const writer = access === O_RDONLY ? null : this.pinWriter();
    if (typeof writer === 'number') return writer;
    const reader = access === O_WRONLY ? null : this.pinReader();
    if (typeof reader === 'number') {
      if (writer !== null) this.unpin(writer);
      return reader;
    }
    if (!fresh) this.refresh();
    return new HostFile(this, flags, reader, writer);
  }

  override pages(): Result<PageCache> {
    if (this.type !== S_IFREG) return -ENODEV;
    if (this.mapped === null) {
      const { files, ram } = this.sb;
      this.mapped = new HostPages(files, ram, this.size, () => this.readerFd(), this.sb.readOnly);
      this.sb.cachedPages(this);
    }
    return this.mapped.cache;
  }

  override writeback(pos: number, len: number): number {
    const mapped = this.mapped;
    if (mapped === null || mapped.writer === null) return 0;
    const r = mapped.writeback(pos, len);
    this.changedByUs(mapped.writer.fd);
    return r;
  }

  /** Prepares for stores through shared mappings: 0 or -errno. */
  mappedForStores(): number {
    const mapped = this.mapped!;
    if (mapped.writer !== null) return 0;
    const handle = this.pinWriter();
    if (typeof handle === 'number') return handle;
    mapped.writer = handle;
    return 0;
  }

  /** We changed the file's data, so the host's new times do not mean that others did. */
  changedByUs(fd: number): void {
    if (this.mapped === null) this.stale = true;
    else if (this.sb.files.stat(fd, this.sb.seen) >= 0) this.copyAttributes(this.sb.seen);
  }

  /** Drops cached pages if they are unused; returns whether it did. */
  dropPages(): boolean {
    const mapped = this.mapped;
    if (mapped === null || mapped.writer !== null || this.pinCount > 0) return false;
    if (mapped.cache.users.size > 0 || mapped.cache.filling) return false;
    mapped.cache.destroy();
    this.mapped = null;
    this.sb.droppedPages(this);
    return true;
  }

  /** The last reference is gone. */
  letGo(): void {
    this.sb.listings.drop(this);
    const writer = this.mapped?.writer ?? null;
    if (writer !== null && this.mapped!.cache.users.size === 0) {
      this.mapped!.writeback(0, this.size);
      this.mapped!.writer = null;
      this.unpin(writer);
    }
    this.dropPages();
    this.closeHandles();
  }

  protected override contentChanged(): void {
    if (this.listing !== null) this.sb.listings.drop(this);
    if (this.mapped === null) return;
    const handle = this.pinReader();
    if (typeof handle === 'number') return;
    this.mapped.changed(handle.fd, this.size);
    this.unpin(handle);
  }

  /** A descriptor to fill pages from, or -errno. */
  private readerFd(): number {
    const handle = this.pinReader();
    if (typeof handle === 'number') return handle;
    this.unpin(handle);
    return handle.fd;
  }

  // Making and removing.

  private found(dir: number, name: string): HostInode {
    const inode = this.sb.inodeOf(-1, dir, name);
    inode.addName(this, name);
    return inode;
  }

  /** A descriptor for changing this directory, or -errno. */
  private changeableFd(): number {
    return this.sb.readOnly ? -EROFS : this.directoryFd();
  }

  private create(name: string, init: NewInode, make: (dir: number) => number): Result<Inode> {
    const dir = this.changeableFd();
    if (dir < 0) return dir;
    const r = make(dir);
    if (r < 0) return r;
    this.stale = true;
    const inode = this.lookup(name);
    if (typeof inode !== 'number') (inode as HostInode).becomeAsAsked(init);
    return inode;
  }

  /** Creates the file by opening it, so that the open that usually follows finds a descriptor. */
  private createRegular(name: string, init: NewInode): Result<Inode> {
    const dir = this.changeableFd();
    if (dir < 0) return dir;
    const fd = this.sb.files.open(dir, name, O_CREAT | O_EXCL | O_RDWR, init.mode & S_IALLUGO);
    if (fd < 0) return fd;
    const inode = this.made(fd, init);
    inode.addName(this, name);
    return inode;
  }

  private made(fd: number, init: NewInode): HostInode {
    this.stale = true;
    this.sb.files.stat(fd, this.sb.seen);
    const inode = this.sb.inodeOf(fd);
    inode.setWriter(fd, true);
    inode.becomeAsAsked(init);
    return inode;
  }

  /** Restores what the host's umask took, and sets the owner if we may give files away. */
  private becomeAsAsked(init: NewInode): void {
    const { files } = this.sb;
    const giveAway = files.privileged && (this.uid !== init.uid || this.gid !== init.gid);
    // The host clears these bits when the owner changes.
    const privileged = giveAway ? init.mode & (S_ISUID | S_ISGID) : 0;
    const fixMode = this.type !== S_IFLNK && (((this.mode ^ init.mode) & S_IALLUGO) | privileged) !== 0;
    if (!giveAway && !fixMode) return;
    const fd = this.anyFd();
    if (fd < 0) return;
    if (giveAway) files.chown(fd, init.uid, init.gid);
    if (fixMode) files.chmod(fd, init.mode & S_IALLUGO);
    if (files.stat(fd, this.sb.seen) >= 0) this.copyAttributes(this.sb.seen);
  }

  private linkInto(dir: number, name: string): number {
    let r: number = -ENOENT;
    for (const known of this.names) {
      const at = known.dir.directoryFd();
      r = at < 0 ? at : this.sb.files.link(at, known.name, dir, name);
      if (r !== -ENOENT) return r;
    }
    const fd = this.openedFd();
    return fd < 0 ? r : this.sb.files.linkFd(fd, dir, name);
  }

  private remove(name: string, inode: HostInode, asDir: boolean): number {
    if (this.sb.readOnly) return -EROFS;
    // From now on, other users of the file can reach it only by this descriptor.
    if (inode.refs > 1) inode.anyFd();
    const dir = this.directoryFd();
    if (dir < 0) return dir;
    const r = this.sb.files.unlink(dir, name, asDir);
    if (r < 0) return r;
    inode.removeName(this, name);
    inode.lostName();
    this.stale = true;
    return 0;
  }

  private lostName(): void {
    this.nlink = isDir(this.mode) ? 0 : Math.max(0, this.nlink - 1);
    if (this.nlink === 0) this.sb.orphaned(this);
    this.stale = true;
  }

  /** A descriptor for extended attributes, or -errno; with `name`, for changing that one. */
  private xattrFd(name: string | null = null): number {
    if (this.type === S_IFLNK) return -EOPNOTSUPP;
    if (name !== null && this.sb.readOnly) return -EROFS;
    if (name !== null && !name.startsWith('user.')) return -EOPNOTSUPP;
    return this.device.hidden ? -EACCES : this.anyFd();
  }
}

/** Other attributes are hidden: they concern the host's own security. */
const isShown = (name: string): boolean => name.startsWith('user.') || name === 'security.capability';
