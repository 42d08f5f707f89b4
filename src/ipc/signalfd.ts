/**
 * signalfd (signalfd(2)): pending signals as records to read.
 *
 * The signals are those of the task that reads or polls, so after fork(2) parent and child each see their own: the
 * file asks for the calling task's `SignalSource` each time.
 */
import type { WaitQueue } from '../core/wait.ts';
import type { Inode } from '../fs/inode.ts';
import { EAGAIN, EINVAL } from '../uapi/errno.ts';
import { SIGNALFD_SIGINFO_SIZE } from '../uapi/eventfd.ts';
import { O_NONBLOCK, O_RDWR } from '../uapi/fcntl.ts';
import { POLLIN } from '../uapi/poll.ts';
import { type SignalInfo, siginfoLayout } from '../uapi/siginfo.ts';
import { EventFile, put32, put64 } from './event-file.ts';

/** A task's pending signals, its process's included; kernel/ implements it. Bit n - 1 of (lo, hi) is signal n. */
export interface SignalSource {
  /** Woken with POLLIN when a signal becomes pending, blocked ones too. */
  readonly signalQueue: WaitQueue;
  isPending(lo: number, hi: number): boolean;
  /** Takes the first pending signal of the set; null if there is none. */
  dequeueSignal(lo: number, hi: number): SignalInfo | null;
}

export class SignalFd extends EventFile {
  protected override readonly kind = '[signalfd]';
  private readonly caller: () => SignalSource;
  private lo: number;
  private hi: number;

  /** The mask must not contain SIGKILL or SIGSTOP. */
  constructor(inode: Inode, lo: number, hi: number, flags: number, caller: () => SignalSource) {
    super(inode, O_RDWR | (flags & O_NONBLOCK));
    this.lo = lo;
    this.hi = hi;
    this.caller = caller;
  }

  /** signalfd(2) on an existing descriptor. */
  setMask(lo: number, hi: number): void {
    this.lo = lo;
    this.hi = hi;
    this.waitq.wake(POLLIN);
  }

  override get waitq(): WaitQueue {
    return this.caller().signalQueue;
  }

  override fdinfo(): string {
    const hex = (n: number): string => (n >>> 0).toString(16).padStart(8, '0');
    return `sigmask:\t${hex(this.hi)}${hex(this.lo)}\n`;
  }

  override read(buf: Uint8Array, off: number, len: number): number {
    if (len < SIGNALFD_SIGINFO_SIZE) return -EINVAL;
    const source = this.caller();
    let done = 0;
    while (done + SIGNALFD_SIGINFO_SIZE <= len) {
      const info = source.dequeueSignal(this.lo, this.hi);
      if (info === null) break;
      writeRecord(buf, off + done, info);
      done += SIGNALFD_SIGINFO_SIZE;
    }
    return done === 0 ? -EAGAIN : done;
  }

  override poll(): number {
    return this.caller().isPending(this.lo, this.hi) ? POLLIN : 0;
  }
}

/** struct signalfd_siginfo (signalfd(2)): a flat record in which each kind of siginfo fills its own fields. */
function writeRecord(buf: Uint8Array, off: number, info: SignalInfo): void {
  buf.fill(0, off, off + SIGNALFD_SIGINFO_SIZE);
  put32(buf, off, info.signo);
  put32(buf, off + 4, info.errno);
  put32(buf, off + 8, info.code);
  const layout = siginfoLayout(info.signo, info.code);
  if (layout === 'kill' || layout === 'rt' || layout === 'chld') {
    put32(buf, off + 12, info.pid);
    put32(buf, off + 16, info.uid);
  }
  if (layout === 'rt' || layout === 'timer') {
    put32(buf, off + 44, info.valueLo);
    put64(buf, off + 48, info.valueLo, info.valueHi);
  }
  switch (layout) {
    case 'timer':
      put32(buf, off + 24, info.timerId);
      put32(buf, off + 32, info.overrun);
      break;
    case 'poll':
      put32(buf, off + 20, info.fd);
      put32(buf, off + 28, info.band);
      break;
    case 'chld':
      put32(buf, off + 40, info.status);
      putLong(buf, off + 56, info.utime);
      putLong(buf, off + 64, info.stime);
      break;
    case 'fault':
      putLong(buf, off + 72, info.addr);
      break;
    case 'sys':
      put32(buf, off + 84, info.words[6]!);
      putLong(buf, off + 88, info.addr);
      put32(buf, off + 96, info.words[7]!);
      break;
  }
}

const putLong = (buf: Uint8Array, off: number, value: number): void =>
  put64(buf, off, value, Math.floor(value / 2 ** 32));
