/**
 * POSIX access control lists (acl(5), getfacl(1)) as the extended attributes that they are to programs. A list that says the
 * same as permission bits becomes these, as on Linux, and the file has none to show. Lists that say more are kept in
 * memory (tmpfs, and overlays with one above), by the host (hostfs), and refused elsewhere.
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

const ACCESS = 'system.posix_acl_access';
const DEFAULT = 'system.posix_acl_default';
const RWX = 0o777;

export const isAclName = (name: string): boolean => name === ACCESS || name === DEFAULT;

export function getAcl({ inode }: Path, name: string): Result<string> {
  if (isLnk(inode.mode)) return -EOPNOTSUPP;
  inode.learnLists();
  const list = name === DEFAULT ? inode.defaultAcl : inode.acl;
  return list === null ? -ENODATA : formatAccessList(list);
}

/** The attributes' names, of those that the file has. */
export function aclNames(inode: Inode): string[] {
  inode.learnLists();
  return [...(inode.acl === null ? [] : [ACCESS]), ...(inode.defaultAcl === null ? [] : [DEFAULT])];
}

/** An empty value stands for no list. */
export function setAcl(vfs: Vfs, ctx: WalkContext, path: Path, name: string, value: string): number {
  const { inode } = path;
  if (isLnk(inode.mode)) return -EOPNOTSUPP;
  const list = parseAccessList(value);
  if (typeof list === 'number') return list;
  if (name === DEFAULT && list !== null && !isDir(inode.mode)) return -EACCES;
  const kept = list !== null && name === ACCESS && isPlain(list) ? null : list;
  if (kept !== null && !inode.sb.keepsAccessLists) return -EOPNOTSUPP;
  if (name === DEFAULT) return changeOwn(vfs, ctx, path, { defaultAcl: kept });
  const wanted = list === null ? inode.mode : listMode(list) | (inode.mode & ~RWX);
  return changeOwn(vfs, ctx, path, { mode: chmodMode(inode, wanted, inode.gid, ctx.cred), acl: kept });
}
