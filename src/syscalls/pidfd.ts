/** pidfd_open(2), pidfd_getfd(2), process_mrelease(2). */
import { keepFromGoingAlong } from '../kernel/along.ts';
import { mayAttach } from '../kernel/ptrace-access.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, EINVAL, ENOENT, EPERM, ESRCH } from '../uapi/errno.ts';
import { PIDFD_NONBLOCK } from '../uapi/eventfd.ts';
import { call, fd, flags, pid, type Syscall, uint } from './args.ts';
import { processOfFd } from './kill.ts';
import { install } from './names.ts';

function pidfdOpen(task: Task, pid: number, flags: number): number {
  if ((flags & ~PIDFD_NONBLOCK) !== 0 || pid <= 0) return -EINVAL;
  const { kernel } = task;
  const group = kernel.groups.get(pid);
  if (group === undefined) return kernel.tasks.has(pid) ? -ENOENT : -ESRCH;
  return install(task, kernel.pidfs.open(group, flags), true);
}

function pidfdGetfd(task: Task, pidfd: number, targetFd: number, flags: number): number {
  if (flags !== 0) return -EINVAL;
  const group = processOfFd(task, pidfd);
  if (typeof group === 'number') return group;
  const target = [...group.threads][0];
  if (target === undefined) return -ESRCH;
  if (!mayAttach(task, target)) return -EPERM;
  keepFromGoingAlong(target);
  const file = target.files.get(targetFd);
  return file === null ? -EBADF : install(task, file.get(), true);
}

/** Only checks: a dying process soon gives its memory back on its own. */
function processMrelease(task: Task, pidfd: number, flags: number): number {
  if (flags !== 0) return -EINVAL;
  const group = processOfFd(task, pidfd);
  if (typeof group === 'number') return group;
  if (group.threads.size === 0) return -ESRCH;
  return group.exiting === null ? -EINVAL : 0;
}

export const pidfdCalls: readonly Syscall[] = [
  call('pidfd_open', [pid('pid'), flags('flags', { PIDFD_NONBLOCK })], pidfdOpen, 'no PIDFD_THREAD: EINVAL'),
  call('pidfd_getfd', [fd('pidfd'), fd('targetfd'), uint('flags')], pidfdGetfd),
  call('process_mrelease', [fd('pidfd'), uint('flags')], processMrelease),
];
