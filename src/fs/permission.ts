/**
 * Who may do what to an inode: path_resolution(7), inode(7), capabilities(7), and the checks that
 * the pages of section 2 list under EACCES, EPERM and EROFS. Answers are 0 or -errno.
 */
import {
  CAP_CHOWN,
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  CAP_FOWNER,
  CAP_FSETID,
  type Cred,
  capable,
  inGroup,
} from '../core/cred.ts';
import { EACCES, EBUSY, EEXIST, EISDIR, ENOENT, ENOTDIR, EPERM, EROFS } from '../uapi/errno.ts';
import { IN_ATTRIB } from '../uapi/inotify.ts';
import {
  isDir,
  isLnk,
  isReg,
  MAY_EXEC,
  MAY_READ,
  MAY_WRITE,
  S_IRWXG,
  S_ISGID,
  S_ISUID,
  S_ISVTX,
} from '../uapi/stat.ts';
import { listAllows } from './access-list.ts';
import type { Dentry } from './dentry.ts';
import type { File } from './file.ts';
import { isAppendOnly, isFixed, isImmutable } from './flags.ts';
import type { Inode } from './inode.ts';
import type { Mount } from './mount.ts';

/** May `cred` do `mask` (of MAY_READ, MAY_WRITE, MAY_EXEC) to the inode? */
export function permission(inode: Inode, mask: number, cred: Cred): number {
  if ((mask & MAY_WRITE) !== 0 && inode.sb.readOnly && isStored(inode.mode)) return -EROFS;
  if ((mask & MAY_WRITE) !== 0 && isImmutable(inode)) return -EPERM;
  return inode.permission(mask, cred) ?? modePermission(inode, mask, cred);
}

/** Like `permission`, through a mount, which may itself be read-only. */
export function permissionAt(mount: Mount, inode: Inode, mask: number, cred: Cred): number {
  if ((mask & MAY_WRITE) !== 0 && mount.readOnly && isStored(inode.mode)) return -EROFS;
  return permission(inode, mask, cred);
}

/** May `cred` walk through this directory? The hot path of every lookup. */
export function maySearch(dir: Inode, cred: Cred): number {
  const own = dir.permission(MAY_EXEC, cred);
  if (own !== null) return own;
  if ((dir.mode & 0o111) === 0o111 && dir.acl === null) return 0;
  return modePermission(dir, MAY_EXEC, cred);
}

/** What the mode bits, the access control list and capabilities allow. */
export function modePermission(inode: Inode, mask: number, cred: Cred): number {
  const { mode } = inode;
  if (bitsAllow(inode, mask, cred)) return 0;
  if (isDir(mode)) {
    const readOrSearch = (mask & MAY_WRITE) === 0 && capable(cred, CAP_DAC_READ_SEARCH);
    return readOrSearch || capable(cred, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
  }
  if (mask === MAY_READ && capable(cred, CAP_DAC_READ_SEARCH)) return 0;
  const executable = (mask & MAY_EXEC) === 0 || (mode & 0o111) !== 0;
  return executable && capable(cred, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
}

/** The mode's group bits are the list's mask: if they are 0, the list is not consulted. */
function bitsAllow(inode: Inode, mask: number, cred: Cred): boolean {
  const { acl, mode, uid, gid } = inode;
  if (acl !== null && cred.fsuid !== uid && (mode & S_IRWXG) !== 0) return listAllows(acl, gid, mask, cred);
  return (classBits(inode, cred) & mask) === mask;
}

/** The three mode bits that apply to `cred`: the owner's, the group's or the others'. */
function classBits(inode: Inode, cred: Cred): number {
  const { mode } = inode;
  if (cred.fsuid === inode.uid) return (mode >> 6) & 7;
  if (((mode >> 3) & 7) !== (mode & 7) && inGroup(cred, inode.gid)) return (mode >> 3) & 7;
  return mode & 7;
}

/** False for devices, FIFOs and sockets, which may be written to on a read-only filesystem. */
export const isStored = (mode: number): boolean => isReg(mode) || isDir(mode) || isLnk(mode);

/** Whether `cred` may do what only the owner may do. */
export const ownerOrCapable = (inode: Inode, cred: Cred): boolean =>
  cred.fsuid === inode.uid || capable(cred, CAP_FOWNER);

/** May a name be made in `dir`? */
export function mayCreate(dir: Dentry, cred: Cred): number {
  return dir.dead ? -ENOENT : permission(dir.inode!, MAY_WRITE | MAY_EXEC, cred);
}

/** May `victim` be removed from `dir`, or replaced there, as a directory or as something else (`asDir`)? */
export function mayDelete(dir: Dentry, victim: Dentry, asDir: boolean, cred: Cred): number {
  const parent = dir.inode!;
  const inode = victim.inode;
  if (inode === null) return -ENOENT;
  const err = permission(parent, MAY_WRITE | MAY_EXEC, cred);
  if (err < 0) return err;
  if (isAppendOnly(parent) || isSticky(parent, inode, cred) || isFixed(inode)) return -EPERM;
  if (asDir !== isDir(inode.mode)) return asDir ? -ENOTDIR : -EISDIR;
  if (asDir && victim.parent === victim) return -EBUSY;
  return dir.dead ? -ENOENT : 0;
}

/** Whether the sticky bit forbids removal to all but the owner of the file or directory (unlink(2)). */
function isSticky(dir: Inode, inode: Inode, cred: Cred): boolean {
  if ((dir.mode & S_ISVTX) === 0) return false;
  return inode.uid !== cred.fsuid && dir.uid !== cred.fsuid && !capable(cred, CAP_FOWNER);
}

/** May the owner be changed to `uid` and the group to `gid` (undefined: unchanged)? */
export function mayChown(
  inode: Inode,
  uid: number | undefined,
  gid: number | undefined,
  cred: Cred,
): boolean {
  if (capable(cred, CAP_CHOWN)) return true;
  const owner = cred.fsuid === inode.uid;
  if (uid !== undefined && !(owner && uid === inode.uid)) return false;
  return gid === undefined || (owner && (gid === inode.gid || inGroup(cred, gid)));
}

/** The mode that chmod(2) sets: without S_ISGID if the caller is outside the group. */
export function chmodMode(inode: Inode, mode: number, gid: number, cred: Cred): number {
  const keeps = (mode & S_ISGID) === 0 || inGroup(cred, gid) || capable(cred, CAP_FSETID);
  return (inode.mode & ~0o7777) | (keeps ? mode & 0o7777 : mode & 0o7777 & ~S_ISGID);
}

/** The set-user-ID and set-group-ID bits that a write, truncation or chown by `cred` clears. */
export function privileges(inode: Inode, cred: Cred): number {
  const { mode } = inode;
  if ((mode & (S_ISUID | S_ISGID)) === 0 || isDir(mode)) return 0;
  const gone = mode & S_ISUID;
  if ((mode & S_ISGID) === 0) return gone;
  const loses = (mode & 0o010) !== 0 || !(inGroup(cred, inode.gid) || capable(cred, CAP_FSETID));
  return loses ? gone | S_ISGID : gone;
}

/** Clears those bits before a write; writes with CAP_FSETID keep them (write(2)). */
export function removePrivileges(file: Pick<File, 'inode' | 'happened'>, cred: Cred): number {
  const { inode } = file;
  if ((inode.mode & (S_ISUID | S_ISGID)) === 0 || !isReg(inode.mode)) return 0;
  const gone = privileges(inode, cred);
  if (gone === 0 || capable(cred, CAP_FSETID)) return 0;
  const err = inode.setattr({ mode: inode.mode & ~gone });
  if (err >= 0) file.happened(IN_ATTRIB);
  return err;
}

/** May `target` be made in `dir`? EEXIST comes before EROFS, because callers rely on it (mkdir(2) of a mountpoint). */
export function mayAdd(mount: Mount, dir: Dentry, target: Dentry, cred: Cred): number {
  if (target.inode !== null) return -EEXIST;
  return mount.readOnly ? -EROFS : mayCreate(dir, cred);
}
