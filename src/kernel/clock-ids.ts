/** The clocks of clock_gettime(2) by number, negative ones included (clock_getcpuclockid(3)). */
import { EINVAL } from '../uapi/errno.ts';
import * as t from '../uapi/time.ts';
import { type CpuClock, groupCpuClock, groupCpuTimes, threadCpuClock, totalOf } from './cpu-clock.ts';
import type { Task } from './task.ts';

/** One tick, ns: what coarse clocks and tick-based processor clocks resolve. */
export const TICK = 4_000_000;

export const isCpuClock = (id: number): boolean =>
  (id < 0 && (id & 7) !== t.CLOCKFD) || id === t.CLOCK_PROCESS_CPUTIME_ID || id === t.CLOCK_THREAD_CPUTIME_ID;

/** What a negative number means: whose time, and which part of it. */
export interface CpuClockId {
  readonly pid: number;
  readonly perThread: boolean;
  readonly which: number;
}

export const decodeCpuClock = (id: number): CpuClockId => ({
  pid: ~(id >> 3),
  perThread: (id & t.CPUCLOCK_PERTHREAD) !== 0,
  which: id & 3,
});

/**
 * A processor clock that the caller may read: any process's, but only its own threads'; else -EINVAL. A process goes by
 * its own number, not by its threads'; but `toRead` the clock, the caller's number will do.
 */
export function cpuClock(task: Task, id: number, toRead = false): CpuClock | number {
  if (id === t.CLOCK_PROCESS_CPUTIME_ID) return groupCpuClock(task.group);
  if (id === t.CLOCK_THREAD_CPUTIME_ID) return threadCpuClock(task);
  const { pid, perThread, which } = decodeCpuClock(id);
  if (which > t.CPUCLOCK_SCHED) return -EINVAL;
  const of = pid === 0 ? task : task.kernel.tasks.get(pid);
  if (of === undefined) return -EINVAL;
  const isThere = perThread
    ? of.group === task.group
    : pid === 0 || pid === of.tgid || (toRead && of === task);
  if (!isThere) return -EINVAL;
  const times = perThread ? () => of.cpuTimes() : () => groupCpuTimes(of.group);
  return which === t.CPUCLOCK_VIRT ? () => times().user : () => totalOf(times());
}

/** clock_getres(2) in nanoseconds, or -EINVAL. */
export function clockResolution(task: Task, id: number): number {
  if (id < 0) {
    const clock = cpuClock(task, id);
    if (typeof clock === 'number') return clock;
    return decodeCpuClock(id).which === t.CPUCLOCK_SCHED ? 1 : TICK;
  }
  switch (id) {
    case t.CLOCK_REALTIME_COARSE:
    case t.CLOCK_MONOTONIC_COARSE:
      return TICK;
    case t.CLOCK_REALTIME:
    case t.CLOCK_MONOTONIC:
    case t.CLOCK_PROCESS_CPUTIME_ID:
    case t.CLOCK_THREAD_CPUTIME_ID:
    case t.CLOCK_MONOTONIC_RAW:
    case t.CLOCK_BOOTTIME:
    case t.CLOCK_TAI:
      return 1;
    default:
      return -EINVAL;
  }
}

/** Whether it is the caller's own processor time, which does not pass in its sleep. */
export function isOwnTime({ pid: own }: Task, id: number): boolean {
  const { pid, perThread } = decodeCpuClock(id);
  return id < 0 && perThread && (pid === 0 || pid === own);
}

/** Whether a thread can sleep on the clock and make timers of it: the coarse and raw ones only tell the time. */
export const canWaitOn = (id: number): boolean =>
  isCpuClock(id) ||
  id === t.CLOCK_REALTIME ||
  id === t.CLOCK_MONOTONIC ||
  id === t.CLOCK_BOOTTIME ||
  id === t.CLOCK_TAI;

/** A number that was once assigned. */
const CLOCK_SGI_CYCLE = 10;

/** Clocks that exist on Linux, though perhaps not in a machine without a real-time clock (the ALARM ones). */
export const isKnownClock = (id: number): boolean => id <= t.CLOCK_TAI && id !== CLOCK_SGI_CYCLE;
