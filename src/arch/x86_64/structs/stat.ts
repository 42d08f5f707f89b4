/**
 * struct stat (stat(3type), asm/stat.h), 144 bytes:
 *
 *   0 st_dev u64 | 8 st_ino u64 | 16 st_nlink u64 | 24 st_mode u32 | 28 st_uid u32 | 32 st_gid u32 | 36 -
 *   40 st_rdev u64 | 48 st_size s64 | 56 st_blksize s64 | 64 st_blocks s64
 *   72 st_atim | 88 st_mtim | 104 st_ctim (timespecs) | 120 -
 */
import { setInt64 } from '../../../lib/int64.ts';
import { type Time, writeTimespec } from './time.ts';

export const STAT_SIZE = 144;

/** What an inode knows about itself. */
export interface StatSource {
  readonly sb: { readonly dev: number };
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blocks: number;
  readonly atime: Time;
  readonly mtime: Time;
  readonly ctime: Time;
}

export function writeStat(view: DataView, at: number, from: StatSource, blksize: number): void {
  setInt64(view, at, from.sb.dev);
  setInt64(view, at + 8, from.ino);
  setInt64(view, at + 16, from.nlink);
  view.setUint32(at + 24, from.mode, true);
  view.setUint32(at + 28, from.uid, true);
  view.setUint32(at + 32, from.gid, true);
  view.setUint32(at + 36, 0, true);
  setInt64(view, at + 40, from.rdev >>> 0);
  setInt64(view, at + 48, from.size);
  setInt64(view, at + 56, blksize);
  setInt64(view, at + 64, from.blocks);
  writeTimespec(view, at + 72, from.atime);
  writeTimespec(view, at + 88, from.mtime);
  writeTimespec(view, at + 104, from.ctime);
  for (let i = 120; i < STAT_SIZE; i += 4) view.setUint32(at + i, 0, true);
}
