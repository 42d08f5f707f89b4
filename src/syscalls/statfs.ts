/** statfs(2), fstatfs(2), ustat(2). */
import { STATFS_SIZE, USTAT_SIZE, writeStatfs, writeUstat } from '../arch/x86_64/structs/statfs.ts';
import { statfs as mountStatfs } from '../fs/attr.ts';
import { lookup } from '../fs/lookup.ts';
import type { Mount } from '../fs/mount.ts';
import { LOOKUP_FOLLOW } from '../fs/namei.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, EINVAL } from '../uapi/errno.ts';
import { call, fd, outStruct, path, type Syscall, ulong } from './args.ts';
import { nameAt, pathOf } from './names.ts';
import { STATFS, USTAT } from './structs/files.ts';

function putStatfs(task: Task, mount: Mount, addr: number): number {
  const from = mountStatfs(mount);
  const { user } = task;
  const at = user.out(addr, STATFS_SIZE);
  if (at < 0) return at;
  writeStatfs(user.view, at, from, mount.sb.dev, from.flags);
  return 0;
}

function statfs(task: Task, nameAddr: number, addr: number): number {
  const name = nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  const path = lookup(task.kernel.vfs, task, null, name, LOOKUP_FOLLOW);
  return typeof path === 'number' ? path : putStatfs(task, path.mount, addr);
}

function fstatfs(task: Task, fd: number, addr: number): number {
  const file = task.files.get(fd);
  return file === null ? -EBADF : putStatfs(task, pathOf(task, file).mount, addr);
}

function ustat(task: Task, dev: number, addr: number): number {
  const { user, kernel } = task;
  for (const { inode } of kernel.vfs.roots) {
    const { sb } = inode!;
    if (sb.dev !== dev) continue;
    const from = sb.statfs();
    const at = user.out(addr, USTAT_SIZE);
    if (at < 0) return at;
    writeUstat(user.view, at, from);
    return 0;
  }
  return -EINVAL;
}

export const statfsCalls: readonly Syscall[] = [
  call('statfs', [path('path'), outStruct('buf', STATFS)], statfs),
  call('fstatfs', [fd('fd'), outStruct('buf', STATFS)], fstatfs),
  call('ustat', [ulong('dev'), outStruct('ubuf', USTAT)], ustat),
];
