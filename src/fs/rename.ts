/** rename(2), renameat2(2). */
import type { Cred } from '../core/cred.ts';
import { EBUSY, EEXIST, EINVAL, ENOENT, ENOTDIR, ENOTEMPTY, EROFS, EXDEV } from '../uapi/errno.ts';
import { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from '../uapi/fcntl.ts';
import { IN_ISDIR, IN_MOVED_FROM, IN_MOVED_TO } from '../uapi/inotify.ts';
import { isDir, MAY_WRITE } from '../uapi/stat.ts';
import type { WalkContext } from './context.ts';
import { newInode } from './create.ts';
import type { Dentry, Path } from './dentry.ts';
import type { Inode } from './inode.ts';
import { isMountpoint, isUnmakable, lookupPlace, type Place } from './lookup.ts';
import { LAST_NORM } from './namei.ts';
import { mayCreate, mayDelete, permission } from './permission.ts';
import type { Vfs } from './vfs.ts';

const KNOWN = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT;

export function rename(
  vfs: Vfs,
  ctx: WalkContext,
  oldAt: Path | null,
  oldName: string,
  newAt: Path | null,
  newName: string,
  flags: number,
): number {
  const exchange = (flags & RENAME_EXCHANGE) !== 0;
  if ((flags & ~KNOWN) !== 0 || (exchange && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) !== 0))
    return -EINVAL;
  const from = lookupPlace(vfs, ctx, oldAt, oldName);
  if (typeof from === 'number') return from;
  const to = lookupPlace(vfs, ctx, newAt, newName);
  if (typeof to === 'number') return to;
  const err = placesError(from, to, flags) || rightsError(from, to, exchange, ctx.cred);
  if (err < 0 || from.target.inode === to.target.inode) return err;
  return carryOut(vfs, ctx, from, to, flags);
}

/** What is wrong with the two places, whoever asks: 0 or -errno. */
function placesError(from: Place, to: Place, flags: number): number {
  const exchange = (flags & RENAME_EXCHANGE) !== 0;
  if (from.mount !== to.mount) return -EXDEV;
  if (isUnmakable(from) || isUnmakable(to)) return -ENOENT;
  if (from.lastType !== LAST_NORM) return -EBUSY;
  if (to.lastType !== LAST_NORM) return (flags & RENAME_NOREPLACE) !== 0 ? -EEXIST : -EBUSY;
  if (from.mount.readOnly) return -EROFS;
  const source = from.target.inode;
  const target = to.target.inode;
  if (source === null) return -ENOENT;
  if ((flags & RENAME_NOREPLACE) !== 0 && target !== null) return -EEXIST;
  if (exchange && target === null) return -ENOENT;
  if (exchange && to.trailing && !isDir(target!.mode)) return -ENOTDIR;
  if (!isDir(source.mode) && (from.trailing || (!exchange && to.trailing))) return -ENOTDIR;
  if (to.dir.isWithin(from.target)) return -EINVAL;
  if (target !== null && from.dir.isWithin(to.target)) return exchange ? -EINVAL : -ENOTEMPTY;
  return 0;
}

function rightsError(from: Place, to: Place, exchange: boolean, cred: Cred): number {
  const source = from.target.inode!;
  const target = to.target.inode;
  if (source === target) return 0;
  const asDir = isDir(source.mode);
  return (
    mayDelete(from.dir, from.target, asDir, cred) ||
    (target === null
      ? mayCreate(to.dir, cred)
      : mayDelete(to.dir, to.target, exchange ? isDir(target.mode) : asDir, cred)) ||
    (from.dir !== to.dir ? moveError(source, exchange ? target : null, cred) : 0) ||
    (isMountpoint(from.mount, from.target) || isMountpoint(to.mount, to.target) ? -EBUSY : 0)
  );
}

/** Moving a directory elsewhere writes to the directory itself: to its '..'. */
function moveError(source: Inode, target: Inode | null, cred: Cred): number {
  const err = isDir(source.mode) ? permission(source, MAY_WRITE, cred) : 0;
  return err < 0 || target === null || !isDir(target.mode) ? err : permission(target, MAY_WRITE, cred);
}

function carryOut(vfs: Vfs, ctx: WalkContext, from: Place, to: Place, flags: number): number {
  const source = from.target.inode!;
  const target = to.target.inode;
  const oldName = from.target.name;
  const newName = to.target.name;
  const err = from.dir.inode!.rename(oldName, source, to.dir.inode!, newName, target, flags);
  if (err < 0) return err;
  if ((flags & RENAME_EXCHANGE) !== 0) {
    vfs.dcache.exchange(from.target, to.target);
    moved(vfs, from.dir, oldName, to.dir, newName, source);
    moved(vfs, to.dir, newName, from.dir, oldName, target!);
    return 0;
  }
  replace(vfs, from.target, to);
  if (target !== null) vfs.lostName(target);
  if ((flags & RENAME_WHITEOUT) !== 0) ownWhiteout(from.dir.inode!, oldName, ctx);
  moved(vfs, from.dir, oldName, to.dir, newName, source);
  return 0;
}

/** The whiteout that takes the old name belongs to the caller, as every new file does. */
function ownWhiteout(dir: Inode, name: string, ctx: WalkContext): void {
  const whiteout = dir.lookup(name);
  if (typeof whiteout === 'number') return;
  const { uid, gid } = newInode(dir, whiteout.mode, 0, ctx);
  whiteout.setattr({ uid, gid });
}

function replace(vfs: Vfs, source: Dentry, to: Place): void {
  const name = to.target.name;
  if (to.target.inode !== null) to.target.dead = isDir(to.target.inode.mode);
  vfs.dcache.drop(to.target);
  vfs.dcache.move(source, to.dir, name);
}

function moved(
  vfs: Vfs,
  oldDir: Dentry,
  oldName: string,
  newDir: Dentry,
  newName: string,
  inode: Inode,
): void {
  if (vfs.notify === null) return;
  const cookie = vfs.nextCookie();
  const kind = isDir(inode.mode) ? IN_ISDIR : 0;
  vfs.notify(IN_MOVED_FROM | kind, oldDir, oldName, inode, cookie);
  vfs.notify(IN_MOVED_TO | kind, newDir, newName, inode, cookie);
}
