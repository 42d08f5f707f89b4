/** inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2). */
import { lookup } from '../fs/lookup.ts';
import { LOOKUP_DIRECTORY, LOOKUP_FOLLOW } from '../fs/namei.ts';
import { permissionAt } from '../fs/permission.ts';
import { Inotify } from '../ipc/inotify.ts';
import { settleEverybody } from '../kernel/along.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, EINVAL, EMFILE } from '../uapi/errno.ts';
import { O_CLOEXEC, O_NONBLOCK } from '../uapi/fcntl.ts';
import * as uapi from '../uapi/inotify.ts';
import { IN_ALL_BITS, IN_DONT_FOLLOW, IN_MASK_ADD, IN_MASK_CREATE, IN_ONLYDIR } from '../uapi/inotify.ts';
import { MAY_READ } from '../uapi/stat.ts';
import { call, fd, flags, int, path, type Syscall } from './args.ts';
import { fileOf, install, nameAt } from './names.ts';

function inotifyInit1(task: Task, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const { anonInodes, inotify } = task.kernel;
  const account = inotify.accountOf(task.cred.euid);
  if (account.instances >= inotify.limits.instances) return -EMFILE;
  const file = new Inotify(anonInodes.newInode(0o600, task.cred), inotify, flags, account);
  return install(task, file, (flags & O_CLOEXEC) !== 0);
}

const inotifyInit = (task: Task): number => inotifyInit1(task, 0);

function inotifyAddWatch(task: Task, fd: number, nameAddr: number, mask: number): number {
  if ((mask & ~IN_ALL_BITS) !== 0 || mask === 0) return -EINVAL;
  const file = fileOf(task, fd);
  if (file === null) return -EBADF;
  if ((mask & IN_MASK_ADD) !== 0 && (mask & IN_MASK_CREATE) !== 0) return -EINVAL;
  if (!(file instanceof Inotify)) return -EINVAL;
  const name = nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  const how = (mask & IN_DONT_FOLLOW) === 0 ? LOOKUP_FOLLOW : 0;
  const only = (mask & IN_ONLYDIR) === 0 ? 0 : LOOKUP_DIRECTORY;
  const found = lookup(task.kernel.vfs, task, null, name, how | only);
  if (typeof found === 'number') return found;
  const err = permissionAt(found.mount, found.inode, MAY_READ, task.cred);
  if (err < 0) return err;
  settleEverybody(task.kernel);
  return file.addWatch(found.inode, mask);
}

function inotifyRmWatch(task: Task, fd: number, wd: number): number {
  const file = fileOf(task, fd);
  if (file === null) return -EBADF;
  return file instanceof Inotify ? file.removeWatch(wd) : -EINVAL;
}

const EVENTS = Object.fromEntries(
  Object.entries(uapi).filter((entry): entry is [string, number] => /^IN_(?!ALL)/.test(entry[0])),
);

export const inotifyCalls: readonly Syscall[] = [
  call('inotify_init', [], inotifyInit),
  call('inotify_init1', [flags('flags', { IN_CLOEXEC: O_CLOEXEC, IN_NONBLOCK: O_NONBLOCK })], inotifyInit1),
  call('inotify_add_watch', [fd('fd'), path('pathname'), flags('mask', EVENTS)], inotifyAddWatch),
  call('inotify_rm_watch', [fd('fd'), int('wd')], inotifyRmWatch),
];
