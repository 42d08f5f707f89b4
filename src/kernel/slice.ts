/**
 * Long calls give way. The kernel has one thread: a call that moves gigabytes works for a while, then lets other tasks
 * have a turn, and goes on. What it read before may have changed by then.
 */
import type { Task } from './task.ts';

/** How long a call works without a pause, ns. */
const SLICE = 1e7;

export class Slice {
  private readonly task: Task;
  private end: number;

  constructor(task: Task) {
    this.task = task;
    this.end = task.clock.monotonic() + SLICE;
  }

  get isOver(): boolean {
    return this.task.clock.monotonic() >= this.end;
  }

  /** Lets other tasks have their turn. Returns whether the call may go on: not if its task has to die. */
  async pause(): Promise<boolean> {
    const { clock, kernel, signals } = this.task;
    await new Promise<void>(resolve => {
      kernel.timers.at(clock.monotonic(), () => {
        kernel.promiseResolved();
        resolve();
      });
    });
    this.end = clock.monotonic() + SLICE;
    return !signals.mustDie();
  }
}
