/** Making, removing and renaming names: mkdir(2), mknod(2), link(2), symlink(2), unlink(2), rmdir(2), rename(2). */
import { link as linkFile, mkdir as makeDir, symlink as makeLink, mknod as makeNode } from '../fs/create.ts';
import { rmdir as removeDir, unlink as removeName } from '../fs/remove.ts';
import { rename as renameFile } from '../fs/rename.ts';
import type { Task } from '../kernel/task.ts';
import { EINVAL, ENOENT, EPERM } from '../uapi/errno.ts';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
} from '../uapi/fcntl.ts';
import { S_IFDIR, S_IFLNK, S_IFMT } from '../uapi/stat.ts';
import { call, dirfd, flags, mode, path, type Syscall, string, uint } from './args.ts';
import { nameAt, startOf } from './names.ts';

function mkdirat(task: Task, dirfd: number, nameAddr: number, mode: number): number {
  const name = nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  const at = startOf(task, dirfd, name);
  return typeof at === 'number' ? at : makeDir(task.kernel.vfs, task, at, name, mode);
}

const mkdir = (task: Task, name: number, mode: number): number => mkdirat(task, AT_FDCWD, name, mode);

function mknodat(task: Task, dirfd: number, nameAddr: number, mode: number, dev: number): number {
  const type = mode & S_IFMT;
  if (type === S_IFDIR) return -EPERM;
  if (type === S_IFLNK) return -EINVAL;
  const name = nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  const at = startOf(task, dirfd, name);
  return typeof at === 'number' ? at : makeNode(task.kernel.vfs, task, at, name, mode & 0xffff, dev);
}

const mknod = (task: Task, name: number, mode: number, dev: number): number =>
  mknodat(task, AT_FDCWD, name, mode, dev);

function unlinkat(task: Task, dirfd: number, nameAddr: number, flags: number): number {
  if ((flags & ~AT_REMOVEDIR) !== 0) return -EINVAL;
  const name = nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  const at = startOf(task, dirfd, name);
  if (typeof at === 'number') return at;
  return (flags === 0 ? removeName : removeDir)(task.kernel.vfs, task, at, name);
}

const unlink = (task: Task, name: number): number => unlinkat(task, AT_FDCWD, name, 0);
const rmdir = (task: Task, name: number): number => unlinkat(task, AT_FDCWD, name, AT_REMOVEDIR);

function renameat2(
  task: Task,
  oldDir: number,
  oldAddr: number,
  newDir: number,
  newAddr: number,
  flags: number,
): number {
  const oldName = nameAt(task, oldAddr);
  if (typeof oldName === 'number') return oldName;
  const newName = nameAt(task, newAddr);
  if (typeof newName === 'number') return newName;
  const oldAt = startOf(task, oldDir, oldName);
  if (typeof oldAt === 'number') return oldAt;
  const newAt = startOf(task, newDir, newName);
  if (typeof newAt === 'number') return oldName === '' ? -ENOENT : newAt;
  return renameFile(task.kernel.vfs, task, oldAt, oldName, newAt, newName, flags);
}

const renameat = (task: Task, oldDir: number, oldName: number, newDir: number, newName: number): number =>
  renameat2(task, oldDir, oldName, newDir, newName, 0);
const rename = (task: Task, oldName: number, newName: number): number =>
  renameat2(task, AT_FDCWD, oldName, AT_FDCWD, newName, 0);

function linkat(
  task: Task,
  oldDir: number,
  oldAddr: number,
  newDir: number,
  newAddr: number,
  flags: number,
): number {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const oldName = nameAt(task, oldAddr);
  if (typeof oldName === 'number') return oldName;
  const newName = nameAt(task, newAddr);
  if (typeof newName === 'number') return newName;
  const oldAt = startOf(task, oldDir, oldName, (flags & AT_EMPTY_PATH) !== 0);
  if (typeof oldAt === 'number') return oldAt;
  const newAt = startOf(task, newDir, newName);
  if (typeof newAt === 'number') return newAt;
  return linkFile(task.kernel.vfs, task, oldAt, oldName, newAt, newName, flags);
}

const link = (task: Task, oldName: number, newName: number): number =>
  linkat(task, AT_FDCWD, oldName, AT_FDCWD, newName, 0);

function symlinkat(task: Task, targetAddr: number, dirfd: number, nameAddr: number): number {
  const target = nameAt(task, targetAddr);
  if (typeof target === 'number') return target;
  if (target === '') return -ENOENT;
  const name = nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  const at = startOf(task, dirfd, name);
  return typeof at === 'number' ? at : makeLink(task.kernel.vfs, task, target, at, name);
}

const symlink = (task: Task, target: number, name: number): number => symlinkat(task, target, AT_FDCWD, name);

const oldPath = [dirfd('olddirfd'), path('oldpath')];
const newPath = [dirfd('newdirfd'), path('newpath')];
const RENAMES = { RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT };

export const linkCalls: readonly Syscall[] = [
  call('mkdir', [path('pathname'), mode('mode')], mkdir),
  call('mkdirat', [dirfd('dirfd'), path('pathname'), mode('mode')], mkdirat),
  call('mknod', [path('pathname'), mode('mode'), uint('dev')], mknod),
  call('mknodat', [dirfd('dirfd'), path('pathname'), mode('mode'), uint('dev')], mknodat),
  call('unlink', [path('pathname')], unlink),
  call('rmdir', [path('pathname')], rmdir),
  call('unlinkat', [dirfd('dirfd'), path('pathname'), flags('flags', { AT_REMOVEDIR })], unlinkat),
  call('rename', [path('oldpath'), path('newpath')], rename),
  call('renameat', [...oldPath, ...newPath], renameat),
  call('renameat2', [...oldPath, ...newPath, flags('flags', RENAMES)], renameat2),
  call('link', [path('oldpath'), path('newpath')], link),
  call('linkat', [...oldPath, ...newPath, flags('flags', { AT_SYMLINK_FOLLOW, AT_EMPTY_PATH })], linkat),
  call('symlink', [string('target'), path('linkpath')], symlink),
  call('symlinkat', [string('target'), ...newPath], symlinkat),
];
