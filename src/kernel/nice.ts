/** Who may change how tasks are scheduled (sched(7), "Privileges and resource limits"). */

import { capSubset } from '../core/capset.ts';
import { CAP_SYS_NICE, type Cred, capable } from '../core/cred.ts';
import { RLIMIT_NICE } from '../uapi/resource.ts';
import type { Task } from './task.ts';

/** Whether the caller may change how a task with the credentials `of` is scheduled at all. */
export const ownsOrMay = (caller: Cred, of: Cred): boolean =>
  caller.euid === of.uid || caller.euid === of.euid || capable(caller, CAP_SYS_NICE);

/** Nobody changes how a task is scheduled that may do what he may not, his own or not (capabilities(7), CAP_SYS_NICE). */
export const hasRightsOf = (caller: Cred, of: Cred): boolean =>
  capSubset(of.permitted, caller.permitted) || capable(caller, CAP_SYS_NICE);

/** RLIMIT_NICE counts from 1 (nice 19) to 40 (nice -20). */
export const niceAllowed = (of: Task, nice: number): boolean => 20 - nice <= of.rlimit(RLIMIT_NICE);
