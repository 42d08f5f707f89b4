/**
 * File attributes that chattr(1) sets (ioctl_iflags(2)), and what they forbid: an immutable file cannot change, an
 * append-only file can only grow. Filesystems store them (`Inode.fsFlags`); this file gives them their meaning.
 */
import { CAP_LINUX_IMMUTABLE, type Cred, capable } from '../core/cred.ts';
import { EOPNOTSUPP, EPERM, EROFS } from '../uapi/errno.ts';
import { O_ACCMODE, O_APPEND, O_RDONLY, O_TRUNC } from '../uapi/fcntl.ts';
import { FS_APPEND_FL, FS_IMMUTABLE_FL, FS_NOATIME_FL, FS_NODUMP_FL } from '../uapi/ioctl-file.ts';
import type { Inode } from './inode.ts';
import type { Mount } from './mount.ts';
import { ownerOrCapable } from './permission.ts';

const FIXING = FS_IMMUTABLE_FL | FS_APPEND_FL;
/** The flags that can be changed. */
const SETTABLE = FIXING | FS_NODUMP_FL | FS_NOATIME_FL;

const has = (inode: Inode, flags: number): boolean => ((inode.fsFlags ?? 0) & flags) !== 0;

export const isImmutable = (inode: Inode): boolean => has(inode, FS_IMMUTABLE_FL);
export const isAppendOnly = (inode: Inode): boolean => has(inode, FS_APPEND_FL);
/** Either of these: its owner, mode, times, attributes and names cannot change. */
export const isFixed = (inode: Inode): boolean => has(inode, FIXING);
export const hasNoAtime = (inode: Inode): boolean => has(inode, FS_NOATIME_FL);

/** -EPERM for an open that could do more than append to an append-only file; otherwise 0. */
export function openError(inode: Inode, flags: number): number {
  if (!isAppendOnly(inode)) return 0;
  const writes = (flags & O_ACCMODE) !== O_RDONLY;
  return (writes && (flags & O_APPEND) === 0) || (flags & O_TRUNC) !== 0 ? -EPERM : 0;
}

/** FS_IOC_SETFLAGS. `alone` is false if the caller also asked for other attributes, which no filesystem here has. */
export function setFlags(
  mount: Mount | null,
  inode: Inode,
  flags: number,
  cred: Cred,
  alone: boolean = true,
): number {
  const old = inode.fsFlags ?? 0;
  if (mount?.readOnly === true || inode.sb.readOnly) return -EROFS;
  if (!ownerOrCapable(inode, cred)) return -EPERM;
  if (((flags ^ old) & FIXING) !== 0 && !capable(cred, CAP_LINUX_IMMUTABLE)) return -EPERM;
  if (!alone || (flags & ~SETTABLE) !== 0) return -EOPNOTSUPP;
  return inode.setFsFlags(flags);
}
