/**
 * Structures that grow with Linux's versions and come with their size (copy_struct_from_user() in linux/uaccess.h): a
 * program may know fewer fields than we do, which then count as zero, or more, which must be zero.
 */
import { copyIn } from '../core/user-copy.ts';
import type { Task } from '../kernel/task.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { E2BIG, EINVAL } from '../uapi/errno.ts';

/** The first `known` bytes of the structure at `addr`, which must have at least `least`; -EINVAL, -E2BIG, -EFAULT. */
export function copyInStruct(
  task: Task,
  addr: number,
  size: number,
  least: number,
  known: number,
): Uint8Array | number {
  if (size > PAGE_SIZE) return -E2BIG;
  if (size < least) return -EINVAL;
  const given = copyIn(task.user, addr, size);
  if (typeof given === 'number') return given;
  if (given.subarray(known).some(byte => byte !== 0)) return -E2BIG;
  const bytes = new Uint8Array(known);
  bytes.set(given.subarray(0, known));
  return bytes;
}
