/** stat(2), lstat(2), fstat(2), newfstatat, statx(2). */
import { STAT_SIZE, writeStat } from '../arch/x86_64/structs/stat.ts';
import {
  STATX_MNT_ID,
  STATX_MNT_ID_UNIQUE,
  STATX_RESERVED,
  STATX_SIZE,
  writeStatx,
} from '../arch/x86_64/structs/statx.ts';
import type { Path } from '../fs/dentry.ts';
import type { Inode } from '../fs/inode.ts';
import { lookup, lookupFlags, lookupInode } from '../fs/lookup.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, EFAULT, EINVAL, ENOENT } from '../uapi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_NO_AUTOMOUNT, AT_SYMLINK_NOFOLLOW } from '../uapi/fcntl.ts';
import { call, dirfd, fd, flags, lasting, ofSteady, outStruct, path, type Syscall } from './args.ts';
import { nameAt, pathOf, startOf } from './names.ts';
import { STAT, STATX, STATX_MASK } from './structs/files.ts';

const AT_STATX_FORCE_SYNC = 0x2000;
const AT_STATX_DONT_SYNC = 0x4000;
const AT_STATX_SYNC_TYPE = AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC;
/** The AT_STATX_* flags have no effect: answers are always fresh. */
const STAT_FLAGS = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;

function putStat(task: Task, inode: Inode | number, addr: number): number {
  if (typeof inode === 'number') return inode;
  const { user } = task;
  const at = user.out(addr, STAT_SIZE);
  if (at < 0) return at;
  writeStat(user.view, at, inode, inode.sb.blksize);
  return 0;
}

function fstat(task: Task, fd: number, addr: number): number {
  const file = task.files.get(fd);
  if (file === null) return -EBADF;
  const fresh = file.inode.refresh();
  return fresh < 0 ? fresh : putStat(task, file.inode, addr);
}

function newfstatat(task: Task, dirfd: number, nameAddr: number, addr: number, flags: number): number {
  if ((flags & ~STAT_FLAGS) !== 0) return -EINVAL;
  const empty = (flags & AT_EMPTY_PATH) !== 0;
  // NULL counts as an empty name (since Linux 6.11).
  const name = empty && nameAddr === 0 ? '' : nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  if (empty && name === '' && dirfd !== AT_FDCWD) return fstat(task, dirfd, addr);
  const at = startOf(task, dirfd, name);
  if (typeof at === 'number') return at;
  return putStat(task, lookupInode(task.kernel.vfs, task, at, name, flags), addr);
}

const stat = (task: Task, name: number, addr: number): number => newfstatat(task, AT_FDCWD, name, addr, 0);
const lstat = (task: Task, name: number, addr: number): number =>
  newfstatat(task, AT_FDCWD, name, addr, AT_SYMLINK_NOFOLLOW);

function statx(
  task: Task,
  dirfd: number,
  nameAddr: number,
  flags: number,
  mask: number,
  addr: number,
): number {
  if ((mask & STATX_RESERVED) !== 0) return -EINVAL;
  if ((flags & ~STAT_FLAGS) !== 0) return -EINVAL;
  if ((flags & AT_STATX_SYNC_TYPE) === AT_STATX_SYNC_TYPE) return -EINVAL;
  const empty = (flags & AT_EMPTY_PATH) !== 0;
  const name = empty && nameAddr === 0 ? '' : nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  const path = empty && name === '' ? startPath(task, dirfd) : pathAt(task, dirfd, name, flags);
  if (typeof path === 'number') return path;
  const fresh = path.inode.refresh();
  if (fresh < 0) return fresh;
  const { user } = task;
  const at = user.out(addr, STATX_SIZE);
  if (at < 0) return -EFAULT;
  const isRoot = path.dentry === path.mount.root;
  const { id, uniqueId } = path.mount;
  const unique = (mask & STATX_MNT_ID_UNIQUE) !== 0;
  const mount = unique ? { known: STATX_MNT_ID_UNIQUE, id: uniqueId } : { known: STATX_MNT_ID, id };
  writeStatx(user.view, at, path.inode, path.inode.sb.blksize, mount, isRoot);
  return 0;
}

function startPath(task: Task, dirfd: number): Path | number {
  if (dirfd === AT_FDCWD) return task.cwd;
  const file = task.files.get(dirfd);
  return file === null ? -EBADF : pathOf(task, file);
}

function pathAt(task: Task, dirfd: number, name: string, flags: number): Path | number {
  if (name === '') return -ENOENT;
  const at = startOf(task, dirfd, name);
  return typeof at === 'number' ? at : lookup(task.kernel.vfs, task, at, name, lookupFlags(flags));
}

const statFlags = flags('flags', {
  AT_SYMLINK_NOFOLLOW,
  AT_NO_AUTOMOUNT,
  AT_EMPTY_PATH,
  AT_STATX_FORCE_SYNC,
  AT_STATX_DONT_SYNC,
});
const statbuf = outStruct('statbuf', STAT);

export const statCalls: readonly Syscall[] = [
  ofSteady(lasting(call('stat', [path('pathname'), statbuf], stat), ENOENT)),
  call('fstat', [fd('fd'), statbuf], fstat),
  ofSteady(lasting(call('lstat', [path('pathname'), statbuf], lstat), ENOENT)),
  ofSteady(
    lasting(call('newfstatat', [dirfd('dirfd'), path('pathname'), statbuf, statFlags], newfstatat), ENOENT),
  ),
  ofSteady(
    lasting(
      call(
        'statx',
        [
          dirfd('dirfd'),
          path('pathname'),
          statFlags,
          flags('mask', STATX_MASK),
          outStruct('statxbuf', STATX),
        ],
        statx,
        'no direct I/O alignment',
      ),
      ENOENT,
    ),
  ),
];
