/** sync(2), syncfs(2), fsync(2), fdatasync(2), sync_file_range(2). */
import { syncAll } from '../fs/mounts.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, EINVAL, ESPIPE } from '../uapi/errno.ts';
import { isBlk, isDir, isReg } from '../uapi/stat.ts';
import { call, fd, flags, long, type Syscall } from './args.ts';
import { fileOf } from './names.ts';

const SYNC_FILE_RANGE_WAIT_BEFORE = 1;
const SYNC_FILE_RANGE_WRITE = 2;
const SYNC_FILE_RANGE_WAIT_AFTER = 4;
const RANGE_FLAGS = { SYNC_FILE_RANGE_WAIT_BEFORE, SYNC_FILE_RANGE_WRITE, SYNC_FILE_RANGE_WAIT_AFTER };

function sync(task: Task): number {
  syncAll(task.kernel.vfs);
  return 0;
}

function syncfs(task: Task, fd: number): number {
  const file = fileOf(task, fd);
  if (file === null) return -EBADF;
  file.inode.sb.sync();
  return 0;
}

const fsync = (task: Task, fd: number): number => fileOf(task, fd)?.fsync(false) ?? -EBADF;
const fdatasync = (task: Task, fd: number): number => fileOf(task, fd)?.fsync(true) ?? -EBADF;

/** Writes all of the file's data; the range is only checked. */
function syncFileRange(task: Task, fd: number, offset: number, len: number, flags: number): number {
  const file = fileOf(task, fd);
  if (file === null) return -EBADF;
  if ((flags & ~7) !== 0 || offset < 0 || len < 0 || offset + len >= 2 ** 63) return -EINVAL;
  const { mode } = file.inode;
  if (!isReg(mode) && !isBlk(mode) && !isDir(mode)) return -ESPIPE;
  return flags === 0 ? 0 : file.fsync(true);
}

export const syncCalls: readonly Syscall[] = [
  call('sync', [], sync),
  call('syncfs', [fd('fd')], syncfs),
  call('fsync', [fd('fd')], fsync),
  call('fdatasync', [fd('fd')], fdatasync),
  call(
    'sync_file_range',
    [fd('fd'), long('offset'), long('nbytes'), flags('flags', RANGE_FLAGS)],
    syncFileRange,
    'syncs the whole file',
  ),
];
