/** Processes: their numbers, process groups, sessions and exit (getpid(2), setpgid(2), setsid(2), exit(2)). */
import { putLong } from '../core/user-values.ts';
import { exitGroup, exitTask } from '../kernel/exit.ts';
import { mayAttach } from '../kernel/ptrace-access.ts';
import type { ProcessGroup } from '../kernel/session.ts';
import type { Task } from '../kernel/task.ts';
import type { ThreadGroup } from '../kernel/thread-group.ts';
import { EACCES, EINTR, EINVAL, EPERM, ESRCH } from '../uapi/errno.ts';
import { exitStatusOf } from '../uapi/wait.ts';
import { call, int, pid, pointer, type Syscall, ulong } from './args.ts';
import { prctlCalls } from './prctl.ts';
import { processVmCalls } from './process-vm.ts';
import { unshareCalls } from './unshare.ts';
import { waitCalls } from './wait.ts';

function setpgid(task: Task, pid: number, pgid: number): number {
  const id = pid === 0 ? task.tgid : pid;
  const to = pgid === 0 ? id : pgid;
  if (to < 0) return -EINVAL;
  const found = task.kernel.tasks.get(id);
  if (found === undefined) return -ESRCH;
  if (found.group.leader !== found) return -EINVAL;
  const error = mayMove(task, found.group);
  if (error !== 0) return error;
  const group = groupToJoin(found.group, to);
  if (group === null) return -EPERM;
  task.kernel.jobs.move(found.group, group);
  return 0;
}

/** The caller, or its child in the same session that has not called execve, but no session leader: 0 or -errno. */
function mayMove(task: Task, process: ThreadGroup): number {
  if (process.parent === task.group) {
    if (process.session !== task.group.session) return -EPERM;
    if (process.execed) return -EACCES;
  } else if (process !== task.group) {
    return -ESRCH;
  }
  return process.session.leader === process ? -EPERM : 0;
}

/** An existing group of the session, or a new one with the process's own number; null: neither is possible. */
function groupToJoin(process: ThreadGroup, pgid: number): ProcessGroup | null {
  const { jobs } = process.leader.kernel;
  const group = jobs.group(pgid);
  if (group !== null) return group.session === process.session ? group : null;
  return pgid === process.tgid ? jobs.newGroup(pgid, process.session) : null;
}

function setsid(task: Task): number {
  const { group, kernel } = task;
  if (group.session.leader === group || kernel.jobs.group(group.tgid) !== null) return -EPERM;
  const own = kernel.jobs.newSession(group.tgid);
  own.session.leader = group;
  kernel.jobs.move(group, own);
  group.gaveUpTty = false;
  return group.tgid;
}

/** What `what` says about a process; `pid` 0 means the caller's. */
function ask(task: Task, pid: number, what: (group: ThreadGroup) => number): number {
  const { tasks, groups } = task.kernel;
  const group = pid === 0 ? task.group : (tasks.get(pid)?.group ?? groups.get(pid));
  return group === undefined ? -ESRCH : what(group);
}

function exit(task: Task, code: number): number {
  exitTask(task, exitStatusOf(code));
  return 0;
}

function exitAll(task: Task, code: number): number {
  exitGroup(task, exitStatusOf(code));
  return 0;
}

const ROBUST_LIST_HEAD_SIZE = 24;

function setRobustList(task: Task, head: number, size: number): number {
  if (size !== ROBUST_LIST_HEAD_SIZE) return -EINVAL;
  task.setRobustList(head);
  return 0;
}

function getRobustList(task: Task, pid: number, head: number, size: number): number {
  const of = pid === 0 ? task : task.kernel.tasks.get(pid);
  if (of === undefined) return -ESRCH;
  if (!mayAttach(task, of)) return -EPERM;
  return putLong(task.user, size, ROBUST_LIST_HEAD_SIZE) || putLong(task.user, head, of.robustList);
}

export const processCalls: readonly Syscall[] = [
  call('getpid', [], t => t.tgid),
  call('gettid', [], t => t.pid),
  call('getppid', [], t => t.group.ppid),
  call('getpgrp', [], t => t.pgid),
  call('getpgid', [pid('pid')], (t, pid) => ask(t, pid, group => group.pgid)),
  call('getsid', [pid('pid')], (t, pid) => ask(t, pid, group => group.session.sid)),
  call('setpgid', [pid('pid'), pid('pgid')], setpgid),
  call('setsid', [], setsid),
  call('exit', [int('status')], exit),
  call('exit_group', [int('status')], exitAll),
  call('set_tid_address', [pointer('tidptr')], (t, addr) => {
    t.setTidAddress(addr);
    return t.pid;
  }),
  call('set_robust_list', [pointer('head'), ulong('size')], setRobustList),
  call('get_robust_list', [pid('pid'), pointer('head'), pointer('size')], getRobustList),
  call('restart_syscall', [], task => task.restart?.() ?? -EINTR),
  ...waitCalls,
  ...prctlCalls,
  ...processVmCalls,
  ...unshareCalls,
];
