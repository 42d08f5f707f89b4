/** Removing names: unlink(2), rmdir(2). */
import { EBUSY, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EROFS } from '../uapi/errno.ts';
import { IN_DELETE, IN_ISDIR } from '../uapi/inotify.ts';
import { isDir } from '../uapi/stat.ts';
import type { WalkContext } from './context.ts';
import type { Path } from './dentry.ts';
import { lookupPlace, removable } from './lookup.ts';
import { LAST_DOT, LAST_DOTDOT, LAST_NORM, LAST_ROOT } from './namei.ts';
import { mayDelete } from './permission.ts';
import type { Vfs } from './vfs.ts';

export function unlink(vfs: Vfs, ctx: WalkContext, at: Path | null, name: string): number {
  const place = lookupPlace(vfs, ctx, at, name);
  if (typeof place === 'number') return place;
  if (place.lastType !== LAST_NORM) return -EISDIR;
  const { mount, dir, target, trailing } = place;
  const inode = target.inode;
  if (inode === null) return -ENOENT;
  if (trailing) return isDir(inode.mode) ? -EISDIR : -ENOTDIR;
  if (mount.readOnly) return -EROFS;
  const err =
    mayDelete(dir, target, false, ctx.cred) || removable(place) || dir.inode!.unlink(target.name, inode);
  if (err < 0) return err;
  vfs.notify?.(IN_DELETE, dir, target.name, inode, 0);
  vfs.dcache.drop(target);
  vfs.lostName(inode);
  return 0;
}

const NOT_REMOVABLE: Readonly<Record<number, number>> = {
  [LAST_DOT]: -EINVAL,
  [LAST_DOTDOT]: -ENOTEMPTY,
  [LAST_ROOT]: -EBUSY,
};

export function rmdir(vfs: Vfs, ctx: WalkContext, at: Path | null, name: string): number {
  const place = lookupPlace(vfs, ctx, at, name);
  if (typeof place === 'number') return place;
  if (place.lastType !== LAST_NORM) return NOT_REMOVABLE[place.lastType]!;
  const { mount, dir, target } = place;
  const inode = target.inode;
  if (mount.readOnly) return -EROFS;
  if (inode === null) return -ENOENT;
  const err =
    mayDelete(dir, target, true, ctx.cred) || removable(place) || dir.inode!.rmdir(target.name, inode);
  if (err < 0) return err;
  target.dead = true;
  vfs.notify?.(IN_DELETE | IN_ISDIR, dir, target.name, inode, 0);
  vfs.dcache.drop(target);
  return 0;
}
