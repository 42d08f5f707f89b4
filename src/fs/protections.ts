/**
 * Protects users from each other's names in shared directories: the settings fs.protected_* of proc_sys_fs(5).
 * A machine starts with the first two on, as distributions do.
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
  /** For `mayReuse`. 0: off; 1: in world-writable directories; 2: also in group-writable ones. */
  fifos = 0;
  regular = 0;

  /** May `cred` link the file? It must be its own, or regular, readable and writable for it, and not set-ID. */
  mayLink(inode: Inode, cred: Cred): number {
    if (this.hardlinks === 0 || ownerOrCapable(inode, cred)) return 0;
    const { mode } = inode;
    const lends = (mode & S_ISUID) !== 0 || (mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP);
    if (!isReg(mode) || lends) return -EPERM;
    return permission(inode, MAY_READ | MAY_WRITE, cred) === 0 ? 0 : -EPERM;
  }

  /** May a walk by `cred` end by following the symbolic link `link` in `dir`? No capability helps. */
  mayFollow(dir: Inode, link: Inode, cred: Cred): number {
    if (this.symlinks === 0 || !isSharedBy(dir, S_IWOTH)) return 0;
    return link.uid === cred.fsuid || link.uid === dir.uid ? 0 : -EACCES;
  }

  /** May O_CREAT open another user's existing file in a sticky directory? Other types always follow level 1. */
  mayReuse(dir: Inode, inode: Inode, cred: Cred): number {
    const level = isFifo(inode.mode) ? this.fifos : isReg(inode.mode) ? this.regular : 1;
    if (level === 0 || !isSharedBy(dir, level === 1 ? S_IWOTH : S_IWOTH | S_IWGRP)) return 0;
    return inode.uid === dir.uid || inode.uid === cred.fsuid ? 0 : -EACCES;
  }
}

/** Sticky, and writable for one of `others`. */
const isSharedBy = ({ mode }: Inode, others: number): boolean =>
  (mode & S_ISVTX) !== 0 && (mode & others) !== 0;
