/** open(2), openat2(2): from a name and O_* flags to an open file. */
import { CAP_FOWNER, capable } from '../core/cred.ts';
import type { Result } from '../lib/result.ts';
import {
  EACCES,
  EAGAIN,
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  ENOENT,
  ENOTDIR,
  ENXIO,
  EPERM,
  EROFS,
  ETXTBSY,
} from '../uapi/errno.ts';
import {
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
} from '../uapi/fcntl.ts';
import { IN_OPEN } from '../uapi/inotify.ts';
import { MS_NODEV, MS_NOEXEC } from '../uapi/mount.ts';
import {
  isDir,
  isLnk,
  isReg,
  MAY_EXEC,
  MAY_READ,
  MAY_WRITE,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFREG,
  S_IFSOCK,
} from '../uapi/stat.ts';
import { AnonInode } from './anon.ts';
import { setSize } from './attr.ts';
import type { WalkContext } from './context.ts';
import { added, newInode } from './create.ts';
import { type Dentry, Path } from './dentry.ts';
import { File } from './file.ts';
import { openError } from './flags.ts';
import type { Inode } from './inode.ts';
import { breakLeases } from './leases.ts';
import { isUnmakable } from './lookup.ts';
import {
  LAST_NORM,
  LOOKUP_DIRECTORY,
  LOOKUP_FOLLOW,
  LOOKUP_PARENT,
  RESOLVE_SHIFT,
  type Walker,
} from './namei.ts';
import { mayCreate, permission, permissionAt } from './permission.ts';
import { Trail } from './trail.ts';
import type { Vfs } from './vfs.ts';

/** What O_PATH opens: a place in the tree, without file operations (open(2)). */
export class PathFile extends File {}

/** Flags that matter only while opening; F_GETFL does not show them (fcntl(2)). */
const OPENING = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC;
const TMPFILE = O_TMPFILE & ~O_DIRECTORY;

/**
 * Opens `name` relative to `at` (null: the working directory). `resolve` are openat2's RESOLVE_* flags.
 * The file has one reference. -EAGAIN may mean that a lease is in the way (`vfs.leases.inTheWay`).
 */
export function open(
  vfs: Vfs,
  ctx: WalkContext,
  at: Path | null,
  name: string,
  rawFlags: number,
  mode: number,
  resolve = 0,
): Result<File> {
  let flags = rawFlags;
  if ((flags & O_PATH) !== 0) flags &= O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
  const how = resolve << RESOLVE_SHIFT;
  if ((flags & TMPFILE) !== 0) return openTemporary(vfs, ctx, at, name, flags, mode, how);
  if ((flags & O_CREAT) === 0) {
    const err = vfs.walker.walk(ctx, at, name, walkFlags(flags) | how);
    return err < 0 ? err : openPath(vfs, ctx, vfs.walker.path(), flags);
  }
  if ((flags & O_DIRECTORY) !== 0) return -EINVAL;
  const err = vfs.walker.walk(ctx, at, name, LOOKUP_PARENT | how);
  return err < 0 ? err : openOrCreate(vfs, ctx, flags, mode);
}

/**
 * Like `open`, but before the program asks, and only for existing files that never change and whose opening and closing
 * have no effect; otherwise -EAGAIN. If the name comes to mean something else, known answers are forgotten.
 */
export function openSteady(
  vfs: Vfs,
  ctx: WalkContext,
  at: Path | null,
  name: string,
  flags: number,
  led: LedTo,
): Result<File> {
  // Watchers would notice.
  if (vfs.notify !== null) return -EAGAIN;
  if (!leadsThere(led, vfs, ctx, name)) {
    const path = walkSteady(vfs, ctx, at, name, flags);
    if (typeof path === 'number') return path;
    led.path = path;
    led.epoch = vfs.dcache.epoch;
    led.root = new Path(ctx.root.mount, ctx.root.dentry);
  }
  const path = led.path!;
  return path.inode.locks === null ? openPath(vfs, ctx, path, flags) : -EAGAIN;
}

/** Where a name has led from that root, with the same flags and rights: it leads there while the epoch lasts. */
export interface LedTo {
  path: Path | null;
  root: Path | null;
  epoch: number;
}

const leadsThere = ({ path, root, epoch }: LedTo, { dcache }: Vfs, ctx: WalkContext, name: string): boolean =>
  path !== null &&
  epoch === dcache.epoch &&
  root?.dentry === ctx.root.dentry &&
  root.mount === ctx.root.mount &&
  name.startsWith('/');

function walkSteady(vfs: Vfs, ctx: WalkContext, at: Path | null, name: string, flags: number): Result<Path> {
  const { walker, dcache } = vfs;
  const trail = new Trail();
  walker.trail = trail;
  const err = walker.walk(ctx, at, name, walkFlags(flags));
  walker.trail = null;
  if (err < 0) return err;
  const path = walker.path();
  const { inode } = path;
  const isQuiet = inode.isSteady && (isReg(inode.mode) || isDir(inode.mode));
  if (!isQuiet || trail.unsure || trail.walks !== 1) return -EAGAIN;
  dcache.relyOnAll(trail.passed, inode);
  return path;
}

/** Opens the file at a path, checking all permissions except those on the way there. */
export function openPath(vfs: Vfs, ctx: WalkContext, path: Path, flags: number): Result<File> {
  const { inode, mount } = path;
  if ((flags & O_PATH) !== 0) return stand(new PathFile(inode, flags & ~O_CLOEXEC), path);
  const wants = (flags & O_TRUNC) !== 0 ? accessMask(flags) | MAY_WRITE : accessMask(flags);
  const err = typeError(path, flags, wants);
  if (err < 0) return err;
  const refused = permissionAt(mount, inode, wants, ctx.cred);
  if (refused < 0) return refused;
  const fixed = openError(inode, flags);
  if (fixed < 0) return fixed;
  if ((flags & O_NOATIME) !== 0 && ctx.cred.fsuid !== inode.uid && !capable(ctx.cred, CAP_FOWNER))
    return -EPERM;
  // After all rights: who may not write does not learn whether the program runs.
  if (inode.writers < 0 && (wants & MAY_WRITE) !== 0 && isReg(inode.type)) return -ETXTBSY;
  const leased = inode.locks === null ? 0 : breakLeases(inode, flags, vfs.leases);
  if (leased < 0) return leased;
  const file = openInode(vfs, ctx, path, flags);
  if (typeof file === 'number' || (flags & O_TRUNC) === 0 || !isReg(inode.mode)) return file;
  const cut = setSize(vfs, ctx, inode, path, 0);
  if (cut >= 0) return file;
  file.put();
  return cut;
}

/**
 * Opens a program for execve(2): readable here, even if it is only executable. A file that is open for writing is
 * -ETXTBSY; the caller decrements `inode.writers` while the program runs.
 */
export function openExec(
  vfs: Vfs,
  ctx: WalkContext,
  at: Path | null,
  name: string,
  lookupFlags: number,
): Result<File> {
  const err = vfs.walker.walk(ctx, at, name, lookupFlags);
  if (err < 0) return err;
  const path = vfs.walker.path();
  const { inode, mount } = path;
  if (isLnk(inode.mode)) return -ELOOP;
  if (!isReg(inode.mode) || (mount.flags & MS_NOEXEC) !== 0) return -EACCES;
  const refused = permission(inode, MAY_EXEC, ctx.cred);
  if (refused < 0) return refused;
  if (inode.writers > 0) return -ETXTBSY;
  const leased = breakLeases(inode, O_RDONLY, vfs.leases);
  return leased < 0 ? leased : openInode(vfs, ctx, path, O_RDONLY);
}

const walkFlags = (flags: number): number =>
  ((flags & O_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & O_DIRECTORY) !== 0 ? LOOKUP_DIRECTORY : 0);

/** Access mode 3 asks for both rights and gives neither (open(2), "File access mode"). */
function accessMask(flags: number): number {
  const mode = flags & O_ACCMODE;
  return mode === O_RDONLY ? MAY_READ : mode === O_WRONLY ? MAY_WRITE : MAY_READ | MAY_WRITE;
}

function typeError({ inode, mount }: Path, flags: number, wants: number): number {
  const { type } = inode;
  if (isLnk(type)) return -ELOOP;
  if ((flags & O_DIRECTORY) !== 0 && !isDir(type)) return -ENOTDIR;
  if (isDir(type) && ((wants & MAY_WRITE) !== 0 || (flags & O_CREAT) !== 0)) return -EISDIR;
  if ((type === S_IFCHR || type === S_IFBLK) && (mount.flags & MS_NODEV) !== 0) return -EACCES;
  return 0;
}

function openInode(vfs: Vfs, ctx: WalkContext, path: Path, flags: number): Result<File> {
  const { inode } = path;
  const file = openByType(vfs, ctx, inode, flags);
  if (typeof file === 'number') return file;
  if ((flags & O_DIRECT) !== 0 && !(isReg(inode.mode) && file.mayBeDirect)) {
    file.put();
    return -EINVAL;
  }
  file.flags = flags & ~OPENING;
  stand(file, path);
  if (file.writable && isReg(inode.mode)) {
    file.becomeWriter();
  } else if (file.readable && isReg(inode.mode)) {
    file.countsAsReader = true;
    file.inode.readers++;
  }
  const { dentry } = path;
  vfs.notify?.(IN_OPEN, dentry.parent, dentry.name, inode, 0);
  return file;
}

function openByType(vfs: Vfs, ctx: WalkContext, inode: Inode, flags: number): Result<File> {
  if (inode instanceof AnonInode) return inode.open(flags, ctx.cred);
  switch (inode.type) {
    case S_IFCHR:
      return vfs.charDevices.open(inode, flags, ctx.current);
    case S_IFBLK:
      return vfs.blockDevices.open(inode, flags, ctx.current);
    case S_IFIFO:
      return vfs.openFifo(inode, flags, ctx);
    case S_IFSOCK:
      return -ENXIO;
    default:
      return inode.open(flags, ctx.cred);
  }
}

/** A driver may have given the file a path of its own (/dev/ptmx, /dev/tty). */
function stand(file: File, path: Path): File {
  file.path ??= path.get();
  return file;
}

/** With the walker at the parent, opens the last component, following links, or creates it. */
function openOrCreate(vfs: Vfs, ctx: WalkContext, flags: number, mode: number): Result<File> {
  const { walker } = vfs;
  for (;;) {
    if (walker.lastType !== LAST_NORM || walker.trailing) return lastError(vfs, ctx, walker, flags);
    const target = walker.lookupLast();
    if (typeof target === 'number') return target;
    const inode = target.inode;
    if (inode === null) return createAndOpen(vfs, ctx, target, flags, mode);
    if ((flags & O_EXCL) !== 0) return -EEXIST;
    const link = isLnk(inode.mode);
    if (!link || (flags & O_NOFOLLOW) !== 0) {
      const refused = isDir(inode.mode)
        ? -EISDIR
        : vfs.protections.mayReuse(walker.dentry.inode!, inode, ctx.cred);
      if (refused < 0) return refused;
      return link ? -ELOOP : openFound(vfs, ctx, target, flags);
    }
    const err = walker.followLast(ctx, target);
    if (err < 0) return err;
  }
}

function openFound(vfs: Vfs, ctx: WalkContext, target: Dentry, flags: number): Result<File> {
  const { walker } = vfs;
  walker.dentry = target;
  const err = walker.cross();
  return err < 0 ? err : openPath(vfs, ctx, walker.path(), flags);
}

/** The name ends in '.', '..' or a slash: a directory, which cannot be created. Or a magic link led to a file. */
function lastError(vfs: Vfs, ctx: WalkContext, walker: Walker, flags: number): Result<File> {
  const found = walker.dentry.inode!;
  if (walker.lastType !== LAST_NORM && (flags & O_EXCL) !== 0) return -EEXIST;
  if (walker.lastType === LAST_NORM || isDir(found.mode)) return -EISDIR;
  return openPath(vfs, ctx, walker.path(), flags);
}

function createAndOpen(
  vfs: Vfs,
  ctx: WalkContext,
  target: Dentry,
  flags: number,
  mode: number,
): Result<File> {
  const { mount, dentry: dir } = vfs.walker;
  if (isUnmakable({ dir, target })) return -ENOENT;
  if (mount.readOnly) return -EROFS;
  const refused = mayCreate(dir, ctx.cred);
  if (refused < 0) return refused;
  const parent = dir.inode!;
  const init = newInode(parent, S_IFREG | (mode & 0o7777), 0, ctx);
  const err = added(vfs, dir, target, parent.mknod(target.name, init));
  if (err < 0) return err;
  const file = openInode(vfs, ctx, new Path(mount, target), flags);
  if (typeof file !== 'number') file.created = true;
  return file;
}

/** O_TMPFILE: `name` is a directory. The file has no name; without O_EXCL, linkat(2) may give it one. */
function openTemporary(
  vfs: Vfs,
  ctx: WalkContext,
  at: Path | null,
  name: string,
  flags: number,
  mode: number,
  how: number,
): Result<File> {
  if ((flags & O_DIRECTORY) === 0 || (flags & O_CREAT) !== 0) return -EINVAL;
  if ((flags & O_ACCMODE) === O_RDONLY) return -EINVAL;
  const err = vfs.walker.walk(ctx, at, name, walkFlags(flags) | how);
  if (err < 0) return err;
  const { mount, dentry: dir } = vfs.walker;
  const parent = dir.inode!;
  if (mount.readOnly) return -EROFS;
  const refused = permission(parent, MAY_WRITE | MAY_EXEC, ctx.cred);
  if (refused < 0) return refused;
  const made = parent.tmpfile(newInode(parent, S_IFREG | (mode & 0o7777), 0, ctx));
  if (typeof made === 'number') return made;
  made.linkable = (flags & O_EXCL) === 0;
  const file = openInode(vfs, ctx, new Path(mount, vfs.dcache.unnamed(dir, made)), flags & ~O_DIRECTORY);
  // F_GETFL shows all of O_TMPFILE.
  if (typeof file !== 'number') file.flags |= O_DIRECTORY;
  return file;
}
