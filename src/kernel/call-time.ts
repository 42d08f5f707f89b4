/**
 * What calls cost. A thread looks for its answer in user mode, and the host counts that as the program's own time: so much of
 * it as the kernel took is time in the system, as on Linux. It is an estimate: one call in many is measured.
 */
import type { CpuTimes } from './usage.ts';

/** How much each that is measured counts in the average. */
const WEIGHT = 1 / 16;
/** A caller looks no longer than this, ns; then it sleeps. */
const LONGEST = 3e4;

/** Of what was used in user mode: a program that does nothing but call runs there, too, and some wait until they have. */
const MOST_PART = 3 / 4;
/** The host's times come in steps: so much, ns, is made up for later. */
const MOST_OWED = 1e7;

/** How long the kernel takes for a call, on the average. */
export class CallTime {
  /** ns. */
  average = 0;

  measured(ns: number): void {
    this.average += (Math.min(ns, LONGEST) - this.average) * WEIGHT;
  }
}

/** The part of one thread's time in user mode that its calls took. What was given out never goes back. */
export class CallShare {
  /** So many calls it has made. */
  calls = 0;
  private seenCalls = 0;
  private seenUser = 0;
  private moved = 0;
  /** What the host has not shown yet. */
  private owed = 0;

  /** The host's times of the thread, put right. */
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

  /** Another thread of the host, whose times begin with 0. */
  clear(): void {
    this.seenUser = 0;
    this.seenCalls = this.calls;
    this.moved = 0;
    this.owed = 0;
  }
}
