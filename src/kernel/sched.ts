/** Changes to how a task is scheduled (sched(7)): whether they make sense, and who may make them. */
import { CAP_SYS_NICE, type Cred, capable } from '../core/cred.ts';
import { EBUSY, EINVAL, EPERM } from '../uapi/errno.ts';
import { RLIMIT_RTPRIO } from '../uapi/resource.ts';
import {
  SCHED_BATCH,
  SCHED_DEADLINE,
  SCHED_FIFO,
  SCHED_IDLE,
  SCHED_NORMAL,
  SCHED_RR,
} from '../uapi/sched.ts';
import type { SchedAttr } from './attributes.ts';
import { isPossible } from './deadline.ts';
import { hasRightsOf, niceAllowed, ownsOrMay } from './nice.ts';
import type { Task } from './task.ts';

export const RT_MAX = 99;

/** The limits of realtime threads (sched(7)). */
export class RealtimeRules {
  /** Of this many microseconds, for how many they may run; -1: all. */
  period = 1_000_000;
  runtime = 950_000;
  /** SCHED_RR's slice, in milliseconds. */
  slice = 100;
}

export const isRealtime = (policy: number): boolean => policy === SCHED_FIFO || policy === SCHED_RR;
export const isNormal = (policy: number): boolean =>
  policy === SCHED_NORMAL || policy === SCHED_BATCH || policy === SCHED_IDLE;

/** Changes how `of` is scheduled, on behalf of `task`: 0 or -errno. */
export function changeSched(task: Task, of: Task, sched: SchedAttr): number {
  const old = of.attributes.sched;
  if (!isSound(sched)) return -EINVAL;
  const privileged = capable(task.cred, CAP_SYS_NICE);
  if (!privileged && (!mayChange(task.cred, of.cred) || !isAllowed(of, old, sched))) return -EPERM;
  if (sched.deadline !== null) {
    if (!mayRunEverywhere(of)) return -EPERM;
    if (!isPossible(of, sched.deadline)) return -EBUSY;
  }
  of.attributes.sched = sched;
  return 0;
}

export const mayChange = (caller: Cred, of: Cred): boolean =>
  ownsOrMay(caller, of) && hasRightsOf(caller, of);

function isSound({ policy, priority, deadline }: SchedAttr): boolean {
  if ((policy === SCHED_DEADLINE) !== (deadline !== null)) return false;
  if (isRealtime(policy)) return priority >= 1 && priority <= RT_MAX;
  return priority === 0 && (isNormal(policy) || policy === SCHED_DEADLINE);
}

/** What a caller without CAP_SYS_NICE may do to its own tasks. */
function isAllowed(of: Task, old: SchedAttr, next: SchedAttr): boolean {
  if (old.resetOnFork && !next.resetOnFork) return false;
  if (next.policy === SCHED_DEADLINE) return false;
  if (isRealtime(next.policy)) {
    const limit = of.rlimit(RLIMIT_RTPRIO);
    if (next.policy !== old.policy && limit === 0) return false;
    return next.priority <= old.priority || next.priority <= limit;
  }
  if (old.policy === SCHED_IDLE && next.policy !== SCHED_IDLE && !niceAllowed(of, old.nice)) return false;
  return next.nice >= old.nice || niceAllowed(of, next.nice);
}

/** SCHED_DEADLINE needs permission to run on all processors. */
function mayRunEverywhere({ attributes: { affinity }, kernel }: Task): boolean {
  return affinity === null || coversAll(affinity, kernel.ncpus);
}

/** Whether a mask has every existing processor. */
export function coversAll(mask: Uint32Array, ncpus: number): boolean {
  for (let cpu = 0; cpu < ncpus; cpu++) if ((mask[cpu >>> 5]! & (1 << (cpu & 31))) === 0) return false;
  return true;
}
