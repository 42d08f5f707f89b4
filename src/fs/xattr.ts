/** Extended attributes by name: xattr(7), getxattr(2), setxattr(2), listxattr(2), removexattr(2). */
import { CAP_SETFCAP, CAP_SYS_ADMIN, type Cred, capable } from '../core/cred.ts';
import type { Result } from '../lib/result.ts';
import { E2BIG, EINVAL, ENODATA, EOPNOTSUPP, EPERM, ERANGE, EROFS } from '../uapi/errno.ts';
import { XATTR_CREATE, XATTR_REPLACE } from '../uapi/fcntl.ts';
import { IN_ATTRIB } from '../uapi/inotify.ts';
import { isDir, isReg, MAY_READ, MAY_WRITE, S_ISVTX } from '../uapi/stat.ts';
import type { WalkContext } from './context.ts';
import type { Path } from './dentry.ts';
import type { Inode } from './inode.ts';
import { ownerOrCapable, permissionAt } from './permission.ts';
import type { Vfs } from './vfs.ts';

export const XATTR_NAME_MAX = 255;
export const XATTR_SIZE_MAX = 65536;

/** The value, one character a byte. */
export function getXattr(ctx: WalkContext, path: Path, name: string): Result<string> {
  const err = nameError(name) || rights(path, name, MAY_READ, ctx.cred);
  return err < 0 ? err : path.inode.getxattr(name);
}

export function setXattr(
  vfs: Vfs,
  ctx: WalkContext,
  path: Path,
  name: string,
  value: string,
  flags: number,
): number {
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0) return -EINVAL;
  if (value.length > XATTR_SIZE_MAX) return -E2BIG;
  const err =
    nameError(name) || rights(path, name, MAY_WRITE, ctx.cred) || path.inode.setxattr(name, value, flags);
  if (err >= 0) tell(vfs, path);
  return err;
}

export function removeXattr(vfs: Vfs, ctx: WalkContext, path: Path, name: string): number {
  const err = nameError(name) || rights(path, name, MAY_WRITE, ctx.cred) || path.inode.removexattr(name);
  if (err >= 0) tell(vfs, path);
  return err;
}

/** The names; those of trusted attributes only for who may read them. */
export function listXattr(ctx: WalkContext, path: Path): string[] {
  const names = path.inode.listxattr();
  return capable(ctx.cred, CAP_SYS_ADMIN) ? names : names.filter(name => !name.startsWith('trusted.'));
}

function nameError(name: string): number {
  return name === '' || name.length > XATTR_NAME_MAX ? -ERANGE : 0;
}

/** The rules of the four namespaces (xattr(7)). */
function rights(path: Path, name: string, mask: number, cred: Cred): number {
  const { mount, inode } = path;
  const writes = mask === MAY_WRITE;
  if (writes && mount.readOnly) return -EROFS;
  const space = name.slice(0, name.indexOf('.') + 1);
  if (space === '' || name.length === space.length) return -(space === '' ? EOPNOTSUPP : EINVAL);
  if (space === 'security.') return writes ? securityError(name, cred) : 0;
  if (space === 'trusted.') return capable(cred, CAP_SYS_ADMIN) ? 0 : -(writes ? EPERM : ENODATA);
  if (space !== 'user.') return -EOPNOTSUPP;
  if (!isReg(inode.mode) && !isDir(inode.mode)) return -(writes ? EPERM : ENODATA);
  if (writes && isForeignSticky(inode, cred)) return -EPERM;
  return permissionAt(mount, inode, mask, cred);
}

function securityError(name: string, cred: Cred): number {
  const cap = name === 'security.capability' ? CAP_SETFCAP : CAP_SYS_ADMIN;
  return capable(cred, cap) ? 0 : -EPERM;
}

const isForeignSticky = (inode: Inode, cred: Cred): boolean =>
  isDir(inode.mode) && (inode.mode & S_ISVTX) !== 0 && !ownerOrCapable(inode, cred);

function tell(vfs: Vfs, { dentry }: Path): void {
  vfs.notify?.(IN_ATTRIB, dentry.parent, dentry.name, dentry.inode!, 0);
}
