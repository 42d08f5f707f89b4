/**
 * What calls cost. A thread looks for its answer in user mode, which the host counts as the program's own time. The
 * part of it that the kernel took is system time, as on Linux. It is an estimate: one call in many is measured.
 */
import type { CpuTimes } from './usage.ts';

/** The weight of one measurement in the average. */
const WEIGHT = 1 / 16;
/** How long, ns, a caller looks for its answer before it sleeps. */
const LONGEST = 3e4;

/**
 * The largest part of user time that counts as calls: a program that only makes calls runs there, too, and some
 * programs wait until they have.
 */
const MOST_PART = 3 / 4;
/** The host's times advance in steps: up to this much, ns, is made up for later. */
const MOST_OWED = 1e7;

/** The average time the kernel takes for a call. */
export class CallTime {
  /** ns. */
  average = 0;

  measured(ns: number): void {
    this.average += (Math.min(ns, LONGEST) - this.average) * WEIGHT;
  }
}

/** The part of a thread's user time that its calls took. Reported times never go back. */
export class CallShare {
  calls = 0;
  private seenCalls = 0;
  private seenUser = 0;
  private moved = 0;
  /** Time of calls, ns, that the host has not shown yet. */
  private owed = 0;

  /** Corrects the host's times of the thread. */
  split({ user, system }: CpuTimes, average: number): CpuTimes {
    const more = Math.max(0, user - this.seenUser);
    const owed = this.owed + Math.round((this.calls - this.seenCalls) * average);
    const now = Math.min(Math.floor(more * MOST_PART), owed);
    this.moved += now;
    this.owed = Math.min(owed - now, MOST_OWED);
    this.seenUser += more;
    this.seenCalls = this.calls;
    return { user: user - this.moved, system: system + this.moved };
  }

  /** For another host thread, whose times begin at 0. */
  clear(): void {
    this.seenUser = 0;
    this.seenCalls = this.calls;
    this.moved = 0;
    this.owed = 0;
  }
}
