/** The timers of a process: three interval timers (setitimer(2)), what timer_create(2) made, and RLIMIT_CPU's. */
import { ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL } from '../uapi/time.ts';
import { CpuLimit } from './cpu-limit.ts';
import { IntervalTimer } from './itimer.ts';
import type { PosixTimer } from './posix-timer.ts';
import type { Task } from './task.ts';

export class GroupTimers {
  private readonly itimers: Map<number, IntervalTimer> = new Map();
  readonly posix: Map<number, PosixTimer> = new Map();
  readonly cpuLimit: CpuLimit = new CpuLimit();
  private nextId = 0;

  /** ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF; null for none of them. */
  itimer(which: number, task: Task): IntervalTimer | null {
    if (which !== ITIMER_REAL && which !== ITIMER_VIRTUAL && which !== ITIMER_PROF) return null;
    let timer = this.itimers.get(which);
    if (timer === undefined) {
      timer = new IntervalTimer(task.group, which);
      this.itimers.set(which, timer);
    }
    return timer;
  }

  /** A number for a new timer; numbers are not reused soon. */
  newId(): number {
    while (this.posix.has(this.nextId)) this.nextId = (this.nextId + 1) & 0x7fffffff;
    const id = this.nextId;
    this.nextId = (this.nextId + 1) & 0x7fffffff;
    return id;
  }

  clearPosixTimers(): void {
    for (const timer of this.posix.values()) timer.delete();
    this.posix.clear();
  }

  clear(): void {
    for (const timer of this.itimers.values()) timer.set(0, 0);
    this.clearPosixTimers();
    this.cpuLimit.clear();
  }
}
