/** Sleeping for an interval or until a time (nanosleep(2), clock_nanosleep(2)). */
import { readTimespec, TIMESPEC_SIZE, type Time } from '../arch/x86_64/structs/time.ts';
import { fromNs, NSEC_PER_SEC } from '../core/clock.ts';
import { WaitQueue } from '../core/wait.ts';
import { canWaitOn, cpuClock, isCpuClock, isKnownClock, isOwnTime } from '../kernel/clock-ids.ts';
import { type CpuClock, CpuTimer } from '../kernel/cpu-clock.ts';
import { isRealtimeClock } from '../kernel/posix-timer.ts';
import type { Task } from '../kernel/task.ts';
import { EINVAL, EOPNOTSUPP, ERESTART_RESTARTBLOCK, ERESTARTNOHAND, ETIMEDOUT } from '../uapi/errno.ts';
import { CLOCK_MONOTONIC, CLOCK_THREAD_CPUTIME_ID, TIMER_ABSTIME } from '../uapi/time.ts';
import { call, flags, inStruct, oneOf, outStructIf, type Syscall } from './args.ts';
import { putTime } from './clock.ts';
import { CLOCKS, TIMESPEC } from './structs/time.ts';

/** The caller's timespec, checked; -EFAULT, -EINVAL. */
export function readTime(task: Task, addr: number): Time | number {
  const at = task.user.in(addr, TIMESPEC_SIZE);
  if (at < 0) return at;
  const time = readTimespec(task.user.view, at);
  return time.sec < 0 || time.nsec < 0 || time.nsec >= NSEC_PER_SEC ? -EINVAL : time;
}

const ns = (time: Time): number => time.sec * NSEC_PER_SEC + time.nsec;

function clockNanosleep(
  task: Task,
  id: number,
  flags: number,
  req: number,
  rem: number,
): number | Promise<number> {
  if (!isKnownClock(id)) return -EINVAL;
  if (!canWaitOn(id) || id === CLOCK_THREAD_CPUTIME_ID) return -EOPNOTSUPP;
  const time = readTime(task, req);
  if (typeof time === 'number') return time;
  const absolute = (flags & TIMER_ABSTIME) !== 0;
  if (isCpuClock(id)) return sleepOnCpu(task, id, ns(time), absolute, rem);
  if (!absolute) return sleepFor(task, task.clock.monotonic() + ns(time), rem);
  return isRealtimeClock(id) ? sleepUntilRealtime(task, time) : sleepUntil(task, ns(time));
}

/** Sleeps until a deadline. If interrupted, stores how much is left, and restart_syscall(2) continues the sleep. */
async function sleepFor(task: Task, deadline: number, rem: number): Promise<number> {
  const slept = await task.sleepOn([], deadline);
  if (slept === -ETIMEDOUT) return 0;
  const left = deadline - task.clock.monotonic();
  if (left <= 0) return 0;
  if (rem !== 0) {
    const error = putTime(task, rem, fromNs(left));
    if (error !== 0) return error;
  }
  task.restart = () => sleepFor(task, deadline, rem);
  return -ERESTART_RESTARTBLOCK;
}

async function sleepUntil(task: Task, deadline: number): Promise<number> {
  if (task.clock.monotonic() >= deadline) return 0;
  return (await task.sleepOn([], deadline)) === -ETIMEDOUT ? 0 : -ERESTARTNOHAND;
}

/** If the clock is set meanwhile, the deadline changes. */
async function sleepUntilRealtime(task: Task, time: Time): Promise<number> {
  for (;;) {
    const now = task.clock.realtime();
    const left = (time.sec - now.sec) * NSEC_PER_SEC + (time.nsec - now.nsec);
    if (left <= 0) return 0;
    const slept = await task.sleepOn([task.kernel.clockSet], task.clock.monotonic() + left);
    if (slept !== 0 && slept !== -ETIMEDOUT) return -ERESTARTNOHAND;
  }
}

function sleepOnCpu(
  task: Task,
  id: number,
  time: number,
  absolute: boolean,
  rem: number,
): number | Promise<number> {
  const clock = isOwnTime(task, id) ? -EINVAL : cpuClock(task, id);
  if (typeof clock === 'number') return clock;
  return sleepOnCpuUntil(task, clock, absolute ? time : clock() + time, absolute, rem);
}

async function sleepOnCpuUntil(
  task: Task,
  clock: CpuClock,
  deadline: number,
  absolute: boolean,
  rem: number,
): Promise<number> {
  const done = new WaitQueue();
  while (clock() < deadline) {
    const timer = new CpuTimer(task, clock, deadline, () => done.wake());
    const slept = await task.sleepOn([done]);
    timer.cancel();
    if (slept === 0) continue;
    if (absolute) return -ERESTARTNOHAND;
    const error = rem === 0 ? 0 : putTime(task, rem, fromNs(Math.max(0, deadline - clock())));
    task.restart = () => sleepOnCpuUntil(task, clock, deadline, absolute, rem);
    return error === 0 ? -ERESTART_RESTARTBLOCK : error;
  }
  return 0;
}

/** An interrupted sleep stores what remains. */
const REMAINING = outStructIf(result => result === -ERESTART_RESTARTBLOCK, 'rem', TIMESPEC);

export const nanosleepCalls: readonly Syscall[] = [
  call('nanosleep', [inStruct('req', TIMESPEC), REMAINING], (task, req, rem) =>
    clockNanosleep(task, CLOCK_MONOTONIC, 0, req, rem),
  ),
  call(
    'clock_nanosleep',
    [oneOf('clockid', CLOCKS), flags('flags', { TIMER_ABSTIME }), inStruct('req', TIMESPEC), REMAINING],
    clockNanosleep,
    'processor time is checked at intervals of 4 ms or more',
  ),
];
