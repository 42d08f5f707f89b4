/**
 * POSIX access control lists (acl(5), getfacl(1)), which programs see as extended attributes. A list that says no more
 * than permission bits is turned into those, as on Linux, and the file then shows no list. Lists that say more are kept
 * in memory (tmpfs), by the host (hostfs) or by an overlay's upper layer, and refused elsewhere.
 */
import type { Result } from '../lib/result.ts';
import { EACCES, ENODATA, EOPNOTSUPP } from '../uapi/errno.ts';
import { isDir, isLnk } from '../uapi/stat.ts';
import { formatAccessList, isPlain, listMode, parseAccessList } from './access-list.ts';
import { changeOwn } from './attr.ts';
import type { WalkContext } from './context.ts';
import type { Path } from './dentry.ts';
import type { Inode } from './inode.ts';
import { chmodMode } from './permission.ts';
import type { Vfs } from './vfs.ts';

export const ACL_ACCESS = 'system.posix_acl_access';
export const ACL_DEFAULT = 'system.posix_acl_default';
const RWX = 0o777;

export const isAclName = (name: string): boolean => name === ACL_ACCESS || name === ACL_DEFAULT;

export function getAcl({ inode }: Path, name: string): Result<string> {
  if (isLnk(inode.mode)) return -EOPNOTSUPP;
  inode.learnLists();
  const list = name === ACL_DEFAULT ? inode.defaultAcl : inode.acl;
  return list === null ? -ENODATA : formatAccessList(list);
}

/** The names of the ACL attributes that the file has. */
export function aclNames(inode: Inode): string[] {
  inode.learnLists();
  return [...(inode.acl === null ? [] : [ACL_ACCESS]), ...(inode.defaultAcl === null ? [] : [ACL_DEFAULT])];
}

/** An empty value removes the list. */
export function setAcl(vfs: Vfs, ctx: WalkContext, path: Path, name: string, value: string): number {
  const { inode } = path;
  if (isLnk(inode.mode)) return -EOPNOTSUPP;
  const list = parseAccessList(value);
  if (typeof list === 'number') return list;
  if (name === ACL_DEFAULT && list !== null && !isDir(inode.mode)) return -EACCES;
  const kept = list !== null && name === ACL_ACCESS && isPlain(list) ? null : list;
  if (kept !== null && !inode.sb.keepsAccessLists) return -EOPNOTSUPP;
  if (name === ACL_DEFAULT) return changeOwn(vfs, ctx, path, { defaultAcl: kept });
  const wanted = list === null ? inode.mode : listMode(list) | (inode.mode & ~RWX);
  return changeOwn(vfs, ctx, path, { mode: chmodMode(inode, wanted, inode.gid, ctx.cred), acl: kept });
}
