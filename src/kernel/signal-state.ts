/**
 * What a thread has of its own in signals: its mask, what was sent to it alone, its alternate stack.
 *
 * Asking whether anything has to be looked at is a matter of a few words: system calls ask on each return.
 */
import { SIGKILL, SS_DISABLE } from '../uapi/signal.ts';
import { SigQueue } from './sig-queue.ts';
import { SigSet, UNMASKABLE } from './sigset.ts';
import type { ThreadGroup } from './thread-group.ts';

/** sigaltstack(2). `flags` is SS_DISABLE, or 0, with SS_AUTODISARM; SS_ONSTACK is found from the stack pointer. */
export interface AltStack {
  readonly sp: number;
  readonly size: number;
  readonly flags: number;
}

export const NO_ALT_STACK: AltStack = Object.freeze({ sp: 0, size: 0, flags: SS_DISABLE });

export class SignalState {
  readonly blocked: SigSet = new SigSet();
  /** Sent to this thread (tgkill, faults); what was sent to the process is in `group.pending`. */
  readonly pending: SigQueue = new SigQueue();
  /**
   * The mask that sigsuspend, ppoll, pselect and epoll_pwait replaced. Delivery takes it (`takeSavedMask`): into
   * the frame when a handler runs, else back into `blocked`.
   */
  savedMask: SigSet | null = null;
  altStack: AltStack = NO_ALT_STACK;
  /** What sigtimedwait waits for: wanted though it is blocked. */
  readonly waiting: SigSet = new SigSet();
  /** Ends the thread's stop; null when it is not stopped. */
  unpark: (() => void) | null = null;
  private readonly group: ThreadGroup;

  constructor(group: ThreadGroup) {
    this.group = group;
  }

  isBlocked(signal: number): boolean {
    return this.blocked.has(signal);
  }

  /** Whether a sleep must end, or the program come in: a signal to take, or a stop or an end to join. O(1). */
  mustWake(): boolean {
    const { set: own } = this.pending;
    const { pending: shared, stopping } = this.group;
    const lo = (own.lo | shared.set.lo) & ~(this.blocked.lo & ~this.waiting.lo);
    const hi = (own.hi | shared.set.hi) & ~(this.blocked.hi & ~this.waiting.hi);
    return (lo | hi) !== 0 || stopping;
  }

  /** Whether the thread is about to die: ends even sleeps that other signals do not (vfork). */
  mustDie(): boolean {
    return this.pending.has(SIGKILL) || this.group.pending.has(SIGKILL);
  }

  /** Replaces the mask; `setBlocked` of kernel/signal.ts also hands pending signals to other threads. */
  setMask(lo: number, hi: number): void {
    this.blocked.set(lo & ~UNMASKABLE, hi);
  }

  /** The mask that a signal frame has to save: that of before sigsuspend, if the call was one. Once. */
  takeSavedMask(): SigSet {
    const mask = this.savedMask ?? this.blocked.clone();
    this.savedMask = null;
    return mask;
  }

  /** No handler ran: the mask of before sigsuspend holds again. */
  restoreSavedMask(): void {
    if (this.savedMask === null) return;
    this.blocked.set(this.savedMask.lo, this.savedMask.hi);
    this.savedMask = null;
  }
}
