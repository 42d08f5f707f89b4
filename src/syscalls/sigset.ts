/** Signal sets as arguments: a pointer and the set's size, which leaves room for more signals. */
import { SIGSET_SIZE } from '../arch/x86_64/structs/signal.ts';
import { SigSet } from '../kernel/sigset.ts';
import type { Task } from '../kernel/task.ts';
import type { Result } from '../lib/result.ts';
import { EINVAL } from '../uapi/errno.ts';

/** The set at `addr`; -EINVAL for a size other than ours, -EFAULT. */
export function readSigSet(task: Task, addr: number, size: number): Result<SigSet> {
  if (size !== SIGSET_SIZE) return -EINVAL;
  const at = task.user.in(addr, SIGSET_SIZE);
  if (at < 0) return at;
  return new SigSet(task.user.view.getInt32(at, true), task.user.view.getInt32(at + 4, true));
}

export function writeSigSet(task: Task, addr: number, set: SigSet): number {
  const at = task.user.out(addr, SIGSET_SIZE);
  if (at < 0) return at;
  task.user.view.setInt32(at, set.lo, true);
  task.user.view.setInt32(at + 4, set.hi, true);
  return 0;
}

/**
 * Sets the mask of ppoll, pselect and epoll_pwait while they wait. The old one is restored by `restoreSavedMask` if no
 * handler ran, else from the handler's frame. `addr` 0: no change. 0 or -errno.
 */
export function maskWhileWaiting(task: Task, addr: number, size: number): number {
  if (addr === 0) return 0;
  const set = readSigSet(task, addr, size);
  if (typeof set === 'number') return set;
  holdMask(task, set);
  return 0;
}

export function holdMask(task: Task, set: SigSet): void {
  task.signals.savedMask ??= task.signals.blocked.clone();
  task.signals.setMask(set.lo, set.hi);
}
