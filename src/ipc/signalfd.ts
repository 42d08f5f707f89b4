/**
 * signalfd (signalfd(2)): pending signals as records to read.
 *
 * The signals are those of whoever reads or polls, so after fork(2) parent and child see each their own: the
 * file asks for the calling task's `SignalSource` each time.
 */
import type { WaitQueue } from '../core/wait.ts';
import type { Inode } from '../fs/inode.ts';
import { EAGAIN, EINVAL } from '../uapi/errno.ts';
import { SIGNALFD_SIGINFO_SIZE } from '../uapi/eventfd.ts';
import { O_NONBLOCK, O_RDWR } from '../uapi/fcntl.ts';
import { POLLIN } from '../uapi/poll.ts';
import { EventFile, put32, put64 } from './event-file.ts';

/** A set of signals: bit n - 1 of the pair stands for signal n. */
export interface SignalMask {
  readonly lo: number;
  readonly hi: number;
}

/** One signal taken from the pending ones; absent fields are 0. */
export interface SignalRecord {
  readonly signo: number;
  readonly errno?: number;
  readonly code: number;
  readonly pid?: number;
  readonly uid?: number;
  readonly fd?: number;
  readonly tid?: number;
  readonly band?: number;
  readonly overrun?: number;
  readonly trapno?: number;
  readonly status?: number;
  readonly int?: number;
  /** Halves of si_ptr, clock ticks of si_utime and si_stime. */
  readonly ptrLo?: number;
  readonly ptrHi?: number;
  readonly utime?: number;
  readonly stime?: number;
  readonly addr?: number;
}

/** A task's pending signals, its process's included; kernel/ implements it. */
export interface SignalSource {
  /** Woken with POLLIN when a signal becomes pending, blocked ones too. */
  readonly signalQueue: WaitQueue;
  isPending(mask: SignalMask): boolean;
  dequeueSignal(mask: SignalMask): SignalRecord | null;
}

export class SignalFd extends EventFile {
  protected override readonly kind = '[signalfd]';
  private readonly caller: () => SignalSource;
  private mask: SignalMask;

  /** SIGKILL and SIGSTOP were taken out of the mask. */
  constructor(inode: Inode, mask: SignalMask, flags: number, caller: () => SignalSource) {
    super(inode, O_RDWR | (flags & O_NONBLOCK));
    this.mask = mask;
    this.caller = caller;
  }

  /** signalfd(2) on an existing descriptor. */
  setMask(mask: SignalMask): void {
    this.mask = mask;
    this.waitq.wake(POLLIN);
  }

  override get waitq(): WaitQueue {
    return this.caller().signalQueue;
  }

  override fdinfo(): string {
    const hex = (n: number): string => (n >>> 0).toString(16).padStart(8, '0');
    return `sigmask:\t${hex(this.mask.hi)}${hex(this.mask.lo)}\n`;
  }

  override read(buf: Uint8Array, off: number, len: number): number {
    if (len < SIGNALFD_SIGINFO_SIZE) return -EINVAL;
    const source = this.caller();
    let done = 0;
    while (done + SIGNALFD_SIGINFO_SIZE <= len) {
      const record = source.dequeueSignal(this.mask);
      if (record === null) break;
      writeRecord(buf, off + done, record);
      done += SIGNALFD_SIGINFO_SIZE;
    }
    return done === 0 ? -EAGAIN : done;
  }

  override poll(): number {
    return this.caller().isPending(this.mask) ? POLLIN : 0;
  }
}

/** struct signalfd_siginfo (signalfd(2)). */
function writeRecord(buf: Uint8Array, off: number, r: SignalRecord): void {
  buf.fill(0, off, off + SIGNALFD_SIGINFO_SIZE);
  put32(buf, off, r.signo);
  put32(buf, off + 4, r.errno ?? 0);
  put32(buf, off + 8, r.code);
  put32(buf, off + 12, r.pid ?? 0);
  put32(buf, off + 16, r.uid ?? 0);
  put32(buf, off + 20, r.fd ?? 0);
  put32(buf, off + 24, r.tid ?? 0);
  put32(buf, off + 28, r.band ?? 0);
  put32(buf, off + 32, r.overrun ?? 0);
  put32(buf, off + 36, r.trapno ?? 0);
  put32(buf, off + 40, r.status ?? 0);
  put32(buf, off + 44, r.int ?? 0);
  put64(buf, off + 48, r.ptrLo ?? 0, r.ptrHi ?? 0);
  put64(buf, off + 56, r.utime ?? 0, 0);
  put64(buf, off + 64, r.stime ?? 0, 0);
  const addr = r.addr ?? 0;
  put64(buf, off + 72, addr, Math.floor(addr / 2 ** 32));
}
