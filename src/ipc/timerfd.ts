/**
 * timerfd (timerfd_create(2)): a timer as a file that reads as the number of expirations.
 *
 * An interval timer that has expired is armed again only when it is read or queried, and the expirations in between
 * are counted then. Setting CLOCK_REALTIME wakes `clockSet`, so that absolute times stay right.
 */

import { type Clock, NSEC_PER_SEC, type Timer, type Timers, type Timespec, toNs } from '../core/clock.ts';
import { CAP_WAKE_ALARM, type Cred, capable } from '../core/cred.ts';
import type { Waiter, WaitQueue } from '../core/wait.ts';
import type { Inode } from '../fs/inode.ts';
import type { Result } from '../lib/result.ts';
import { EAGAIN, ECANCELED, EINVAL, EPERM } from '../uapi/errno.ts';
import { TFD_NONBLOCK, TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET } from '../uapi/eventfd.ts';
import { O_NONBLOCK, O_RDWR } from '../uapi/fcntl.ts';
import { POLLIN } from '../uapi/poll.ts';
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
} from '../uapi/time.ts';
import { EventFile, put64 } from './event-file.ts';

/** What timers need of the machine. */
export interface TimeSource {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Woken when CLOCK_REALTIME was set. */
  readonly clockSet: WaitQueue;
}

/** Nanoseconds until the next expiration (0: disarmed) and between expirations. */
export interface TimerSetting {
  readonly value: number;
  readonly interval: number;
}

const isRealtime = (clock: number): boolean => clock === CLOCK_REALTIME || clock === CLOCK_REALTIME_ALARM;

export class TimerFd extends EventFile implements Waiter {
  protected override readonly kind = '[timerfd]';
  private readonly time: TimeSource;
  private readonly clockId: number;
  private timer: Timer | null = null;
  /** CLOCK_MONOTONIC nanoseconds of the next (or the latest unread) expiration; Infinity: disarmed. */
  private deadline = Number.POSITIVE_INFINITY;
  /** The absolute CLOCK_REALTIME that `deadline` stands for, if the timer was set to one. */
  private wallTime: Timespec | null = null;
  private interval = 0;
  private ticks = 0;
  private expired = false;
  private cancelOnSet = false;
  private canceled = false;
  private setFlags = 0;

  constructor(inode: Inode, clockId: number, flags: number, time: TimeSource) {
    super(inode, O_RDWR | (flags & O_NONBLOCK));
    this.clockId = clockId;
    this.time = time;
    if (isRealtime(clockId)) time.clockSet.add(this);
  }

  /** timerfd_settime(2): the previous setting, -EINVAL, or -ECANCELED (the timer is set all the same). */
  settime(flags: number, value: Timespec, interval: Timespec): Result<TimerSetting> {
    if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) !== 0) return -EINVAL;
    if (!isValid(value) || !isValid(interval)) return -EINVAL;
    const old = this.gettime();
    const wasCanceled = this.canceled;
    const absolute = (flags & TFD_TIMER_ABSTIME) !== 0;
    this.timer?.cancel();
    this.timer = null;
    this.canceled = false;
    this.cancelOnSet = isRealtime(this.clockId) && flags === (TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
    this.expired = false;
    this.ticks = 0;
    this.setFlags = flags;
    this.interval = toNs(interval);
    const armed = value.sec !== 0 || value.nsec !== 0;
    this.wallTime = armed && absolute && isRealtime(this.clockId) ? value : null;
    this.deadline = armed ? this.deadlineOf(value, absolute) : Number.POSITIVE_INFINITY;
    if (armed) this.arm();
    return wasCanceled && this.cancelOnSet ? -ECANCELED : old;
  }

  /** timerfd_gettime(2). */
  gettime(): TimerSetting {
    if (!Number.isFinite(this.deadline)) return { value: 0, interval: this.interval };
    const now = this.time.clock.monotonic();
    if (this.expired && this.interval > 0) this.ticks += this.forward(now);
    if (this.expired && this.interval === 0) return { value: 0, interval: 0 };
    return { value: Math.max(1, this.deadline - now), interval: this.interval };
  }

  override read(buf: Uint8Array, off: number, len: number): number {
    if (len < 8) return -EINVAL;
    if (this.canceled) {
      this.canceled = false;
      return -ECANCELED;
    }
    if (this.ticks === 0) return -EAGAIN;
    if (this.expired && this.interval > 0) this.ticks += this.forward(this.time.clock.monotonic());
    put64(buf, off, this.ticks, Math.floor(this.ticks / 2 ** 32));
    this.ticks = 0;
    return 8;
  }

  override poll(): number {
    return this.ticks > 0 || this.canceled ? POLLIN : 0;
  }

  override fdinfo(): string {
    const { value, interval } = this.gettime();
    const pair = (ns: number): string => `(${Math.floor(ns / NSEC_PER_SEC)}, ${ns % NSEC_PER_SEC})`;
    const head = `clockid: ${this.clockId}\nticks: ${this.ticks}\nsettime flags: 0${this.setFlags.toString(8)}\n`;
    return `${head}it_value: ${pair(value)}\nit_interval: ${pair(interval)}\n`;
  }

  /** CLOCK_REALTIME was set: moves the deadline of an absolute time. */
  woken(): boolean {
    if (this.cancelOnSet) {
      this.canceled = true;
      this.queue.wake(POLLIN);
    }
    if (this.wallTime !== null && !this.expired) {
      this.timer?.cancel();
      this.deadline = this.deadlineOf(this.wallTime, true);
      this.arm();
    }
    return false;
  }

  override release(): void {
    this.timer?.cancel();
    this.time.clockSet.remove(this);
  }

  private deadlineOf(value: Timespec, absolute: boolean): number {
    const { clock } = this.time;
    if (!absolute) return clock.monotonic() + toNs(value);
    if (!isRealtime(this.clockId)) return toNs(value);
    const now = clock.realtime();
    return clock.monotonic() + (value.sec - now.sec) * NSEC_PER_SEC + (value.nsec - now.nsec);
  }

  private arm(): void {
    this.timer = this.time.timers.at(this.deadline, () => this.fire());
  }

  private fire(): void {
    this.expired = true;
    this.timer = null;
    this.ticks++;
    this.queue.wake(POLLIN);
  }

  /** Arms the next expiration of an interval timer that has expired; returns how many it missed. */
  private forward(now: number): number {
    const missed = Math.max(0, Math.floor((now - this.deadline) / this.interval));
    this.deadline += (missed + 1) * this.interval;
    this.wallTime = null;
    this.expired = false;
    this.arm();
    return missed;
  }
}

const isValid = (t: Timespec): boolean => t.sec >= 0 && t.nsec >= 0 && t.nsec < NSEC_PER_SEC;

/** timerfd_create(2). */
export function createTimerFd(
  inode: Inode,
  clockId: number,
  flags: number,
  time: TimeSource,
  cred: Cred,
): Result<TimerFd> {
  const alarm = clockId === CLOCK_REALTIME_ALARM || clockId === CLOCK_BOOTTIME_ALARM;
  const known = isRealtime(clockId) || clockId === CLOCK_MONOTONIC || clockId === CLOCK_BOOTTIME || alarm;
  if (!known) return -EINVAL;
  if (alarm && !capable(cred, CAP_WAKE_ALARM)) return -EPERM;
  return new TimerFd(inode, clockId, flags & TFD_NONBLOCK, time);
}
