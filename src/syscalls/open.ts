/** open(2), openat(2), openat2(2), creat(2). */

import { OPEN_HOW_SIZE, readOpenHow } from '../arch/x86_64/structs/open-how.ts';
import type { File } from '../fs/file.ts';
import { type LedTo, open as openFile, openSteady } from '../fs/open.ts';
import type { Task } from '../kernel/task.ts';
import { EAGAIN, EINVAL, ENOENT } from '../uapi/errno.ts';
import * as fcntl from '../uapi/fcntl.ts';
import { O_CLOEXEC, O_CREAT, O_LARGEFILE, O_PATH, O_TRUNC, O_WRONLY } from '../uapi/fcntl.ts';
import * as resolves from '../uapi/mount.ts';
import { bringAlong } from './along.ts';
import {
  type Arg,
  call,
  dirfd,
  flags,
  foreseeable,
  lasting,
  mode,
  path,
  pointer,
  type Syscall,
  ulong,
} from './args.ts';
import { copyInStruct } from './extensible.ts';
import { pastLeases } from './lease.ts';
import { install, nameAt, roomForFile, startOf } from './names.ts';
import { named } from './show.ts';

const {
  O_DSYNC,
  O_RDONLY,
  O_SYNC,
  O_TMPFILE,
  O_DIRECTORY,
  O_ACCMODE,
  O_EXCL,
  O_NOCTTY,
  O_APPEND,
  O_NONBLOCK,
} = fcntl;
const { FASYNC, O_DIRECT, O_NOFOLLOW, O_NOATIME, AT_FDCWD } = fcntl;
const { RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } = resolves;
const { RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV } = resolves;

export const OPEN_FLAGS = {
  O_WRONLY,
  O_RDWR: fcntl.O_RDWR,
  O_CREAT,
  O_EXCL,
  O_NOCTTY,
  O_TRUNC,
  O_APPEND,
  O_NONBLOCK,
  O_SYNC,
  O_DSYNC,
  FASYNC,
  O_DIRECT,
  O_LARGEFILE,
  O_NOFOLLOW,
  O_NOATIME,
  O_CLOEXEC,
  O_PATH,
  O_TMPFILE,
  O_DIRECTORY,
};
const KNOWN = Object.values(OPEN_FLAGS).reduce((all, flag) => all | flag, O_ACCMODE);
const SYNC_ONLY = O_SYNC & ~O_DSYNC;
const UNNAMED = O_TMPFILE & ~O_DIRECTORY;
const RESOLVE_CACHED = 0x20;
const RESOLVE_KNOWN =
  RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT;

function openAt(
  task: Task,
  dirfd: number,
  name: string,
  flags: number,
  mode: number,
  resolve: number,
): number | Promise<number> {
  const full = roomForFile(task);
  if (full < 0) return full;
  const at = startOf(task, dirfd, name, false, (resolve & RESOLVE_IN_ROOT) !== 0);
  if (typeof at === 'number') return at;
  const synced = (flags & SYNC_ONLY) !== 0 ? flags | O_DSYNC : flags;
  const file = openFile(task.kernel.vfs, task, at, name, synced | O_LARGEFILE, mode, resolve);
  if (file === -EAGAIN) {
    const blocked = task.kernel.vfs.leases.takeInTheWay();
    if (blocked !== null)
      return pastLeases(task, blocked, () => openAt(task, dirfd, name, flags, mode, resolve));
  }
  return opened(task, file, flags);
}

/** Opens a file before the program asks for it (kernel/habits). */
function openBefore(
  task: Task,
  dirfd: number,
  name: string,
  flags: number,
  led: LedTo,
): number | Promise<number> {
  const full = roomForFile(task);
  if (full < 0) return full;
  const at = startOf(task, dirfd, name);
  if (typeof at === 'number') return at;
  const file = openSteady(task.kernel.vfs, task, at, name, (flags & KNOWN) | O_LARGEFILE, led);
  return opened(task, file, flags);
}

/** The call's answer for a file that was opened, or for an error: a descriptor or -errno. */
export function opened(task: Task, file: File | number, flags: number): number | Promise<number> {
  if (typeof file === 'number') return file;
  const state = (flags & O_PATH) !== 0 ? 0 : file.opened();
  if (state === -EAGAIN && file.waitq !== null) return openLater(task, file, (flags & O_CLOEXEC) !== 0);
  if (state < 0) {
    file.put();
    return state;
  }
  const fd = install(task, file, (flags & O_CLOEXEC) !== 0);
  if (fd >= 0 && (flags & O_PATH) === 0) bringAlong(task, file, fd);
  return fd;
}

/** Waits until a FIFO's other end is opened. */
async function openLater(task: Task, file: File, cloexec: boolean): Promise<number> {
  const queues = [file.waitq!];
  let state = -EAGAIN;
  while (state === -EAGAIN) {
    const slept = await task.sleepOn(queues);
    state = slept < 0 ? slept : file.opened();
  }
  if (state === 0) return install(task, file, cloexec);
  file.put();
  return state;
}

export function openat(
  task: Task,
  dirfd: number,
  nameAddr: number,
  flags: number,
  mode: number,
): number | Promise<number> {
  const refused = flagsError(flags);
  if (refused < 0) return refused;
  const name = nameAt(task, nameAddr);
  return typeof name === 'number' ? name : openAt(task, dirfd, name, flags & KNOWN, mode & 0o7777, 0);
}

/** Flags that are wrong with any name, such as O_CREAT with O_DIRECTORY, or O_TMPFILE without write access. */
export function flagsError(flags: number): number {
  if ((flags & O_PATH) !== 0) return 0;
  if ((flags & (O_CREAT | O_DIRECTORY)) === (O_CREAT | O_DIRECTORY)) return -EINVAL;
  if ((flags & UNNAMED) === 0) return 0;
  return (flags & O_DIRECTORY) === 0 || (flags & O_ACCMODE) === O_RDONLY ? -EINVAL : 0;
}

const open = (task: Task, name: number, flags: number, mode: number): number | Promise<number> =>
  openat(task, AT_FDCWD, name, flags, mode);

const creat = (task: Task, name: number, mode: number): number | Promise<number> =>
  openat(task, AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode);

/** As openat, but strict: refuses unknown flags, and modes without effect. */
function openat2(
  task: Task,
  dirfd: number,
  nameAddr: number,
  howAddr: number,
  size: number,
): number | Promise<number> {
  const how = copyInStruct(task, howAddr, size, OPEN_HOW_SIZE, OPEN_HOW_SIZE);
  if (typeof how === 'number') return how;
  const { flags, mode, resolve } = readOpenHow(new DataView(how.buffer), 0);
  const creates = (flags & (O_CREAT | UNNAMED)) !== 0;
  if (flags > 0x7fffffff || (flags & ~KNOWN) !== 0) return -EINVAL;
  if (mode > 0o7777 || (!creates && mode !== 0)) return -EINVAL;
  if (resolve > RESOLVE_CACHED * 2 || (resolve & ~(RESOLVE_KNOWN | RESOLVE_CACHED)) !== 0) return -EINVAL;
  if ((resolve & RESOLVE_BENEATH) !== 0 && (resolve & RESOLVE_IN_ROOT) !== 0) return -EINVAL;
  const pathOnly = fcntl.O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  if ((flags & O_PATH) !== 0 && (flags & ~pathOnly) !== 0) return -EINVAL;
  const name = nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  if ((resolve & RESOLVE_CACHED) !== 0) return -EAGAIN;
  return openAt(task, dirfd, name, flags, mode, resolve);
}

/** The access mode among open's flags, for strace. */
export const ACCESS_MODE = { mask: O_ACCMODE, show: named({ O_RDONLY, O_WRONLY, O_RDWR: fcntl.O_RDWR }) };
const openFlags = flags('flags', OPEN_FLAGS, ACCESS_MODE);
/** The mode for a new file, used only if argument `flagsArg` asks for one. */
const newMode = (flagsArg: number): Arg => ({
  ...mode('mode'),
  taken: args => (args[flagsArg]! & (O_CREAT | UNNAMED)) !== 0,
});

export const openCalls: readonly Syscall[] = [
  foreseeable(lasting(call('open', [path('pathname'), openFlags, newMode(1)], open), ENOENT), {
    act: 'open',
    args: ['name', 'int', 'any'],
    run: (task, [, flags], { name, led }) => openBefore(task, AT_FDCWD, name, flags!, led),
  }),
  foreseeable(
    lasting(call('openat', [dirfd('dirfd'), path('pathname'), openFlags, newMode(2)], openat), ENOENT),
    {
      act: 'open',
      args: ['int', 'name', 'int', 'any'],
      run: (task, [dirfd, , flags], { name, led }) => openBefore(task, dirfd!, name, flags!, led),
    },
  ),
  call(
    'openat2',
    [dirfd('dirfd'), path('pathname'), pointer('how'), ulong('size')],
    openat2,
    'RESOLVE_CACHED always fails with EAGAIN',
  ),
  call('creat', [path('pathname'), mode('mode')], creat),
];
