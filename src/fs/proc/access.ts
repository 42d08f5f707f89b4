/** Whether a caller may look into a task (ptrace(2), "Ptrace access mode checking"). */
import type { Cred } from '../../core/cred.ts';
import { mayLook } from '../../core/ptrace-mode.ts';
import { EACCES, EPERM } from '../../uapi/errno.ts';
import type { TaskContext } from './context.ts';

export const mayTrace = ({ source, task }: Pick<TaskContext, 'source' | 'task'>, cred: Cred): boolean =>
  source.current?.tgid === task.tgid || mayLook(cred, 'fs', task.cred, task.dumpable);

/** The guard for opening files that only a tracer may see. */
export const traceGuard = (context: TaskContext, cred: Cred): number =>
  mayTrace(context, cred) ? 0 : -EACCES;

/** The same, with the error of files that Linux checks on each read. */
export const attachGuard = (context: TaskContext, cred: Cred): number =>
  mayTrace(context, cred) ? 0 : -EPERM;
