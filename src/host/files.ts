/**
 * The host's files, as hostfs needs them: an interface, so that a machine without a native host can bring its own.
 *
 * Every name is *one component* relative to a directory's descriptor and is never followed if it is a symbolic
 * link; '.', '..', '' and names with a slash are refused with -EINVAL before the host sees them. So nothing that
 * is built on these calls can leave the directory it was given. Errors are the host's own, negative.
 */
import type { Result } from '../lib/result.ts';
import { S_IFMT } from '../uapi/stat.ts';
import type { StatFs } from '../uapi/statfs.ts';

/** What statx(2) answered; one object is filled over and over. */
export class HostStat {
  /** The host's device, major * 2^20 + minor. */
  dev = 0;
  /** Inexact above 2^53: `inoLow` and `inoHigh` are the identity. */
  ino = 0;
  inoLow = 0;
  inoHigh = 0;
  mode = 0;
  nlink = 0;
  uid = 0;
  gid = 0;
  size = 0;
  blocks = 0;
  /** As makedev(3) packs it. */
  rdev = 0;
  atimeSec = 0;
  atimeNsec = 0;
  mtimeSec = 0;
  mtimeNsec = 0;
  ctimeSec = 0;
  ctimeNsec = 0;
  /** -1 where the host does not know when the file was made. */
  btimeSec = -1;
  btimeNsec = 0;

  get type(): number {
    return this.mode & S_IFMT;
  }
}

/** A whole directory but '.' and '..', three parallel arrays. */
export interface HostEntries {
  readonly names: string[];
  readonly inos: number[];
  readonly types: number[];
}

/** Seconds and nanoseconds; null leaves the time as it is. */
export type HostTime = { readonly sec: number; readonly nsec: number } | null;

export interface HostFiles {
  /** Whether the host lets us give files away (we run as its root). */
  readonly privileged: boolean;
  /** How many descriptors this process may have. */
  readonly descriptorLimit: number;

  /** A directory by a path of the host's, symbolic links followed: the user named it. */
  openRoot(path: string): number;
  /** A directory by a path that stays below `root`, whatever symbolic links it meets. */
  openBeneath(root: number, path: string): number;
  open(dir: number, name: string, flags: number, mode: number): number;
  /** An entry of any type as a mere place (O_PATH): nothing is opened, devices and links included. */
  openPath(dir: number, name: string): number;
  /** The directory that `dir` refers to, opened for `list`. */
  openList(dir: number): number;
  /** Another description of what `fd` refers to. */
  reopen(fd: number, flags: number): number;
  /** The same description under another number. */
  dup(fd: number): number;
  /** A file without a name in the directory. */
  tmpfile(dir: number, flags: number, mode: number): number;
  close(fd: number): void;

  statAt(dir: number, name: string, into: HostStat): number;
  stat(fd: number, into: HostStat): number;
  statfs(fd: number): Result<StatFs>;
  /** All entries of a directory opened for reading, wherever an earlier listing left it. */
  list(fd: number): Result<HostEntries>;
  readlink(dir: number, name: string): Result<string>;

  /** At the descriptor's own position, which moves on. */
  read(fd: number, buf: Uint8Array, off: number, len: number): number;
  write(fd: number, buf: Uint8Array, off: number, len: number): number;
  pread(fd: number, buf: Uint8Array, off: number, len: number, pos: number): number;
  pwrite(fd: number, buf: Uint8Array, off: number, len: number, pos: number): number;
  truncate(fd: number, size: number): number;
  fallocate(fd: number, mode: number, offset: number, len: number): number;
  fsync(fd: number, dataOnly: boolean): number;
  /** SEEK_DATA and SEEK_HOLE. */
  seek(fd: number, offset: number, whence: number): number;

  mkdir(dir: number, name: string, mode: number): number;
  mknod(dir: number, name: string, mode: number, rdev: number): number;
  symlink(target: string, dir: number, name: string): number;
  link(oldDir: number, oldName: string, dir: number, name: string): number;
  /** Gives the file behind a descriptor a name. */
  linkFd(fd: number, dir: number, name: string): number;
  unlink(dir: number, name: string, isDir: boolean): number;
  rename(oldDir: number, oldName: string, dir: number, name: string, flags: number): number;

  // Attributes, by a descriptor of any kind (O_PATH too).

  chmod(fd: number, mode: number): number;
  /** -1 leaves an owner as it is. */
  chown(fd: number, uid: number, gid: number): number;
  utimens(fd: number, atime: HostTime, mtime: HostTime): number;
  getxattr(fd: number, name: string): Result<string>;
  setxattr(fd: number, name: string, value: string, flags: number): number;
  listxattr(fd: number): string[];
  removexattr(fd: number, name: string): number;
}
