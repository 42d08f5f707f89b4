/**
 * Files whose attributes and first bytes went along with the answer to open(2) (engine.ts, `OpenedFile`): what the
 * program did with them by itself is made true before anything else of it, or about its descriptors, is looked at.
 */
import type { Task } from './task.ts';

/** For whoever looks at the descriptors of a program that is running. */
export function settleClosed(task: Task): void {
  if (task.thread?.along?.wasClosed === true) settleAlong(task);
}

export function settleAlong(task: Task): void {
  const { openedAlong: opened, thread } = task;
  if (opened === null) return;
  task.openedAlong = null;
  const use = thread?.along?.take() ?? null;
  const { file, fd } = opened;
  if (use === null || task.files.get(fd) !== file) return;
  file.pos = use.position;
  if (use.closed) task.files.close(fd);
}
