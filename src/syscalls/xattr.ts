/** Extended attributes (xattr(7)): set, get, list and remove, by path, link, descriptor, and the *at calls. */

import { copyInString, copyOutString } from '../core/user-copy.ts';
import type { Path } from '../fs/dentry.ts';
import { getXattr, listXattr, removeXattr, setXattr, XATTR_NAME_MAX, XATTR_SIZE_MAX } from '../fs/xattr.ts';
import type { Task } from '../kernel/task.ts';
import { getUint64 } from '../lib/int64.ts';
import { E2BIG, EBADF, EINVAL, ENAMETOOLONG, ERANGE } from '../uapi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, XATTR_CREATE, XATTR_REPLACE } from '../uapi/fcntl.ts';
import {
  call,
  dirfd,
  fd,
  flags,
  type Handler,
  inBuffer,
  inStruct,
  outBuffer,
  path,
  type Syscall,
  string,
  ulong,
} from './args.ts';
import { pathAt } from './attr.ts';
import { copyInStruct } from './extensible.ts';
import { fileOf, nameAt, pathOf } from './names.ts';
import { XATTR_ARGS } from './structs/files.ts';

const XATTR_LIST_MAX = 65536;
/** struct xattr_args (setxattrat(2)): 0 value u64 | 8 size u32 | 12 flags u32 */
const XATTR_ARGS_SIZE = 16;
const NAME_SPACE = XATTR_NAME_MAX + 1;

function attributeName(task: Task, addr: number): string | number {
  const name = task.user.string(addr, NAME_SPACE);
  return name === -ENAMETOOLONG || name === '' ? -ERANGE : name;
}

function set(
  task: Task,
  where: (task: Task) => Path | number,
  nameAddr: number,
  addr: number,
  size: number,
  flags: number,
): number {
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0) return -EINVAL;
  const name = attributeName(task, nameAddr);
  if (typeof name === 'number') return name;
  if (size > XATTR_SIZE_MAX) return -E2BIG;
  const value = copyInString(task.user, addr, size);
  if (typeof value === 'number') return value;
  const path = where(task);
  return typeof path === 'number' ? path : setXattr(task.kernel.vfs, task, path, name, value, flags);
}

function get(
  task: Task,
  where: (task: Task) => Path | number,
  nameAddr: number,
  addr: number,
  size: number,
): number {
  const name = attributeName(task, nameAddr);
  if (typeof name === 'number') return name;
  const path = where(task);
  if (typeof path === 'number') return path;
  const value = getXattr(task, path, name);
  return typeof value === 'number' ? value : give(task, value, addr, Math.min(size, XATTR_SIZE_MAX));
}

function list(task: Task, where: (task: Task) => Path | number, addr: number, size: number): number {
  const path = where(task);
  if (typeof path === 'number') return path;
  const names = listXattr(task, path)
    .map(name => `${name}\0`)
    .join('');
  return names.length > XATTR_LIST_MAX ? -E2BIG : give(task, names, addr, size);
}

function remove(task: Task, where: (task: Task) => Path | number, nameAddr: number): number {
  const name = attributeName(task, nameAddr);
  if (typeof name === 'number') return name;
  const path = where(task);
  return typeof path === 'number' ? path : removeXattr(task.kernel.vfs, task, path, name);
}

/** A size of 0 asks for the length. */
function give(task: Task, value: string, addr: number, size: number): number {
  if (size === 0) return value.length;
  if (value.length > size) return -ERANGE;
  const err = copyOutString(task.user, addr, value);
  return err < 0 ? err : value.length;
}

/** How the first argument names the file: by a path through links, a path of a link itself, or a descriptor. */
type Naming = (arg: number) => (task: Task) => Path | number;

const byPath: Naming = name => task => pathAt(task, AT_FDCWD, name, 0);
const byLink: Naming = name => task => pathAt(task, AT_FDCWD, name, AT_SYMLINK_NOFOLLOW);
const byFd: Naming = fd => task => {
  const file = fileOf(task, fd);
  return file === null ? -EBADF : pathOf(task, file);
};

/** As `pathAt`; with AT_EMPTY_PATH, NULL counts as an empty name. */
function atPlace(dirfd: number, name: number, atFlags: number): (task: Task) => Path | number {
  const empty = (atFlags & AT_EMPTY_PATH) !== 0;
  return task => {
    if (!empty) return pathAt(task, dirfd, name, atFlags);
    const text = name === 0 ? '' : nameAt(task, name);
    if (typeof text === 'number') return text;
    if (text !== '') return pathAt(task, dirfd, name, atFlags);
    return dirfd === AT_FDCWD ? task.cwd : byFd(dirfd)(task);
  };
}

const AT_KNOWN = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;

/** Reads struct xattr_args: its fields, or -errno. */
function argsAt(
  task: Task,
  addr: number,
  size: number,
): { value: number; size: number; flags: number } | number {
  const bytes = copyInStruct(task, addr, size, XATTR_ARGS_SIZE, XATTR_ARGS_SIZE);
  if (typeof bytes === 'number') return bytes;
  const view = new DataView(bytes.buffer);
  return { value: getUint64(view, 0), size: view.getUint32(8, true), flags: view.getUint32(12, true) };
}

const setxattrat: Handler = (task, dirfd, name, flags, attr, addr, size) => {
  const args = argsAt(task, addr, size);
  if (typeof args === 'number') return args;
  if ((flags & ~AT_KNOWN) !== 0) return -EINVAL;
  return set(task, atPlace(dirfd, name, flags), attr, args.value, args.size, args.flags);
};

const getxattrat: Handler = (task, dirfd, name, flags, attr, addr, size) => {
  const args = argsAt(task, addr, size);
  if (typeof args === 'number') return args;
  if ((flags & ~AT_KNOWN) !== 0 || args.flags !== 0) return -EINVAL;
  return get(task, atPlace(dirfd, name, flags), attr, args.value, args.size);
};

const listxattrat: Handler = (task, dirfd, name, flags, addr, size) =>
  (flags & ~AT_KNOWN) !== 0 ? -EINVAL : list(task, atPlace(dirfd, name, flags), addr, size);

const removexattrat: Handler = (task, dirfd, name, flags, attr) =>
  (flags & ~AT_KNOWN) !== 0 ? -EINVAL : remove(task, atPlace(dirfd, name, flags), attr);

const valueArgs = [string('name'), inBuffer('value', 3), ulong('size')];
const setFlags = flags('flags', { XATTR_CREATE, XATTR_REPLACE });
const atArgs = [dirfd('dirfd'), path('pathname'), flags('at_flags', { AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH })];
const attrArgs = [string('name'), inStruct('args', XATTR_ARGS), ulong('size')];

/** The four calls for one way of naming the file: prefix '', 'l' or 'f'. */
function family(prefix: string, file: typeof path, by: Naming): Syscall[] {
  return [
    call(`${prefix}setxattr`, [file('file'), ...valueArgs, setFlags], (task, file, name, addr, size, flags) =>
      set(task, by(file), name, addr, size, flags),
    ),
    call(
      `${prefix}getxattr`,
      [file('file'), string('name'), outBuffer('value', 3), ulong('size')],
      (task, file, name, addr, size) => get(task, by(file), name, addr, size),
    ),
    call(
      `${prefix}listxattr`,
      [file('file'), outBuffer('list', 2), ulong('size')],
      (task, file, addr, size) => list(task, by(file), addr, size),
    ),
    call(`${prefix}removexattr`, [file('file'), string('name')], (task, file, name) =>
      remove(task, by(file), name),
    ),
  ];
}

export const xattrCalls: readonly Syscall[] = [
  ...family('', path, byPath),
  ...family('l', path, byLink),
  ...family('f', fd, byFd),
  call('setxattrat', [...atArgs, ...attrArgs], setxattrat),
  call('getxattrat', [...atArgs, ...attrArgs], getxattrat),
  call('listxattrat', [...atArgs, outBuffer('list', 4), ulong('size')], listxattrat),
  call('removexattrat', [...atArgs, string('name')], removexattrat),
];
