/** Record locks (fcntl_locking(2)): F_GETLK, F_SETLK, F_SETLKW and their OFD_ relatives. */
import { FLOCK_SIZE, type Flock, readFlock, writeFlock } from '../arch/x86_64/structs/flock.ts';
import type { File } from '../fs/file.ts';
import { blockingLock, isLockType, locksOf, type RecordLock } from '../fs/locks.ts';
import type { Task } from '../kernel/task.ts';
import { EAGAIN, EBADF, EINVAL, EOVERFLOW } from '../uapi/errno.ts';
import {
  F_GETLK,
  F_OFD_GETLK,
  F_OFD_SETLK,
  F_OFD_SETLKW,
  F_RDLCK,
  F_SETLKW,
  F_UNLCK,
  F_WRLCK,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
} from '../uapi/fcntl.ts';

/** The end of the range of offsets: a lock up to here lasts to the end of the file. */
const OFFSET_MAX = 2 ** 63;
const FOREVER = Number.POSITIVE_INFINITY;

export function recordLock(
  task: Task,
  fd: number,
  file: File,
  cmd: number,
  addr: number,
): number | Promise<number> {
  const { user } = task;
  const at = user.in(addr, FLOCK_SIZE);
  if (at < 0) return at;
  const flock = readFlock(user.view, at);
  const ofd = cmd === F_OFD_GETLK || cmd === F_OFD_SETLK || cmd === F_OFD_SETLKW;
  const get = cmd === F_GETLK || cmd === F_OFD_GETLK;
  if (get && !ofd && flock.type === F_UNLCK) return -EINVAL;
  const request = requestOf(task, file, flock, ofd);
  if (typeof request === 'number') return request;
  if (ofd && flock.pid !== 0) return -EINVAL;
  if (get) return getLock(task, file, flock, request, addr);
  if (flock.type === F_RDLCK && !file.readable) return -EBADF;
  if (flock.type === F_WRLCK && !file.writable) return -EBADF;
  const wait = cmd === F_SETLKW || cmd === F_OFD_SETLKW;
  const result = task.kernel.vfs.lockWaits.set(file.inode, request, wait);
  return result === -EAGAIN && wait ? lockLater(task, fd, file, request) : result;
}

function getLock(task: Task, file: File, flock: Flock, request: RecordLock, addr: number): number {
  const { user } = task;
  const held = blockingLock(file.inode, request);
  const out = user.out(addr, FLOCK_SIZE);
  if (out < 0) return out;
  if (held === null) {
    writeFlock(user.view, out, { ...flock, type: F_UNLCK });
    return 0;
  }
  const len = held.end === FOREVER ? 0 : held.end - held.start;
  writeFlock(user.view, out, { type: held.type, whence: SEEK_SET, start: held.start, len, pid: held.pid });
  return 0;
}

async function lockLater(task: Task, fd: number, file: File, request: RecordLock): Promise<number> {
  const { inode } = file;
  const { lockWaits } = task.kernel.vfs;
  const { files } = task;
  const queues = [locksOf(inode).waitq];
  file.get();
  try {
    for (;;) {
      const slept = await task.sleepOn(queues);
      if (slept < 0) {
        lockWaits.cancel(request);
        return slept;
      }
      const result = lockWaits.set(inode, request, true);
      if (result === -EAGAIN) continue;
      // Another thread has closed the descriptor meanwhile, which released all locks but this one.
      if (result < 0 || files.get(fd) === file) return result;
      locksOf(inode).set({ ...request, type: F_UNLCK });
      return -EBADF;
    }
  } finally {
    file.put();
  }
}

/** The lock that a struct flock asks for, with its range as [start, end); or -errno. */
function requestOf(task: Task, file: File, flock: Flock, ofd: boolean): RecordLock | number {
  const base = baseOf(file, flock.whence);
  if (base < 0) return base;
  let start = base + flock.start;
  if (start >= OFFSET_MAX) return -EOVERFLOW;
  if (start < 0) return -EINVAL;
  let end = flock.len === 0 ? FOREVER : start + flock.len;
  if (flock.len < 0) {
    end = start;
    start += flock.len;
    if (start < 0) return -EINVAL;
  }
  if (end > OFFSET_MAX && end !== FOREVER) return -EOVERFLOW;
  if (end === OFFSET_MAX) end = FOREVER;
  if (!isLockType(flock.type)) return -EINVAL;
  const owner = ofd ? file : task.files;
  return { owner, type: flock.type, start, end, pid: ofd ? -1 : task.tgid };
}

function baseOf(file: File, whence: number): number {
  switch (whence) {
    case SEEK_SET:
      return 0;
    case SEEK_CUR:
      return file.pos;
    case SEEK_END:
      return file.inode.size;
    default:
      return -EINVAL;
  }
}
