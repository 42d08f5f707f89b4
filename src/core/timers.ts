/**
 * The machine's timers: a binary heap by deadline. The loop asks when the next one is due and runs those that are.
 *
 * Timers with the same deadline fire in the order in which they were armed. A run ends at the first timer that was
 * armed during the run, so timers that keep arming themselves for the past cannot hold up the machine.
 */
import type { Clock, Timer, Timers } from './clock.ts';

class Entry implements Timer {
  readonly deadline: number;
  readonly seq: number;
  readonly fire: () => void;
  /** Its place in the heap; -1 once fired or cancelled. */
  index = -1;
  private readonly heap: TimerHeap;

  constructor(heap: TimerHeap, deadline: number, seq: number, fire: () => void) {
    this.heap = heap;
    this.deadline = deadline;
    this.seq = seq;
    this.fire = fire;
  }

  before(other: Entry): boolean {
    return this.deadline < other.deadline || (this.deadline === other.deadline && this.seq < other.seq);
  }

  cancel(): void {
    this.heap.remove(this);
  }
}

export class TimerHeap implements Timers {
  private readonly clock: Pick<Clock, 'monotonic'>;
  private readonly heap: Entry[] = [];
  private seq = 0;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.clock = clock;
  }

  get count(): number {
    return this.heap.length;
  }

  at(deadline: number, fire: () => void): Timer {
    const entry = new Entry(this, deadline, this.seq++, fire);
    this.heap.push(entry);
    this.up(entry, this.heap.length - 1);
    return entry;
  }

  /** CLOCK_MONOTONIC deadline of the first timer; Infinity when there is none. */
  next(): number {
    return this.heap.length === 0 ? Number.POSITIVE_INFINITY : this.heap[0]!.deadline;
  }

  /** Fires all timers that are due; returns how many. */
  run(): number {
    if (this.heap.length === 0) return 0;
    const now = this.clock.monotonic();
    const end = this.seq;
    let fired = 0;
    for (let first = this.heap[0]; first !== undefined && first.deadline <= now; first = this.heap[0]) {
      // Armed during this run, for a time that has passed: it waits for the next run.
      if (first.seq >= end) break;
      this.remove(first);
      first.fire();
      fired++;
    }
    return fired;
  }

  /** For `Timer.cancel`. */
  remove(entry: Entry): void {
    const { index } = entry;
    if (index < 0) return;
    entry.index = -1;
    const last = this.heap.pop()!;
    if (last === entry) return;
    this.down(last, index);
    this.up(last, last.index);
  }

  private up(entry: Entry, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = this.heap[(at - 1) >> 1]!;
      if (!entry.before(parent)) break;
      this.place(parent, at);
      at = (at - 1) >> 1;
    }
    this.place(entry, at);
  }

  private down(entry: Entry, from: number): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.heap.length) break;
      if (child + 1 < this.heap.length && this.heap[child + 1]!.before(this.heap[child]!)) child++;
      const smaller = this.heap[child]!;
      if (!smaller.before(entry)) break;
      this.place(smaller, at);
      at = child;
    }
    this.place(entry, at);
  }

  private place(entry: Entry, at: number): void {
    this.heap[at] = entry;
    entry.index = at;
  }
}
