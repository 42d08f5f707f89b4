/** close(2), close_range(2), dup(2), dup2(2), dup3(2), flock(2). */

import type { File } from '../fs/file.ts';
import { locksOf } from '../fs/locks.ts';
import type { Task } from '../kernel/task.ts';
import { EAGAIN, EBADF, EINVAL } from '../uapi/errno.ts';
import { LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, O_CLOEXEC } from '../uapi/fcntl.ts';
import { RLIMIT_NOFILE } from '../uapi/resource.ts';
import { call, fd, flags, type Syscall, uint } from './args.ts';
import { fileOf } from './names.ts';

const CLOSE_RANGE_UNSHARE = 2;
const CLOSE_RANGE_CLOEXEC = 4;

const close = (task: Task, fd: number): number => task.files.close(fd);

function closeRange(task: Task, firstArg: number, lastArg: number, flags: number): number {
  const first = firstArg >>> 0;
  const last = lastArg >>> 0;
  if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) !== 0 || first > last) return -EINVAL;
  const { files } = task;
  if ((flags & CLOSE_RANGE_UNSHARE) !== 0 && files.refs > 1) {
    task.mm?.closeWindows();
    task.files = files.clone();
    files.put();
  }
  if ((flags & CLOSE_RANGE_CLOEXEC) !== 0) task.files.markRange(first, last);
  else task.files.closeRange(first, last);
  return 0;
}

const dup = (task: Task, fd: number): number => task.files.dup(fd, false, task.rlimit(RLIMIT_NOFILE));

function dup2(task: Task, fd: number, newFd: number): number {
  if (fd === newFd) return task.files.get(fd) === null ? -EBADF : fd;
  return task.files.dupTo(fd, newFd, false, task.rlimit(RLIMIT_NOFILE));
}

function dup3(task: Task, fd: number, newFd: number, flags: number): number {
  if ((flags & ~O_CLOEXEC) !== 0 || fd === newFd) return -EINVAL;
  return task.files.dupTo(fd, newFd, flags !== 0, task.rlimit(RLIMIT_NOFILE));
}

function flock(task: Task, fd: number, operation: number): number | Promise<number> {
  const kind = operation & ~LOCK_NB;
  if (kind !== LOCK_SH && kind !== LOCK_EX && kind !== LOCK_UN) return -EINVAL;
  const file = fileOf(task, fd);
  if (file === null) return -EBADF;
  if (kind !== LOCK_UN && !file.readable && !file.writable) return -EBADF;
  const result = locksOf(file.inode).flock(file, kind);
  return result === -EAGAIN && (operation & LOCK_NB) === 0 ? flockLater(task, file, kind) : result;
}

async function flockLater(task: Task, file: File, kind: number): Promise<number> {
  const locks = locksOf(file.inode);
  const queues = [locks.waitq];
  file.get();
  try {
    for (;;) {
      const slept = await task.sleepOn(queues);
      if (slept < 0) return slept;
      const result = locks.flock(file, kind);
      if (result !== -EAGAIN) return result;
    }
  } finally {
    file.put();
  }
}

export const fdCalls: readonly Syscall[] = [
  call('close', [fd('fd')], close),
  call(
    'close_range',
    [uint('first'), uint('last'), flags('flags', { CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC })],
    closeRange,
  ),
  call('dup', [fd('oldfd')], dup),
  call('dup2', [fd('oldfd'), fd('newfd')], dup2),
  call('dup3', [fd('oldfd'), fd('newfd'), flags('flags', { O_CLOEXEC })], dup3),
  call('flock', [fd('fd'), flags('operation', { LOCK_SH, LOCK_EX, LOCK_UN, LOCK_NB })], flock),
];
