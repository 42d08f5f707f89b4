/**
 * Processor time as clocks (clock_getcpuclockid(3), getitimer(2)), and timers on them.
 *
 * The engine counts processor time, but cannot tell the kernel when it reaches a value. So a timer looks at the
 * earliest time when it can have reached the value, and again; less and less often while the process does not run.
 */
import type { Timer } from '../core/clock.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';
import type { CpuTimes } from './usage.ts';

/** The user and system times of a whole process, ended threads included. */
export function groupCpuTimes(group: ThreadGroup): CpuTimes {
  let { user, system } = group.usage;
  for (const task of group.threads) {
    const times = task.cpuTimes();
    user += times.user;
    system += times.system;
  }
  return { user, system };
}

/** Reads a processor clock, in nanoseconds. */
export type CpuClock = () => number;

export const totalOf = (times: CpuTimes): number => times.user + times.system;

/** The sum of both times, of one thread or of a process. */
export const threadCpuClock =
  (task: Task): CpuClock =>
  () =>
    totalOf(task.cpuTimes());

export const groupCpuClock =
  (group: ThreadGroup): CpuClock =>
  () =>
    totalOf(groupCpuTimes(group));

/**
 * Time between two looks, ns. A look costs little, and no program can expect more of a clock with Linux's 4 ms ticks.
 */
const SHORTEST_LOOK = 4_000_000;
const LONGEST_LOOK = 64_000_000;

/** Fires once `clock` has reached `deadline`; up to 64 ms of processor time late when the process slept before. */
export class CpuTimer implements Timer {
  private readonly task: Task;
  private readonly clock: CpuClock;
  private readonly deadline: number;
  private readonly fire: () => void;
  private timer: Timer | null = null;
  private seen = -1;
  private pause: number = SHORTEST_LOOK;

  /** `task` belongs to the process whose clock it is: its threads run in parallel. */
  constructor(task: Task, clock: CpuClock, deadline: number, fire: () => void) {
    this.task = task;
    this.clock = clock;
    this.deadline = deadline;
    this.fire = fire;
    this.look();
  }

  cancel(): void {
    this.timer?.cancel();
  }

  private look(): void {
    const now = this.clock();
    const { kernel, group } = this.task;
    const idle = now === this.seen;
    this.pause = idle ? Math.min(this.pause * 2, LONGEST_LOOK) : SHORTEST_LOOK;
    this.seen = now;
    const parallel = Math.max(1, Math.min(group.threads.size, kernel.ncpus));
    const wait = Math.max(this.pause, (this.deadline - now) / parallel);
    this.timer = kernel.timers.at(kernel.clock.monotonic() + wait, () => this.check());
  }

  private check(): void {
    if (this.clock() >= this.deadline) this.fire();
    else this.look();
  }
}
