/** Extended attributes by name: xattr(7), getxattr(2), setxattr(2), listxattr(2), removexattr(2). */
import { CAP_SETFCAP, CAP_SYS_ADMIN, type Cred, capable } from '../core/cred.ts';
import type { Result } from '../lib/result.ts';
import { E2BIG, EINVAL, ENODATA, EOPNOTSUPP, EPERM, ERANGE, EROFS } from '../uapi/errno.ts';
import { XATTR_CREATE, XATTR_REPLACE } from '../uapi/fcntl.ts';
import { IN_ATTRIB } from '../uapi/inotify.ts';
import { isDir, isReg, MAY_READ, MAY_WRITE, S_ISVTX } from '../uapi/stat.ts';
import { aclNames, getAcl, isAclName, setAcl } from './acl.ts';
import { AnonInode } from './anon.ts';
import type { WalkContext } from './context.ts';
import type { Path } from './dentry.ts';
import { isFixed } from './flags.ts';
import type { Inode } from './inode.ts';
import { ownerOrCapable, permissionAt } from './permission.ts';
import type { Vfs } from './vfs.ts';

export const XATTR_NAME_MAX = 255;
export const XATTR_SIZE_MAX = 65536;

/** Read-only attribute of sockets, for lsfd(1) and lsof(8). */
const SOCKET_PROTOCOL = 'system.sockprotoname';
const protocolOf = (inode: Inode): string => (inode instanceof AnonInode ? inode.protocol : '');

/** Checks a call's arguments before any file is looked up: 0 or -errno. */
export function xattrError(name: string, size = 0, flags = 0): number {
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0) return -EINVAL;
  if (name === '' || name.length > XATTR_NAME_MAX) return -ERANGE;
  return size > XATTR_SIZE_MAX ? -E2BIG : 0;
}

/** The value, with one character per byte. */
export function getXattr(ctx: WalkContext, path: Path, name: string): Result<string> {
  if (isAclName(name)) return getAcl(path, name);
  if (name === SOCKET_PROTOCOL && protocolOf(path.inode) !== '') return `${protocolOf(path.inode)}\0`;
  const err = xattrError(name) || rights(path, name, MAY_READ, ctx.cred);
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
  if (isAclName(name)) return xattrError(name, value.length, flags) || setAcl(vfs, ctx, path, name, value);
  const err =
    xattrError(name, value.length, flags) ||
    rights(path, name, MAY_WRITE, ctx.cred) ||
    path.inode.setxattr(name, value, flags);
  if (err >= 0) tell(vfs, path);
  return err;
}

export function removeXattr(vfs: Vfs, ctx: WalkContext, path: Path, name: string): number {
  if (isAclName(name)) return setAcl(vfs, ctx, path, name, '');
  const err = xattrError(name) || rights(path, name, MAY_WRITE, ctx.cred) || path.inode.removexattr(name);
  if (err >= 0) tell(vfs, path);
  return err;
}

/** The names; trusted attributes are listed only for callers that may read them. */
export function listXattr(ctx: WalkContext, path: Path): string[] {
  const names = [...aclNames(path.inode), ...path.inode.listxattr()];
  if (protocolOf(path.inode) !== '') names.push(SOCKET_PROTOCOL);
  return capable(ctx.cred, CAP_SYS_ADMIN) ? names : names.filter(name => !name.startsWith('trusted.'));
}

/** The rules of the four namespaces (xattr(7)): first the caller's rights, then whether such a name can exist. */
function rights(path: Path, name: string, mask: number, cred: Cred): number {
  if (mask === MAY_WRITE && path.mount.readOnly) return -EROFS;
  const space = name.slice(0, name.indexOf('.') + 1);
  const err = accessError(path, name, space, mask, cred);
  if (err < 0) return err;
  if (!STORED.has(space)) return -EOPNOTSUPP;
  return name.length === space.length ? -EINVAL : 0;
}

/** The namespaces that are stored. "system." has only access control lists (acl.ts) and SOCKET_PROTOCOL. */
const STORED: ReadonlySet<string> = new Set(['user.', 'trusted.', 'security.']);

function accessError({ mount, inode }: Path, name: string, space: string, mask: number, cred: Cred): number {
  const writes = mask === MAY_WRITE;
  if (writes && isFixed(inode)) return -EPERM;
  if (space === 'system.') return 0;
  if (space === 'security.') return writes ? securityError(name, cred) : 0;
  if (space === 'trusted.') return capable(cred, CAP_SYS_ADMIN) ? 0 : -(writes ? EPERM : ENODATA);
  if (space === 'user.') {
    if (!isReg(inode.mode) && !isDir(inode.mode)) return -(writes ? EPERM : ENODATA);
    if (writes && isForeignSticky(inode, cred)) return -EPERM;
  }
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
