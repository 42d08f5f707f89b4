/** Who may change how tasks are scheduled (sched(7), "Privileges and resource limits"). */

import { capSubset } from '../core/capset.ts';
import { CAP_SYS_NICE, type Cred, capable } from '../core/cred.ts';
import { RLIMIT_NICE } from '../uapi/resource.ts';
import type { Task } from './task.ts';

/** Whether the caller may change the scheduling of a task with the credentials `of` at all. */
export const ownsOrMay = (caller: Cred, of: Cred): boolean =>
  caller.euid === of.uid || caller.euid === of.euid || capable(caller, CAP_SYS_NICE);

/**
 * Whether the caller may do all that the task may: else it may not change the task's scheduling, even as its owner
 * (capabilities(7), CAP_SYS_NICE).
 */
export const hasRightsOf = (caller: Cred, of: Cred): boolean =>
  capSubset(of.permitted, caller.permitted) || capable(caller, CAP_SYS_NICE);

/** RLIMIT_NICE counts from 1 (nice 19) to 40 (nice -20). */
export const niceAllowed = (of: Task, nice: number): boolean => 20 - nice <= of.rlimit(RLIMIT_NICE);
