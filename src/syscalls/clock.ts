/** Reading and setting clocks (clock_gettime(2), gettimeofday(2), times(2)). */

import { TMS_SIZE } from '../arch/x86_64/structs/resource.ts';
import {
  readTimespec,
  readTimeval,
  TIMESPEC_SIZE,
  TIMEVAL_SIZE,
  type Time,
  writeTimespec,
  writeTimeval,
} from '../arch/x86_64/structs/time.ts';
import { fromNs, NSEC_PER_SEC } from '../core/clock.ts';
import { CAP_SYS_TIME, capable } from '../core/cred.ts';
import { putLong } from '../core/user-values.ts';
import { clockResolution, cpuClock, isCpuClock } from '../kernel/clock-ids.ts';
import { groupCpuTimes } from '../kernel/cpu-clock.ts';
import type { Task } from '../kernel/task.ts';
import { toTicks } from '../kernel/usage.ts';
import { setInt64 } from '../lib/int64.ts';
import { EINVAL, EPERM } from '../uapi/errno.ts';
import * as t from '../uapi/time.ts';
import { call, inStruct, oneOf, outStruct, pointer, type Syscall } from './args.ts';
import { CLOCKS, TIMESPEC, TIMEVAL, TIMEZONE, TMS } from './structs/time.ts';

export function putTime(task: Task, addr: number, time: Time): number {
  const at = task.user.out(addr, TIMESPEC_SIZE);
  if (at < 0) return at;
  writeTimespec(task.user.view, at, time);
  return 0;
}

/** The time of a clock, or -EINVAL. */
export function readClock(task: Task, id: number): Time | number {
  if (isCpuClock(id)) {
    const clock = cpuClock(task, id, true);
    return typeof clock === 'number' ? clock : fromNs(clock());
  }
  switch (id) {
    case t.CLOCK_REALTIME:
      return task.clock.realtime();
    case t.CLOCK_TAI:
      return atomicTime(task);
    case t.CLOCK_REALTIME_COARSE:
      return task.clock.shared?.(id) ?? task.clock.coarse();
    case t.CLOCK_MONOTONIC_RAW:
    case t.CLOCK_MONOTONIC_COARSE:
      return task.clock.shared?.(id) ?? fromNs(task.clock.monotonic());
    case t.CLOCK_MONOTONIC:
    case t.CLOCK_BOOTTIME:
      return fromNs(task.clock.monotonic());
    default:
      return -EINVAL;
  }
}

/** CLOCK_REALTIME and the leap seconds that somebody has told the kernel of. */
function atomicTime({ clock, kernel }: Task): Time {
  const { sec, nsec } = clock.realtime();
  let leaps = 0;
  kernel.steerRealtime(({ tai }) => {
    leaps = tai;
  });
  return { sec: sec + leaps, nsec };
}

function clockGettime(task: Task, id: number, addr: number): number {
  const time = readClock(task, id);
  return typeof time === 'number' ? time : putTime(task, addr, time);
}

function clockGetres(task: Task, id: number, addr: number): number {
  const resolution = clockResolution(task, id);
  if (resolution < 0 || addr === 0) return Math.min(resolution, 0);
  return putTime(task, addr, { sec: 0, nsec: resolution });
}

function clockSettime(task: Task, id: number, addr: number): number {
  if (id < 0 && typeof cpuClock(task, id) !== 'number') return -EPERM;
  if (id !== t.CLOCK_REALTIME) return -EINVAL;
  const at = task.user.in(addr, TIMESPEC_SIZE);
  return at < 0 ? at : setTime(task, readTimespec(task.user.view, at));
}

function setTime(task: Task, time: Time): number {
  const { sec, nsec } = time;
  if (sec < 0 || sec > MAX_SECONDS || nsec < 0 || nsec >= NSEC_PER_SEC) return -EINVAL;
  if (!capable(task.cred, CAP_SYS_TIME)) return -EPERM;
  task.kernel.setRealtime(time);
  return 0;
}

/** About the year 2232: the range of 64-bit nanoseconds, less some years for the machine to run. */
export const MAX_SECONDS = 8_277_292_036;
const TIMEZONE_SIZE = 8;

function gettimeofday(task: Task, tv: number, tz: number): number {
  if (tv !== 0) {
    const at = task.user.out(tv, TIMEVAL_SIZE);
    if (at < 0) return at;
    writeTimeval(task.user.view, at, task.clock.realtime());
  }
  if (tz === 0) return 0;
  const at = task.user.out(tz, TIMEZONE_SIZE);
  if (at < 0) return at;
  setInt64(task.user.view, at, 0);
  return 0;
}

function settimeofday(task: Task, tv: number, tz: number): number {
  if (tz !== 0) {
    const at = task.user.in(tz, TIMEZONE_SIZE);
    if (at < 0) return at;
    if (tv === 0) return capable(task.cred, CAP_SYS_TIME) ? 0 : -EPERM;
  }
  if (tv === 0) return 0;
  const at = task.user.in(tv, TIMEVAL_SIZE);
  return at < 0 ? at : setTime(task, readTimeval(task.user.view, at));
}

function time(task: Task, addr: number): number {
  const { sec } = task.clock.realtime();
  return (addr === 0 ? 0 : putLong(task.user, addr, sec)) || sec;
}

function times(task: Task, addr: number): number {
  if (addr !== 0) {
    const at = task.user.out(addr, TMS_SIZE);
    if (at < 0) return at;
    const own = groupCpuTimes(task.group);
    const { childUsage } = task.group;
    const all = [own.user, own.system, childUsage.user, childUsage.system];
    for (const [i, ns] of all.entries()) setInt64(task.user.view, at + 8 * i, toTicks(ns));
  }
  return toTicks(task.clock.monotonic());
}

export const clockCalls: readonly Syscall[] = [
  call(
    'clock_gettime',
    [oneOf('clockid', CLOCKS), outStruct('tp', TIMESPEC)],
    clockGettime,
    'no ALARM clocks, no device clocks',
  ),
  call('clock_getres', [oneOf('clockid', CLOCKS), outStruct('res', TIMESPEC)], clockGetres),
  call('clock_settime', [oneOf('clockid', CLOCKS), inStruct('tp', TIMESPEC)], clockSettime),
  call('gettimeofday', [outStruct('tv', TIMEVAL), outStruct('tz', TIMEZONE)], gettimeofday),
  call(
    'settimeofday',
    [inStruct('tv', TIMEVAL), inStruct('tz', TIMEZONE)],
    settimeofday,
    'the time zone is not stored',
  ),
  call('time', [pointer('tloc')], time),
  call('times', [outStruct('buf', TMS)], times),
];
