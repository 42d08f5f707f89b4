/** The context of the files in a task's directory, and the rows of which such directories are made. */
import type { Cred } from '../../core/cred.ts';
import { ESRCH } from '../../uapi/errno.ts';
import type { Path } from '../dentry.ts';
import * as kernfs from '../kernfs/entry.ts';
import { type Text, TextFile } from '../kernfs/text-file.ts';
import type { NsFs } from './namespaces.ts';
import type { ProcSource, ProcTask } from './source.ts';

export interface TaskContext {
  readonly source: ProcSource;
  readonly task: ProcTask;
  /** True for /proc/PID, false for /proc/PID/task/TID. */
  readonly process: boolean;
  /** Where the files of namespaces live. */
  readonly nsfs: NsFs;
}

export type TaskEntry = kernfs.Entry<TaskContext>;
export type ShowTask = (task: ProcTask, context: TaskContext, cred: Cred) => Text;
export type StoreTask = (task: ProcTask, text: string, context: TaskContext, cred: Cred) => number;

/** The root from which the calling task sees path names. */
export const viewerRoot = (source: ProcSource): Path => source.current?.root ?? source.root;

const showing =
  (show: ShowTask): kernfs.Show<TaskContext> =>
  (context, cred) =>
    context.task.reaped ? -ESRCH : show(context.task, context, cred);

/** A file of text about a task. */
export const taskText = (
  name: string,
  perm: number,
  show: ShowTask,
  guard?: kernfs.Guard<TaskContext>,
): TaskEntry => kernfs.text(name, perm, showing(show), guard);

/** One that checks access on each read, too: the task may have executed another program since the file was opened. */
export const taskSecret = (
  name: string,
  perm: number,
  show: ShowTask,
  guard: kernfs.Guard<TaskContext>,
): TaskEntry =>
  kernfs.guardedText(name, perm, showing(show), (context, cred, flags) =>
    guard(context, context.source.current?.cred ?? cred, flags),
  );

/** One about the address space that the task had when the file was opened; empty once that is gone. */
export const spaceText = (
  name: string,
  perm: number,
  show: ShowTask,
  guard: kernfs.Guard<TaskContext>,
): TaskEntry =>
  kernfs.special(name, perm, (inode, flags, context, cred) => {
    const refused = guard(context, cred, flags);
    if (refused < 0) return refused;
    const { task } = context;
    const { mm } = task;
    const text = (): Text => (task.mm === mm ? showing(show)(context, cred) : '');
    return new TextFile(inode, flags, cred, text, null);
  });

/** One that can be written. */
export const taskSetting = (
  name: string,
  perm: number,
  show: ShowTask,
  store: StoreTask,
  guard?: kernfs.Guard<TaskContext>,
): TaskEntry =>
  kernfs.setting(
    name,
    perm,
    showing(show),
    (context, text, cred) => (context.task.reaped ? -ESRCH : store(context.task, text, context, cred)),
    guard,
  );

/** Parses an integer as sysctl and proc files take it: decimal, octal or hexadecimal, blanks around it; else null. */
export function parseInteger(text: string): number | null {
  const match = /^[ \t\n]*(-?)(0[xX][0-9a-fA-F]{1,16}|0[0-7]{0,22}|[1-9][0-9]{0,19})[ \t\n]*\0?$/.exec(text);
  if (match === null) return null;
  const digits = match[2]!;
  const octal = /^0[0-7]/.test(digits);
  const value = octal ? Number.parseInt(digits, 8) : Number(digits);
  return match[1] === '-' ? -value : value;
}
