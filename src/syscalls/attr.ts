/** chmod(2), chown(2), access(2), readlink(2), and their *at relatives. */
import { copyOutString } from '../core/user-copy.ts';
import {
  access as mayAccess,
  readlink as readTarget,
  chmod as setMode,
  chown as setOwner,
} from '../fs/attr.ts';
import type { Path } from '../fs/dentry.ts';
import { lookup, lookupFlags } from '../fs/lookup.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, EINVAL, ENOENT } from '../uapi/errno.ts';
import { AT_EACCESS, AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../uapi/fcntl.ts';
import {
  call,
  dirfd,
  fd,
  flags,
  int,
  lasting,
  mode,
  ofSteady,
  outBuffer,
  path,
  type Syscall,
  uint,
} from './args.ts';
import { fileOf, nameAt, pathOf, startOf } from './names.ts';

const R_OK = 4;
const W_OK = 2;
const X_OK = 1;

/** The path that a descriptor, a name and AT_* flags refer to, or -errno. Valid until the next walk. */
export function pathAt(task: Task, dirfd: number, nameAddr: number, atFlags: number): Path | number {
  const name = nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  const at = startOf(task, dirfd, name, (atFlags & AT_EMPTY_PATH) !== 0);
  return typeof at === 'number' ? at : lookup(task.kernel.vfs, task, at, name, lookupFlags(atFlags));
}

function fchmodat2(task: Task, dirfd: number, name: number, mode: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const path = pathAt(task, dirfd, name, flags);
  return typeof path === 'number' ? path : setMode(task.kernel.vfs, task, path, mode);
}

const fchmodat = (task: Task, dirfd: number, name: number, mode: number): number =>
  fchmodat2(task, dirfd, name, mode, 0);
const chmod = (task: Task, name: number, mode: number): number => fchmodat2(task, AT_FDCWD, name, mode, 0);

function fchmod(task: Task, fd: number, mode: number): number {
  const file = fileOf(task, fd);
  return file === null ? -EBADF : setMode(task.kernel.vfs, task, pathOf(task, file), mode);
}

function fchownat(task: Task, dirfd: number, name: number, uid: number, gid: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const path = pathAt(task, dirfd, name, flags);
  return typeof path === 'number' ? path : setOwner(task.kernel.vfs, task, path, uid, gid);
}

const chown = (task: Task, name: number, uid: number, gid: number): number =>
  fchownat(task, AT_FDCWD, name, uid, gid, 0);
const lchown = (task: Task, name: number, uid: number, gid: number): number =>
  fchownat(task, AT_FDCWD, name, uid, gid, AT_SYMLINK_NOFOLLOW);

function fchown(task: Task, fd: number, uid: number, gid: number): number {
  const file = fileOf(task, fd);
  return file === null ? -EBADF : setOwner(task.kernel.vfs, task, pathOf(task, file), uid, gid);
}

function faccessat2(task: Task, dirfd: number, nameAddr: number, mode: number, flags: number): number {
  if ((mode & ~(R_OK | W_OK | X_OK)) !== 0) return -EINVAL;
  if ((flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const name = nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  const at = startOf(task, dirfd, name, (flags & AT_EMPTY_PATH) !== 0);
  return typeof at === 'number' ? at : mayAccess(task.kernel.vfs, task, at, name, mode, flags);
}

const faccessat = (task: Task, dirfd: number, name: number, mode: number): number =>
  faccessat2(task, dirfd, name, mode, 0);
const access = (task: Task, name: number, mode: number): number => faccessat2(task, AT_FDCWD, name, mode, 0);

/** Stores as much of the target as fits, without a NUL. */
function readlinkat(task: Task, dirfd: number, nameAddr: number, addr: number, size: number): number {
  if (size <= 0) return -EINVAL;
  const name = nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  const at = startOf(task, dirfd, name, true);
  if (typeof at === 'number') return at;
  const target = readTarget(task.kernel.vfs, task, at, name);
  if (typeof target === 'number') return target;
  const text = target.slice(0, size);
  const err = copyOutString(task.user, addr, text);
  return err < 0 ? err : text.length;
}

const readlink = (task: Task, name: number, addr: number, size: number): number =>
  readlinkat(task, AT_FDCWD, name, addr, size);

const atFlags = flags('flags', { AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH });
const accessMode = flags('mode', { F_OK: 0, R_OK, W_OK, X_OK });
const accessFlags = flags('flags', { AT_EACCESS, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH });
const atPath = [dirfd('dirfd'), path('pathname')];
const owners = [uint('owner'), uint('group')];

export const attrCalls: readonly Syscall[] = [
  call('chmod', [path('pathname'), mode('mode')], chmod),
  call('fchmod', [fd('fd'), mode('mode')], fchmod),
  call('fchmodat', [...atPath, mode('mode')], fchmodat),
  call('fchmodat2', [...atPath, mode('mode'), atFlags], fchmodat2),
  call('chown', [path('pathname'), ...owners], chown),
  call('fchown', [fd('fd'), ...owners], fchown),
  call('lchown', [path('pathname'), ...owners], lchown),
  call('fchownat', [...atPath, ...owners, atFlags], fchownat),
  ofSteady(lasting(call('access', [path('pathname'), accessMode], access), ENOENT)),
  ofSteady(lasting(call('faccessat', [...atPath, accessMode], faccessat), ENOENT)),
  ofSteady(lasting(call('faccessat2', [...atPath, accessMode, accessFlags], faccessat2), ENOENT)),
  ofSteady(
    lasting(
      call('readlink', [path('pathname'), outBuffer('buf', 2), int('bufsiz')], readlink),
      ENOENT,
      EINVAL,
    ),
  ),
  ofSteady(
    lasting(call('readlinkat', [...atPath, outBuffer('buf', 3), int('bufsiz')], readlinkat), ENOENT, EINVAL),
  ),
];
