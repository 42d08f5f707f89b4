/**
 * The files of pipes and FIFOs: pipe2(2), and open(2) of a FIFO (fifo(7)).
 *
 * Nothing waits here. For a FIFO opened in one direction, `opened()` answers -EAGAIN until the other direction has
 * been opened. Meanwhile the system call sleeps on `waitq`, and `put`s the file if a signal ends the sleep.
 * The system call also continues a blocking write that was cut short.
 */
import type { Cred } from '../core/cred.ts';
import type { Current } from '../core/current.ts';
import type { UserMemory } from '../core/user.ts';
import { putInt } from '../core/user-values.ts';
import type { WaitQueue } from '../core/wait.ts';
import { AnonInode, type AnonSuper } from '../fs/anon.ts';
import { File } from '../fs/file.ts';
import type { Inode } from '../fs/inode.ts';
import type { Result } from '../lib/result.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { EAGAIN, EBADF, EINVAL, ENFILE, ENOMEM, ENOTTY, ENXIO } from '../uapi/errno.ts';
import { O_ACCMODE, O_DIRECT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from '../uapi/fcntl.ts';
import { FIONREAD } from '../uapi/ioctls.ts';
import { POLLERR, POLLHUP } from '../uapi/poll.ts';
import { S_IFIFO } from '../uapi/stat.ts';
import { Pipe, WOKEN_BY_READ, WOKEN_BY_WRITE } from './pipe.ts';
import type { PipeLimits } from './pipe-limits.ts';

/** The flags of pipe2(2) that its files keep; O_DIRECT means packet mode. */
const PIPE2_FLAGS = O_NONBLOCK | O_DIRECT;

export class PipeFile extends File {
  readonly pipe: Pipe;
  /** How often each end had been opened when this file was; `sinceWriter` is -1 if a hang-up shows at once. */
  private readonly sinceReader: number;
  private readonly sinceWriter: number;
  /** Whether it is a FIFO. Reads and writes leave the times of other pipes alone (since Linux 6.15). */
  private readonly hasName: boolean;

  constructor(inode: Inode, pipe: Pipe, flags: number) {
    super(inode, flags);
    this.pipe = pipe;
    this.hasName = !(inode instanceof PipeInode);
    this.sinceReader = pipe.readerOpens;
    // A reader that did not wait for a writer sees no hang-up before the first writer has come and gone.
    this.sinceWriter = pipe.writers > 0 || !this.hasName ? -1 : pipe.writerOpens;
    if (this.readable && pipe.readers++ === 0) pipe.endsChanged();
    if (this.writable && pipe.writers++ === 0) pipe.endsChanged();
    if (this.readable) pipe.readerOpens++;
    if (this.writable) pipe.writerOpens++;
  }

  override get mayBeDirect(): boolean {
    return true;
  }

  /** Reads and writes of pipes, FIFOs included, cause no events (inotify(7)). */
  override happened(): void {}

  override get seekable(): boolean {
    return false;
  }

  override get isStream(): boolean {
    return (this.flags & O_DIRECT) === 0;
  }

  /** The caller may be about to wait, so the pipe is recalled. */
  override get waitq(): WaitQueue {
    this.pipe.recall();
    return this.pipe.waitq;
  }

  override get concerns(): number {
    const ends = POLLERR | POLLHUP;
    return ends | (this.readable ? WOKEN_BY_WRITE : 0) | (this.writable ? WOKEN_BY_READ : 0);
  }

  override get linkName(): string {
    return `pipe:[${this.inode.ino}]`;
  }

  override opened(): number {
    const mode = this.flags & O_ACCMODE;
    if (mode === O_RDWR || !this.hasName) return 0;
    const { pipe } = this;
    if (mode === O_WRONLY) return pipe.readers > 0 || pipe.readerOpens !== this.sinceReader ? 0 : -EAGAIN;
    if (this.nonblocking || pipe.writers > 0 || pipe.writerOpens !== this.sinceWriter) return 0;
    return -EAGAIN;
  }

  override read(buf: Uint8Array, off: number, len: number): number {
    return this.hasRead(this.pipe.read(buf, off, len));
  }

  override readShort(buf: Uint8Array, off: number, room: number, len: number): number {
    return this.hasRead(this.pipe.readShort(buf, off, room, len));
  }

  private hasRead(n: number): number {
    if (n > 0 && this.hasName) this.inode.atime = this.inode.sb.clock.coarse();
    return n;
  }

  override write(buf: Uint8Array, off: number, len: number): number {
    const n = this.pipe.write(buf, off, len, (this.flags & O_DIRECT) !== 0);
    if (n > 0 && this.hasName) this.inode.mtime = this.inode.ctime = this.inode.sb.clock.coarse();
    else if (n === -EAGAIN && this.nonblocking) {
      // Edge-triggered epoll sees attempts on a full pipe, too, but not those of blocking writers, which are repeated:
      // two of them would wake each other for ever.
      this.pipe.waitq.wake(WOKEN_BY_WRITE);
    }
    return n;
  }

  /** The first piece of a write is shorter if it starts in the last slot, as `merges` decides for the whole write. */
  override writtenAtOnce(len: number, most: number): number {
    if (len <= most) return len;
    this.pipe.recall();
    const merged = this.pipe.merges(len);
    return merged > 0 ? most - PAGE_SIZE + merged : most;
  }

  /** Whether a thread may use it on its own: its reads and writes show nowhere else. */
  get goesAlong(): boolean {
    return this.isStream && !this.hasName;
  }

  override recall(): void {
    this.pipe.recall();
  }

  override poll(): number {
    const events = this.readable ? this.pipe.pollRead(this.sinceWriter) : 0;
    return this.writable ? events | this.pipe.pollWrite() : events;
  }

  override ioctl(cmd: number, arg: number, user: UserMemory, _current: Current): number {
    return cmd === FIONREAD ? putInt(user, arg, this.pipe.bytes) : -ENOTTY;
  }

  override release(): void {
    const { pipe } = this;
    if (this.readable) pipe.readers--;
    if (this.writable) pipe.writers--;
    if (pipe.readers + pipe.writers === 0) {
      this.inode.endpoint = null;
      pipe.free();
    }
    if ((this.readable && pipe.readers === 0) || (this.writable && pipe.writers === 0)) pipe.endsChanged();
  }
}

/** A pipe without a name. Opening it again through /proc/PID/fd does not wait for the other end. */
class PipeInode extends AnonInode {
  override open(flags: number, _cred: Cred): Result<File> {
    const pipe = this.endpoint;
    return (flags & O_ACCMODE) === O_ACCMODE || !(pipe instanceof Pipe)
      ? -EINVAL
      : new PipeFile(this, pipe, flags);
  }
}

/** A new pipe of the caller's; null if the user may have no more. */
function newPipe(cred: Cred, limits: PipeLimits): Pipe | null {
  const user = limits.of(cred.uid);
  const slots = user.forNew(cred);
  return slots === 0 ? null : new Pipe(user, slots);
}

/** pipe2(2): both ends of a new pipe, or -ENFILE. The caller handles O_CLOEXEC. */
export function createPipe(
  sb: AnonSuper,
  flags: number,
  cred: Cred,
  limits: PipeLimits,
): Result<{ read: PipeFile; write: PipeFile }> {
  const pipe = newPipe(cred, limits);
  if (pipe === null) return -ENFILE;
  const inode = new PipeInode(sb, sb.nextIno(), S_IFIFO | 0o600, sb.clock.coarse());
  inode.uid = cred.fsuid;
  inode.gid = cred.fsgid;
  inode.endpoint = pipe;
  const read = new PipeFile(inode, pipe, O_RDONLY | (flags & PIPE2_FLAGS));
  const write = new PipeFile(inode, pipe, O_WRONLY | (flags & PIPE2_FLAGS));
  return { read, write };
}

/** open(2) of a FIFO, for the VFS. Call the file's `opened()` before using it. */
export function openFifo(inode: Inode, flags: number, cred: Cred, limits: PipeLimits): Result<File> {
  if ((flags & O_ACCMODE) === O_ACCMODE) return -EINVAL;
  const existing = inode.endpoint instanceof Pipe ? inode.endpoint : null;
  const hasty = (flags & O_NONBLOCK) !== 0 && (flags & O_ACCMODE) === O_WRONLY;
  if (hasty && (existing?.readers ?? 0) === 0) return -ENXIO;
  const pipe = existing ?? newPipe(cred, limits);
  if (pipe === null) return -ENOMEM;
  inode.endpoint = pipe;
  return new PipeFile(inode, pipe, flags);
}

/** F_GETPIPE_SZ. */
export const getPipeSize = (file: File): number => (file instanceof PipeFile ? file.pipe.capacity : -EBADF);

/** F_SETPIPE_SZ: the capacity granted, or -errno. */
export const setPipeSize = (file: File, size: number, cred: Cred): number =>
  file instanceof PipeFile ? file.pipe.resize(size, cred) : -EBADF;
