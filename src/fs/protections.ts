/**
 * What protects users from one another's names where many may make some: the settings fs.protected_* of proc_sys_fs(5).
 * A machine begins with the first two on, as distributions have it.
 */
import type { Cred } from '../core/cred.ts';
import { EACCES, EPERM } from '../uapi/errno.ts';
import {
  isFifo,
  isReg,
  MAY_READ,
  MAY_WRITE,
  S_ISGID,
  S_ISUID,
  S_ISVTX,
  S_IWGRP,
  S_IWOTH,
  S_IXGRP,
} from '../uapi/stat.ts';
import type { Inode } from './inode.ts';
import { ownerOrCapable, permission } from './permission.ts';

export class Protections {
  /** 0 or 1: `mayLink`, `mayFollow`. */
  hardlinks = 1;
  symlinks = 1;
  /** Of `mayReuse`. 0: none; 1: in directories that all may write to; 2: in those that a group may write to as well. */
  fifos = 0;
  regular = 0;

  /** May `cred` make a further name for the file? It is his, or one that he may read and write and that gives nobody its owner's rights. */
  mayLink(inode: Inode, cred: Cred): number {
    if (this.hardlinks === 0 || ownerOrCapable(inode, cred)) return 0;
    const { mode } = inode;
    const lends = (mode & S_ISUID) !== 0 || (mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP);
    if (!isReg(mode) || lends) return -EPERM;
    return permission(inode, MAY_READ | MAY_WRITE, cred) === 0 ? 0 : -EPERM;
  }

  /** May a walk by `cred` end by the symbolic link `link` of `dir`? No capability helps. */
  mayFollow(dir: Inode, link: Inode, cred: Cred): number {
    if (this.symlinks === 0 || !isSharedBy(dir, S_IWOTH)) return 0;
    return link.uid === cred.fsuid || link.uid === dir.uid ? 0 : -EACCES;
  }

  /** O_CREAT of what exists in a sticky directory and is somebody else's. Other kinds than these two never may. */
  mayReuse(dir: Inode, inode: Inode, cred: Cred): number {
    const level = isFifo(inode.mode) ? this.fifos : isReg(inode.mode) ? this.regular : 1;
    if (level === 0 || !isSharedBy(dir, level === 1 ? S_IWOTH : S_IWOTH | S_IWGRP)) return 0;
    return inode.uid === dir.uid || inode.uid === cred.fsuid ? 0 : -EACCES;
  }
}

/** Sticky, and one of these may write to it. */
const isSharedBy = ({ mode }: Inode, others: number): boolean =>
  (mode & S_ISVTX) !== 0 && (mode & others) !== 0;
