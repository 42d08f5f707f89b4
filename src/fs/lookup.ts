/** Finding files by name, for all operations. `at` is where relative names start (null: the working directory). */
import type { Cred } from '../core/cred.ts';
import type { Result } from '../lib/result.ts';
import { EBUSY, ENOENT } from '../uapi/errno.ts';
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } from '../uapi/fcntl.ts';
import { MAY_EXEC } from '../uapi/stat.ts';
import type { WalkContext } from './context.ts';
import type { Dentry, Path } from './dentry.ts';
import type { Inode } from './inode.ts';
import type { Mount } from './mount.ts';
import { LAST_NORM, LOOKUP_DIRECTORY, LOOKUP_EMPTY, LOOKUP_FOLLOW, LOOKUP_PARENT } from './namei.ts';
import { permission } from './permission.ts';
import type { Vfs } from './vfs.ts';

/** The path that `name` means; `flags` are LOOKUP_*. It has no reference: `get` it to keep it. */
export function lookup(
  vfs: Vfs,
  ctx: WalkContext,
  at: Path | null,
  name: string,
  flags: number,
): Result<Path> {
  const err = vfs.walker.walk(ctx, at, name, flags);
  return err < 0 ? err : vfs.walker.path();
}

/** The inode that `name` means, attributes up to date; `atFlags` are AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH. */
export function lookupInode(
  vfs: Vfs,
  ctx: WalkContext,
  at: Path | null,
  name: string,
  atFlags: number,
): Result<Inode> {
  const err = vfs.walker.walk(ctx, at, name, lookupFlags(atFlags));
  if (err < 0) return err;
  const inode = vfs.walker.dentry.inode!;
  const fresh = inode.refresh();
  return fresh < 0 ? fresh : inode;
}

/** AT_* flags as LOOKUP_* flags. */
export const lookupFlags = (atFlags: number): number =>
  ((atFlags & AT_SYMLINK_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) |
  ((atFlags & AT_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0);

/** A directory to change to (chdir(2), chroot(2)): it must be searchable. */
export function lookupDirectory(vfs: Vfs, ctx: WalkContext, at: Path | null, name: string): Result<Path> {
  const path = lookup(vfs, ctx, at, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
  if (typeof path === 'number') return path;
  const err = permission(path.inode, MAY_EXEC, ctx.cred);
  return err < 0 ? err : path;
}

/** A name in a directory, existing or not, as operations that change directories need it. */
export interface Place {
  readonly mount: Mount;
  readonly dir: Dentry;
  /** Negative if the name does not exist. Mounts on it are not crossed. */
  readonly target: Dentry;
  /** LAST_NORM, or why the name cannot be made or removed ('.', '..', '/'): then `target` is `dir`. */
  readonly lastType: number;
  /** Slashes followed the name: it means a directory. */
  readonly trailing: boolean;
}

export function lookupPlace(vfs: Vfs, ctx: WalkContext, at: Path | null, name: string): Result<Place> {
  const { walker } = vfs;
  const err = walker.walk(ctx, at, name, LOOKUP_PARENT);
  if (err < 0) return err;
  const { mount, dentry: dir, lastType, trailing } = walker;
  if (lastType !== LAST_NORM) return { mount, dir, target: dir, lastType, trailing };
  const target = walker.lookupLast();
  return typeof target === 'number' ? target : { mount, dir, target, lastType, trailing };
}

/** Whether the name does not exist and cannot be made, as in proc. */
export const isUnmakable = ({ dir, target }: Pick<Place, 'dir' | 'target'>): boolean =>
  target.inode === null && dir.inode!.sb.namesOnly;

/** Whether something is mounted on the name, as seen through this mount. */
export const isMountpoint = (mount: Mount, dentry: Dentry): boolean => dentry.mounts?.has(mount) ?? false;

/** 0, -ENOENT if the name does not exist, or -EBUSY if something is mounted there. */
export function removable({ mount, target }: Place): number {
  if (target.inode === null) return -ENOENT;
  return isMountpoint(mount, target) ? -EBUSY : 0;
}

/** The credentials that access(2) uses: those of the real user. */
export function realCred(cred: Cred): Cred {
  if (cred.fsuid === cred.uid && cred.fsgid === cred.gid && (cred.uid === 0 || cred.effective.lo === 0))
    return cred;
  const effective = cred.uid === 0 ? cred.permitted : { lo: 0, hi: 0 };
  return { ...cred, fsuid: cred.uid, fsgid: cred.gid, effective };
}
