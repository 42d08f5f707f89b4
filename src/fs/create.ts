/** Making names: mkdir(2), mknod(2), symlink(2), link(2), and files created by open(2). */
import { CAP_DAC_READ_SEARCH, CAP_FSETID, CAP_MKNOD, type Cred, capable, inGroup } from '../core/cred.ts';
import type { Result } from '../lib/result.ts';
import { EEXIST, EINVAL, ENAMETOOLONG, ENOENT, EPERM, EXDEV } from '../uapi/errno.ts';
import { AT_EMPTY_PATH, AT_SYMLINK_FOLLOW } from '../uapi/fcntl.ts';
import { IN_CREATE, IN_ISDIR } from '../uapi/inotify.ts';
import {
  isDir,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
} from '../uapi/stat.ts';
import { type AccessList, isPlain, listMode, withMode } from './access-list.ts';
import type { WalkContext } from './context.ts';
import type { Dentry, Path } from './dentry.ts';
import { isFixed } from './flags.ts';
import type { Inode, NewInode } from './inode.ts';
import { isUnmakable, lookup, lookupPlace, type Place } from './lookup.ts';
import { LAST_NORM, LOOKUP_EMPTY, LOOKUP_FOLLOW, PATH_MAX } from './namei.ts';
import { mayAdd } from './permission.ts';
import type { Vfs } from './vfs.ts';

const RWX = 0o777;

export function mkdir(vfs: Vfs, ctx: WalkContext, at: Path | null, name: string, mode: number): number {
  const place = newPlace(vfs, ctx, at, name, true);
  if (typeof place === 'number') return place;
  const init = newInode(place.dir.inode!, S_IFDIR | (mode & 0o1777), 0, ctx);
  return added(vfs, place.dir, place.target, place.dir.inode!.mkdir(place.target.name, init));
}

/** Makes a file, device, FIFO or socket; `mode` includes the type (0: a regular file). */
export function mknod(
  vfs: Vfs,
  ctx: WalkContext,
  at: Path | null,
  name: string,
  mode: number,
  rdev: number,
): number {
  const type = mode & S_IFMT || S_IFREG;
  if (type === S_IFDIR) return -EPERM;
  if (![S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK].includes(type)) return -EINVAL;
  const place = newPlace(vfs, ctx, at, name, false);
  if (typeof place === 'number') return place;
  const device = type === S_IFCHR || type === S_IFBLK;
  // A whiteout (0:0) is not a real device.
  if (device && !(type === S_IFCHR && rdev === 0) && !capable(ctx.cred, CAP_MKNOD)) return -EPERM;
  const init = newInode(place.dir.inode!, type | (mode & 0o7777), device ? rdev : 0, ctx);
  return added(vfs, place.dir, place.target, place.dir.inode!.mknod(place.target.name, init));
}

/** Makes an AF_UNIX socket's name (unix(7)); -EEXIST is bind's EADDRINUSE. The socket sets the inode's `endpoint`. */
export function makeSocket(vfs: Vfs, ctx: WalkContext, name: string, mode: number): Result<Path> {
  const err = mknod(vfs, ctx, null, name, S_IFSOCK | (mode & 0o777), 0);
  return err < 0 ? err : lookup(vfs, ctx, null, name, 0);
}

export function symlink(vfs: Vfs, ctx: WalkContext, target: string, at: Path | null, name: string): number {
  if (target === '') return -ENOENT;
  if (target.length >= PATH_MAX) return -ENAMETOOLONG;
  const place = newPlace(vfs, ctx, at, name, false);
  if (typeof place === 'number') return place;
  const { uid, gid } = newInode(place.dir.inode!, S_IFLNK, 0, ctx);
  const init = { mode: S_IFLNK | 0o777, uid, gid, rdev: 0 };
  return added(vfs, place.dir, place.target, place.dir.inode!.symlink(place.target.name, target, init));
}

/** linkat(2). */
export function link(
  vfs: Vfs,
  ctx: WalkContext,
  oldAt: Path | null,
  oldName: string,
  newAt: Path | null,
  newName: string,
  flags: number,
): number {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const empty = (flags & AT_EMPTY_PATH) !== 0;
  if (empty && oldName === '' && !capable(ctx.cred, CAP_DAC_READ_SEARCH)) return -ENOENT;
  const how = ((flags & AT_SYMLINK_FOLLOW) !== 0 ? LOOKUP_FOLLOW : 0) | (empty ? LOOKUP_EMPTY : 0);
  const old = lookup(vfs, ctx, oldAt, oldName, how);
  if (typeof old === 'number') return old;
  const place = lookupPlace(vfs, ctx, newAt, newName);
  if (typeof place === 'number') return place;
  const err = placeError(place, false, ctx.cred);
  if (err === -EEXIST || err === -ENOENT) return err;
  if (old.mount !== place.mount) return -EXDEV;
  const refused = vfs.protections.mayLink(old.inode, ctx.cred);
  if (refused < 0) return refused;
  return err < 0 ? err : linkInode(vfs, old.inode, place);
}

function linkInode(vfs: Vfs, inode: Inode, { dir, target }: Place): number {
  if (isFixed(inode) || isDir(inode.mode)) return -EPERM;
  if (inode.nlink === 0 && !inode.linkable) return -ENOENT;
  const err = dir.inode!.link(target.name, inode);
  if (err >= 0) inode.linkable = false;
  return added(vfs, dir, target, err < 0 ? err : inode);
}

/** Caches a new inode under its name and reports it to watchers; 0, or the error that `made` is. */
export function added(vfs: Vfs, dir: Dentry, target: Dentry, made: Inode | number): number {
  if (typeof made === 'number') return made;
  vfs.dcache.fill(target, made);
  vfs.notify?.(isDir(made.mode) ? IN_CREATE | IN_ISDIR : IN_CREATE, dir, target.name, made, 0);
  return 0;
}

/** A name that does not exist, in a directory where it may be made. */
function newPlace(
  vfs: Vfs,
  ctx: WalkContext,
  at: Path | null,
  name: string,
  directory: boolean,
): Result<Place> {
  const place = lookupPlace(vfs, ctx, at, name);
  if (typeof place === 'number') return place;
  const err = placeError(place, directory, ctx.cred);
  return err < 0 ? err : place;
}

function placeError(place: Place, directory: boolean, cred: Cred): number {
  const { mount, dir, target, lastType, trailing } = place;
  if (isUnmakable(place)) return -ENOENT;
  if (lastType !== LAST_NORM) return -EEXIST;
  if (trailing && !directory && target.inode === null) return -ENOENT;
  return mayAdd(mount, dir, target, cred);
}

/** A new inode's attributes: the umask or default list applied, the group of a set-group-ID directory (inode(7)). */
export function newInode(dir: Inode, mode: number, rdev: number, ctx: WalkContext): NewInode {
  const { cred } = ctx;
  dir.learnLists();
  const list = dir.defaultAcl;
  const plain = (dir.mode & S_ISGID) === 0;
  const given = plain ? mode : isDir(mode) ? mode | S_ISGID : stripGroupId(mode, dir.gid, cred);
  const inherited = given & ~(list === null ? ctx.umask : RWX & ~listMode(list));
  const init = { mode: inherited, uid: cred.fsuid, gid: plain ? cred.fsgid : dir.gid, rdev };
  return list === null ? init : { ...init, ...handedDown(list, inherited) };
}

/** The lists that a new file inherits from its directory's default list, which replaces the umask (acl(5)). */
function handedDown(list: AccessList, mode: number): Pick<NewInode, 'acl' | 'defaultAcl'> {
  const acl = isPlain(list) ? null : withMode(list, mode);
  return { acl, defaultAcl: isDir(mode) ? list : null };
}

/** A user outside a group cannot make a program with the group's rights, even if the umask would clear its bits. */
function stripGroupId(mode: number, gid: number, cred: Cred): number {
  const program = (mode & (S_ISGID | 0o010)) === (S_ISGID | 0o010);
  return program && !inGroup(cred, gid) && !capable(cred, CAP_FSETID) ? mode & ~S_ISGID : mode;
}
