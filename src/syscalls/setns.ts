/**
 * setns(2): a thread moves to another namespace. Only mount and UTS namespaces are more than one; of each other kind
 * there is one, which every thread is in already.
 */
import { CAP_SYS_ADMIN, CAP_SYS_CHROOT, capable } from '../core/cred.ts';
import { enterMounts } from '../fs/mounts.ts';
import { MountNamespace } from '../fs/namespace.ts';
import { NsFile } from '../fs/proc/namespaces.ts';
import { PidFd } from '../ipc/pidfd.ts';
import { mayAttach } from '../kernel/ptrace-access.ts';
import type { Task } from '../kernel/task.ts';
import { Uts, utsOf } from '../kernel/uts.ts';
import { EBADF, EINVAL, EPERM, ESRCH, EUSERS } from '../uapi/errno.ts';
import * as sched from '../uapi/sched.ts';
import { call, fd, flags, type Syscall } from './args.ts';
import { processOfFd } from './kill.ts';
import { namesIn } from './show.ts';

const { CLONE_NEWNS, CLONE_NEWTIME, CLONE_NEWUSER, CLONE_NEWUTS } = sched;
const KINDS = namesIn(sched, /^CLONE_NEW/);
const ALL = Object.values(KINDS).reduce((all, flag) => all | flag, 0);

function setns(task: Task, fd: number, kinds: number): number {
  const file = task.files.get(fd);
  if (file === null) return -EBADF;
  if (file instanceof NsFile) {
    const kind = file.cloneFlag;
    return kinds !== 0 && kinds !== kind ? -EINVAL : join(task, kind, file.namespace, file.namespace);
  }
  if (!(file instanceof PidFd) || kinds === 0 || (kinds & ~ALL) !== 0) return -EINVAL;
  const group = processOfFd(task, fd);
  if (typeof group === 'number') return group;
  const of = [...group.threads][0];
  if (of === undefined) return -ESRCH;
  return mayAttach(task, of) ? join(task, kinds, of.namespace, utsOf(of)) : -EPERM;
}

/** Joining one's own user namespace is EINVAL; a time namespace with other threads is EUSERS (setns(2)). */
function join(task: Task, kinds: number, mounts: object | null, uts: object | null): number {
  const { cred, fs, group } = task;
  if ((kinds & CLONE_NEWUSER) !== 0) return -EINVAL;
  if ((kinds & CLONE_NEWTIME) !== 0 && group.threads.size > 1) return -EUSERS;
  if (!capable(cred, CAP_SYS_ADMIN)) return -EPERM;
  if ((kinds & CLONE_NEWNS) !== 0) {
    if (!capable(cred, CAP_SYS_CHROOT)) return -EPERM;
    if (fs.refs > 1 || !(mounts instanceof MountNamespace)) return -EINVAL;
    enterMounts(fs, mounts);
  }
  if ((kinds & CLONE_NEWUTS) !== 0 && uts instanceof Uts) task.attributes.uts = uts;
  return 0;
}

export const setnsCalls: readonly Syscall[] = [
  call(
    'setns',
    [fd('fd'), flags('nstype', KINDS)],
    setns,
    'except for mounts and host names, there is only one namespace of each kind',
  ),
];
