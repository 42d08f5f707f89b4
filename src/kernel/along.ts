/**
 * Files that go along with answers (engine/answers.ts, `OpenedFile`), from open(2) or lseek(2) until the program makes
 * a call that could involve its descriptors. The kernel applies what the program did with them on its own before it
 * looks at anything else of the program or at its descriptors, and before it matters to others whether a file is open.
 */
import { ALONG, type OpenedFile } from '../engine/answers.ts';
import type { File } from '../fs/file.ts';
import type { Inode } from '../fs/inode.ts';
import { O_ACCMODE, O_RDONLY } from '../uapi/fcntl.ts';
import { isDir, isReg } from '../uapi/stat.ts';
import type { Kernel } from './kernel.ts';
import type { Task } from './task.ts';

export interface OpenedAlong extends OpenedFile {
  readonly file: File;
  /** For a file that is held (kernel/habits): execve(2) closes its descriptor. */
  readonly cloexec: boolean;
  /** How many more answers it goes along with. */
  left: number;
}

/** For `left`: it never runs out. */
export const FOR_EVER = 2 ** 30;

/** Whether only the task can reach its descriptors, and no filter of its own must see its calls. */
export const isAlone = ({ files, group, attributes }: Task): boolean =>
  files.refs === 1 && group.threads.size === 1 && attributes.seccomp === null;

/** Whether the file is steady and open for reading only, and only this task can reach it or notice its closing. */
export function isSimple(task: Task, { inode, flags }: File): boolean {
  return (
    (flags & O_ACCMODE) === O_RDONLY &&
    (isReg(inode.mode) || isDir(inode.mode)) &&
    inode.isSteady &&
    isClosedQuietly(task, inode) &&
    isAlone(task)
  );
}

/** Whether closing the file goes unnoticed. Closing releases locks, those of other descriptors included. */
const isClosedQuietly = ({ kernel }: Task, { locks }: Inode): boolean =>
  locks === null && kernel.vfs.notify === null;

/**
 * What the task's only thread may do on its own with a file that can change (bits of ALONG); 0 if others can reach the
 * descriptor.
 */
export function ownRights(task: Task, file: File): number {
  if (file.refs !== 1 || !isAlone(task)) return 0;
  // Closing a file without a name frees its memory.
  const closes = file.closesQuietly && file.inode.nlink > 0 && isClosedQuietly(task, file.inode);
  return (
    (file.seeksFreely ? ALONG.SEEKS : 0) |
    (file.readsAhead > 0 && file.readable ? ALONG.READS : 0) |
    // While a program has a follower, the kernel must see where it closes files (habits/follower.ts).
    (closes && task.follower === null ? ALONG.CLOSES : 0)
  );
}

export const isSteady = ({ may }: OpenedAlong): boolean => (may & ALONG.STEADY) !== 0;

/** Sends the file with the answer that the task is about to get. */
export function sendAlong(task: Task): void {
  const { openedAlong: opened, thread, files } = task;
  if (opened === null) return;
  const { file, fd, may } = opened;
  const mayStill = isSteady(opened) ? isSimple(task, file) : (may & ~ownRights(task, file)) === 0;
  const goes =
    mayStill &&
    --opened.left >= 0 &&
    files.get(fd) === file &&
    thread?.along?.send(opened, file.pos) === true;
  if (!goes) task.openedAlong = null;
}

/** For callers that look at the descriptors of a program that may be running. */
export function settleAlong(task: Task): void {
  task.follower?.recall();
  const { openedAlong: opened, thread, files } = task;
  if (opened === null) return;
  const use = thread?.along?.take() ?? null;
  const { file, fd, may } = opened;
  // Bytes read there must not come again.
  if ((may & ALONG.SEEKS) === 0) task.openedAlong = null;
  if (use === null || files.get(fd) !== file) return;
  if ((may & ALONG.SEEKS) !== 0) file.pos = use.position;
  if (!use.closed || (may & ALONG.CLOSES) === 0) return;
  task.openedAlong = null;
  if (isSteady(opened)) {
    task.follower?.closed();
    file.inode.wasRead = use.position >= file.inode.size;
  }
  files.close(fd);
}

/** The file has lost its last name. */
export function settleNameless({ tasks }: Pick<Kernel, 'tasks'>, inode: Inode): void {
  for (const task of tasks.values()) if (task.openedAlong?.file.inode === inode) keepFromGoingAlong(task);
}

/** Called when it begins to matter what tasks did on their own: watches, leases, whether a filesystem is in use. */
export function settleEverybody({ tasks }: Pick<Kernel, 'tasks'>): void {
  for (const task of tasks.values()) settleAlong(task);
}

/** Called when the file becomes shared. */
export function keepFromGoingAlong(task: Task): void {
  settleAlong(task);
  task.openedAlong = null;
}
