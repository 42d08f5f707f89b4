/** File times: utime(2), utimes(2), futimesat(2), utimensat(2). */
import {
  readTimespec,
  readTimeval,
  TIMESPEC_SIZE,
  TIMEVAL_SIZE,
  type Time,
  UTIMBUF_SIZE,
} from '../arch/x86_64/structs/time.ts';
import { NSEC_PER_SEC } from '../core/clock.ts';
import { type NewTime, utimes as setTimes } from '../fs/attr.ts';
import type { Path } from '../fs/dentry.ts';
import type { Task } from '../kernel/task.ts';
import { getInt64 } from '../lib/int64.ts';
import { EBADF, EFAULT, EINVAL } from '../uapi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../uapi/fcntl.ts';
import { UTIME_NOW, UTIME_OMIT } from '../uapi/utime.ts';
import { call, dirfd, flags, inStruct, path, type Syscall } from './args.ts';
import { pathAt } from './attr.ts';
import { fileOf, pathOf } from './names.ts';
import { TIMESPECS, TIMEVALS, UTIMBUF } from './structs/time.ts';

/** Access and modification time; null: both become the current time. */
type Times = readonly [Time, Time] | null;

function setAt(task: Task, path: Path | number, times: Times): number {
  if (typeof path === 'number') return path;
  if (times === null) return setTimes(task.kernel.vfs, task, path, 'now', 'now');
  const [atime, mtime] = times.map(newTime);
  if (typeof atime === 'number' || typeof mtime === 'number') return -EINVAL;
  return setTimes(task.kernel.vfs, task, path, atime!, mtime!);
}

function newTime(time: Time): NewTime | number {
  if (time.nsec === UTIME_NOW) return 'now';
  if (time.nsec === UTIME_OMIT) return null;
  return time.nsec < 0 || time.nsec >= NSEC_PER_SEC ? -EINVAL : time;
}

function utimensat(task: Task, dirfd: number, name: number, addr: number, flags: number): number {
  let times: Times = null;
  if (addr !== 0) {
    const at = task.user.in(addr, 2 * TIMESPEC_SIZE);
    if (at < 0) return at;
    const { view } = task.user;
    times = [readTimespec(view, at), readTimespec(view, at + TIMESPEC_SIZE)];
    if (times[0].nsec === UTIME_OMIT && times[1].nsec === UTIME_OMIT) return 0;
  }
  if (name === 0 && dirfd !== AT_FDCWD) return flags === 0 ? ofDescriptor(task, dirfd, times) : -EINVAL;
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  return setAt(task, name === 0 ? -EFAULT : pathAt(task, dirfd, name, flags), times);
}

function ofDescriptor(task: Task, fd: number, times: Times): number {
  const file = fileOf(task, fd);
  return file === null ? -EBADF : setAt(task, pathOf(task, file), times);
}

function futimesat(task: Task, dirfd: number, name: number, addr: number): number {
  let times: Times = null;
  if (addr !== 0) {
    const at = task.user.in(addr, 2 * TIMEVAL_SIZE);
    if (at < 0) return at;
    const { view } = task.user;
    times = [readTimeval(view, at), readTimeval(view, at + TIMEVAL_SIZE)];
    if (times.some(({ nsec }) => nsec < 0 || nsec >= NSEC_PER_SEC)) return -EINVAL;
  }
  if (name === 0 && dirfd !== AT_FDCWD) return ofDescriptor(task, dirfd, times);
  return setAt(task, name === 0 ? -EFAULT : pathAt(task, dirfd, name, 0), times);
}

const utimes = (task: Task, name: number, addr: number): number => futimesat(task, AT_FDCWD, name, addr);

function utime(task: Task, name: number, addr: number): number {
  let times: Times = null;
  if (addr !== 0) {
    const at = task.user.in(addr, UTIMBUF_SIZE);
    if (at < 0) return at;
    const { view } = task.user;
    times = [
      { sec: getInt64(view, at), nsec: 0 },
      { sec: getInt64(view, at + 8), nsec: 0 },
    ];
  }
  return setAt(task, pathAt(task, AT_FDCWD, name, 0), times);
}

const times = inStruct('times', TIMESPECS);
const timevals = inStruct('times', TIMEVALS);
const atFlags = flags('flags', { AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH });

export const utimesCalls: readonly Syscall[] = [
  call('utime', [path('filename'), inStruct('times', UTIMBUF)], utime),
  call('utimes', [path('filename'), timevals], utimes),
  call('futimesat', [dirfd('dirfd'), path('pathname'), timevals], futimesat),
  call('utimensat', [dirfd('dirfd'), path('pathname'), times, atFlags], utimensat),
];
