/**
 * Files that go along with answers (engine/answers.ts, `OpenedFile`), from open(2) or lseek(2) on, until the program makes a call
 * that could have to do with its descriptors: what it did with them by itself is made true before anything else of it, or about
 * its descriptors, is looked at, and before it matters to anybody else whether a file is open.
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
  /** Of one that is held (kernel/habits): its descriptor is closed by execve(2). */
  readonly cloexec: boolean;
  /** With how many more answers it goes. */
  left: number;
}

/** With as many as there are. */
export const FOR_EVER = 2 ** 30;

/** Whether nobody else can have to do with the task's descriptors, and no filter of its own wants to hear of its calls. */
export const isAlone = ({ files, group, attributes }: Task): boolean =>
  files.refs === 1 && group.threads.size === 1 && attributes.seccomp === null;

/** Whether all is known of the file that can be known, and nobody else has to do with it, or wants to hear of it. */
export function isSimple(task: Task, { inode, flags }: File): boolean {
  return (
    (flags & O_ACCMODE) === O_RDONLY &&
    (isReg(inode.mode) || isDir(inode.mode)) &&
    inode.isSteady &&
    isClosedQuietly(task, inode) &&
    isAlone(task)
  );
}

/** Whether nobody hears of it when the file is closed. Closing lets go of locks, of those of other descriptors too. */
const isClosedQuietly = ({ kernel }: Task, { locks }: Inode): boolean =>
  locks === null && kernel.vfs.notify === null;

/** What the task's one thread may do by itself with a file that can change, of ALONG, if nobody else can reach the descriptor. */
export function ownRights(task: Task, file: File): number {
  if (file.refs !== 1 || !isAlone(task)) return 0;
  // To close what has no name gives back its memory.
  const closes = file.closesQuietly && file.inode.nlink > 0 && isClosedQuietly(task, file.inode);
  return (
    (file.seeksFreely ? ALONG.SEEKS : 0) |
    (file.readsAhead > 0 && file.readable ? ALONG.READS : 0) |
    // While a program does as it did the last times, where it closes files is to be seen (habits/follower.ts).
    (closes && task.follower === null ? ALONG.CLOSES : 0)
  );
}

export const isSteady = ({ may }: OpenedAlong): boolean => (may & ALONG.STEADY) !== 0;

/** With the answer that the task is about to be given. */
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

/** For whoever looks at the descriptors of a program that may be running. */
export function settleAlong(task: Task): void {
  task.follower?.recall();
  const { openedAlong: opened, thread, files } = task;
  if (opened === null) return;
  const use = thread?.along?.take() ?? null;
  const { file, fd, may } = opened;
  // What was read there must not come again.
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

/** What others did by themselves is about to matter to somebody: watches, leases, whether a filesystem is in use. */
export function settleEverybody({ tasks }: Pick<Kernel, 'tasks'>): void {
  for (const task of tasks.values()) settleAlong(task);
}

/** Somebody else shares the file from now on. */
export function keepFromGoingAlong(task: Task): void {
  settleAlong(task);
  task.openedAlong = null;
}
