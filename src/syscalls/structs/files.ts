/** Files and filesystems (stat(2), statx(2), statfs(2)), as strace shows them. */
import { FLOCK_SIZE } from '../../arch/x86_64/structs/flock.ts';
import { STAT_SIZE } from '../../arch/x86_64/structs/stat.ts';
import { STATFS_SIZE } from '../../arch/x86_64/structs/statfs.ts';
import { STATX_SIZE } from '../../arch/x86_64/structs/statx.ts';
import { getInt64 } from '../../lib/int64.ts';
import * as fcntl from '../../uapi/fcntl.ts';
import * as stat from '../../uapi/stat.ts';
import type { FlagNames, ShowField, Struct } from '../args.ts';
import { address, flagWord, hexadecimal, named, namesIn, octal, struct } from '../show.ts';
import { s32, s64, u16, u32, u64 } from './fields.ts';

const TYPES = namesIn(stat, /^S_IF(?!MT)/);
const SPECIAL: FlagNames = { S_ISUID: stat.S_ISUID, S_ISGID: stat.S_ISGID, S_ISVTX: stat.S_ISVTX };
const fileMode = (mode: number): string => {
  const special = mode & 0o7000;
  const type = named(TYPES)(mode & stat.S_IFMT);
  return `${type}|${special === 0 ? '' : `${flagWord(special, SPECIAL)}|`}${octal(mode & 0o777)}`;
};

/** Shows the number of a device, the size of any other file. */
export const STAT: Struct = {
  size: STAT_SIZE,
  show: (view, at) => {
    const mode = view.getUint32(at + 24, true);
    const rdev = view.getUint32(at + 40, true);
    const isDevice = stat.isChr(mode) || stat.isBlk(mode);
    const device = `st_rdev=makedev(${hexadecimal(stat.major(rdev))}, ${hexadecimal(stat.minor(rdev))})`;
    const what = isDevice ? device : `st_size=${getInt64(view, at + 48)}`;
    return `{st_mode=${fileMode(mode)}, ${what}, ...}`;
  },
};
const STATX_BITS: FlagNames = {
  STATX_TYPE: 1,
  STATX_MODE: 2,
  STATX_NLINK: 4,
  STATX_UID: 8,
  STATX_GID: 0x10,
  STATX_ATIME: 0x20,
  STATX_MTIME: 0x40,
  STATX_CTIME: 0x80,
  STATX_INO: 0x100,
  STATX_SIZE: 0x200,
  STATX_BLOCKS: 0x400,
};
/** statx(2)'s mask. */
export const STATX_MASK: FlagNames = {
  STATX_ALL: 0xfff,
  STATX_BASIC_STATS: 0x7ff,
  ...STATX_BITS,
  STATX_BTIME: 0x800,
  STATX_MNT_ID: 0x1000,
  STATX_MNT_ID_UNIQUE: 0x4000,
};
const STATX_RESULT: FlagNames = { ...STATX_MASK, STATX_ALL: 0 };
export const STATX = struct(
  STATX_SIZE,
  {
    stx_mask: u32(0, value => flagWord(value | 0, STATX_RESULT)),
    stx_attributes: u64(8, value => (value === 0 ? '0' : hexadecimal(value))),
    stx_mode: u16(28, fileMode),
    stx_size: u64(40),
  },
  true,
);
/** statfs(2). */
const FILESYSTEMS: FlagNames = {
  EXT2_SUPER_MAGIC: 0xef53,
  TMPFS_MAGIC: 0x01021994,
  PROC_SUPER_MAGIC: 0x9fa0,
  SYSFS_MAGIC: 0x62656572,
  DEVPTS_SUPER_MAGIC: 0x1cd1,
  PIPEFS_MAGIC: 0x50495045,
  SOCKFS_MAGIC: 0x534f434b,
  OVERLAYFS_SUPER_MAGIC: 0x794c7630,
  HOSTFS_SUPER_MAGIC: 0xc0ffee,
  BTRFS_SUPER_MAGIC: 0x9123683e,
  XFS_SUPER_MAGIC: 0x58465342,
};
const MOUNT_FLAGS: FlagNames = {
  ST_VALID: 0x20,
  ST_RDONLY: 1,
  ST_NOSUID: 2,
  ST_NODEV: 4,
  ST_NOEXEC: 8,
  ST_SYNCHRONOUS: 0x10,
  ST_MANDLOCK: 0x40,
  ST_NOATIME: 0x400,
  ST_NODIRATIME: 0x800,
  ST_RELATIME: 0x1000,
  ST_NOSYMFOLLOW: 0x2000,
};
const fsid: ShowField = (view, at) =>
  `{val=[${hexadecimal(view.getUint32(at + 56, true))}, ${hexadecimal(view.getUint32(at + 60, true))}]}`;
export const STATFS = struct(STATFS_SIZE, {
  f_type: u64(0, named(FILESYSTEMS)),
  f_bsize: u64(8),
  f_blocks: u64(16),
  f_bfree: u64(24),
  f_bavail: u64(32),
  f_files: u64(40),
  f_ffree: u64(48),
  f_fsid: fsid,
  f_namelen: u64(64),
  f_frsize: u64(72),
  f_flags: u64(80, value => flagWord(value, MOUNT_FLAGS)),
});
export const USTAT = struct(32, { f_tfree: s32(0), f_tinode: u64(8) }, true);

export const XATTR_ARGS = struct(16, { value: u64(0, address), size: u32(8), flags: u32(12, hexadecimal) });

const LOCK_TYPES: FlagNames = { F_RDLCK: fcntl.F_RDLCK, F_WRLCK: fcntl.F_WRLCK, F_UNLCK: fcntl.F_UNLCK };
const WHENCE: FlagNames = { SEEK_SET: 0, SEEK_CUR: 1, SEEK_END: 2 };
export const FLOCK = struct(FLOCK_SIZE, {
  l_type: u16(0, named(LOCK_TYPES)),
  l_whence: u16(2, named(WHENCE)),
  l_start: s64(8),
  l_len: s64(16),
});

export const WINSIZE = struct(8, { ws_row: u16(0), ws_col: u16(2), ws_xpixel: u16(4), ws_ypixel: u16(6) });
