/**
 * One file of the host that was passed to us open (standard input, a redirection).
 *
 * No name leads anywhere from here, so the holder can reach only that file. It is reopened with no more access than
 * the passed descriptors have. The machine can neither change its owner nor make it a set-user-ID program.
 */
import type { Result } from '../lib/result.ts';
import { EACCES, EPERM } from '../uapi/errno.ts';
import { O_ACCMODE, O_PATH, O_RDONLY, O_RDWR } from '../uapi/fcntl.ts';
import { S_IRWXUGO } from '../uapi/stat.ts';
import type { StatFs } from '../uapi/statfs.ts';
import type { HostEntries, HostFiles, HostStat, HostTime } from './files.ts';

export class GivenFiles implements HostFiles {
  readonly privileged = false;
  readonly descriptorLimit: number;
  private readonly files: HostFiles;
  /** The passed descriptors, and the access that each is open for (O_ACCMODE). */
  private readonly passed: { readonly fd: number; readonly access: number }[] = [];

  constructor(files: HostFiles) {
    this.files = files;
    this.descriptorLimit = files.descriptorLimit;
  }

  /** Adds a descriptor of the file. */
  add(fd: number, access: number): void {
    this.passed.push({ fd, access });
  }

  get writable(): boolean {
    return this.passed.some(({ access }) => access !== O_RDONLY);
  }

  /** Duplicates the passed descriptor if the host refuses to reopen it (a file of another user). */
  reopen(_fd: number, flags: number): number {
    const access = flags & O_ACCMODE;
    const lends = (has: number): boolean => has === O_RDWR || has === access;
    const from = this.passed.find(has => (flags & O_PATH) !== 0 || lends(has.access));
    if (from === undefined) return -EACCES;
    const fd = this.files.reopen(from.fd, flags);
    return fd < 0 ? this.files.dup(from.fd) : fd;
  }

  // Names.

  openRoot(): number {
    return -EACCES;
  }

  openBeneath(): number {
    return -EACCES;
  }

  open(): number {
    return -EACCES;
  }

  openPath(): number {
    return -EACCES;
  }

  tmpfile(): number {
    return -EACCES;
  }

  statAt(): number {
    return -EACCES;
  }

  readlink(): Result<string> {
    return -EACCES;
  }

  mkdir(): number {
    return -EACCES;
  }

  mknod(): number {
    return -EACCES;
  }

  symlink(): number {
    return -EACCES;
  }

  link(): number {
    return -EACCES;
  }

  linkFd(): number {
    return -EACCES;
  }

  unlink(): number {
    return -EACCES;
  }

  rename(): number {
    return -EACCES;
  }

  // The file.

  openList(dir: number): number {
    return this.files.openList(dir);
  }

  dup(fd: number): number {
    return this.files.dup(fd);
  }

  close(fd: number): void {
    this.files.close(fd);
  }

  stat(fd: number, into: HostStat): number {
    return this.files.stat(fd, into);
  }

  statfs(fd: number): Result<StatFs> {
    return this.files.statfs(fd);
  }

  list(fd: number): Result<HostEntries> {
    return this.files.list(fd);
  }

  read(fd: number, buf: Uint8Array, off: number, len: number): number {
    return this.files.read(fd, buf, off, len);
  }

  write(fd: number, buf: Uint8Array, off: number, len: number): number {
    return this.files.write(fd, buf, off, len);
  }

  pread(fd: number, buf: Uint8Array, off: number, len: number, pos: number): number {
    return this.files.pread(fd, buf, off, len, pos);
  }

  pwrite(fd: number, buf: Uint8Array, off: number, len: number, pos: number): number {
    return this.files.pwrite(fd, buf, off, len, pos);
  }

  truncate(fd: number, size: number): number {
    return this.files.truncate(fd, size);
  }

  fallocate(fd: number, mode: number, offset: number, len: number): number {
    return this.files.fallocate(fd, mode, offset, len);
  }

  fsync(fd: number, dataOnly: boolean): number {
    return this.files.fsync(fd, dataOnly);
  }

  seek(fd: number, offset: number, whence: number): number {
    return this.files.seek(fd, offset, whence);
  }

  chmod(fd: number, mode: number): number {
    return (mode & ~S_IRWXUGO) === 0 ? this.files.chmod(fd, mode) : -EPERM;
  }

  chown(): number {
    return -EPERM;
  }

  utimens(fd: number, atime: HostTime, mtime: HostTime): number {
    return this.files.utimens(fd, atime, mtime);
  }

  getxattr(fd: number, name: string): Result<string> {
    return this.files.getxattr(fd, name);
  }

  setxattr(): number {
    return -EPERM;
  }

  listxattr(fd: number): string[] {
    return this.files.listxattr(fd);
  }

  removexattr(): number {
    return -EPERM;
  }
}
