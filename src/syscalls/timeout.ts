/** Timeout arguments as deadlines: CLOCK_MONOTONIC in ns; Infinity: never. */
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
import type { Task } from '../kernel/task.ts';
import { EINVAL } from '../uapi/errno.ts';
import { STICKY_TIMEOUTS } from '../uapi/personality.ts';

export const NEVER = Number.POSITIVE_INFINITY;
/** A timeout of zero: do not wait at all. */
export const AT_ONCE = 0;
const NSEC_PER_MSEC = 1_000_000;

/** poll's timeout in milliseconds; a negative one means never. */
export function deadlineOfMs(task: Task, ms: number): number {
  if (ms <= 0) return ms < 0 ? NEVER : AT_ONCE;
  return task.clock.monotonic() + ms * NSEC_PER_MSEC;
}

function deadlineOf(task: Task, { sec, nsec }: Time): number {
  if (sec < 0 || nsec < 0 || nsec >= NSEC_PER_SEC) return -EINVAL;
  if (sec === 0 && nsec === 0) return AT_ONCE;
  return task.clock.monotonic() + sec * NSEC_PER_SEC + nsec;
}

/** The deadline for the struct timespec at `addr`, NEVER for NULL; -EFAULT, -EINVAL. */
export function deadlineOfTimespec(task: Task, addr: number): number {
  if (addr === 0) return NEVER;
  const at = task.user.in(addr, TIMESPEC_SIZE);
  return at < 0 ? at : deadlineOf(task, readTimespec(task.user.view, at));
}

/** The deadline for select's struct timeval, whose microseconds may exceed a second. */
export function deadlineOfTimeval(task: Task, addr: number): number {
  if (addr === 0) return NEVER;
  const at = task.user.in(addr, TIMEVAL_SIZE);
  if (at < 0) return at;
  const { sec, nsec } = readTimeval(task.user.view, at);
  if (nsec < 0) return -EINVAL;
  return deadlineOf(task, { sec: sec + Math.floor(nsec / NSEC_PER_SEC), nsec: nsec % NSEC_PER_SEC });
}

/** Stores how much time was left (select(2), "Linux"); ignores memory that cannot be written. */
export function putTimeLeft(task: Task, addr: number, deadline: number, asTimeval: boolean): void {
  if (addr === 0 || deadline === AT_ONCE || deadline === NEVER) return;
  if ((task.attributes.personality & STICKY_TIMEOUTS) !== 0) return;
  const left = fromNs(Math.max(0, deadline - task.clock.monotonic()));
  const at = task.user.out(addr, TIMESPEC_SIZE);
  if (at < 0) return;
  (asTimeval ? writeTimeval : writeTimespec)(task.user.view, at, left);
}
