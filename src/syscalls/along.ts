/**
 * A file that was just opened: fstat(2), a read of its first bytes and close(2) mostly follow. Where nothing can come
 * between, they go along with the answer, so that the program need not ask.
 */
import { writeStat } from '../arch/x86_64/structs/stat.ts';
import { ALONG, type FileAlong, NO_BYTES } from '../engine/answers.ts';
import type { File } from '../fs/file.ts';
import type { Inode } from '../fs/inode.ts';
import { PipeFile } from '../ipc/pipe-file.ts';
import { FOR_EVER, isSimple, isSteady, type OpenedAlong, ownRights } from '../kernel/along.ts';
import { bringPipe } from '../kernel/pipe-along.ts';
import type { Task } from '../kernel/task.ts';
import { isDir, isReg } from '../uapi/stat.ts';

/** Of a file that does not come along as a whole: what loaders look at, if it is in memory anyhow. */
const HEAD = 1024;
/** A file that nobody has opened before comes along as a whole if it is no larger. */
const SMALL = 4096;
/** What is not closed after so many answers will not be soon: who writes much would pay for each of them. */
const SOON = 6;
const OF_STEADY = ALONG.SEEKS | ALONG.READS | ALONG.CLOSES | ALONG.STEADY;
/** The third read that is asked for, and then each so many later. */
const ASKED_FIRST = 3;
const ASKED_BETWEEN = 16;

/**
 * Calls that have nothing to do with a program's descriptors, or do no more than read or write a file and move its position, which
 * is settled before. After them the file goes along again: a loader maps what it has opened, a large file is read in pieces.
 */
export const LEAVES_OPENED: ReadonlySet<string> = new Set([
  'mmap',
  'mprotect',
  'munmap',
  'brk',
  'read',
  'pread64',
  'pwrite64',
  'lseek',
  'getdents64',
  'write',
]);

/** Descriptor `fd` is the answer of the call that the task is in. */
export function bringAlong(task: Task, file: File, fd: number): void {
  const { thread, user } = task;
  const { inode } = file;
  const along = thread?.along ?? null;
  if (along === null) return;
  if (!isSimple(task, file)) {
    bringOwn(task, file, fd, along, ALONG.CLOSES | ALONG.READS);
    return;
  }
  if (isDir(inode.mode)) {
    writeStat(user.view, along.stat, inode, inode.sb.blksize);
    task.openedAlong = opened(file, fd, NO_BYTES, along.stat);
    return;
  }
  const wanted = worthBringing(inode, along.size);
  const size = wanted === 0 ? 0 : file.read(user.ram, along.place(wanted), wanted, 0);
  if (size !== wanted) return;
  writeStat(user.view, along.stat, inode, inode.sb.blksize);
  task.openedAlong = opened(file, fd, size, along.stat);
}

const opened = (file: File, fd: number, size: number, place: number): OpenedAlong => {
  const { flags, inode } = file;
  const whole = size === inode.size;
  return { file, fd, flags, may: OF_STEADY, size, whole, place, cloexec: false, left: FOR_EVER };
};

/** A file that can change goes along if any of `wanted` can be done with it. */
function bringOwn(task: Task, file: File, fd: number, along: FileAlong, wanted: number): void {
  const may = ownRights(task, file);
  const ahead = file.readsAhead;
  if ((may & wanted) === 0 || ahead > along.size) return;
  const size = ahead === 0 ? NO_BYTES : file.read(task.user.ram, along.place(ahead), ahead, 0);
  const { flags } = file;
  const left = (wanted & ALONG.SEEKS) === 0 ? SOON : FOR_EVER;
  task.openedAlong = { file, fd, flags, may, size, whole: false, place: along.stat, cloexec: false, left };
}

/** A write that has to be asked for: now and then a pipe goes along. */
export function bringWrite(task: Task, file: File, fd: number, count: number): void {
  if (++file.asked % ASKED_BETWEEN === ASKED_FIRST && file instanceof PipeFile)
    bringEnd(task, file, fd, count);
}

function bringEnd(task: Task, file: PipeFile, fd: number, count: number): void {
  const { thread, kernel } = task;
  const isShared = thread?.channels != null && kernel.pipeMeetings.come(task, file, fd, count);
  if (!isShared) bringPipe(task, file, fd);
}

/** The same for reads: so does all of a file, if it does not change and there is room. */
export function bringRead(task: Task, file: File, fd: number): void {
  if (++file.asked % ASKED_BETWEEN !== ASKED_FIRST) return;
  if (file instanceof PipeFile) bringEnd(task, file, fd, 0);
  const { openedAlong, thread, user } = task;
  const { inode } = file;
  const along = thread?.along ?? null;
  if (along === null) return;
  if (openedAlong !== null && isSteady(openedAlong) && (openedAlong.file !== file || openedAlong.whole))
    return;
  // Who shares the file moves its position, too.
  if (file.refs > 1 || !isReg(inode.mode) || inode.size > along.size || !isSimple(task, file)) return;
  if (file.read(user.ram, along.place(inode.size), inode.size, 0) !== inode.size) return;
  writeStat(user.view, along.stat, inode, inode.sb.blksize);
  task.openedAlong = opened(file, fd, inode.size, along.stat);
}

/** The task has set the position of `fd`, and will probably do so again. */
export function bringPosition(task: Task, file: File, fd: number): void {
  const { openedAlong, thread } = task;
  if (openedAlong === null && thread?.along != null) bringOwn(task, file, fd, thread.along, ALONG.SEEKS);
}

/** How many bytes: what is read once is mostly read again, what was mapped is not. */
function worthBringing({ size, wasRead, hasFirstPage }: Inode, most: number): number {
  if (size <= most && (wasRead ?? size <= SMALL)) return size;
  return hasFirstPage ? Math.min(size, HEAD) : 0;
}
