/** Which tasks may look into which (ptrace(2), "Ptrace access mode checking"). */
import { mayLook, type PtraceMode } from '../core/ptrace-mode.ts';
import type { Task } from './task.ts';

/** PTRACE_MODE_ATTACH_REALCREDS, and PTRACE_MODE_READ_REALCREDS: they differ only for security modules. */
export const mayAttach = (task: Task, target: Task): boolean => may(task, target, 'real');

/** PTRACE_MODE_READ_FSCREDS. */
export const mayRead = (task: Task, target: Task): boolean => may(task, target, 'fs');

const may = (task: Task, { group, cred, dumpable }: Task, mode: PtraceMode): boolean =>
  task.group === group || mayLook(task.cred, mode, cred, dumpable === 1);
