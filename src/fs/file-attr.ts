/**
 * File attributes in the form that XFS introduced (ioctl_xfs_fsgetxattr(2), file_getattr(2)): those of flags.ts, and
 * others (extent sizes, project quotas) that no filesystem here has.
 */
import type { Cred } from '../core/cred.ts';
import { EINVAL, EOPNOTSUPP } from '../uapi/errno.ts';
import * as uapi from '../uapi/ioctl-file.ts';
import { isDir } from '../uapi/stat.ts';
import { setFlags } from './flags.ts';
import type { Inode } from './inode.ts';
import type { Mount } from './mount.ts';

export interface FileAttr {
  readonly xflags: number;
  readonly extsize: number;
  readonly projid: number;
  readonly cowextsize: number;
}

const FLAGS: readonly (readonly [number, number])[] = [
  [uapi.FS_XFLAG_IMMUTABLE, uapi.FS_IMMUTABLE_FL],
  [uapi.FS_XFLAG_APPEND, uapi.FS_APPEND_FL],
  [uapi.FS_XFLAG_NOATIME, uapi.FS_NOATIME_FL],
  [uapi.FS_XFLAG_NODUMP, uapi.FS_NODUMP_FL],
];
const OURS = FLAGS.reduce((all, [xflag]) => all | xflag, 0);

export const isKnown = (xflags: number): boolean => xflags < 2 ** 32 && (xflags & ~uapi.FS_XFLAGS_MASK) === 0;

/** The attributes of a file as one word; -EOPNOTSUPP if its filesystem has none. */
export function xflagsOf(inode: Inode): number {
  const { fsFlags } = inode;
  if (fsFlags === null) return -EOPNOTSUPP;
  return FLAGS.reduce((all, [xflag, flag]) => ((fsFlags & flag) !== 0 ? all | xflag : all), 0);
}

export function setFileAttr(mount: Mount | null, inode: Inode, attr: FileAttr, cred: Cred): number {
  if (inode.fsFlags === null) return -EOPNOTSUPP;
  const { extsize, cowextsize, projid } = attr;
  if ((attr.xflags & uapi.FS_XFLAG_EXTSZINHERIT) !== 0 && !isDir(inode.mode)) return -EINVAL;
  let xflags = attr.xflags & ~uapi.FS_XFLAG_RDONLY_MASK;
  // A hint of size 0 is no hint.
  if (extsize === 0) xflags &= ~(uapi.FS_XFLAG_EXTSIZE | uapi.FS_XFLAG_EXTSZINHERIT);
  if (cowextsize === 0) xflags &= ~uapi.FS_XFLAG_COWEXTSIZE;
  const flags = FLAGS.reduce((all, [xflag, flag]) => ((xflags & xflag) !== 0 ? all | flag : all), 0);
  const alone = (xflags & ~OURS) === 0 && extsize === 0 && cowextsize === 0 && projid === 0;
  return setFlags(mount, inode, flags, cred, alone);
}
