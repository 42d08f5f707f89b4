/** Directories: getdents(2), getdents64(2), getcwd(2), chdir(2), fchdir(2), chroot(2), umask(2). */
import { writeDirent, writeDirent64 } from '../arch/x86_64/structs/dirent.ts';
import { CAP_SYS_CHROOT, capable } from '../core/cred.ts';
import { copyOutString } from '../core/user-copy.ts';
import { pathString } from '../fs/d-path.ts';
import { lookupDirectory } from '../fs/lookup.ts';
import { PATH_MAX } from '../fs/namei.ts';
import { permission } from '../fs/permission.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, ERANGE } from '../uapi/errno.ts';
import { IN_ACCESS } from '../uapi/inotify.ts';
import { isDir, MAY_EXEC } from '../uapi/stat.ts';
import {
  call,
  fd,
  foreseeable,
  mode,
  path,
  type Show,
  type Syscall,
  shownAfter,
  uint,
  ulong,
} from './args.ts';
import { nameAt, pathOf } from './names.ts';
import { address, bytesAt } from './show.ts';

/** Offset of d_reclen in both kinds of entries. */
const RECLEN = 16;

type WriteEntry = typeof writeDirent64;

/** Stores as many entries as fit; the file's position becomes that of the first that did not. */
function readDirectory(task: Task, fd: number, addr: number, count: number, write: WriteEntry): number {
  const file = task.files.get(fd);
  if (file === null || !file.readable) return -EBADF;
  if (!isDir(file.inode.mode)) return -ENOTDIR;
  if (file.path?.dentry.dead === true) return -ENOENT;
  const { user } = task;
  const room = Math.min(count >>> 0, user.maxWindow);
  const at = user.out(addr, room);
  if (at < 0) return at;
  let used = 0;
  let full = false;
  let { pos } = file;
  const err = file.readdir(pos, (name, ino, type, next) => {
    if (full) return false;
    const length = write(user.view, at + used, room - used, ino, next, type, name);
    full = length === 0;
    if (full) return false;
    used += length;
    pos = next;
    return true;
  });
  file.pos = pos;
  user.shrink(used);
  file.happened(IN_ACCESS);
  if (used > 0) return used;
  return err < 0 ? err : full ? -EINVAL : 0;
}

const getdents64 = (task: Task, fd: number, addr: number, count: number): number =>
  readDirectory(task, fd, addr, count, writeDirent64);

const getdents = (task: Task, fd: number, addr: number, count: number): number =>
  readDirectory(task, fd, addr, count, writeDirent);

/** Stores the path with its NUL; returns the length of both. */
function getcwd(task: Task, addr: number, size: number): number {
  const { cwd, root } = task;
  const { dentry } = cwd;
  if (dentry.unhashed && dentry.parent !== dentry) return -ENOENT;
  const text = `${pathString(cwd, root)}\0`;
  if (text.length > PATH_MAX) return -ENAMETOOLONG;
  if (text.length > size) return -ERANGE;
  const err = copyOutString(task.user, addr, text);
  return err < 0 ? err : text.length;
}

function chdir(task: Task, nameAddr: number): number {
  const name = nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  const path = lookupDirectory(task.kernel.vfs, task, null, name);
  if (typeof path === 'number') return path;
  task.fs.setCwd(path);
  return 0;
}

function fchdir(task: Task, fd: number): number {
  const file = task.files.get(fd);
  if (file === null) return -EBADF;
  if (!isDir(file.inode.mode)) return -ENOTDIR;
  const err = permission(file.inode, MAY_EXEC, task.cred);
  if (err < 0) return err;
  task.fs.setCwd(pathOf(task, file));
  return 0;
}

function chroot(task: Task, nameAddr: number): number {
  const name = nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  const path = lookupDirectory(task.kernel.vfs, task, null, name);
  if (typeof path === 'number') return path;
  if (!capable(task.cred, CAP_SYS_CHROOT)) return -EPERM;
  task.fs.setRoot(path);
  return 0;
}

function umask(task: Task, mask: number): number {
  const old = task.fs.umask;
  task.fs.umask = mask & 0o777;
  return old;
}

/** Shows how many entries there are; each has its length at offset 16 (getdents(2)). */
const showEntries: Show = (at, look) => {
  const view = look.memory(at, look.result);
  if (view === null) return address(at);
  let count = 0;
  for (let pos = 0; pos + RECLEN + 2 <= look.result; pos += Math.max(1, view.getUint16(pos + RECLEN, true)))
    count++;
  return `${address(at)} /* ${count} entries */`;
};
const entries = [fd('fd'), shownAfter('dirp', showEntries), uint('count')];
/** The result counts the NUL that ends the path. */
const pathBuffer = shownAfter('buf', (at, look) => bytesAt(at, look.result - 1, look));

export const dirCalls: readonly Syscall[] = [
  call('getdents', entries, getdents),
  call('getdents64', entries, getdents64),
  foreseeable(call('getcwd', [pathBuffer, ulong('size')], getcwd), {
    act: 'query',
    args: ['out', 'word'],
    run: (task, [buf, size]) => getcwd(task, buf!, size!),
  }),
  call('chdir', [path('path')], chdir),
  call('fchdir', [fd('fd')], fchdir),
  call('chroot', [path('path')], chroot),
  call('umask', [mode('mask')], umask),
];
