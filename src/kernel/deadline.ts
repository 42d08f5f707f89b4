/**
 * SCHED_DEADLINE (sched(7)): a task gets `runtime` of each `period`, by its `deadline`, in nanoseconds. The host
 * schedules; the kernel checks and counts promises, so that it promises no more time than there is.
 */
import { EINVAL } from '../uapi/errno.ts';
import type { Task } from './task.ts';

export interface Deadline {
  readonly runtime: number;
  readonly deadline: number;
  readonly period: number;
  /** SCHED_FLAG_RECLAIM, SCHED_FLAG_DL_OVERRUN. */
  readonly flags: number;
}

const LEAST_RUNTIME = 1024;
/** kernel.sched_deadline_period_min_us and _max_us (sched(7)). */
const LEAST_PERIOD = 100_000;
const LONGEST_PERIOD = 4_194_304_000;
/** kernel.sched_rt_runtime_us of sched_rt_period_us: the rest is for other tasks. */
const SHARE = 0.95;

/** The request, with its deadline as the period if it gives none; or -EINVAL. */
export function checkDeadline(asked: Deadline): Deadline | number {
  const period = asked.period === 0 ? asked.deadline : asked.period;
  const { runtime, deadline } = asked;
  if (runtime < LEAST_RUNTIME || deadline < runtime || period < deadline) return -EINVAL;
  return period < LEAST_PERIOD || period > LONGEST_PERIOD ? -EINVAL : { ...asked, period };
}

/** Whether `next` can be promised to a task on top of what other tasks were promised. */
export function isPossible(of: Task, next: Deadline): boolean {
  let sum = next.runtime / next.period;
  for (const other of of.kernel.tasks.values()) {
    const { deadline } = other.attributes.sched;
    if (other !== of && deadline !== null && other.state !== 'Z') sum += deadline.runtime / deadline.period;
  }
  return sum <= SHARE * of.kernel.ncpus;
}
