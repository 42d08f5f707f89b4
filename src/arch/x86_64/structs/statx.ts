/**
 * struct statx (statx(2), linux/stat.h), 256 bytes:
 *
 *   0 stx_mask u32 | 4 stx_blksize u32 | 8 stx_attributes u64 | 16 stx_nlink u32 | 20 stx_uid u32
 *   24 stx_gid u32 | 28 stx_mode u16 | 30 - | 32 stx_ino u64 | 40 stx_size u64 | 48 stx_blocks u64
 *   56 stx_attributes_mask u64 | 64 stx_atime | 80 stx_btime | 96 stx_ctime | 112 stx_mtime
 *   128 stx_rdev_major u32 | 132 stx_rdev_minor u32 | 136 stx_dev_major u32 | 140 stx_dev_minor u32
 *   144 stx_mnt_id u64 | 152 - (direct I/O alignment and later fields: not told)
 *
 * A statx_timestamp: 0 tv_sec s64 | 8 tv_nsec u32 | 12 -
 */
import { setInt64 } from '../../../lib/int64.ts';
import { major, minor } from '../../../uapi/stat.ts';
import type { StatSource } from './stat.ts';
import type { Time } from './time.ts';

export const STATX_SIZE = 256;
export const STATX_BASIC_STATS = 0x7ff;
export const STATX_BTIME = 0x800;
export const STATX_MNT_ID = 0x1000;
export const STATX_MNT_ID_UNIQUE = 0x4000;
/** May never be asked for (statx(2), EINVAL). */
export const STATX_RESERVED = 0x80000000 | 0;
/** Attribute: the file is the root of a mount. */
export const STATX_ATTR_MOUNT_ROOT = 0x2000;

/** Attributes that are flags of the file, with the same bits as FS_IOC_GETFLAGS: immutable, append-only, no dump. */
const STATX_ATTR_FLAGS = 0x70;

export interface StatxSource extends StatSource {
  readonly fsFlags: number | null;
  readonly btime: Time | null;
}

export function writeStatx(
  view: DataView,
  at: number,
  from: StatxSource,
  blksize: number,
  mount: { readonly known: number; readonly id: number },
  mountRoot: boolean,
): void {
  const born = from.btime === null ? 0 : STATX_BTIME;
  for (let i = 0; i < STATX_SIZE; i += 4) view.setUint32(at + i, 0, true);
  view.setUint32(at, STATX_BASIC_STATS | mount.known | born, true);
  view.setUint32(at + 4, blksize, true);
  view.setUint32(
    at + 8,
    (mountRoot ? STATX_ATTR_MOUNT_ROOT : 0) | ((from.fsFlags ?? 0) & STATX_ATTR_FLAGS),
    true,
  );
  view.setUint32(at + 16, from.nlink, true);
  view.setUint32(at + 20, from.uid, true);
  view.setUint32(at + 24, from.gid, true);
  view.setUint16(at + 28, from.mode, true);
  setInt64(view, at + 32, from.ino);
  setInt64(view, at + 40, from.size);
  setInt64(view, at + 48, from.blocks);
  const known = from.fsFlags === null ? 0 : STATX_ATTR_FLAGS;
  view.setUint32(at + 56, STATX_ATTR_MOUNT_ROOT | known, true);
  writeTimestamp(view, at + 64, from.atime);
  if (from.btime !== null) writeTimestamp(view, at + 80, from.btime);
  writeTimestamp(view, at + 96, from.ctime);
  writeTimestamp(view, at + 112, from.mtime);
  view.setUint32(at + 128, major(from.rdev), true);
  view.setUint32(at + 132, minor(from.rdev), true);
  view.setUint32(at + 136, major(from.sb.dev), true);
  view.setUint32(at + 140, minor(from.sb.dev), true);
  setInt64(view, at + 144, mount.id);
}

function writeTimestamp(view: DataView, at: number, time: Time): void {
  setInt64(view, at, time.sec);
  view.setUint32(at + 8, time.nsec, true);
}
