/** F_SETLEASE and F_GETLEASE of fcntl(2), and waiting for leases that are in the way. */
import { CAP_LEASE, capable } from '../core/cred.ts';
import type { File } from '../fs/file.ts';
import { type BlockedOpen, Leases } from '../fs/leases.ts';
import { locksOf } from '../fs/locks.ts';
import { settleEverybody } from '../kernel/along.ts';
import type { Task } from '../kernel/task.ts';
import { EACCES, EINVAL, ETIMEDOUT } from '../uapi/errno.ts';
import { F_RDLCK, F_UNLCK, F_WRLCK } from '../uapi/fcntl.ts';
import { isReg } from '../uapi/stat.ts';
import { disown, ownIfUnowned, tellOwner } from './fasync.ts';

export const getLease = (file: File): number => file.inode.locks?.leases?.typeOf(file) ?? F_UNLCK;

export function setLease(task: Task, fd: number, file: File, type: number): number {
  const { kernel, cred } = task;
  const { inode } = file;
  if (cred.fsuid !== inode.uid && !capable(cred, CAP_LEASE)) return -EACCES;
  if (!isReg(inode.mode)) return -EINVAL;
  if (type !== F_RDLCK && type !== F_WRLCK && type !== F_UNLCK) return -EINVAL;
  if (type !== F_UNLCK && !kernel.vfs.leases.enabled) return -EINVAL;
  settleEverybody(kernel);
  const locks = locksOf(inode);
  locks.leases ??= new Leases();
  const result = locks.leases.set(file, type, task.tgid, () => tellOwner(kernel, file, fd));
  if (result === 0 && type !== F_UNLCK) ownIfUnowned(task, file);
  if (result === 0 && type === F_UNLCK) disown(file);
  return result;
}

/** Repeats an attempt that a lease blocked, once a lease goes or its holder's time is up. */
export async function pastLeases(
  task: Task,
  { leases, writes }: BlockedOpen,
  attempt: () => number | Promise<number>,
): Promise<number> {
  const counted = writes ? 'writers' : 'readers';
  leases.waiting[counted]++;
  const slept = await task.sleepOn([leases.waitq], leases.deadline);
  leases.waiting[counted]--;
  return slept < 0 && slept !== -ETIMEDOUT ? slept : attempt();
}
