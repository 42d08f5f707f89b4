/**
 * What a filesystem is made of: inodes.
 *
 * An inode is a file, whatever its names. A filesystem derives a class from `Inode` and overrides what it
 * can; every default answers as Linux does for a file without the operation. **No operation waits**: what
 * cannot be done now answers -EAGAIN, and the system call's own layer does the waiting.
 *
 * Names and link targets are strings with one character a byte (latin1), never decoded.
 * Permission is checked by the caller (namei), not here.
 */
import type { Clock, Timespec } from '../core/clock.ts';
import type { Cred } from '../core/cred.ts';
import type { Result } from '../lib/result.ts';
import type { PageCache } from '../mm/page-cache.ts';
import { EACCES, EINVAL, ENODATA, ENODEV, ENOTDIR, ENOTTY, EOPNOTSUPP, EPERM } from '../uapi/errno.ts';
import { isReg, S_IFMT } from '../uapi/stat.ts';
import type { AccessList } from './access-list.ts';
import type { WalkContext } from './context.ts';
import type { Path } from './dentry.ts';
import type { File } from './file.ts';
import type { FileLocks } from './locks.ts';
import type { SuperBlock } from './super.ts';

/** What chmod, chown, utimensat, truncate and setfacl change; absent fields stay. */
export interface Attributes {
  mode?: number;
  uid?: number;
  gid?: number;
  size?: number;
  atime?: Timespec;
  mtime?: Timespec;
  ctime?: Timespec;
  /** Given to inodes of filesystems that keep such lists (`SuperBlock.keepsAccessLists`). */
  acl?: AccessList | null;
  defaultAcl?: AccessList | null;
}

/** What a new inode gets from its maker; `mode` has the type bits, the umask is applied. */
export interface NewInode {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** For character and block devices. */
  readonly rdev: number;
  /** What its directory hands down. */
  readonly acl?: AccessList | null;
  readonly defaultAcl?: AccessList | null;
}

export abstract class Inode {
  readonly sb: SuperBlock;
  readonly ino: number;
  mode: number;
  uid = 0;
  gid = 0;
  nlink = 1;
  size = 0;
  rdev = 0;
  /** Bytes in use on the medium, in units of 512 (st_blocks). */
  blocks = 0;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  /** Birth time, for statx(2). */
  btime: Timespec | null = null;
  /** Its access control list, if it says more than the mode does; and the one that it hands down to new files. */
  acl: AccessList | null = null;
  defaultAcl: AccessList | null = null;
  /** Locks of fcntl(2) and flock(2) on this file; made on first use by fs/locks.ts. */
  locks: FileLocks | null = null;
  /** A bound AF_UNIX socket, or a FIFO's pipe: what outlives this inode's names while in use. */
  endpoint: object | null = null;
  /** Open files and mappings of this inode, and dentries that name it: evicted when it has none and no links. */
  refs = 0;
  /** Files open for writing (execve(2) says ETXTBSY, a remount to read-only EBUSY). */
  writers = 0;
  /** Files open for reading alone (leases: fcntl(2)). */
  readers = 0;
  /** Whether the program that had it open most recently, for a short while, read all of it; null: not known. */
  wasRead: boolean | null = null;
  /** Told when it is not steady any more. */
  relied: (() => void) | null = null;
  /** What a program has said of how long its content will live (F_SET_RW_HINT). */
  writeHint = 0;
  /** Made by O_TMPFILE without O_EXCL: may be linked although it has no name. */
  linkable = false;

  constructor(sb: SuperBlock, ino: number, mode: number, now: Timespec) {
    this.sb = sb;
    this.ino = ino;
    this.mode = mode;
    this.atime = now;
    this.mtime = now;
    this.ctime = now;
  }

  get type(): number {
    return this.mode & S_IFMT;
  }

  /** Whether neither its content nor its attributes ever change. */
  get isSteady(): boolean {
    return false;
  }

  /** Whether nobody can change its attributes, whoever asks. */
  get keepsAttributes(): boolean {
    return false;
  }

  /** It does not stay as it is any more: whoever relied on that is told, once. */
  protected becomesUnsteady(): void {
    const { relied } = this;
    this.relied = null;
    relied?.();
  }

  /** Whether its first page is in memory. */
  get hasFirstPage(): boolean {
    return false;
  }

  /** `acl` and `defaultAcl` are known from now on: some filesystems have to ask for them. */
  learnLists(): void {}

  /** Brings the attributes up to date (hostfs, proc): 0 or -errno. */
  refresh(): number {
    return 0;
  }

  /** Changes attributes. Rules of ownership were checked by the caller. A new size truncates or extends. */
  setattr(_attr: Attributes): number {
    return -EPERM;
  }

  /** The file opened: a `File` made for this inode. The caller sets its path and flags. */
  abstract open(flags: number, cred: Cred): Result<File>;

  /** Overridden where mode bits do not tell the whole story (proc, hostfs); null: the mode bits decide. */
  permission(_mask: number, _cred: Cred): number | null {
    return null;
  }

  // Directories. `name` is neither empty nor '.' nor '..', and at most 255 bytes.

  lookup(_name: string): Result<Inode> {
    return -ENOTDIR;
  }

  /** A regular file, device, FIFO or socket. The name does not exist. */
  mknod(_name: string, init: NewInode): Result<Inode> {
    return isReg(init.mode) ? -EACCES : -EPERM;
  }

  mkdir(_name: string, _init: NewInode): Result<Inode> {
    return -EPERM;
  }

  symlink(_name: string, _target: string, _init: NewInode): Result<Inode> {
    return -EPERM;
  }

  link(_name: string, _inode: Inode): number {
    return -EPERM;
  }

  unlink(_name: string, _inode: Inode): number {
    return -EPERM;
  }

  rmdir(_name: string, _inode: Inode): number {
    return -EPERM;
  }

  /** Flags are renameat2's. `target` is what `newName` names now, if anything (types were checked). */
  rename(
    _oldName: string,
    _inode: Inode,
    _newDir: Inode,
    _newName: string,
    _target: Inode | null,
    _flags: number,
  ): number {
    return -EPERM;
  }

  /** A file without a name (O_TMPFILE). */
  tmpfile(_init: NewInode): Result<Inode> {
    return -EOPNOTSUPP;
  }

  // Symbolic links.

  /** The target; `who` asks (/proc/self answers each his own). */
  readlink(_who: WalkContext): Result<string> {
    return -EINVAL;
  }

  /** A magic link leads straight to a path, whatever its text says (proc_pid_fd(5)); null: an ordinary link. */
  follow(_who: WalkContext): Path | number | null {
    return null;
  }

  /** Whether something may be mounted on it: nothing may be on names that come and go with descriptors (since Linux 6.12). */
  get mayBeCovered(): boolean {
    return true;
  }

  /** Flags of chattr(1), FS_*_FL; null: the filesystem has none. See flags.ts. */
  get fsFlags(): number | null {
    return null;
  }

  setFsFlags(_flags: number): number {
    return -ENOTTY;
  }

  // Extended attributes: values are bytes, one character each.

  getxattr(_name: string): Result<string> {
    return -ENODATA;
  }

  setxattr(_name: string, _value: string, _flags: number): number {
    return -EOPNOTSUPP;
  }

  listxattr(): string[] {
    return [];
  }

  removexattr(_name: string): number {
    return -EOPNOTSUPP;
  }

  // Data.

  /** The file's pages in memory, for mappings (and for reads where they exist); -ENODEV if it has none. */
  pages(): Result<PageCache> {
    return -ENODEV;
  }

  /** Stores through shared mappings of [pos, pos + len) go to the medium: msync, and the last unmapping; 0 or -errno. */
  writeback(_pos: number, _len: number): number {
    return 0;
  }

  /** Whether its times tell of stores through shared mappings: the first one of each is heard of. */
  get hearsStores(): boolean {
    return false;
  }

  stored(): void {}

  /** The last name and the last user are gone: let go of the data. */
  evict(): void {}

  touch(clock: Clock, which: 'atime' | 'mtime' | 'ctime'): void {
    this[which] = clock.coarse();
  }
}
