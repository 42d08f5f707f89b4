/** F_GET_RW_HINT and F_SET_RW_HINT of fcntl(2): the expected lifetime of a file's data. Kept without any effect. */
import { putLong } from '../core/user-values.ts';
import type { File } from '../fs/file.ts';
import { ownerOrCapable } from '../fs/permission.ts';
import type { Task } from '../kernel/task.ts';
import { getInt64 } from '../lib/int64.ts';
import { EINVAL, EPERM } from '../uapi/errno.ts';
import { RWH_WRITE_LIFE_EXTREME } from '../uapi/fcntl.ts';

/** `addr`: a 64-bit word. */
export const getWriteHint = ({ user }: Task, file: File, addr: number): number =>
  putLong(user, addr, file.inode.writeHint);

export function setWriteHint({ user, cred }: Task, file: File, addr: number): number {
  if (!ownerOrCapable(file.inode, cred)) return -EPERM;
  const at = user.in(addr, 8);
  if (at < 0) return at;
  const hint = getInt64(user.view, at);
  if (hint < 0 || hint > RWH_WRITE_LIFE_EXTREME) return -EINVAL;
  file.inode.writeHint = hint;
  return 0;
}
