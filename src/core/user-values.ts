/** Single values in the caller's memory, as ioctl(2), getsockopt(2) and the like pass them. */
import { setInt64 } from '../lib/int64.ts';
import type { UserMemory } from './user.ts';

/** Stores a 32-bit integer at `addr`; 0 or -EFAULT. */
export function putInt(user: UserMemory, addr: number, value: number): number {
  const at = user.out(addr, 4);
  if (at < 0) return at;
  user.view.setInt32(at, value, true);
  return 0;
}

/** Stores a 64-bit integer at `addr`; 0 or -EFAULT. */
export function putLong(user: UserMemory, addr: number, value: number): number {
  const at = user.out(addr, 8);
  if (at < 0) return at;
  setInt64(user.view, at, value);
  return 0;
}
