/**
 * What goes along with open(2): fstat(2), a read of the first bytes and close(2) mostly follow. Where nothing can come
 * between, all that they need goes along with the answer, so that the program need not ask.
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

/** Bytes of a file that does not come along as a whole, if they are in memory already: what loaders look at. */
const HEAD = 1024;
/** A file whose reads are not known yet comes along as a whole if it has no more bytes. */
const SMALL = 4096;
/**
 * A file not closed within this many answers will not be closed soon, and each further answer would cost programs that
 * write much.
 */
const SOON = 6;
const OF_STEADY = ALONG.SEEKS | ALONG.READS | ALONG.CLOSES | ALONG.STEADY;
/** Of the reads or writes of a file that are asked for, the third brings it along, then every 16th. */
const ASKED_FIRST = 3;
const ASKED_BETWEEN = 16;

/**
 * Calls that do not touch a program's descriptors, or only read or write a file and move its position, which is settled
 * first. After them the file goes along again: a loader maps what it has opened, a large file is read in pieces.
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

/** Lets `file` go along with the task's current call, which answers its descriptor `fd`. */
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

/** Lets a file that can change go along if the thread may do any of `wanted` with it. */
function bringOwn(task: Task, file: File, fd: number, along: FileAlong, wanted: number): void {
  const may = ownRights(task, file);
  const ahead = file.readsAhead;
  if ((may & wanted) === 0 || ahead > along.size) return;
  const size = ahead === 0 ? NO_BYTES : file.read(task.user.ram, along.place(ahead), ahead, 0);
  const { flags } = file;
  const left = (wanted & ALONG.SEEKS) === 0 ? SOON : FOR_EVER;
  task.openedAlong = { file, fd, flags, may, size, whole: false, place: along.stat, cloexec: false, left };
}

/** After a write that had to be asked for: now and then lets a pipe go along. */
export function bringWrite(task: Task, file: File, fd: number, count: number): void {
  if (++file.asked % ASKED_BETWEEN === ASKED_FIRST && file instanceof PipeFile)
    bringEnd(task, file, fd, count);
}

function bringEnd(task: Task, file: PipeFile, fd: number, count: number): void {
  const { thread, kernel } = task;
  const isShared = thread?.channels != null && kernel.pipeMeetings.come(task, file, fd, count);
  if (!isShared) bringPipe(task, file, fd);
}

/** The same for reads; a file that does not change goes along as a whole, if there is room. */
export function bringRead(task: Task, file: File, fd: number): void {
  if (++file.asked % ASKED_BETWEEN !== ASKED_FIRST) return;
  if (file instanceof PipeFile) bringEnd(task, file, fd, 0);
  const { openedAlong, thread, user } = task;
  const { inode } = file;
  const along = thread?.along ?? null;
  if (along === null) return;
  if (openedAlong !== null && isSteady(openedAlong) && (openedAlong.file !== file || openedAlong.whole))
    return;
  // Anything that shares the open file moves its position, too.
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

/** How many bytes to bring: a file that was read once is mostly read again, one that was mapped is not. */
function worthBringing({ size, wasRead, hasFirstPage }: Inode, most: number): number {
  if (size <= most && (wasRead ?? size <= SMALL)) return size;
  return hasFirstPage ? Math.min(size, HEAD) : 0;
}
