/**
 * Inodes, of which filesystems are made.
 *
 * An inode is a file, whatever its names. Each filesystem derives a class from `Inode` and overrides what it
 * supports; the defaults answer as Linux does for a file without the operation. **No operation waits**: what
 * cannot be done now answers -EAGAIN, and the system call does the waiting.
 *
 * Names and link targets are strings with one character per byte (latin1), never decoded.
 * The caller checks permissions (namei).
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

/** What chmod, chown, utimensat, truncate and setfacl change; absent fields stay as they are. */
export interface Attributes {
  mode?: number;
  uid?: number;
  gid?: number;
  size?: number;
  atime?: Timespec;
  mtime?: Timespec;
  ctime?: Timespec;
  /** Only for inodes of filesystems that keep access control lists (`SuperBlock.keepsAccessLists`). */
  acl?: AccessList | null;
  defaultAcl?: AccessList | null;
}

/** What a new inode gets from its creator; `mode` has the type bits, and the umask applied. */
export interface NewInode {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** For character and block devices. */
  readonly rdev: number;
  /** Inherited from its directory. */
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
  /** Space in use on the medium, in units of 512 bytes (st_blocks). */
  blocks = 0;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  /** Birth time, for statx(2). */
  btime: Timespec | null = null;
  /** Its access control list, if it says more than the mode; and the default list that new files inherit. */
  acl: AccessList | null = null;
  defaultAcl: AccessList | null = null;
  /** Locks of fcntl(2) and flock(2) on this file; fs/locks.ts makes this on first use. */
  locks: FileLocks | null = null;
  /** A bound AF_UNIX socket or a FIFO's pipe: outlives this inode's names while in use. */
  endpoint: object | null = null;
  /** Open files and mappings of it, and dentries that name it. At 0, an inode without links is evicted. */
  refs = 0;
  /** Files open for writing (execve(2) then answers ETXTBSY); negative while it is executed. */
  writers = 0;
  /** Files open only for reading (leases: fcntl(2)). */
  readers = 0;
  /** Whether the last program that had the file along read all of it; null: not known. */
  wasRead: boolean | null = null;
  /** Called when the inode stops being steady. */
  relied: (() => void) | null = null;
  /** A program's hint of how long the content will live (F_SET_RW_HINT). */
  writeHint = 0;
  /** Made by O_TMPFILE without O_EXCL: linkat(2) may give it a name although it has none. */
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

  /** Whether its attributes cannot change, whoever asks. */
  get keepsAttributes(): boolean {
    return false;
  }

  /** From now on it may change: notifies, once, what relied on its steadiness. */
  protected becomesUnsteady(): void {
    const { relied } = this;
    this.relied = null;
    relied?.();
  }

  /** Whether its first page is in memory. */
  get hasFirstPage(): boolean {
    return false;
  }

  /** Makes `acl` and `defaultAcl` known: some filesystems must ask for them. */
  learnLists(): void {}

  /** Brings the attributes up to date (hostfs, proc): 0 or -errno. */
  refresh(): number {
    return 0;
  }

  /** Changes attributes; the caller has checked ownership. A new size truncates or extends. */
  setattr(_attr: Attributes): number {
    return -EPERM;
  }

  /** Opens the file: returns a new `File`, whose path and flags the caller sets. */
  abstract open(flags: number, cred: Cred): Result<File>;

  /** 0, -errno, or null to let the mode bits decide. Overridden where they are not the whole truth (proc, hostfs). */
  permission(_mask: number, _cred: Cred): number | null {
    return null;
  }

  // Directories. `name` is neither empty nor '.' nor '..', and at most 255 bytes.

  lookup(_name: string): Result<Inode> {
    return -ENOTDIR;
  }

  /** Makes a regular file, device, FIFO or socket. The name does not exist. */
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

  /** Flags are renameat2's. `target` is what `newName` names now, if anything. The caller has checked the types. */
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

  /** Makes a file without a name (O_TMPFILE). */
  tmpfile(_init: NewInode): Result<Inode> {
    return -EOPNOTSUPP;
  }

  // Symbolic links.

  /** The target, as seen by `who` (/proc/self differs for each). */
  readlink(_who: WalkContext): Result<string> {
    return -EINVAL;
  }

  /** Where a magic link leads directly, whatever its text (proc_pid_fd(5)), or -errno; null: an ordinary link. */
  follow(_who: WalkContext): Path | number | null {
    return null;
  }

  /** Whether it can be a mount point: names that come and go with descriptors cannot (since Linux 6.12). */
  get mayBeCovered(): boolean {
    return true;
  }

  /** Flags of chattr(1), FS_*_FL (flags.ts); null: the filesystem has none. */
  get fsFlags(): number | null {
    return null;
  }

  setFsFlags(_flags: number): number {
    return -ENOTTY;
  }

  // Extended attributes: values are strings with one character per byte.

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

  /** The file's pages in memory, for mappings and, where they exist, for reads; -ENODEV if it has none. */
  pages(): Result<PageCache> {
    return -ENODEV;
  }

  /** Writes stores through shared mappings of [pos, pos + len) to the medium (msync, last unmapping); 0 or -errno. */
  writeback(_pos: number, _len: number): number {
    return 0;
  }

  /** Whether the file's times depend on stores through shared mappings: the first store of each calls `stored`. */
  get hearsStores(): boolean {
    return false;
  }

  stored(): void {}

  /** The last name and the last user are gone: free the data. */
  evict(): void {}

  touch(clock: Clock, which: 'atime' | 'mtime' | 'ctime'): void {
    this[which] = clock.coarse();
  }
}
