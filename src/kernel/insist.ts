/**
 * A thread that has to die is interrupted while it runs its program. One that keeps the host's signals from itself does
 * not react: it is interrupted again and again, and then its address space is ended from outside.
 */
import type { Task } from './task.ts';

/**
 * The time between two interruptions, ns, and how many there are: a busy host can delay a thread by a second and more.
 */
const PAUSE = 5e7;
const TIMES = 100;

export function insist(task: Task): void {
  const { thread, kernel } = task;
  const { timers, clock } = kernel;
  let times = 0;
  const again = (): void => {
    if (thread === null || task.thread !== thread) return;
    if (++times > TIMES && thread.runs) {
      thread.abandon();
      return;
    }
    thread.interrupt();
    timers.at(clock.monotonic() + PAUSE, again);
  };
  timers.at(clock.monotonic() + PAUSE, again);
}
