/**
 * Timers of timer_create(2). An expiration sends a signal, of which at most one per timer is queued; further
 * expirations meanwhile count as overrun (timer_getoverrun(2)).
 *
 * An interval timer is armed again when its signal is taken, not at each expiration.
 */
import { NSEC_PER_SEC, type Timer, type Timespec } from '../core/clock.ts';
import type { Waiter } from '../core/wait.ts';
import { type SignalInfo, timerInfo } from '../uapi/siginfo.ts';
import { CLOCK_REALTIME, CLOCK_REALTIME_ALARM, CLOCK_TAI, SIGEV_NONE } from '../uapi/time.ts';
import { type CpuClock, CpuTimer } from './cpu-clock.ts';
import type { TimerValue } from './itimer.ts';
import { sendQueued } from './signal.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';
import type { UserCounts } from './user-counts.ts';

const DELAYTIMER_MAX = 0x7fffffff;
/** In ns. */
const TICK = 4e6;

/** struct sigevent, as timers need it. */
export interface SigEvent {
  readonly notify: number;
  readonly signal: number;
  readonly valueLo: number;
  readonly valueHi: number;
  /** SIGEV_THREAD_ID's thread. */
  readonly target: Task | null;
}

export const isRealtimeClock = (clock: number): boolean =>
  clock === CLOCK_REALTIME || clock === CLOCK_REALTIME_ALARM || clock === CLOCK_TAI;

export class PosixTimer implements Waiter {
  readonly id: number;
  readonly clock: number;
  readonly event: SigEvent;
  private readonly group: ThreadGroup;
  /** The user whose queued signals include its own, queued or not. */
  private readonly user: UserCounts;
  /** Reads a processor clock; null: the timer is on the monotonic or the realtime clock. */
  private readonly cpu: CpuClock | null;
  private timer: Timer | null = null;
  private deadline = 0;
  private interval = 0;
  private armed = false;
  /** The signal of its latest expiration was ignored. */
  private unheard = false;
  /** The absolute CLOCK_REALTIME of the next expiration, if that is what was asked for. */
  private wallTime: Timespec | null = null;
  /** A signal of this setting is queued; each setting has its own token, so that older ones are dropped. */
  private queued: object | null = null;
  private overrun = 0;

  constructor(
    group: ThreadGroup,
    id: number,
    clock: number,
    cpu: CpuClock | null,
    event: SigEvent,
    user: UserCounts,
  ) {
    this.group = group;
    this.id = id;
    this.clock = clock;
    this.cpu = cpu;
    this.event = event;
    this.user = user;
    user.sigpending++;
    if (isRealtimeClock(clock)) this.kernel.clockSet.add(this);
  }

  /** Expirations that the last delivered signal stands for, beyond the first. */
  get lastOverrun(): number {
    return this.overrun;
  }

  get(): TimerValue {
    if (!this.armed) return { value: 0, interval: this.interval };
    const now = this.now();
    if (this.deadline > now) return { value: this.left(this.deadline - now), interval: this.interval };
    if (this.interval === 0) return { value: this.timer === null ? 0 : 1, interval: 0 };
    const missed = Math.floor((now - this.deadline) / this.interval);
    return { value: this.deadline + (missed + 1) * this.interval - now, interval: this.interval };
  }

  /** Leaves out expirations that would be ignored: the timer does not wait for the next one. */
  private left(time: number): number {
    return this.unheard ? time % this.interval || this.interval : time;
  }

  /** `value` null disarms; `absolute`: a time of the timer's clock, else a time from now. */
  set(value: Timespec | null, interval: number, absolute: boolean): void {
    this.timer?.cancel();
    this.timer = null;
    this.queued = null;
    this.unheard = false;
    this.overrun = 0;
    this.interval = value === null ? 0 : interval;
    this.armed = value !== null;
    this.wallTime = value !== null && absolute && isRealtimeClock(this.clock) ? value : null;
    if (value === null) return;
    this.deadline = this.deadlineOf(value, absolute);
    this.arm();
  }

  delete(): void {
    this.set(null, 0, false);
    this.user.sigpending--;
    this.kernel.clockSet.remove(this);
  }

  /** CLOCK_REALTIME was set. */
  woken(): boolean {
    if (this.wallTime !== null && this.timer !== null) {
      this.timer.cancel();
      this.deadline = this.deadlineOf(this.wallTime, true);
      this.arm();
    }
    return false;
  }

  private get kernel(): Task['kernel'] {
    return this.group.leader.kernel;
  }

  private now(): number {
    return this.cpu === null ? this.kernel.clock.monotonic() : this.cpu();
  }

  private deadlineOf({ sec, nsec }: Timespec, absolute: boolean): number {
    if (!absolute) return this.now() + sec * NSEC_PER_SEC + nsec;
    if (!isRealtimeClock(this.clock)) return sec * NSEC_PER_SEC + nsec;
    const wall = this.kernel.clock.realtime();
    return this.kernel.clock.monotonic() + (sec - wall.sec) * NSEC_PER_SEC + (nsec - wall.nsec);
  }

  private arm(): void {
    const fire = (): void => this.expire();
    if (this.event.notify === SIGEV_NONE) return;
    if (this.cpu === null) this.timer = this.kernel.timers.at(this.deadline, fire);
    else this.timer = new CpuTimer(this.group.leader, this.cpu, this.deadline, fire);
  }

  private expire(): void {
    this.timer = null;
    this.wallTime = null;
    const { signal, valueLo, valueHi, target } = this.event;
    const info = timerInfo(signal, this.id, valueLo, valueHi);
    const token = {};
    this.queued = token;
    const taken = (): boolean => this.queued === token && this.delivered(info);
    if (!sendQueued(this.group, target, { info, user: null, taken })) this.ignored();
  }

  /**
   * Its signal was ignored. The timer goes on, at most once a tick, and the overruns stay those of the last signal
   * taken.
   */
  private ignored(): void {
    this.queued = null;
    this.unheard = this.interval > 0;
    if (this.unheard) this.advance(this.interval < TICK ? this.now() + TICK : this.now());
    else this.armed = false;
  }

  /** Its signal was taken: reports what it missed in `info`, and goes on. */
  private delivered(info: SignalInfo): boolean {
    this.queued = null;
    this.unheard = false;
    this.overrun = 0;
    if (this.interval > 0) this.overrun = Math.min(this.advance(this.now()), DELAYTIMER_MAX);
    else this.armed = false;
    info.words[5] = this.overrun;
    return true;
  }

  /** Arms the timer for its next expiration after `time`; returns how many that skips. */
  private advance(time: number): number {
    const missed = Math.max(0, Math.floor((time - this.deadline) / this.interval));
    this.deadline += (missed + 1) * this.interval;
    this.arm();
    return missed;
  }
}
