/**
 * Interval timers (getitimer(2), alarm(2)): SIGALRM in real time, SIGVTALRM and SIGPROF in processor time.
 */
import type { Timer } from '../core/clock.ts';
import { kernelInfo } from '../uapi/siginfo.ts';
import { SIGALRM, SIGPROF, SIGVTALRM } from '../uapi/signal.ts';
import { ITIMER_REAL, ITIMER_VIRTUAL } from '../uapi/time.ts';
import { CpuTimer, groupCpuClock, groupCpuTimes, totalOf } from './cpu-clock.ts';
import { sendToGroup, sendToTask } from './signal.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';

/** Nanoseconds until the next expiration (0: disarmed) and between expirations (0: one only). */
export interface TimerValue {
  readonly value: number;
  readonly interval: number;
}

export class IntervalTimer {
  private readonly group: ThreadGroup;
  private readonly which: number;
  /** The time, on the timer's own clock, of the next expiration; 0: disarmed. */
  private deadline = 0;
  private interval = 0;
  private timer: Timer | null = null;
  /** The processor time of each thread, ns, when it was last sent the signal. */
  private readonly paid: WeakMap<Task, number> = new WeakMap();

  constructor(group: ThreadGroup, which: number) {
    this.group = group;
    this.which = which;
  }

  get(): TimerValue {
    if (this.timer === null) return { value: 0, interval: this.interval };
    // An armed timer never reports 0, which would mean disarmed.
    return { value: Math.max(1000, this.deadline - this.now()), interval: this.interval };
  }

  set(value: number, interval: number): void {
    this.timer?.cancel();
    this.timer = null;
    // Timers of processor time keep their interval while they are disarmed.
    this.interval = value === 0 && this.which === ITIMER_REAL ? 0 : interval;
    if (value > 0) this.arm(this.now() + value);
  }

  private now(): number {
    if (this.which === ITIMER_REAL) return this.group.leader.kernel.clock.monotonic();
    const { user, system } = groupCpuTimes(this.group);
    return this.which === ITIMER_VIRTUAL ? user : user + system;
  }

  private arm(deadline: number): void {
    this.deadline = deadline;
    const { leader } = this.group;
    const fire = (): void => this.expire();
    if (this.which === ITIMER_REAL) this.timer = leader.kernel.timers.at(deadline, fire);
    else this.timer = new CpuTimer(leader, this.clock(), deadline, fire);
  }

  private clock(): () => number {
    return this.which === ITIMER_VIRTUAL ? () => groupCpuTimes(this.group).user : groupCpuClock(this.group);
  }

  private expire(): void {
    this.timer = null;
    if (this.interval > 0) {
      const missed = Math.floor((this.now() - this.deadline) / this.interval);
      this.arm(this.deadline + (missed + 1) * this.interval);
    }
    const signal = this.which === ITIMER_REAL ? SIGALRM : this.which === ITIMER_VIRTUAL ? SIGVTALRM : SIGPROF;
    const taker = this.which === ITIMER_REAL ? null : this.takerOf(signal);
    if (taker === null) sendToGroup(this.group, kernelInfo(signal));
    else sendToTask(taker, kernelInfo(signal));
  }

  /**
   * The thread that used most of the time now over takes the signal, unless it blocks it. Linux sends it to the thread
   * that runs at that moment, and profilers rely on each thread's getting it as often as it runs.
   */
  private takerOf(signal: number): Task | null {
    let taker: Task | null = null;
    let most = 0;
    for (const task of this.group.threads) {
      const used = totalOf(task.cpuTimes()) - (this.paid.get(task) ?? 0);
      if (used <= most) continue;
      most = used;
      taker = task;
    }
    if (taker === null) return null;
    this.paid.set(taker, totalOf(taker.cpuTimes()));
    return taker.signals.isBlocked(signal) ? null : taker;
  }
}
