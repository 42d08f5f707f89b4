/**
 * Pending signals of a thread, or of a thread group (signal(7), "Queueing and delivery semantics").
 *
 * A standard signal is pending once, however often it is sent. Realtime signals queue, each with its siginfo, counted
 * against RLIMIT_SIGPENDING of the receiver's user. Lower numbers go first, then older signals.
 */
import { killInfo, type SignalInfo } from '../uapi/siginfo.ts';
import { SI_USER, SIGRTMIN } from '../uapi/signal.ts';
import { SigSet, sigBit, sigWord } from './sigset.ts';
import type { UserCounts } from './user-counts.ts';

export interface QueuedSignal {
  readonly info: SignalInfo;
  /** The user whose count of queued signals includes it; null if it is not counted. */
  readonly user: UserCounts | null;
  /** For timers: called as the signal is taken from the queue, to update `info`; false drops the signal. */
  readonly taken?: () => boolean;
}

export class SigQueue {
  readonly set: SigSet = new SigSet();
  /** Called whenever `set` has changed. */
  changed: (() => void) | null = null;
  private readonly queues: Map<number, QueuedSignal[]> = new Map();

  /** Marks `signal` as pending; `entry` null: without a siginfo (the limit was reached). */
  add(signal: number, entry: QueuedSignal | null): void {
    this.mark(signal);
    if (entry === null) return;
    if (entry.user !== null) entry.user.sigpending++;
    const queue = this.queues.get(signal);
    if (queue === undefined) this.queues.set(signal, [entry]);
    else queue.push(entry);
  }

  private mark(signal: number): void {
    if (this.set.has(signal)) return;
    this.set.add(signal);
    this.changed?.();
  }

  has(signal: number): boolean {
    return this.set.has(signal);
  }

  /** Whether another `signal` would merge with a pending one. */
  merges(signal: number): boolean {
    return signal < SIGRTMIN && this.set.has(signal);
  }

  /** Takes the oldest of `signal`, which must be pending; null if it is to be dropped. */
  take(signal: number): SignalInfo | null {
    const queue = this.queues.get(signal);
    const entry = queue?.shift();
    this.emptied(signal, queue);
    if (entry === undefined) return killInfo(signal, SI_USER, 0, 0);
    if (entry.user !== null) entry.user.sigpending--;
    return entry.taken === undefined || entry.taken() ? entry.info : null;
  }

  /** Moves the oldest of `signal`, which must be pending, to another queue, where it is not pending. */
  moveTo(other: SigQueue, signal: number): void {
    const queue = this.queues.get(signal);
    const entry = queue?.shift();
    this.emptied(signal, queue);
    other.mark(signal);
    if (entry !== undefined) other.queues.set(signal, [entry]);
  }

  private emptied(signal: number, queue: readonly QueuedSignal[] | undefined): void {
    if (queue !== undefined && queue.length > 0) return;
    this.queues.delete(signal);
    this.set.delete(signal);
    this.changed?.();
  }

  /** Drops all signals in two words. */
  discard(lo: number, hi: number): void {
    if (((this.set.lo & lo) | (this.set.hi & hi)) === 0) return;
    for (const [signal, queue] of this.queues) {
      if (((sigWord(signal) === 0 ? lo : hi) & sigBit(signal)) === 0) continue;
      for (const entry of queue) if (entry.user !== null) entry.user.sigpending--;
      this.queues.delete(signal);
    }
    this.set.set(this.set.lo & ~lo, this.set.hi & ~hi);
    this.changed?.();
  }

  /** Drops everything. */
  clear(): void {
    this.discard(-1, -1);
  }
}
