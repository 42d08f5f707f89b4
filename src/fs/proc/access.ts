/** Who may look into a task: the check of ptrace(2), "Ptrace access mode checking". */
import { CAP_SYS_PTRACE, type CapSet, type Cred, capable } from '../../core/cred.ts';
import { EACCES, EPERM } from '../../uapi/errno.ts';
import type { TaskContext } from './context.ts';

export function mayTrace({ source, task }: Pick<TaskContext, 'source' | 'task'>, cred: Cred): boolean {
  if (source.current?.tgid === task.tgid || capable(cred, CAP_SYS_PTRACE)) return true;
  return sameIds(cred, task.cred) && task.dumpable && includes(cred.effective, task.cred.permitted);
}

/** For opening what only a tracer may see. */
export const traceGuard = (context: TaskContext, cred: Cred): number =>
  mayTrace(context, cred) ? 0 : -EACCES;

/** The same where Linux asks while reading: the mode bits were the first hurdle. */
export const attachGuard = (context: TaskContext, cred: Cred): number =>
  mayTrace(context, cred) ? 0 : -EPERM;

const sameIds = (cred: Cred, target: Cred): boolean =>
  [target.uid, target.euid, target.suid].every(uid => uid === cred.fsuid) &&
  [target.gid, target.egid, target.sgid].every(gid => gid === cred.fsgid);

const includes = (outer: CapSet, inner: CapSet): boolean =>
  (inner.lo & ~outer.lo) === 0 && (inner.hi & ~outer.hi) === 0;
