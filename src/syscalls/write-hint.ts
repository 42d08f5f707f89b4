/** F_GET_RW_HINT and F_SET_RW_HINT of fcntl(2): how long what is written to a file will live. It is kept, and means nothing here. */
import type { File } from '../fs/file.ts';
import { ownerOrCapable } from '../fs/permission.ts';
import type { Task } from '../kernel/task.ts';
import { getInt64, setInt64 } from '../lib/int64.ts';
import { EINVAL, EPERM } from '../uapi/errno.ts';
import { RWH_WRITE_LIFE_EXTREME } from '../uapi/fcntl.ts';

/** `addr`: a 64-bit word. */
export function getWriteHint({ user }: Task, file: File, addr: number): number {
  const at = user.out(addr, 8);
  if (at < 0) return at;
  setInt64(user.view, at, file.inode.writeHint);
  return 0;
}

export function setWriteHint({ user, cred }: Task, file: File, addr: number): number {
  if (!ownerOrCapable(file.inode, cred)) return -EPERM;
  const at = user.in(addr, 8);
  if (at < 0) return at;
  const hint = getInt64(user.view, at);
  if (hint < 0 || hint > RWH_WRITE_LIFE_EXTREME) return -EINVAL;
  file.inode.writeHint = hint;
  return 0;
}
