/**
 * Wait queues.
 *
 * A queue holds entries. Waking it tells them what happened, as a mask of POLL bits or of the
 * queue's own meaning (`WAKE_ALL` if it has none). An entry stays until it is removed, so that poll and
 * epoll can keep listening. An entry may remove itself, or others, while the queue is being woken.
 */
import { Roster } from '../lib/roster.ts';

export const WAKE_ALL = ~0;
/** Together with events: waiters look again, but no signal is sent (O_ASYNC). */
export const QUIETLY: number = 1 << 24;

export interface Waiter {
  /**
   * One of several of which any would do (EPOLLEXCLUSIVE): once one has taken a wake-up, the others are passed over.
   */
  readonly exclusive?: boolean;
  /** Told that `events` happened. Returns whether it took the wake-up (counts against `limit` and exclusive wakes). */
  woken(events: number): boolean;
}

export class WaitQueue {
  private readonly waiters: Roster<Waiter> = new Roster();

  get empty(): boolean {
    return this.waiters.size === 0;
  }

  add(waiter: Waiter): void {
    this.waiters.add(waiter);
  }

  remove(waiter: Waiter): void {
    this.waiters.delete(waiter);
  }

  /** Wakes entries in the order in which they were added, until `limit` of them have taken the wake-up. */
  wake(events: number = WAKE_ALL, limit: number = Number.POSITIVE_INFINITY): void {
    if (this.waiters.size === 0) return;
    let left = limit;
    let taken = false;
    for (const waiter of this.waiters) {
      const exclusive = waiter.exclusive === true;
      if ((exclusive && taken) || !this.waiters.has(waiter)) continue;
      if (!waiter.woken(events)) continue;
      if (--left <= 0) return;
      if (exclusive) taken = true;
    }
  }
}

/** Sleeps on behalf of a task; system call handlers get one. A pending signal ends every such sleep. */
export interface Sleeper {
  /**
   * Sleeps until one of `queues` is woken (with any of `events`).
   * @param deadline CLOCK_MONOTONIC in nanoseconds at which to give up; Infinity: never.
   * @returns 0 when woken (perhaps spuriously: look again), -ETIMEDOUT at the deadline,
   *   -ERESTARTSYS when a signal is pending.
   */
  sleepOn(queues: readonly WaitQueue[], deadline?: number, events?: number): Promise<number>;
}
