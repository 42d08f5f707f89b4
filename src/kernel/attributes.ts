/**
 * Small settings that each thread has of its own and that its children inherit: prctl(2), sched(7),
 * personality(2), ioprio_set(2).
 */
import type { MemPolicy } from '../mm/mem-policy.ts';
import { SCHED_FIFO, SCHED_NORMAL, SCHED_RR } from '../uapi/sched.ts';
import type { Deadline } from './deadline.ts';
import type { Seccomp } from './seccomp.ts';
import type { Task } from './task.ts';
import type { Uts } from './uts.ts';

/** How a task is scheduled. The host schedules: this is what the calls report. */
export interface SchedAttr {
  readonly policy: number;
  /** Realtime priority, 1 to 99 for SCHED_FIFO and SCHED_RR, else 0. */
  readonly priority: number;
  readonly nice: number;
  /** What SCHED_DEADLINE promised the task; null for other policies. */
  readonly deadline: Deadline | null;
  readonly resetOnFork: boolean;
}

export const SCHED_DEFAULT: SchedAttr = Object.freeze({
  policy: SCHED_NORMAL,
  priority: 0,
  nice: 0,
  deadline: null,
  resetOnFork: false,
});

/** timer_slack_ns of a normal thread. */
export const DEFAULT_TIMER_SLACK = 50_000;

export class TaskAttributes {
  sched: SchedAttr = SCHED_DEFAULT;
  /** CPUs that it may run on, one bit each, 32 to a word; null for all. */
  affinity: Uint32Array | null = null;
  ioprio = 0;
  personality = 0;
  noNewPrivs = false;
  /** The namespace of host and domain name; null: the machine's first. */
  uts: Uts | null = null;
  /** What seccomp(2) restricts; null: nothing. */
  seccomp: Seccomp | null;
  /** The user who logged in (getauid(3)); 2^32 - 1: none. */
  loginuid = 0xffffffff;
  /** Sent to the task when the thread that made it ends; 0 for none. */
  pdeathsig = 0;
  /** set_mempolicy(2). */
  memPolicy: MemPolicy | null;
  timerSlack = DEFAULT_TIMER_SLACK;
  defaultTimerSlack = DEFAULT_TIMER_SLACK;

  constructor() {
    this.seccomp = null;
    this.memPolicy = null;
  }
}

/** The attributes of a new thread or process made by `parent`. */
export function inheritAttributes(parent: Task): TaskAttributes {
  const from = parent.attributes;
  const to = new TaskAttributes();
  to.sched = from.sched.resetOnFork ? afterReset(from.sched) : from.sched;
  to.affinity = from.affinity;
  to.ioprio = from.ioprio;
  to.personality = from.personality;
  to.noNewPrivs = from.noNewPrivs;
  to.seccomp = from.seccomp;
  to.uts = from.uts;
  to.loginuid = from.loginuid;
  to.memPolicy = from.memPolicy;
  to.timerSlack = from.timerSlack;
  to.defaultTimerSlack = from.timerSlack;
  return to;
}

/** SCHED_RESET_ON_FORK: no realtime policy, no deadline, no negative nice value for the child. */
function afterReset(sched: SchedAttr): SchedAttr {
  const realtime = sched.policy === SCHED_FIFO || sched.policy === SCHED_RR;
  if (realtime || sched.deadline !== null) return SCHED_DEFAULT;
  return { ...sched, nice: Math.max(0, sched.nice), resetOnFork: false };
}
