/**
 * `HostFiles` over the host's own system calls.
 *
 * Arguments are laid out in one arena with a known address, so that a call allocates nothing and has little
 * overhead. Descriptors are close-on-exec. Files are opened with O_NOCTTY, and with O_NONBLOCK, so that a FIFO put
 * in a file's place cannot block us.
 */
import type { Result } from '../lib/result.ts';
import { EACCES, EFAULT, EINVAL, ENAMETOOLONG, ERANGE } from '../uapi/errno.ts';
import {
  AT_EMPTY_PATH,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  F_DUPFD_CLOEXEC,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_TMPFILE,
  SEEK_SET,
} from '../uapi/fcntl.ts';
import { makedev } from '../uapi/stat.ts';
import type { StatFs } from '../uapi/statfs.ts';
import type { HostEntries, HostFiles, HostStat, HostTime } from './files.ts';
import type { Libc } from './libc.ts';

/** The host's system call numbers (x86-64, asm/unistd_64.h). */
const SYS = {
  read: 0,
  write: 1,
  close: 3,
  lseek: 8,
  pread64: 17,
  pwrite64: 18,
  fcntl: 72,
  fsync: 74,
  fdatasync: 75,
  ftruncate: 77,
  chmod: 90,
  geteuid: 107,
  fstatfs: 138,
  setxattr: 188,
  getxattr: 191,
  listxattr: 194,
  removexattr: 197,
  getdents64: 217,
  openat: 257,
  mkdirat: 258,
  mknodat: 259,
  fchownat: 260,
  unlinkat: 263,
  linkat: 265,
  symlinkat: 266,
  readlinkat: 267,
  utimensat: 280,
  fallocate: 285,
  prlimit64: 302,
  renameat2: 316,
  statx: 332,
  openat2: 437,
} as const;

const AT_FDCWD = -100;
const STATX_WANTED = 0xfff; // STATX_BASIC_STATS | STATX_BTIME
const STATX_BTIME = 0x800;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_IN_ROOT = 0x10;
const RLIMIT_NOFILE = 7;
const UTIME_OMIT = 0x3ffffffe;
const PATH_MAX = 4096;
const NAME_MAX = 255;

// The arena: two names, a structure, an empty string, and room for the host's answers.
const NAME_A = 0;
const NAME_B = NAME_A + PATH_MAX;
const STRUCT = NAME_B + PATH_MAX;
const EMPTY = STRUCT + 512;
const BULK = EMPTY + 64;
const BULK_SIZE = 65536 + 64;

const SLASH = 0x2f;
const DOT = 0x2e;

export class NativeFiles implements HostFiles {
  readonly privileged: boolean;
  readonly descriptorLimit: number;
  private readonly libc: Libc;
  private readonly arena: Buffer;
  private readonly view: DataView;
  private readonly at: number;
  /** The array used last (nearly always the machine's memory) and its address. */
  private lastBuffer: Uint8Array;
  private lastAddress: number;

  constructor(libc: Libc) {
    this.libc = libc;
    const memory = new ArrayBuffer(BULK + BULK_SIZE);
    this.arena = Buffer.from(memory);
    this.view = new DataView(memory);
    this.at = libc.addressOf(this.arena);
    this.lastBuffer = this.arena;
    this.lastAddress = this.at;
    this.privileged = libc.syscall(SYS.geteuid) === 0;
    libc.syscall(SYS.prlimit64, 0, RLIMIT_NOFILE, 0, this.at + STRUCT);
    this.descriptorLimit = this.u64(STRUCT);
  }

  openRoot(path: string): number {
    const bad = this.putPath(NAME_A, path);
    if (bad < 0) return bad;
    return this.libc.syscall(SYS.openat, AT_FDCWD, this.at + NAME_A, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  }

  openBeneath(root: number, path: string): number {
    const bad = this.putPath(NAME_A, path);
    if (bad < 0) return bad;
    this.putU64(STRUCT, O_PATH | O_DIRECTORY | O_CLOEXEC);
    this.putU64(STRUCT + 8, 0);
    this.putU64(STRUCT + 16, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    return this.libc.syscall(SYS.openat2, root, this.at + NAME_A, this.at + STRUCT, 24);
  }

  open(dir: number, name: string, flags: number, mode: number): number {
    const bad = this.putName(NAME_A, name);
    if (bad < 0) return bad;
    const careful = flags | O_NOFOLLOW | O_CLOEXEC | ((flags & O_PATH) === 0 ? O_NONBLOCK | O_NOCTTY : 0);
    return this.libc.syscall(SYS.openat, dir, this.at + NAME_A, careful, mode);
  }

  openPath(dir: number, name: string): number {
    return this.open(dir, name, O_PATH, 0);
  }

  openList(dir: number): number {
    const fd = this.openSelf(dir, O_DIRECTORY | O_CLOEXEC, 0);
    // Looking up '.' needs search permission on the directory; listing it needs only read permission.
    return fd === -EACCES ? this.reopen(dir, O_DIRECTORY) : fd;
  }

  reopen(fd: number, flags: number): number {
    const path = this.procPath(fd);
    return this.libc.syscall(SYS.openat, AT_FDCWD, path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
  }

  dup(fd: number): number {
    return this.libc.syscall(SYS.fcntl, fd, F_DUPFD_CLOEXEC, 0);
  }

  tmpfile(dir: number, flags: number, mode: number): number {
    return this.openSelf(dir, flags | O_TMPFILE | O_CLOEXEC, mode);
  }

  close(fd: number): void {
    this.libc.syscall(SYS.close, fd);
  }

  statAt(dir: number, name: string, into: HostStat): number {
    const bad = this.putName(NAME_A, name);
    return bad < 0 ? bad : this.statx(dir, this.at + NAME_A, AT_SYMLINK_NOFOLLOW, into);
  }

  stat(fd: number, into: HostStat): number {
    return this.statx(fd, this.at + EMPTY, AT_EMPTY_PATH, into);
  }

  statfs(fd: number): Result<StatFs> {
    const r = this.libc.syscall(SYS.fstatfs, fd, this.at + STRUCT);
    if (r < 0) return r;
    return {
      type: this.u64(STRUCT),
      bsize: this.u64(STRUCT + 8),
      blocks: this.u64(STRUCT + 16),
      bfree: this.u64(STRUCT + 24),
      bavail: this.u64(STRUCT + 32),
      files: this.u64(STRUCT + 40),
      ffree: this.u64(STRUCT + 48),
      namelen: this.u64(STRUCT + 64),
    };
  }

  list(fd: number): Result<HostEntries> {
    const entries: HostEntries = { names: [], inos: [], types: [] };
    const r = this.seek(fd, 0, SEEK_SET);
    if (r < 0) return r;
    for (;;) {
      const n = this.libc.syscall(SYS.getdents64, fd, this.at + BULK, BULK_SIZE);
      if (n < 0) return n;
      if (n === 0) return entries;
      this.parseEntries(BULK + n, entries);
    }
  }

  readlink(dir: number, name: string): Result<string> {
    const bad = this.putName(NAME_A, name);
    if (bad < 0) return bad;
    const n = this.libc.syscall(SYS.readlinkat, dir, this.at + NAME_A, this.at + BULK, PATH_MAX);
    return n < 0 ? n : this.arena.toString('latin1', BULK, BULK + n);
  }

  read(fd: number, buf: Uint8Array, off: number, len: number): number {
    const address = this.addressOf(buf, off, len);
    return address < 0 ? address : this.libc.syscall(SYS.read, fd, address, len);
  }

  write(fd: number, buf: Uint8Array, off: number, len: number): number {
    const address = this.addressOf(buf, off, len);
    return address < 0 ? address : this.libc.syscall(SYS.write, fd, address, len);
  }

  pread(fd: number, buf: Uint8Array, off: number, len: number, pos: number): number {
    const address = this.addressOf(buf, off, len);
    return address < 0 ? address : this.libc.syscall(SYS.pread64, fd, address, len, pos);
  }

  pwrite(fd: number, buf: Uint8Array, off: number, len: number, pos: number): number {
    const address = this.addressOf(buf, off, len);
    return address < 0 ? address : this.libc.syscall(SYS.pwrite64, fd, address, len, pos);
  }

  truncate(fd: number, size: number): number {
    return this.libc.syscall(SYS.ftruncate, fd, size);
  }

  fallocate(fd: number, mode: number, offset: number, len: number): number {
    return this.libc.syscall(SYS.fallocate, fd, mode, offset, len);
  }

  fsync(fd: number, dataOnly: boolean): number {
    return this.libc.syscall(dataOnly ? SYS.fdatasync : SYS.fsync, fd);
  }

  seek(fd: number, offset: number, whence: number): number {
    return this.libc.syscall(SYS.lseek, fd, offset, whence);
  }

  mkdir(dir: number, name: string, mode: number): number {
    const bad = this.putName(NAME_A, name);
    return bad < 0 ? bad : this.libc.syscall(SYS.mkdirat, dir, this.at + NAME_A, mode);
  }

  mknod(dir: number, name: string, mode: number, rdev: number): number {
    const bad = this.putName(NAME_A, name);
    return bad < 0 ? bad : this.libc.syscall(SYS.mknodat, dir, this.at + NAME_A, mode, rdev);
  }

  symlink(target: string, dir: number, name: string): number {
    const bad = this.putName(NAME_A, name) || this.putPath(NAME_B, target);
    return bad < 0 ? bad : this.libc.syscall(SYS.symlinkat, this.at + NAME_B, dir, this.at + NAME_A);
  }

  link(oldDir: number, oldName: string, dir: number, name: string): number {
    const bad = this.putName(NAME_A, oldName) || this.putName(NAME_B, name);
    if (bad < 0) return bad;
    return this.libc.syscall(SYS.linkat, oldDir, this.at + NAME_A, dir, this.at + NAME_B, 0);
  }

  linkFd(fd: number, dir: number, name: string): number {
    const bad = this.putName(NAME_B, name);
    if (bad < 0) return bad;
    const path = this.procPath(fd);
    return this.libc.syscall(SYS.linkat, AT_FDCWD, path, dir, this.at + NAME_B, AT_SYMLINK_FOLLOW);
  }

  unlink(dir: number, name: string, isDir: boolean): number {
    const bad = this.putName(NAME_A, name);
    if (bad < 0) return bad;
    return this.libc.syscall(SYS.unlinkat, dir, this.at + NAME_A, isDir ? AT_REMOVEDIR : 0);
  }

  rename(oldDir: number, oldName: string, dir: number, name: string, flags: number): number {
    const bad = this.putName(NAME_A, oldName) || this.putName(NAME_B, name);
    if (bad < 0) return bad;
    return this.libc.syscall(SYS.renameat2, oldDir, this.at + NAME_A, dir, this.at + NAME_B, flags);
  }

  chmod(fd: number, mode: number): number {
    return this.libc.syscall(SYS.chmod, this.procPath(fd), mode);
  }

  chown(fd: number, uid: number, gid: number): number {
    return this.libc.syscall(SYS.fchownat, fd, this.at + EMPTY, uid, gid, AT_EMPTY_PATH);
  }

  utimens(fd: number, atime: HostTime, mtime: HostTime): number {
    this.putTime(STRUCT, atime);
    this.putTime(STRUCT + 16, mtime);
    return this.libc.syscall(SYS.utimensat, fd, this.at + EMPTY, this.at + STRUCT, AT_EMPTY_PATH);
  }

  getxattr(fd: number, name: string): Result<string> {
    const bad = this.putPath(NAME_B, name);
    if (bad < 0) return bad;
    const path = this.procPath(fd);
    const n = this.libc.syscall(SYS.getxattr, path, this.at + NAME_B, this.at + BULK, BULK_SIZE);
    return n < 0 ? n : this.arena.toString('latin1', BULK, BULK + n);
  }

  setxattr(fd: number, name: string, value: string, flags: number): number {
    if (value.length > BULK_SIZE) return -ERANGE;
    const bad = this.putPath(NAME_B, name);
    if (bad < 0) return bad;
    this.arena.write(value, BULK, 'latin1');
    const path = this.procPath(fd);
    return this.libc.syscall(SYS.setxattr, path, this.at + NAME_B, this.at + BULK, value.length, flags);
  }

  listxattr(fd: number): string[] {
    const n = this.libc.syscall(SYS.listxattr, this.procPath(fd), this.at + BULK, BULK_SIZE);
    if (n <= 0) return [];
    return this.arena.toString('latin1', BULK, BULK + n - 1).split('\0');
  }

  removexattr(fd: number, name: string): number {
    const bad = this.putPath(NAME_B, name);
    if (bad < 0) return bad;
    return this.libc.syscall(SYS.removexattr, this.procPath(fd), this.at + NAME_B);
  }

  /** open(2) of '.', which `putName` refuses, but which cannot lead out of the directory. */
  private openSelf(dir: number, flags: number, mode: number): number {
    this.arena[NAME_A] = DOT;
    this.arena[NAME_A + 1] = 0;
    return this.libc.syscall(SYS.openat, dir, this.at + NAME_A, flags, mode);
  }

  // Laying out arguments.

  /** Stores one component; refuses a name that could lead anywhere but to an entry of its directory. */
  private putName(at: number, name: string): number {
    const n = name.length;
    if (n > NAME_MAX) return -ENAMETOOLONG;
    if (n === 0 || name === '.' || name === '..') return -EINVAL;
    for (let i = 0; i < n; i++) {
      const c = name.charCodeAt(i);
      if (c === SLASH || c === 0 || c > 255) return -EINVAL;
      this.arena[at + i] = c;
    }
    this.arena[at + n] = 0;
    return 0;
  }

  private putPath(at: number, path: string): number {
    if (path.length >= PATH_MAX) return -ENAMETOOLONG;
    if (path.includes('\0')) return -EINVAL;
    this.arena.write(path, at, 'latin1');
    this.arena[at + path.length] = 0;
    return 0;
  }

  /** The address of a path to what `fd` refers to, for calls that take no O_PATH descriptor (proc(5)). */
  private procPath(fd: number): number {
    this.putPath(NAME_A, `/proc/self/fd/${fd}`);
    return this.at + NAME_A;
  }

  private putTime(at: number, time: HostTime): void {
    this.putU64(at, time === null ? 0 : time.sec);
    this.putU64(at + 8, time === null ? UTIME_OMIT : time.nsec);
  }

  private putU64(at: number, value: number): void {
    this.view.setUint32(at, value >>> 0, true);
    this.view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
  }

  private u64(at: number): number {
    return wide(this.view.getUint32(at, true), this.view.getUint32(at + 4, true));
  }

  private i64(at: number): number {
    return wide(this.view.getUint32(at, true), this.view.getInt32(at + 4, true));
  }

  private addressOf(buf: Uint8Array, off: number, len: number): number {
    if (off < 0 || len < 0 || off + len > buf.length) return -EFAULT;
    if (buf !== this.lastBuffer) {
      this.lastAddress = this.libc.addressOf(buf);
      this.lastBuffer = buf;
    }
    return this.lastAddress + off;
  }

  // Reading answers.

  /** struct statx (linux/stat.h). */
  private statx(fd: number, path: number, flags: number, into: HostStat): number {
    const r = this.libc.syscall(SYS.statx, fd, path, flags, STATX_WANTED, this.at + STRUCT);
    if (r < 0) return r;
    const v = this.view;
    into.nlink = v.getUint32(STRUCT + 16, true);
    into.uid = v.getUint32(STRUCT + 20, true);
    into.gid = v.getUint32(STRUCT + 24, true);
    into.mode = v.getUint16(STRUCT + 28, true);
    into.inoLow = v.getUint32(STRUCT + 32, true);
    into.inoHigh = v.getUint32(STRUCT + 36, true);
    into.ino = wide(into.inoLow, into.inoHigh);
    into.size = this.u64(STRUCT + 40);
    into.blocks = this.u64(STRUCT + 48);
    into.atimeSec = this.i64(STRUCT + 64);
    into.atimeNsec = v.getUint32(STRUCT + 72, true);
    const born = (v.getUint32(STRUCT, true) & STATX_BTIME) !== 0;
    into.btimeSec = born ? this.i64(STRUCT + 80) : -1;
    into.btimeNsec = v.getUint32(STRUCT + 88, true);
    into.ctimeSec = this.i64(STRUCT + 96);
    into.ctimeNsec = v.getUint32(STRUCT + 104, true);
    into.mtimeSec = this.i64(STRUCT + 112);
    into.mtimeNsec = v.getUint32(STRUCT + 120, true);
    into.rdev = makedev(v.getUint32(STRUCT + 128, true), v.getUint32(STRUCT + 132, true));
    into.dev = v.getUint32(STRUCT + 136, true) * 2 ** 20 + v.getUint32(STRUCT + 140, true);
    return 0;
  }

  /** struct linux_dirent64 (getdents64(2)): ino, off, reclen at 16, type at 18, the name at 19. */
  private parseEntries(end: number, entries: HostEntries): void {
    for (let at = BULK; at < end; at += this.view.getUint16(at + 16, true)) {
      const name = this.arena.toString('latin1', at + 19, this.arena.indexOf(0, at + 19));
      if (name === '.' || name === '..') continue;
      entries.names.push(name);
      entries.inos.push(this.u64(at));
      entries.types.push(this.arena[at + 18]!);
    }
  }
}

/** Keeps small numbers small integers, which objects hold without a box. */
const wide = (low: number, high: number): number => (high === 0 ? low : low + high * 2 ** 32);
