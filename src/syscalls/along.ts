/**
 * A file that was just opened: fstat(2), a read of its first bytes and close(2) mostly follow. Where nothing can come
 * between, they go along with the answer, so that the program need not ask.
 */
import { writeStat } from '../arch/x86_64/structs/stat.ts';
import type { File } from '../fs/file.ts';
import type { Task } from '../kernel/task.ts';
import { O_ACCMODE, O_RDONLY } from '../uapi/fcntl.ts';
import { isReg } from '../uapi/stat.ts';
import { BLKSIZE } from './stat.ts';

/** Of a file that does not come along as a whole: what loaders look at, if it is in memory anyhow. */
const HEAD = 1024;

/** Descriptor `fd` is the answer of the call that the task is in. */
export function sendAlong(task: Task, file: File, fd: number): void {
  const { thread, user } = task;
  const { inode } = file;
  const along = thread?.along ?? null;
  if (along === null || !isSimple(task, file)) return;
  const whole = inode.size <= along.size;
  const wanted = whole ? inode.size : inode.hasFirstPage ? HEAD : 0;
  const size = wanted === 0 ? 0 : file.read(user.ram, along.data, wanted, 0);
  if (size !== wanted) return;
  writeStat(user.view, along.stat, inode, BLKSIZE);
  along.send({ fd, size, whole });
  task.openedAlong = { file, fd };
}

/** Whether all is known of the file that can be known, and nobody else has to do with it, or wants to hear of it. */
function isSimple({ files, group, attributes, kernel }: Task, { inode, flags }: File): boolean {
  return (
    (flags & O_ACCMODE) === O_RDONLY &&
    isReg(inode.mode) &&
    inode.isSteady &&
    files.refs === 1 &&
    group.threads.size === 1 &&
    attributes.seccomp === null &&
    kernel.vfs.notify === null
  );
}
