/** Sending signals (kill(2), tgkill(2), rt_sigqueueinfo(2), pidfd_send_signal(2)). */
import { TaskDir } from '../fs/proc/task-dir.ts';
import { PidFd } from '../ipc/pidfd.ts';
import type { ProcessGroup } from '../kernel/session.ts';
import { signalGroupFrom, signalTaskFrom } from '../kernel/signal.ts';
import type { Task } from '../kernel/task.ts';
import { ThreadGroup } from '../kernel/thread-group.ts';
import { E2BIG, EBADF, EINVAL, EPERM, ESRCH } from '../uapi/errno.ts';
import { isKnownLayout, killInfo, SIGINFO_SIZE, SignalInfo } from '../uapi/siginfo.ts';
import { SI_TKILL, SI_USER } from '../uapi/signal.ts';
import { call, fd, flags, inStruct, pid, type Syscall, signal } from './args.ts';
import { SIGINFO } from './structs/signals.ts';

const INT_MIN = -(2 ** 31);

const fromCaller = (task: Task, signal: number, code: number): SignalInfo =>
  killInfo(signal, code, task.tgid, task.cred.uid);

function kill(task: Task, pid: number, signal: number): number {
  const info = fromCaller(task, signal, SI_USER);
  if (pid > 0) return toProcess(task, pid, info);
  if (pid === -1) return toAll(task, info);
  if (pid === INT_MIN) return -ESRCH;
  const group = pid === 0 ? task.group.processGroup : task.kernel.jobs.group(-pid);
  return group === null ? -ESRCH : toProcessGroup(task, group, info);
}

/** The number of any thread means its process. */
function toProcess(task: Task, pid: number, info: SignalInfo): number {
  const group = task.kernel.tasks.get(pid)?.group ?? task.kernel.groups.get(pid);
  return group === undefined ? -ESRCH : signalGroupFrom(task, group, info);
}

/** Succeeds if one member could be signalled. */
function toProcessGroup(task: Task, group: ProcessGroup, info: SignalInfo): number {
  let error = -ESRCH;
  let sent = false;
  for (const member of [...group.members]) {
    if (member.isKernel) continue;
    error = signalGroupFrom(task, member, info);
    if (error === 0) sent = true;
  }
  return sent ? 0 : error;
}

/** To every process but process 1 and the caller's own. Those that the caller may not signal cause no error. */
function toAll(task: Task, info: SignalInfo): number {
  let result = 0;
  let count = 0;
  for (const group of [...task.kernel.groups.values()]) {
    if (group.tgid === 1 || group === task.group || group.isKernel) continue;
    count++;
    const error = signalGroupFrom(task, group, info);
    if (error !== -EPERM) result = error;
  }
  return count === 0 ? -ESRCH : result;
}

/** `tgid` 0: the thread of any process (tkill). */
function toThread(task: Task, tgid: number, tid: number, info: SignalInfo): number {
  const target = task.kernel.tasks.get(tid);
  if (target === undefined || (tgid > 0 && target.tgid !== tgid)) return -ESRCH;
  return signalTaskFrom(task, target, info);
}

function tgkill(task: Task, tgid: number, tid: number, signal: number): number {
  if (tgid <= 0 || tid <= 0) return -EINVAL;
  return toThread(task, tgid, tid, fromCaller(task, signal, SI_TKILL));
}

function tkill(task: Task, tid: number, signal: number): number {
  return tid <= 0 ? -EINVAL : toThread(task, 0, tid, fromCaller(task, signal, SI_TKILL));
}

/**
 * The caller's siginfo_t, with `signal` in it, or the signal that it names. -E2BIG if an unknown kind uses more than the
 * kernel passes on.
 */
function readInfo(task: Task, addr: number, signal: number | null): SignalInfo | number {
  const at = task.user.in(addr, SIGINFO_SIZE);
  if (at < 0) return at;
  const info = SignalInfo.read(task.user.view, at);
  if (signal !== null) info.words[0] = signal;
  if (isKnownLayout(info.signo, info.code)) return info;
  for (let i = 4 * info.words.length; i < SIGINFO_SIZE; i++) if (task.user.ram[at + i] !== 0) return -E2BIG;
  return info;
}

/** A signal that looks as if the kernel, kill or tgkill had sent it may go only to the caller. */
const isForged = (task: Task, info: SignalInfo, tid: number): boolean =>
  (info.code >= SI_USER || info.code === SI_TKILL) && task.pid !== tid;

function sigqueueinfo(task: Task, pid: number, signal: number, addr: number): number {
  const info = readInfo(task, addr, signal);
  if (typeof info === 'number') return info;
  if (isForged(task, info, pid)) return -EPERM;
  return toProcess(task, pid, info);
}

function tgsigqueueinfo(task: Task, tgid: number, tid: number, signal: number, addr: number): number {
  const info = readInfo(task, addr, signal);
  if (typeof info === 'number') return info;
  if (tgid <= 0 || tid <= 0) return -EINVAL;
  if (isForged(task, info, tid)) return -EPERM;
  return toThread(task, tgid, tid, info);
}

const PIDFD_SIGNAL_THREAD = 1;
const PIDFD_SIGNAL_THREAD_GROUP = 2;
const PIDFD_SIGNAL_PROCESS_GROUP = 4;
const PIDFD_FLAGS = { PIDFD_SIGNAL_THREAD, PIDFD_SIGNAL_THREAD_GROUP, PIDFD_SIGNAL_PROCESS_GROUP };

/** The process of a pidfd; -EBADF for any other descriptor. */
export function processOfFd(task: Task, fd: number): ThreadGroup | number {
  const file = task.files.get(fd);
  return file instanceof PidFd && file.subject instanceof ThreadGroup ? file.subject : -EBADF;
}

/** As `processOfFd`, but also for a directory /proc/PID; -ESRCH if that process is gone. */
function processToSignal(task: Task, fd: number): ThreadGroup | number {
  const inode = task.files.get(fd)?.inode;
  if (!(inode instanceof TaskDir) || !inode.isProcess) return processOfFd(task, fd);
  return inode.task.reaped ? -ESRCH : (task.kernel.groups.get(inode.task.tgid) ?? -ESRCH);
}

function pidfdSendSignal(task: Task, fd: number, signal: number, addr: number, flags: number): number {
  const known = flags === 0 || Object.values(PIDFD_FLAGS).includes(flags);
  if (!known) return -EINVAL;
  const group = processToSignal(task, fd);
  if (typeof group === 'number') return group;
  const info = pidfdInfo(task, group, signal, addr, flags);
  if (typeof info === 'number') return info;
  if (group.reaped) return -ESRCH;
  if (flags === PIDFD_SIGNAL_THREAD) return signalTaskFrom(task, group.leader, info);
  if (flags === PIDFD_SIGNAL_PROCESS_GROUP) {
    const members = task.kernel.jobs.group(group.tgid);
    return members === null ? -ESRCH : toProcessGroup(task, members, info);
  }
  return signalGroupFrom(task, group, info);
}

function pidfdInfo(
  task: Task,
  group: ThreadGroup,
  signal: number,
  addr: number,
  flags: number,
): SignalInfo | number {
  if (addr === 0) return fromCaller(task, signal, flags === PIDFD_SIGNAL_THREAD ? SI_TKILL : SI_USER);
  const info = readInfo(task, addr, null);
  if (typeof info === 'number') return info;
  if (info.signo !== signal) return -EINVAL;
  const forged = info.code >= SI_USER || info.code === SI_TKILL;
  const toSelf = group === task.group && flags !== PIDFD_SIGNAL_PROCESS_GROUP;
  return forged && !toSelf ? -EPERM : info;
}

export const killCalls: readonly Syscall[] = [
  call('kill', [pid('pid'), signal('sig')], kill),
  call('tkill', [pid('tid'), signal('sig')], tkill),
  call('tgkill', [pid('tgid'), pid('tid'), signal('sig')], tgkill),
  call('rt_sigqueueinfo', [pid('pid'), signal('sig'), inStruct('info', SIGINFO)], sigqueueinfo),
  call(
    'rt_tgsigqueueinfo',
    [pid('tgid'), pid('tid'), signal('sig'), inStruct('info', SIGINFO)],
    tgsigqueueinfo,
  ),
  call(
    'pidfd_send_signal',
    [fd('pidfd'), signal('sig'), inStruct('info', SIGINFO), flags('flags', PIDFD_FLAGS)],
    pidfdSendSignal,
  ),
];
