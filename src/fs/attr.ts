/** Changing attributes: chmod(2), chown(2), utimensat(2), truncate(2); and access(2), readlink(2), statfs(2). */
import type { Timespec } from '../core/clock.ts';
import { CAP_FSETID, capable } from '../core/cred.ts';
import type { Result } from '../lib/result.ts';
import { EACCES, EFBIG, EINVAL, EISDIR, ENOENT, EOPNOTSUPP, EPERM, EROFS, ETXTBSY } from '../uapi/errno.ts';
import { AT_EACCESS, O_WRONLY } from '../uapi/fcntl.ts';
import { IN_ACCESS, IN_ATTRIB, IN_ISDIR, IN_MODIFY } from '../uapi/inotify.ts';
import {
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_RELATIME,
  ST_NOATIME,
  ST_NODEV,
  ST_NODIRATIME,
  ST_NOEXEC,
  ST_NOSUID,
  ST_NOSYMFOLLOW,
  ST_RDONLY,
  ST_RELATIME,
  ST_VALID,
} from '../uapi/mount.ts';
import { isDir, isLnk, isReg, MAY_EXEC, MAY_WRITE } from '../uapi/stat.ts';
import type { StatFs } from '../uapi/statfs.ts';
import { withMode } from './access-list.ts';
import { accessed } from './atime.ts';
import type { WalkContext } from './context.ts';
import type { Path } from './dentry.ts';
import type { File } from './file.ts';
import { isAppendOnly, isFixed, isImmutable } from './flags.ts';
import type { Attributes, Inode } from './inode.ts';
import { breakLeases } from './leases.ts';
import { lookup, lookupFlags, realCred } from './lookup.ts';
import type { Mount } from './mount.ts';
import { LOOKUP_EMPTY, LOOKUP_FOLLOW } from './namei.ts';
import { chmodMode, mayChown, ownerOrCapable, permission, permissionAt, privileges } from './permission.ts';
import type { Vfs } from './vfs.ts';

/** chmod(2) of a path found by `lookup`; also fchmod(2), with the file's path. */
export function chmod(vfs: Vfs, ctx: WalkContext, path: Path, mode: number): number {
  const { inode } = path;
  const attr: Attributes = { mode: chmodMode(inode, mode, inode.gid, ctx.cred) };
  inode.learnLists();
  if (inode.acl !== null) attr.acl = withMode(inode.acl, mode);
  return changeOwn(vfs, ctx, path, attr);
}

/** Changes what only the owner may change: the mode and access control lists. */
export function changeOwn(vfs: Vfs, ctx: WalkContext, path: Path, attr: Attributes): number {
  const { inode } = path;
  if (path.mount.readOnly) return -EROFS;
  if (inode.keepsAttributes) return -EOPNOTSUPP;
  if (isFixed(inode) || !ownerOrCapable(inode, ctx.cred)) return -EPERM;
  if (isLnk(inode.mode)) return -EOPNOTSUPP;
  attr.ctime = ctx.clock.coarse();
  return changed(vfs, path, attr);
}

/** A `uid` or `gid` of -1 stays as it is. */
export function chown(vfs: Vfs, ctx: WalkContext, path: Path, uid: number, gid: number): number {
  const { inode } = path;
  if (path.mount.readOnly) return -EROFS;
  if (inode.keepsAttributes) return -EOPNOTSUPP;
  const newUid = uid === -1 ? undefined : uid >>> 0;
  const newGid = gid === -1 ? undefined : gid >>> 0;
  if (isFixed(inode) || !mayChown(inode, newUid, newGid, ctx.cred)) return -EPERM;
  const attr: Attributes = { ctime: ctx.clock.coarse() };
  if (newUid !== undefined) attr.uid = newUid;
  if (newGid !== undefined) attr.gid = newGid;
  const gone = privileges(inode, ctx.cred);
  if (gone !== 0 && !ownerOrCapable(inode, ctx.cred)) return -EPERM;
  if (gone !== 0) attr.mode = inode.mode & ~gone;
  return changed(vfs, path, attr);
}

/** A time for `utimes`: a timespec, 'now', or null to leave it as it is (UTIME_OMIT). */
export type NewTime = Timespec | 'now' | null;

export function utimes(vfs: Vfs, ctx: WalkContext, path: Path, atime: NewTime, mtime: NewTime): number {
  const { inode, mount } = path;
  if (atime === null && mtime === null) return 0;
  if (mount.readOnly) return -EROFS;
  const touches = atime === 'now' && mtime === 'now';
  if (touches ? isImmutable(inode) : isFixed(inode)) return -EPERM;
  if (!ownerOrCapable(inode, ctx.cred)) {
    if (atime !== 'now' || mtime !== 'now') return -EPERM;
    const err = permissionAt(mount, inode, MAY_WRITE, ctx.cred);
    if (err < 0) return err;
  }
  const now = ctx.clock.coarse();
  const attr: Attributes = { ctime: now };
  if (atime !== null) attr.atime = atime === 'now' ? now : atime;
  if (mtime !== null) attr.mtime = mtime === 'now' ? now : mtime;
  return changed(vfs, path, attr);
}

/** truncate(2); ftruncate(2) is `truncateFile`. */
export function truncate(vfs: Vfs, ctx: WalkContext, name: string, size: number): number {
  if (size < 0) return -EINVAL;
  const path = lookup(vfs, ctx, null, name, LOOKUP_FOLLOW);
  if (typeof path === 'number') return path;
  const { inode, mount } = path;
  if (isDir(inode.mode)) return -EISDIR;
  if (!isReg(inode.mode)) return -EINVAL;
  const err = permissionAt(mount, inode, MAY_WRITE, ctx.cred);
  if (err < 0) return err;
  if (isAppendOnly(inode)) return -EPERM;
  if (inode.writers < 0) return -ETXTBSY;
  const leased = breakLeases(inode, O_WRONLY, vfs.leases);
  return leased < 0 ? leased : setSize(vfs, ctx, inode, path, size);
}

/** ftruncate(2). */
export function truncateFile(vfs: Vfs, ctx: WalkContext, file: File, size: number): number {
  if (size < 0 || !isReg(file.inode.mode) || !file.writable) return -EINVAL;
  return isAppendOnly(file.inode) ? -EPERM : setSize(vfs, ctx, file.inode, file.path, size);
}

/**
 * Sets a size, for callers that have checked permission. Clears set-user-ID and set-group-ID bits (inode(7)) unless
 * `ctx` has CAP_FSETID. Times change even if the size does not.
 */
export function setSize(vfs: Vfs, ctx: WalkContext, inode: Inode, path: Path | null, size: number): number {
  if (size > inode.sb.maxBytes) return -EFBIG;
  const now = ctx.clock.coarse();
  const attr: Attributes = { size, mtime: now, ctime: now };
  const gone = capable(ctx.cred, CAP_FSETID) ? 0 : privileges(inode, ctx.cred);
  if (gone !== 0) attr.mode = inode.mode & ~gone;
  const err = inode.setattr(attr);
  if (err >= 0 && path !== null) tell(vfs, path, gone !== 0 ? IN_MODIFY | IN_ATTRIB : IN_MODIFY);
  return err;
}

/** faccessat2(2): `mask` combines R_OK 4, W_OK 2, X_OK 1; 0: does the file exist? */
export function access(
  vfs: Vfs,
  ctx: WalkContext,
  at: Path | null,
  name: string,
  mask: number,
  atFlags: number,
): number {
  const cred = (atFlags & AT_EACCESS) !== 0 ? ctx.cred : realCred(ctx.cred);
  const who = cred === ctx.cred ? ctx : withCred(ctx, cred);
  const path = lookup(vfs, who, at, name, lookupFlags(atFlags));
  if (typeof path === 'number') return path;
  if (mask === 0) return 0;
  const { inode, mount } = path;
  if ((mask & MAY_EXEC) !== 0 && isReg(inode.mode) && (mount.flags & MS_NOEXEC) !== 0) return -EACCES;
  const err = permission(inode, mask, cred);
  return err < 0 ? err : permissionAt(mount, inode, mask, cred);
}

const withCred = (ctx: WalkContext, cred: WalkContext['cred']): WalkContext => ({
  cred,
  root: ctx.root,
  cwd: ctx.cwd,
  namespace: ctx.namespace,
  umask: ctx.umask,
  clock: ctx.clock,
  current: ctx.current,
});

export function readlink(vfs: Vfs, ctx: WalkContext, at: Path | null, name: string): Result<string> {
  const path = lookup(vfs, ctx, at, name, LOOKUP_EMPTY);
  if (typeof path === 'number') return path;
  const { inode } = path;
  if (!isLnk(inode.mode)) return name === '' ? -ENOENT : -EINVAL;
  const target = inode.readlink(ctx);
  if (typeof target !== 'number') accessed(path.mount, inode);
  return target;
}

/** statfs(2) of a mount, with its flags (ST_*). */
export function statfs(mount: Mount): StatFs & { readonly flags: number } {
  return { ...mount.sb.statfs(), flags: ST_VALID | statFlags(mount) };
}

const ST_FLAGS: readonly (readonly [number, number])[] = [
  [MS_NOSUID, ST_NOSUID],
  [MS_NODEV, ST_NODEV],
  [MS_NOEXEC, ST_NOEXEC],
  [MS_NOATIME, ST_NOATIME],
  [MS_NODIRATIME, ST_NODIRATIME],
  [MS_RELATIME, ST_RELATIME],
  [MS_NOSYMFOLLOW, ST_NOSYMFOLLOW],
];

const statFlags = (mount: Mount): number =>
  ST_FLAGS.reduce(
    (flags, [ms, st]) => ((mount.flags & ms) !== 0 ? flags | st : flags),
    mount.readOnly ? ST_RDONLY : 0,
  );

function changed(vfs: Vfs, path: Path, attr: Attributes): number {
  const err = path.inode.setattr(attr);
  if (isDir(path.inode.mode) || isLnk(path.inode.mode)) vfs.dcache.changes(path.dentry);
  const event = eventOf(attr);
  if (err >= 0 && event !== 0) tell(vfs, path, event);
  return err;
}

/** The IN_* event for a change. A lone time is reported as what usually changes it. */
function eventOf({ mode, uid, gid, atime, mtime, acl, defaultAcl }: Attributes): number {
  const isOther = [mode, uid, gid, acl, defaultAcl].some(value => value !== undefined);
  if (isOther || (atime !== undefined && mtime !== undefined)) return IN_ATTRIB;
  return atime !== undefined ? IN_ACCESS : mtime !== undefined ? IN_MODIFY : 0;
}

function tell(vfs: Vfs, { dentry }: Path, event: number): void {
  if (vfs.notify === null) return;
  const kind = isDir(dentry.inode!.mode) ? IN_ISDIR : 0;
  vfs.notify(event | kind, dentry.parent, dentry.name, dentry.inode!, 0);
}
