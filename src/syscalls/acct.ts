/** acct(2). */
import { CAP_SYS_PACCT, capable } from '../core/cred.ts';
import { open } from '../fs/open.ts';
import type { Task } from '../kernel/task.ts';
import { EACCES, EINVAL, EPERM } from '../uapi/errno.ts';
import { O_APPEND, O_LARGEFILE, O_WRONLY } from '../uapi/fcntl.ts';
import { isReg } from '../uapi/stat.ts';
import { call, path, type Syscall } from './args.ts';
import { nameAt } from './names.ts';

/** Filesystems whose files are written by the kernel itself; EINVAL. */
const NOT_THERE: ReadonlySet<string> = new Set(['proc', 'sysfs']);

function acct(task: Task, nameAddr: number): number {
  if (!capable(task.cred, CAP_SYS_PACCT)) return -EPERM;
  const { accounting, vfs } = task.kernel;
  if (nameAddr === 0) {
    accounting.use(null);
    return 0;
  }
  const name = nameAt(task, nameAddr);
  if (typeof name === 'number') return name;
  const file = open(vfs, task, null, name, O_WRONLY | O_APPEND | O_LARGEFILE, 0);
  if (typeof file === 'number') return file;
  const wrong = !isReg(file.inode.mode) ? -EACCES : NOT_THERE.has(file.inode.sb.type) ? -EINVAL : 0;
  if (wrong < 0) file.put();
  else accounting.use(file);
  return wrong;
}

export const acctCalls: readonly Syscall[] = [
  call('acct', [path('filename')], acct, 'use of privilege (ASU) is not recorded'),
];
