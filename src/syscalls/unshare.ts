/** unshare(2): a thread stops sharing what clone(2) made it share. */
import { unshareMounts } from '../fs/mounts.ts';
import { mayUnshare } from '../kernel/fork.ts';
import type { Task } from '../kernel/task.ts';
import { unshareUts } from '../kernel/uts.ts';
import { EINVAL, EMFILE } from '../uapi/errno.ts';
import * as sched from '../uapi/sched.ts';
import { call, flags, type Syscall } from './args.ts';
import { namesIn } from './show.ts';

const { CLONE_FILES, CLONE_FS, CLONE_NEWNS, CLONE_NEWUTS, CLONE_SIGHAND, CLONE_THREAD, CLONE_VM } = sched;
const FLAGS = namesIn(sched, /^CLONE_(FILES|FS|SIGHAND|SYSVSEM|THREAD|VM|NEW(?!TIME).*)$/);
const KNOWN = Object.values(FLAGS).reduce((all, flag) => all | flag, 0);

function unshare(task: Task, flags: number): number {
  if ((flags & ~KNOWN) !== 0) return -EINVAL;
  // Shared signal handlers and shared memory cannot be unshared.
  const alone = task.group.threads.size === 1;
  if ((flags & CLONE_THREAD) !== 0 && !alone) return -EINVAL;
  if ((flags & CLONE_SIGHAND) !== 0 && task.group.sighand.refs > 1) return -EINVAL;
  if ((flags & CLONE_VM) !== 0 && (task.mm?.users ?? 1) > 1) return -EINVAL;
  // After a limit was lowered, a copy of the descriptors may be too large for it.
  const copies = (flags & CLONE_FILES) !== 0 && task.files.refs > 1;
  if (copies && Number.isFinite(task.files.next(task.kernel.fileLimits.nrOpen))) return -EMFILE;
  const denied = mayUnshare(task, flags);
  if (denied !== 0) return denied;
  if ((flags & (CLONE_FS | CLONE_NEWNS)) !== 0 && task.fs.refs > 1) {
    const own = task.fs.clone();
    task.fs.put();
    task.fs = own;
  }
  if (copies) {
    const own = task.files.clone();
    task.files.put();
    task.mm?.closeWindows();
    task.files = own;
  }
  if ((flags & CLONE_NEWUTS) !== 0) unshareUts(task, task);
  return (flags & CLONE_NEWNS) !== 0 ? unshareMounts(task.kernel.vfs, task.fs) : 0;
}

export const unshareCalls: readonly Syscall[] = [
  call(
    'unshare',
    [flags('flags', FLAGS)],
    unshare,
    'only namespaces of mounts and host names (CLONE_NEWNS, CLONE_NEWUTS)',
  ),
];
