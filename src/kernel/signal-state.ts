/**
 * A thread's own signal state: its mask, the signals sent to it alone, its alternate stack.
 *
 * Whether there is anything to do is a matter of a few words: system calls ask on each return.
 */
import type { ThreadFacts } from '../engine/answers.ts';
import { SIGKILL, SS_DISABLE } from '../uapi/signal.ts';
import { SigQueue } from './sig-queue.ts';
import { type ReadonlySigSet, SigSet, sigBit, sigWord, UNMASKABLE } from './sigset.ts';
import type { ThreadGroup } from './thread-group.ts';

/** sigaltstack(2). `flags` as they were set; the stack pointer shows whether the stack is in use. */
export interface AltStack {
  readonly sp: number;
  readonly size: number;
  readonly flags: number;
}

export const NO_ALT_STACK: AltStack = Object.freeze({ sp: 0, size: 0, flags: SS_DISABLE });

export class SignalState {
  /** Sent to this thread (tgkill, faults); what was sent to the process is in `group.pending`. */
  readonly pending: SigQueue = new SigQueue();
  /**
   * The mask that sigsuspend, ppoll, pselect and epoll_pwait replaced. Delivery moves it (`takeSavedMask`) into the
   * frame when a handler runs, else back into `blocked`.
   */
  savedMask: SigSet | null = null;
  altStack: AltStack = NO_ALT_STACK;
  /** What sigtimedwait waits for: wanted although blocked. */
  readonly waiting: SigSet = new SigSet();
  /** Ends the thread's stop; null when it is not stopped. */
  unpark: (() => void) | null = null;
  private readonly group: ThreadGroup;
  /** The mask, without what the thread that was told of it has set since. */
  private readonly mask = new SigSet();
  private told: ThreadFacts | null = null;

  constructor(group: ThreadGroup) {
    this.group = group;
  }

  /** The mask as it is now; `setMask` changes it. */
  get blocked(): ReadonlySigSet {
    const { told, mask } = this;
    // A guest that writes nonsense there deceives itself.
    if (told !== null) mask.set(told.maskLo & ~UNMASKABLE, told.maskHi);
    return mask;
  }

  isBlocked(signal: number): boolean {
    return this.blocked.has(signal);
  }

  /**
   * Whether a sleep must end, or the program enter the kernel: for a signal to take, or a stop or an end to join. O(1).
   */
  mustWake(): boolean {
    const { set: own } = this.pending;
    const { pending: shared, stopping } = this.group;
    const lo = own.lo | shared.set.lo;
    const hi = own.hi | shared.set.hi;
    if ((lo | hi) === 0 || stopping) return stopping;
    const { blocked, waiting } = this;
    return ((lo & ~(blocked.lo & ~waiting.lo)) | (hi & ~(blocked.hi & ~waiting.hi))) !== 0;
  }

  /** Whether the thread is about to die, which ends even sleeps that other signals do not end (vfork). */
  mustDie(): boolean {
    return this.pending.has(SIGKILL) || this.group.pending.has(SIGKILL);
  }

  /** Replaces the mask; `setBlocked` of kernel/signal.ts also hands pending signals to other threads. */
  setMask(lo: number, hi: number): void {
    this.mask.set(lo & ~UNMASKABLE, hi);
    this.told?.tellMask(this.mask.lo, this.mask.hi);
  }

  unblock(signal: number): void {
    const { lo, hi } = this.blocked;
    const bit = sigBit(signal);
    if (sigWord(signal) === 0) this.setMask(lo & ~bit, hi);
    else this.setMask(lo, hi & ~bit);
  }

  /** Takes the mask that a signal frame has to save: the one from before sigsuspend, if the call was that. Once. */
  takeSavedMask(): SigSet {
    const mask = this.savedMask ?? this.blocked.clone();
    this.savedMask = null;
    return mask;
  }

  /** No handler ran: the mask from before sigsuspend holds again. */
  restoreSavedMask(): void {
    if (this.savedMask === null) return;
    this.setMask(this.savedMask.lo, this.savedMask.hi);
    this.savedMask = null;
  }

  /** Called while the thread is alone in its process: from now on it may change its mask on its own. */
  tell(facts: ThreadFacts): void {
    if (this.told === facts) return;
    this.untell();
    this.told = facts;
    this.pending.changed = this.group.pending.changed = () => this.tellPending(facts);
    this.tellPending(facts);
    facts.tellMask(this.mask.lo, this.mask.hi);
  }

  private tellPending(facts: ThreadFacts): void {
    const { set: own } = this.pending;
    const { set: shared } = this.group.pending;
    facts.tellPending(own.lo | shared.lo, own.hi | shared.hi);
  }

  /** The thread, which is in the kernel, has to ask again. Called before it gets company or goes away. */
  untell(): void {
    const { told } = this;
    if (told === null) return;
    told.untellMask();
    this.mask.set(this.blocked.lo, this.blocked.hi);
    this.told = null;
    this.pending.changed = this.group.pending.changed = null;
  }
}
