/**
 * Open files (struct file): what a file descriptor refers to, shared by dup and fork.
 *
 * Each kind of file derives a class from `File` and overrides what it can do; the defaults answer as Linux does
 * for a file without the operation. **No operation waits**: `read` of an empty pipe answers -EAGAIN and the
 * system call waits on `waitq` if the file is blocking. Buffers are windows: an array, an offset, a length.
 */
import type { Cred } from '../core/cred.ts';
import type { UserMemory } from '../core/user.ts';
import type { WaitQueue } from '../core/wait.ts';
import type { Result } from '../lib/result.ts';
import type { PageCache } from '../mm/page-cache.ts';
import type { PageWindow } from '../mm/page-window.ts';
import {
  EAGAIN,
  EBADF,
  EFAULT,
  EINVAL,
  EISDIR,
  ENODEV,
  ENOTDIR,
  ENOTTY,
  EOPNOTSUPP,
  ESPIPE,
} from '../uapi/errno.ts';
import {
  O_ACCMODE,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  SEEK_CUR,
  SEEK_SET,
} from '../uapi/fcntl.ts';
import { IN_CLOSE_NOWRITE, IN_CLOSE_WRITE } from '../uapi/inotify.ts';
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLPRI,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRNORM,
} from '../uapi/poll.ts';
import { isDir, isReg } from '../uapi/stat.ts';
import type { Path } from './dentry.ts';
import type { FilesStruct } from './fd-table.ts';
import type { Inode } from './inode.ts';

/** Any of these events means that a read would not wait. */
export const READ_EVENTS: number = POLLIN | POLLRDNORM | POLLPRI | POLLERR | POLLHUP | POLLRDHUP;

/** Receives directory entries; returns false when it has no room for this one, which is then offered again later. */
export type EmitEntry = (name: string, ino: number, dtype: number, nextPos: number) => boolean;

/** The calling task (ioctl, open of a terminal), as far as files need to know it. See core/current.ts. */
export type { Current } from '../core/current.ts';

import type { Current } from '../core/current.ts';

export interface FileObserver {
  /** One of the file's descriptors in `table` is closed. */
  closedIn?(table: FilesStruct): void;
  /** The last reference to the file is gone; comes just before its `release`. */
  released(file: File): void;
}

export abstract class File {
  readonly inode: Inode;
  /** O_* status flags and access mode; F_SETFL changes some of them. */
  flags: number;
  pos = 0;
  /** Reads and writes that the kernel was asked for. */
  asked = 0;
  /** Reads and writes that were worth a window on the file's pages; and the window, of one program that has it open. */
  transfers = 0;
  window: PageWindow | null;
  /** Where it was opened; null for nameless files (pipes, sockets). */
  path: Path | null = null;
  /** References from descriptor tables and from operations in progress. */
  refs = 1;
  /** Counted in the `writers` of its inode, its filesystem and the mount that it was opened through; set by open. */
  countsAsWriter = false;
  /** Counted in `inode.readers`. */
  countsAsReader = false;
  /** The open(2) that opened it also created the file (F_CREATED_QUERY). */
  created = false;
  /** F_SETOWN: > 0 a process, < 0 a process group. And F_SETSIG. */
  owner = 0;
  ownerSignal = 0;
  /** The owner is one thread (F_OWNER_TID); and who set it: SIGIO goes only where these credentials may send it. */
  ownerIsThread = false;
  ownerCred: Cred | null = null;
  /** Notified when the file goes: the epoll instances that watch it. Made by the first. */
  observers: Set<FileObserver> | null = null;

  constructor(inode: Inode, flags: number) {
    this.inode = inode;
    this.flags = flags;
    this.window = null;
  }

  /** Access mode 3 gives neither right (open(2), "File access mode"). */
  get readable(): boolean {
    const mode = this.flags & O_ACCMODE;
    return (mode === O_RDONLY || mode === O_RDWR) && (this.flags & O_PATH) === 0;
  }

  get writable(): boolean {
    const mode = this.flags & O_ACCMODE;
    return (mode === O_WRONLY || mode === O_RDWR) && (this.flags & O_PATH) === 0;
  }

  get nonblocking(): boolean {
    return (this.flags & O_NONBLOCK) !== 0;
  }

  /** Whether reads and writes have positions: false for pipes, sockets and terminals (lseek then fails with ESPIPE). */
  get seekable(): boolean {
    return true;
  }

  /** Whether lseek(2) with SEEK_SET or SEEK_CUR only changes `pos`. */
  get seeksFreely(): boolean {
    return false;
  }

  /** Whether O_DIRECT is accepted, though without effect here: for pipes and files on disks. */
  get mayBeDirect(): boolean {
    return false;
  }

  /** Whether O_ASYNC sends the owner signals: only for files that can have news. */
  get sendsSignals(): boolean {
    return this.waitq !== null;
  }

  /** Whether a write that fails with -EPIPE also sends the writer SIGPIPE. */
  get breaksLoudly(): boolean {
    return true;
  }

  /** Whether splice(2) and sendfile(2) can take bytes from it. */
  get splices(): boolean {
    return !isDir(this.inode.mode);
  }

  /** Whether splice(2) can put bytes there; if not, it fails without waiting for input. */
  get takesSpliced(): boolean {
    return true;
  }

  /** Whether closing it goes unnoticed outside the machine. */
  get closesQuietly(): boolean {
    return false;
  }

  /** How many bytes may be read before the program asks, because every read gets different ones (random bytes). */
  get readsAhead(): number {
    return 0;
  }

  /** Whether one read or write may be split into several: there are no message boundaries to keep. */
  get isStream(): boolean {
    return this.seekable;
  }

  /** Woken whenever `poll` may report more than before; null if the file is always ready. */
  get waitq(): WaitQueue | null {
    return null;
  }

  /** Which events on `waitq`, as POLL bits, concern this file: not all, where several files share a queue. */
  get concerns(): number {
    return ~0;
  }

  /** The text of the link /proc/PID/fd/N for a file without a path (proc(5)). */
  get linkName(): string {
    return 'anon_inode:[file]';
  }

  /** The file's own lines of /proc/PID/fdinfo/N, each with its newline (proc_pid_fdinfo(5)). */
  fdinfo(): string {
    return '';
  }

  /** Called after open and, while it answers -EAGAIN, after each wake-up of `waitq` (a FIFO waits for its peer). */
  opened(): number {
    return 0;
  }

  /** Called before reads and writes: 0, or why this task may not now (-ERESTARTSYS: a terminal's background). */
  mayTransfer(_current: Current, _write: boolean): number {
    return 0;
  }

  /** Called before `poll` and `waitq` are asked for a task: some files show each task something of its own. */
  askedBy(_current: Current): void {}

  /** POLL bits that hold now. */
  poll(): number {
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
  }

  /** Reads at `pos` (ignored if the file has none) into buf[off, off + len). Bytes read, 0 at the end, or -errno. */
  read(_buf: Uint8Array, _off: number, _len: number, _pos: number): number {
    return isDir(this.inode.mode) ? -EISDIR : -EINVAL;
  }

  /**
   * A read of `len` bytes when only the first `room` of them, fewer than `len`, fit at buf[off]. Where Linux copies a
   * piece whole or not at all, as from pipes and sockets, a piece that does not fit stays.
   */
  readShort(buf: Uint8Array, off: number, room: number, _len: number, pos: number): number {
    if (room > 0) return this.read(buf, off, room, pos);
    // The read fails only if there is something to read.
    if (isReg(this.inode.mode)) return pos >= this.inode.size ? 0 : -EFAULT;
    return this.waitq !== null && (this.poll() & READ_EVENTS) === 0 ? -EAGAIN : -EFAULT;
  }

  /** Writes buf[off, off + len) at `pos`. The caller handles O_APPEND, by passing the size as `pos`. */
  write(_buf: Uint8Array, _off: number, _len: number, _pos: number): number {
    return -EINVAL;
  }

  /** How many bytes to hand over first of a write of `len`, when at most `most` (whole pages) fit at once. */
  writtenAtOnce(len: number, most: number): number {
    return Math.min(len, most);
  }

  /** The pages that a read would only copy, with all other effects of the read done; null: use `read`. */
  seen(): PageCache | null {
    return null;
  }

  /** The same for a write of `len` bytes at `pos` that does not change the file's size. */
  overwritten(_pos: number, _len: number): PageCache | null {
    return null;
  }

  /** Makes a thread that reads or writes it on its own ask from now on. */
  recall(): void {
    this.window?.recall();
  }

  /** Closes the window through which a program sees the file's pages. */
  closeWindow(): void {
    this.window?.close();
    this.window = null;
  }

  /** The new position, or -errno. */
  seek(offset: number, whence: number): number {
    if (!this.seekable) return -ESPIPE;
    const base = whence === SEEK_SET ? 0 : whence === SEEK_CUR ? this.pos : this.inode.size;
    if (whence > 2) return -EINVAL;
    const pos = base + offset;
    if (pos < 0) return -EINVAL;
    this.pos = pos;
    return pos;
  }

  /** Emits entries, '.' and '..' included, from `pos` on; 0 or -errno. Positions are the file's own cookies. */
  readdir(_pos: number, _emit: EmitEntry): number {
    return -ENOTDIR;
  }

  ioctl(_cmd: number, _arg: number, _user: UserMemory, _current: Current): number {
    return -ENOTTY;
  }

  /** The pages that mmap(2) maps; `shared` and `write` say how. */
  mmap(_shared: boolean, _write: boolean): Result<PageCache> {
    return -ENODEV;
  }

  /** Whether shared mappings may write to the file. */
  get mapsToWrite(): boolean {
    return this.writable;
  }

  /** Whether mapping it maps anonymous memory (/dev/zero); `mmap` is then not called. */
  get mapsAnonymous(): boolean {
    return false;
  }

  fsync(_dataOnly: boolean): number {
    return -EINVAL;
  }

  fallocate(_mode: number, _offset: number, _len: number): number {
    return -EOPNOTSUPP;
  }

  /** Called for each close(2) of a descriptor, before the reference is dropped. */
  flush(): number {
    return 0;
  }

  /** The last reference is gone. */
  release(): void {}

  get(): this {
    this.refs++;
    return this;
  }

  /** Drops a reference; with the last one the file is released. */
  put(): void {
    if (--this.refs > 0) return;
    this.closeWindow();
    if (this.observers !== null) for (const observer of [...this.observers]) observer.released(this);
    this.release();
    if (this.countsAsReader) this.inode.readers--;
    this.inode.locks?.fileReleased(this);
    if (this.countsAsWriter) this.countWriter(-1);
    const { path } = this;
    this.path = null;
    path?.put();
    const closed = this.writable ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE;
    if (path !== null && (this.flags & O_PATH) === 0)
      this.inode.sb.watcher?.happened(closed, path, this.inode);
  }

  /** The file, which has its path, is open for writing. */
  becomeWriter(): void {
    this.countsAsWriter = true;
    this.countWriter(1);
  }

  private countWriter(by: number): void {
    const { inode, path } = this;
    inode.writers += by;
    inode.sb.writers += by;
    path!.mount.writers += by;
  }

  /** Reports an IN_* event to the watchers of the file (inotify(7)). */
  happened(event: number): void {
    if (this.path !== null) this.inode.sb.watcher?.happened(event, this.path, this.inode);
  }

  /** -EBADF if the file is not open for reading or writing, which stops a positional call; otherwise 0. */
  checkAccess(write: boolean): number {
    return (write ? this.writable : this.readable) ? 0 : -EBADF;
  }
}
