/**
 * The host's files, as hostfs needs them: an interface, so that a machine without a native host can bring its own.
 *
 * Every name is *one component* relative to a directory's descriptor, and a symbolic link is never followed. The
 * names '.', '..', '' and those with a slash get -EINVAL before the host sees them. So code built on these calls
 * cannot leave the directory it was given. Errors are the host's own, negative.
 */
import type { Result } from '../lib/result.ts';
import { S_IFMT } from '../uapi/stat.ts';
import type { StatFs } from '../uapi/statfs.ts';

/** The result of statx(2); callers reuse one object. */
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
  /** -1 if the host does not know when the file was created. */
  btimeSec = -1;
  btimeNsec = 0;

  get type(): number {
    return this.mode & S_IFMT;
  }
}

/** All entries of a directory except '.' and '..', in three parallel arrays. */
export interface HostEntries {
  readonly names: string[];
  readonly inos: number[];
  readonly types: number[];
}

/** Seconds and nanoseconds; null leaves the time as it is. */
export type HostTime = { readonly sec: number; readonly nsec: number } | null;

export interface HostFiles {
  /** Whether the host lets us change the owner of files (we run as its root). */
  readonly privileged: boolean;
  /** The most descriptors that this process may have. */
  readonly descriptorLimit: number;

  /** Opens a directory by a path of the host, following symbolic links: the user named it. */
  openRoot(path: string): number;
  /** Opens a directory by a path that stays below `root`, whatever symbolic links it meets. */
  openBeneath(root: number, path: string): number;
  open(dir: number, name: string, flags: number, mode: number): number;
  /** A descriptor of an entry of any type, devices and links included, without opening it (O_PATH). */
  openPath(dir: number, name: string): number;
  /** Opens the directory that `dir` refers to for `list`. */
  openList(dir: number): number;
  /** Opens what `fd` refers to again, as another open file description. */
  reopen(fd: number, flags: number): number;
  /** Another descriptor of the same open file description. */
  dup(fd: number): number;
  /** A file without a name in the directory. */
  tmpfile(dir: number, flags: number, mode: number): number;
  close(fd: number): void;

  statAt(dir: number, name: string, into: HostStat): number;
  stat(fd: number, into: HostStat): number;
  statfs(fd: number): Result<StatFs>;
  /** All entries of a directory opened for reading, whatever its position. */
  list(fd: number): Result<HostEntries>;
  readlink(dir: number, name: string): Result<string>;

  /** Reads at the descriptor's own position, and advances it. */
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
  /** -1 leaves a uid or gid unchanged. */
  chown(fd: number, uid: number, gid: number): number;
  utimens(fd: number, atime: HostTime, mtime: HostTime): number;
  getxattr(fd: number, name: string): Result<string>;
  setxattr(fd: number, name: string, value: string, flags: number): number;
  listxattr(fd: number): string[];
  removexattr(fd: number, name: string): number;
}
