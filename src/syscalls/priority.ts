/** Nice values and I/O priorities of processes, groups and users (getpriority(2), ioprio_set(2)). */
import { CAP_SYS_ADMIN, CAP_SYS_NICE, capable } from '../core/cred.ts';
import { hasRightsOf, niceAllowed, ownsOrMay } from '../kernel/nice.ts';
import type { Task } from '../kernel/task.ts';
import { EACCES, EINVAL, EPERM, ESRCH } from '../uapi/errno.ts';
import * as io from '../uapi/ioprio.ts';
import { PRIO_PGRP, PRIO_PROCESS, PRIO_USER } from '../uapi/resource.ts';
import { call, int, oneOf, type Syscall } from './args.ts';

type Who = 'process' | 'pgrp' | 'user';

/** The tasks that `id` selects; 0: the caller's own. */
function* select(task: Task, who: Who, id: number): Generator<Task> {
  const { kernel } = task;
  if (who === 'process') {
    const of = id === 0 ? task : kernel.tasks.get(id);
    if (of !== undefined) yield of;
    return;
  }
  if (who === 'user') {
    const uid = id === 0 ? task.cred.uid : id >>> 0;
    for (const of of kernel.tasks.values()) if (of.cred.uid === uid && of.state !== 'Z') yield of;
    return;
  }
  const group = id === 0 ? task.group.processGroup : kernel.jobs.group(id);
  for (const member of group?.members ?? []) yield* member.threads;
}

const PRIO_WHO: readonly Who[] = ['process', 'pgrp', 'user'];

/** The highest priority of all tasks, as the raw call returns it: 40 (nice -20) to 1 (nice 19). */
function getpriority(task: Task, which: number, id: number): number {
  const who = PRIO_WHO[which];
  if (who === undefined) return -EINVAL;
  let best = -ESRCH;
  for (const of of select(task, who, id)) best = Math.max(best, 20 - of.attributes.sched.nice);
  return best;
}

function setpriority(task: Task, which: number, id: number, value: number): number {
  const who = PRIO_WHO[which];
  if (who === undefined) return -EINVAL;
  const nice = Math.min(19, Math.max(-20, value));
  let result = -ESRCH;
  for (const of of select(task, who, id)) {
    const error = setNice(task, of, nice);
    if (error !== 0 || result === -ESRCH) result = error;
  }
  return result;
}

function setNice(task: Task, of: Task, nice: number): number {
  if (!ownsOrMay(task.cred, of.cred)) return -EPERM;
  const { sched } = of.attributes;
  if (nice < sched.nice && !niceAllowed(of, nice) && !capable(task.cred, CAP_SYS_NICE)) return -EACCES;
  if (!hasRightsOf(task.cred, of.cred)) return -EPERM;
  of.attributes.sched = { ...sched, nice };
  return 0;
}

const IOPRIO_WHO: readonly (Who | undefined)[] = [undefined, 'process', 'pgrp', 'user'];
/** The level of a task without a setting of its own. */
const DEFAULT_LEVEL = 4;

function ioprioSet(task: Task, which: number, id: number, prio: number): number {
  const error = checkIoprio(task, prio);
  if (error !== 0) return error;
  const who = IOPRIO_WHO[which];
  if (who === undefined) return -EINVAL;
  let result = -ESRCH;
  for (const of of select(task, who, id)) {
    const mine = of.cred.uid === task.cred.euid || of.cred.uid === task.cred.uid;
    if ((!mine && !capable(task.cred, CAP_SYS_NICE)) || !hasRightsOf(task.cred, of.cred)) return -EPERM;
    of.attributes.ioprio = prio;
    result = 0;
  }
  return result;
}

function checkIoprio(task: Task, prio: number): number {
  switch (prio >> io.IOPRIO_CLASS_SHIFT) {
    case io.IOPRIO_CLASS_RT:
      return capable(task.cred, CAP_SYS_ADMIN) || capable(task.cred, CAP_SYS_NICE) ? 0 : -EPERM;
    case io.IOPRIO_CLASS_BE:
    case io.IOPRIO_CLASS_IDLE:
      return 0;
    case io.IOPRIO_CLASS_NONE:
      return (prio & io.IOPRIO_LEVEL_MASK) === 0 ? 0 : -EINVAL;
    default:
      return -EINVAL;
  }
}

/** The highest priority of all tasks: lower classes first, then lower levels. */
function ioprioGet(task: Task, which: number, id: number): number {
  const who = IOPRIO_WHO[which];
  if (who === undefined) return -EINVAL;
  let best = -ESRCH;
  for (const of of select(task, who, id)) {
    const prio = of.attributes.ioprio;
    best = best < 0 ? prio : highest(best, prio);
  }
  return best;
}

function highest(a: number, b: number): number {
  const effective = (prio: number): number =>
    prio >> io.IOPRIO_CLASS_SHIFT === io.IOPRIO_CLASS_NONE
      ? (io.IOPRIO_CLASS_BE << io.IOPRIO_CLASS_SHIFT) | DEFAULT_LEVEL
      : prio;
  return Math.min(effective(a), effective(b));
}

const WHICH = { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };
const { IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP, IOPRIO_WHO_USER } = io;
const IO_WHICH = { IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP, IOPRIO_WHO_USER };
const NOTE = 'stored and reported, but the host schedules';

export const priorityCalls: readonly Syscall[] = [
  call('getpriority', [oneOf('which', WHICH), int('who')], getpriority),
  call('setpriority', [oneOf('which', WHICH), int('who'), int('prio')], setpriority, NOTE),
  call('ioprio_get', [oneOf('which', IO_WHICH), int('who')], ioprioGet),
  call('ioprio_set', [oneOf('which', IO_WHICH), int('who'), int('ioprio')], ioprioSet, NOTE),
];
