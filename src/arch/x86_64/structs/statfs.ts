/**
 * struct statfs (statfs(2), asm-generic/statfs.h), 120 bytes:
 *
 *   0 f_type | 8 f_bsize | 16 f_blocks | 24 f_bfree | 32 f_bavail | 40 f_files | 48 f_ffree (64 bits each)
 *   56 f_fsid (two s32) | 64 f_namelen | 72 f_frsize | 80 f_flags | 88 - (64 bits each)
 *
 * struct ustat (ustat(2)), 32 bytes: 0 f_tfree s32 | 8 f_tinode u64 | 16 f_fname, f_fpack (6 bytes each)
 */
import { setInt64 } from '../../../lib/int64.ts';
import type { StatFs } from '../../../uapi/statfs.ts';

export const STATFS_SIZE = 120;
export const USTAT_SIZE = 32;

export function writeStatfs(view: DataView, at: number, from: StatFs, fsid: number, flags: number): void {
  setInt64(view, at, from.type >>> 0);
  setInt64(view, at + 8, from.bsize);
  setInt64(view, at + 16, from.blocks);
  setInt64(view, at + 24, from.bfree);
  setInt64(view, at + 32, from.bavail);
  setInt64(view, at + 40, from.files);
  setInt64(view, at + 48, from.ffree);
  setInt64(view, at + 56, fsid >>> 0);
  setInt64(view, at + 64, from.namelen);
  setInt64(view, at + 72, from.bsize);
  setInt64(view, at + 80, flags);
  for (let i = 88; i < STATFS_SIZE; i += 4) view.setUint32(at + i, 0, true);
}

export function writeUstat(view: DataView, at: number, from: StatFs): void {
  for (let i = 0; i < USTAT_SIZE; i += 4) view.setUint32(at + i, 0, true);
  view.setInt32(at, Math.min(from.bfree, 2 ** 31 - 1), true);
  setInt64(view, at + 8, from.ffree);
}
