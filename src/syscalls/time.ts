/** Timers of a process: setitimer(2), alarm(2), timer_create(2) and its relatives. */
import { writeMicros } from '../arch/x86_64/structs/resource.ts';
import { readSigEvent, SIGEVENT_SIZE } from '../arch/x86_64/structs/signal.ts';
import { ITIMERSPEC_SIZE, readTimespec, type Time, writeTimespec } from '../arch/x86_64/structs/time.ts';
import { fromNs, NSEC_PER_SEC } from '../core/clock.ts';
import { putInt } from '../core/user-values.ts';
import { canWaitOn, cpuClock, isCpuClock, isKnownClock } from '../kernel/clock-ids.ts';
import type { TimerValue } from '../kernel/itimer.ts';
import { PosixTimer, type SigEvent } from '../kernel/posix-timer.ts';
import { isValidSignal } from '../kernel/signal.ts';
import type { Task } from '../kernel/task.ts';
import { getInt64 } from '../lib/int64.ts';
import { EAGAIN, EINVAL, EOPNOTSUPP } from '../uapi/errno.ts';
import { RLIMIT_SIGPENDING } from '../uapi/resource.ts';
import { SIGALRM } from '../uapi/signal.ts';
import {
  ITIMER_PROF,
  ITIMER_REAL,
  ITIMER_VIRTUAL,
  SIGEV_NONE,
  SIGEV_SIGNAL,
  SIGEV_THREAD,
  SIGEV_THREAD_ID,
  TIMER_ABSTIME,
} from '../uapi/time.ts';
import { adjtimexCalls } from './adjtimex.ts';
import { call, flags, inStruct, int, oneOf, outStruct, type Syscall, shownAfter, uint } from './args.ts';
import { clockCalls } from './clock.ts';
import { nanosleepCalls } from './nanosleep.ts';
import { structAt } from './show.ts';
import { INT } from './structs/fields.ts';
import { SIGEVENT } from './structs/signals.ts';
import { CLOCKS, ITIMERSPEC, ITIMERVAL } from './structs/time.ts';

const WHICH = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };
/** struct itimerval: 0 it_interval, a timeval | 16 it_value */
const ITIMERVAL_SIZE = 32;

/** A struct timeval in nanoseconds; -EINVAL. */
function readMicros(task: Task, at: number): number {
  const sec = getInt64(task.user.view, at);
  const usec = getInt64(task.user.view, at + 8);
  return sec < 0 || usec < 0 || usec >= 1_000_000 ? -EINVAL : sec * NSEC_PER_SEC + usec * 1000;
}

function putItimer(task: Task, addr: number, { value, interval }: TimerValue): number {
  const at = task.user.out(addr, ITIMERVAL_SIZE);
  if (at < 0) return at;
  writeMicros(task.user.view, at, interval);
  writeMicros(task.user.view, at + 16, value);
  return 0;
}

function getitimer(task: Task, which: number, addr: number): number {
  const timer = task.group.timers.itimer(which, task);
  return timer === null ? -EINVAL : putItimer(task, addr, timer.get());
}

function setitimer(task: Task, which: number, addr: number, oldAddr: number): number {
  const next = addr === 0 ? { value: 0, interval: 0 } : readItimer(task, addr);
  if (typeof next === 'number') return next;
  const timer = task.group.timers.itimer(which, task);
  if (timer === null) return -EINVAL;
  const old = timer.get();
  timer.set(next.value, next.interval);
  return oldAddr === 0 ? 0 : putItimer(task, oldAddr, old);
}

function readItimer(task: Task, addr: number): TimerValue | number {
  const at = task.user.in(addr, ITIMERVAL_SIZE);
  if (at < 0) return at;
  const interval = readMicros(task, at);
  const value = readMicros(task, at + 16);
  return interval < 0 || value < 0 ? -EINVAL : { value, interval };
}

/** Answers the seconds that were left, rounded, but not to 0, which means that no alarm was set. */
function alarm(task: Task, seconds: number): number {
  const timer = task.group.timers.itimer(ITIMER_REAL, task)!;
  const { value } = timer.get();
  timer.set((seconds >>> 0) * NSEC_PER_SEC, 0);
  return value === 0 ? 0 : Math.max(1, Math.round(value / NSEC_PER_SEC));
}

function timerCreate(task: Task, clock: number, sevp: number, idAddr: number): number {
  if (!isKnownClock(clock)) return -EINVAL;
  if (!canWaitOn(clock)) return -EOPNOTSUPP;
  const cpu = isCpuClock(clock) ? cpuClock(task, clock) : null;
  if (typeof cpu === 'number') return cpu;
  const user = task.kernel.users.of(task.cred.uid);
  if (user.sigpending >= task.rlimit(RLIMIT_SIGPENDING)) return -EAGAIN;
  const { timers } = task.group;
  const id = timers.newId();
  const event = sevp === 0 ? defaultEvent(id) : readEvent(task, sevp);
  if (typeof event === 'number') return event;
  const error = putInt(task.user, idAddr, id);
  if (error !== 0) return error;
  timers.posix.set(id, new PosixTimer(task.group, id, clock, cpu, event, user));
  return 0;
}

const defaultEvent = (id: number): SigEvent => ({
  notify: SIGEV_SIGNAL,
  signal: SIGALRM,
  valueLo: id,
  valueHi: 0,
  target: null,
});

function readEvent(task: Task, addr: number): SigEvent | number {
  const at = task.user.in(addr, SIGEVENT_SIZE);
  if (at < 0) return at;
  const { notify, signal, valueLo, valueHi, thread } = readSigEvent(task.user.view, at);
  const event = { notify, signal, valueLo, valueHi, target: null };
  if (notify === SIGEV_NONE) return event;
  if (!isValidSignal(signal)) return -EINVAL;
  if (notify === SIGEV_SIGNAL || notify === SIGEV_THREAD) return event;
  const target = notify === SIGEV_THREAD_ID ? task.kernel.tasks.get(thread) : undefined;
  return target === undefined || target.group !== task.group ? -EINVAL : { ...event, target };
}

const timerOf = (task: Task, id: number): PosixTimer | null => task.group.timers.posix.get(id) ?? null;

function timerSettime(task: Task, id: number, flags: number, newAddr: number, oldAddr: number): number {
  const at = newAddr === 0 ? -EINVAL : task.user.in(newAddr, ITIMERSPEC_SIZE);
  if (at < 0) return at;
  const interval = readTimespec(task.user.view, at);
  const value = readTimespec(task.user.view, at + 16);
  if (!isValid(interval) || !isValid(value)) return -EINVAL;
  const timer = timerOf(task, id);
  if (timer === null) return -EINVAL;
  const old = timer.get();
  const armed = value.sec !== 0 || value.nsec !== 0;
  const every = interval.sec * NSEC_PER_SEC + interval.nsec;
  timer.set(armed ? value : null, armed ? every : 0, (flags & TIMER_ABSTIME) !== 0);
  return oldAddr === 0 ? 0 : putTimer(task, oldAddr, old);
}

const isValid = (time: Time): boolean => time.sec >= 0 && time.nsec >= 0 && time.nsec < NSEC_PER_SEC;

function putTimer(task: Task, addr: number, { value, interval }: TimerValue): number {
  const at = task.user.out(addr, ITIMERSPEC_SIZE);
  if (at < 0) return at;
  writeTimespec(task.user.view, at, fromNs(interval));
  writeTimespec(task.user.view, at + 16, fromNs(value));
  return 0;
}

function timerGettime(task: Task, id: number, addr: number): number {
  const timer = timerOf(task, id);
  return timer === null ? -EINVAL : putTimer(task, addr, timer.get());
}

function timerDelete(task: Task, id: number): number {
  const timer = timerOf(task, id);
  if (timer === null) return -EINVAL;
  timer.delete();
  task.group.timers.posix.delete(id);
  return 0;
}

const CPU_NOTE = 'processor time is checked at intervals of 4 ms or more: signals may be that late';

export const timeCalls: readonly Syscall[] = [
  ...clockCalls,
  ...adjtimexCalls,
  ...nanosleepCalls,
  call('getitimer', [oneOf('which', WHICH), outStruct('curr', ITIMERVAL)], getitimer),
  call(
    'setitimer',
    [oneOf('which', WHICH), inStruct('new', ITIMERVAL), outStruct('old', ITIMERVAL)],
    setitimer,
    CPU_NOTE,
  ),
  call('alarm', [uint('seconds')], alarm),
  call(
    'timer_create',
    [oneOf('clockid', CLOCKS), inStruct('sevp', SIGEVENT), shownAfter('timerid', structAt(INT))],
    timerCreate,
    CPU_NOTE,
  ),
  call(
    'timer_settime',
    [
      int('timerid'),
      flags('flags', { TIMER_ABSTIME }),
      inStruct('new', ITIMERSPEC),
      outStruct('old', ITIMERSPEC),
    ],
    timerSettime,
  ),
  call('timer_gettime', [int('timerid'), outStruct('curr', ITIMERSPEC)], timerGettime),
  call('timer_getoverrun', [int('timerid')], (task, id) => timerOf(task, id)?.lastOverrun ?? -EINVAL),
  call('timer_delete', [int('timerid')], timerDelete),
];
