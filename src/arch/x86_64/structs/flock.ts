/**
 * struct flock (fcntl(2), asm-generic/fcntl.h), 32 bytes:
 *
 *   0 l_type s16 | 2 l_whence s16 | 4 - | 8 l_start s64 | 16 l_len s64 | 24 l_pid s32 | 28 -
 *
 * struct f_owner_ex, 8 bytes: 0 type s32 | 4 pid s32
 */
import { getInt64, setInt64 } from '../../../lib/int64.ts';

export const FLOCK_SIZE = 32;
export const F_OWNER_EX_SIZE = 8;

export interface Flock {
  readonly type: number;
  readonly whence: number;
  readonly start: number;
  readonly len: number;
  readonly pid: number;
}

export const readFlock = (view: DataView, at: number): Flock => ({
  type: view.getInt16(at, true),
  whence: view.getInt16(at + 2, true),
  start: getInt64(view, at + 8),
  len: getInt64(view, at + 16),
  pid: view.getInt32(at + 24, true),
});

export function writeFlock(view: DataView, at: number, lock: Flock): void {
  view.setInt16(at, lock.type, true);
  view.setInt16(at + 2, lock.whence, true);
  view.setInt32(at + 4, 0, true);
  setInt64(view, at + 8, lock.start);
  setInt64(view, at + 16, lock.len);
  view.setInt32(at + 24, lock.pid, true);
  view.setInt32(at + 28, 0, true);
}
