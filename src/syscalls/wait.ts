/** Waiting for children (wait4(2), waitid(2)). */
import { RUSAGE_SIZE, writeRusage } from '../arch/x86_64/structs/resource.ts';
import { putInt } from '../core/user-values.ts';
import type { Task } from '../kernel/task.ts';
import type { ThreadGroup } from '../kernel/thread-group.ts';
import { type Waited, type WaitTarget, waitForChild } from '../kernel/wait.ts';
import { EAGAIN, EINVAL, ESRCH } from '../uapi/errno.ts';
import { SIGCHLD } from '../uapi/signal.ts';
import {
  __WALL,
  __WCLONE,
  __WNOTHREAD,
  P_ALL,
  P_PGID,
  P_PID,
  P_PIDFD,
  WCONTINUED,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  WSTOPPED,
  WUNTRACED,
} from '../uapi/wait.ts';
import { call, flags, int, oneOf, outStruct, outStructIf, pid, type Syscall } from './args.ts';
import { processOfFd } from './kill.ts';
import { RUSAGE, WAIT_STATUS } from './structs/process.ts';
import { SIGINFO } from './structs/signals.ts';

const INT_MIN = -(2 ** 31);
const KINDS = __WALL | __WCLONE | __WNOTHREAD;
const WAIT4_OPTIONS = WNOHANG | WUNTRACED | WCONTINUED | KINDS;
const WAITID_OPTIONS = WAIT4_OPTIONS | WEXITED | WNOWAIT;
const CHANGES = WEXITED | WSTOPPED | WCONTINUED;
const ALL: WaitTarget = { type: 'all' };
const INFO_HEAD = 12;
const INFO_FIELDS = 16;
const INFO_FIELDS_SIZE = 12;

/** Passes a result, now or when it comes, to `done`. */
function then<T>(result: T | Promise<T>, done: (value: T) => number): number | Promise<number> {
  return result instanceof Promise ? result.then(done) : done(result);
}

function wait4(
  task: Task,
  pid: number,
  status: number,
  options: number,
  rusage: number,
): number | Promise<number> {
  if ((options & ~WAIT4_OPTIONS) !== 0) return -EINVAL;
  if (pid === INT_MIN) return -ESRCH;
  return then(waitForChild(task, targetOf(task, pid), options | WEXITED), found => {
    if (typeof found === 'number') return found;
    const error =
      putUsage(task, rusage, found) || (status === 0 ? 0 : putInt(task.user, status, found.status));
    return error === 0 ? found.pid : error;
  });
}

function targetOf(task: Task, pid: number): WaitTarget {
  if (pid === -1) return ALL;
  if (pid > 0) return { type: 'pid', pid };
  return { type: 'pgid', pgid: pid === 0 ? task.pgid : -pid };
}

function putUsage(task: Task, addr: number, found: Waited): number {
  if (addr === 0) return 0;
  const at = task.user.out(addr, RUSAGE_SIZE);
  if (at < 0) return at;
  writeRusage(task.user.view, at, found.usage);
  return 0;
}

function waitid(
  task: Task,
  type: number,
  id: number,
  info: number,
  options: number,
  rusage: number,
): number | Promise<number> {
  if ((options & ~WAITID_OPTIONS) !== 0 || (options & CHANGES) === 0) return -EINVAL;
  const target = waitidTarget(task, type, id);
  if (typeof target === 'number') return target;
  const nonblocking = type === P_PIDFD && task.files.get(id)?.nonblocking === true;
  const opts = nonblocking ? options | WNOHANG : options;
  return then(waitForChild(task, target, opts), found => {
    if (found === 0 && nonblocking && (options & WNOHANG) === 0) return -EAGAIN;
    if (typeof found === 'number' && found !== 0) return found;
    const waited = typeof found === 'number' ? null : found;
    const error = waited === null ? 0 : putUsage(task, rusage, waited);
    return error === 0 ? putInfo(task, info, waited) : error;
  });
}

function waitidTarget(task: Task, type: number, id: number): WaitTarget | number {
  switch (type) {
    case P_ALL:
      return ALL;
    case P_PID:
      return id > 0 ? { type: 'pid', pid: id } : -EINVAL;
    case P_PGID:
      return id >= 0 ? { type: 'pgid', pgid: id === 0 ? task.pgid : id } : -EINVAL;
    case P_PIDFD:
      return id < 0 ? -EINVAL : pidfdTarget(processOfFd(task, id));
    default:
      return -EINVAL;
  }
}

/** A reaped process is no child any more, and its number may belong to another: pid 0 matches none. */
function pidfdTarget(group: ThreadGroup | number): WaitTarget | number {
  if (typeof group === 'number') return group;
  return { type: 'pid', pid: group.reaped ? 0 : group.tgid };
}

/** Writes only these fields of the siginfo_t; zeros if no child had anything to report. */
function putInfo(task: Task, addr: number, found: Waited | null): number {
  if (addr === 0) return 0;
  const { user } = task;
  const head = user.out(addr, INFO_HEAD);
  if (head < 0) return head;
  user.view.setInt32(head, found === null ? 0 : SIGCHLD, true);
  user.view.setInt32(head + 4, 0, true);
  user.view.setInt32(head + 8, found?.code ?? 0, true);
  const fields = user.out(addr + INFO_FIELDS, INFO_FIELDS_SIZE);
  if (fields < 0) return fields;
  user.view.setInt32(fields, found?.pid ?? 0, true);
  user.view.setUint32(fields + 4, found?.uid ?? 0, true);
  user.view.setInt32(fields + 8, found?.detail ?? 0, true);
  return 0;
}

const OPTIONS = { WNOHANG, WSTOPPED, WCONTINUED, WNOWAIT, WEXITED, __WALL, __WCLONE, __WNOTHREAD };

const isFound = (result: number): boolean => result > 0;

export const waitCalls: readonly Syscall[] = [
  call(
    'wait4',
    [
      pid('pid'),
      outStructIf(isFound, 'wstatus', WAIT_STATUS),
      flags('options', OPTIONS),
      outStructIf(isFound, 'rusage', RUSAGE),
    ],
    wait4,
  ),
  call(
    'waitid',
    [
      oneOf('idtype', { P_ALL, P_PID, P_PGID, P_PIDFD }),
      int('id'),
      outStruct('infop', SIGINFO),
      flags('options', OPTIONS),
      outStruct('rusage', RUSAGE),
    ],
    waitid,
  ),
];
