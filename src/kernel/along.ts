/**
 * Files whose attributes and first bytes go along with answers (engine/answers.ts, `OpenedFile`), from open(2) on, or whose position
 * does, from lseek(2) on, until the program makes a call that could have to do with its descriptors: what it did with them by
 * itself is made true before anything else of it, or about its descriptors, is looked at.
 */
import type { OpenedFile } from '../engine/answers.ts';
import type { File } from '../fs/file.ts';
import { O_ACCMODE, O_RDONLY } from '../uapi/fcntl.ts';
import { isDir, isReg } from '../uapi/stat.ts';
import type { Task } from './task.ts';

export interface OpenedAlong extends OpenedFile {
  readonly file: File;
  /** Of one that is held (kernel/habits): its descriptor is closed by execve(2). */
  readonly cloexec: boolean;
}

/** Whether nobody else can have to do with the task's descriptors, and no filter of its own wants to hear of its calls. */
export const isAlone = ({ files, group, attributes }: Task): boolean =>
  files.refs === 1 && group.threads.size === 1 && attributes.seccomp === null;

/** Whether all is known of the file that can be known, and nobody else has to do with it, or wants to hear of it. */
export function isSimple(task: Task, { inode, flags }: File): boolean {
  return (
    (flags & O_ACCMODE) === O_RDONLY &&
    (isReg(inode.mode) || isDir(inode.mode)) &&
    inode.isSteady &&
    // Closing lets go of locks, of those of other descriptors too.
    inode.locks === null &&
    isAlone(task) &&
    task.kernel.vfs.notify === null
  );
}

/** Whether nobody but the task's one thread can reach its position. */
export const isItsOwn = (task: Task, file: File): boolean =>
  file.seeksFreely && file.refs === 1 && isAlone(task);

/** With the answer that the task is about to be given. */
export function sendAlong(task: Task): void {
  const { openedAlong: opened, thread, files } = task;
  if (opened === null) return;
  const { file, fd } = opened;
  const may = opened.steady ? isSimple(task, file) : isItsOwn(task, file);
  const goes = may && files.get(fd) === file && thread?.along?.send(opened, file.pos) === true;
  if (!goes) task.openedAlong = null;
}

/** For whoever looks at the descriptors of a program that may be running. */
export function settleAlong(task: Task): void {
  task.follower?.recall();
  const { openedAlong: opened, thread, files } = task;
  if (opened === null) return;
  const use = thread?.along?.take() ?? null;
  const { file, fd } = opened;
  if (use === null || files.get(fd) !== file) return;
  file.pos = use.position;
  if (!use.closed || !opened.steady) return;
  task.openedAlong = null;
  task.follower?.closed();
  file.inode.wasRead = use.position >= file.inode.size;
  files.close(fd);
}

/** Somebody else shares the file from now on. */
export function keepFromGoingAlong(task: Task): void {
  settleAlong(task);
  task.openedAlong = null;
}
