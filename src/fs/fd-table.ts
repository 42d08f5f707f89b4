/**
 * A table of file descriptors (struct files_struct): shared by threads, copied by fork.
 *
 * The table itself owns POSIX record locks: closing any of its descriptors for a file removes the table's locks on that
 * file (fcntl_locking(2)).
 */
import { Bitmap } from '../lib/bitmap.ts';
import { EBADF, EINVAL, EMFILE } from '../uapi/errno.ts';
import { O_PATH } from '../uapi/fcntl.ts';
import type { File } from './file.ts';

/** The descriptors that a new table has room for (struct files_struct: one word of its bitmap). */
const FEWEST = 64;

export class FilesStruct {
  /** Tasks that share the table. */
  refs = 1;
  /**
   * How many descriptors the table has room for: a power of two that only grows. proc_pid_status(5) shows it (FDSize),
   * and select(2) ignores descriptors beyond it.
   */
  size = FEWEST;
  private readonly files: (File | null)[] = [];
  private readonly open = new Bitmap();
  private readonly closing = new Bitmap();

  /** The file of a descriptor, or null. Takes no reference. */
  get(fd: number): File | null {
    return this.files[fd] ?? null;
  }

  /** Number of open descriptors. */
  get count(): number {
    return this.open.count;
  }

  /** Whether a descriptor below `limit` is free; ask before making a file for it. */
  hasRoom(limit: number): boolean {
    return this.open.next(0, false) < limit;
  }

  /** Gives `file`, with its reference, the lowest free descriptor from `min` on; -EMFILE at `limit` (RLIMIT_NOFILE). */
  install(file: File, cloexec: boolean, limit: number, min = 0): number {
    const fd = this.open.next(min, false);
    if (fd >= limit) return -EMFILE;
    this.set(fd, file, cloexec);
    return fd;
  }

  /** F_DUPFD and dup(2). */
  dup(fd: number, cloexec: boolean, limit: number, min = 0): number {
    const file = this.get(fd);
    if (file === null) return -EBADF;
    if (min < 0 || min >= limit) return -EINVAL;
    const copy = this.install(file, cloexec, limit, min);
    if (copy >= 0) file.get();
    return copy;
  }

  /** dup2(2) of two different descriptors, dup3(2); closes `newFd` first. */
  dupTo(fd: number, newFd: number, cloexec: boolean, limit: number): number {
    if (newFd < 0 || newFd >= limit) return -EBADF;
    const file = this.get(fd);
    if (file === null) return -EBADF;
    const old = this.get(newFd);
    this.set(newFd, file.get(), cloexec);
    if (old !== null) this.letGo(old);
    return newFd;
  }

  /** close(2): 0, -EBADF, or what `flush` says of the closed file. */
  close(fd: number): number {
    const file = this.take(fd);
    return file === null ? -EBADF : this.letGo(file);
  }

  /** close_range(2): [first, last]. */
  closeRange(first: number, last: number): void {
    for (let fd = this.open.next(first, true); fd <= last; fd = this.open.next(fd + 1, true)) this.close(fd);
  }

  /** CLOSE_RANGE_CLOEXEC. */
  markRange(first: number, last: number): void {
    for (let fd = this.open.next(first, true); fd <= last; fd = this.open.next(fd + 1, true)) {
      this.setCloexec(fd, true);
    }
  }

  isCloexec(fd: number): boolean {
    return this.closing.has(fd);
  }

  setCloexec(fd: number, on: boolean): void {
    if (on) this.closing.set(fd, fd + 1);
    else this.closing.clear(fd, fd + 1);
  }

  /** Closes what is marked close-on-exec. */
  closeOnExec(): void {
    for (let fd = this.closing.next(0, true); Number.isFinite(fd); fd = this.closing.next(fd + 1, true))
      this.close(fd);
  }

  /** A copy for fork(2), or for a task that stops sharing, without the descriptors above `last`. */
  clone(last: number = Number.POSITIVE_INFINITY): FilesStruct {
    const copy = new FilesStruct();
    for (
      let fd = this.open.next(0, true);
      fd <= last && Number.isFinite(fd);
      fd = this.open.next(fd + 1, true)
    ) {
      copy.set(fd, this.files[fd]!.get(), this.closing.has(fd));
    }
    return copy;
  }

  share(): this {
    this.refs++;
    return this;
  }

  /** A task gives up the table; the last one closes everything. */
  put(): void {
    if (--this.refs === 0) this.closeRange(0, Number.MAX_SAFE_INTEGER);
  }

  /** The next open descriptor from `fd` on, or Infinity. */
  next(fd: number): number {
    return this.open.next(fd, true);
  }

  private set(fd: number, file: File, cloexec: boolean): void {
    while (this.files.length < fd) this.files.push(null);
    while (this.size <= fd) this.size *= 2;
    this.files[fd] = file;
    this.open.set(fd, fd + 1);
    this.setCloexec(fd, cloexec);
  }

  private take(fd: number): File | null {
    const file = this.get(fd);
    if (file === null) return null;
    this.files[fd] = null;
    this.open.clear(fd, fd + 1);
    this.closing.clear(fd, fd + 1);
    return file;
  }

  private letGo(file: File): number {
    if (file.window?.holder === this) file.closeWindow();
    if (file.observers !== null) for (const observer of [...file.observers]) observer.closedIn?.(this);
    const result = file.flush();
    // A file opened with O_PATH cannot lock, so closing it releases no locks.
    if ((file.flags & O_PATH) === 0) file.inode.locks?.removeOwner(this);
    file.put();
    return result;
  }
}
