/** mount(2), umount(2), pivot_root(2), and mount namespaces. The system calls check capabilities. */
import type { Result } from '../lib/result.ts';
import { EBUSY, EINVAL, ELOOP, ENOTDIR } from '../uapi/errno.ts';
import {
  MNT_DETACH,
  MS_BIND,
  MS_MOVE,
  MS_NOATIME,
  MS_NODIRATIME,
  MS_NOSYMFOLLOW,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_RELATIME,
  MS_REMOUNT,
  MS_SHARED,
  MS_SILENT,
  MS_SLAVE,
  MS_STRICTATIME,
  MS_UNBINDABLE,
} from '../uapi/mount.ts';
import { isDir } from '../uapi/stat.ts';
import type { WalkContext } from './context.ts';
import { type Dentry, Path } from './dentry.ts';
import type { FsStruct } from './fs-struct.ts';
import type { Inode } from './inode.ts';
import { lookup } from './lookup.ts';
import { MOUNT_FLAGS, type Mount, newMount } from './mount.ts';
import {
  copyTree,
  graft,
  graftError,
  hang,
  isForeign,
  isMountRoot,
  isThere,
  release,
  releaseTree,
  roomForMounts,
} from './mount-tree.ts';
import { LOOKUP_FOLLOW } from './namei.ts';
import { MountNamespace, subtree } from './namespace.ts';
import { setPropagation } from './peer-group.ts';
import { propagatedUmounts, receivers, uncover } from './propagation.ts';
import type { MountRequest, SuperBlock } from './super.ts';
import type { Vfs } from './vfs.ts';

/** A remount without any of these keeps the mount's access time flags (mount(2)). */
const ATIME_FLAGS = MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME;
const PROPAGATION = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

/** mount(2): mounts a filesystem or changes mounts, depending on `flags`. */
export function mount(
  vfs: Vfs,
  ctx: WalkContext,
  source: string,
  target: string,
  type: string,
  flags: number,
  data: string,
): number {
  const where = lookup(vfs, ctx, null, target, LOOKUP_FOLLOW);
  if (typeof where === 'number') return where;
  const marks = (flags & (MS_REMOUNT | MS_BIND)) === 0 && (flags & PROPAGATION) !== 0;
  if (!marks && isForeign(where.mount, ctx)) return -EINVAL;
  if ((flags & MS_REMOUNT) !== 0) return remount(where, flags, data);
  if ((flags & MS_BIND) !== 0) return bind(vfs, ctx, source, where, (flags & MS_REC) !== 0);
  if ((flags & PROPAGATION) !== 0) return propagate(vfs, where, flags);
  if ((flags & MS_MOVE) !== 0) return move(vfs, ctx, source, where);
  const resolve = (path: string): Result<Inode> => {
    const found = lookup(vfs, ctx, null, path, LOOKUP_FOLLOW);
    return typeof found === 'number' ? found : found.inode;
  };
  const made = makeMount(vfs, type, source, flags, data, resolve);
  return typeof made === 'number' ? made : graftNew(vfs, made, where);
}

/** Makes a machine's first mount, the root of a new namespace. */
export function mountRoot(
  vfs: Vfs,
  type: string,
  source: string,
  flags: number,
  data: string,
): Result<MountNamespace> {
  const made = makeMount(vfs, type, source, flags, data);
  return typeof made === 'number' ? made : newNamespace(vfs, made);
}

/** Mounts a filesystem outside every namespace, for the kernel's own use or to be attached later. */
export function makeMount(
  vfs: Vfs,
  type: string,
  source: string,
  flags: number,
  data: string,
  resolve?: MountRequest['resolve'],
): Result<Mount> {
  const fsType = vfs.fileSystem(type);
  if (typeof fsType === 'number') return fsType;
  const full = roomForMounts(vfs, 1);
  if (full < 0) return full;
  const readOnly = (flags & MS_RDONLY) !== 0;
  const sb = fsType.mount({ source, data, readOnly, resolve }, vfs.env);
  if (typeof sb === 'number') return sb;
  if (readOnly) sb.readOnly = true;
  const known = [...vfs.roots].find(root => root.inode!.sb === sb);
  return newMount(vfs, sb, known ?? addRoot(vfs, sb), source, ownFlags(flags));
}

/** A new filesystem's root, known until its last mount is gone. */
function addRoot(vfs: Vfs, sb: SuperBlock): Dentry {
  const root = vfs.dcache.addRoot(sb.root);
  vfs.roots.add(root);
  sb.forgetRoot = () => {
    vfs.roots.delete(root);
    vfs.dcache.forgetRoot(root);
  };
  return root;
}

/** unshare(2) with CLONE_NEWNS: a copy of the namespace, and a map from old mounts to new. */
export function cloneNamespace(
  vfs: Vfs,
  ns: MountNamespace,
): { ns: MountNamespace; copies: Map<Mount, Mount> } {
  const copies = copyTree(vfs, ns.root, ns.root.root, true, true);
  return { ns: newNamespace(vfs, copies.get(ns.root)!), copies };
}

/** Whether there is room for a copy of this namespace's mounts: 0 or -ENOSPC. */
export const mayUnshareMounts = (vfs: Vfs, fs: FsStruct): number =>
  roomForMounts(vfs, fs.namespace?.mounts().length ?? 0);

/** CLONE_NEWNS: moves an fs struct to the same place in a copy of the mounts. The copy's last user takes it down. */
export function unshareMounts(vfs: Vfs, fs: FsStruct): number {
  const old = fs.namespace;
  const full = mayUnshareMounts(vfs, fs);
  if (old === null || full < 0) return old === null ? -EINVAL : full;
  const { ns, copies } = cloneNamespace(vfs, old);
  const copyOf = ({ mount, dentry }: Path): Path => new Path(copies.get(mount) ?? mount, dentry);
  fs.setRoot(copyOf(fs.root));
  fs.setCwd(copyOf(fs.cwd));
  ns.emptied = () => releaseTree(vfs, ns.root);
  fs.enter(ns);
  return 0;
}

/** setns(2): makes another namespace's root the root and working directory. */
export function enterMounts(fs: FsStruct, ns: MountNamespace): void {
  let mount = ns.root;
  for (let over = mount.root.mounts?.get(mount); over !== undefined; over = mount.root.mounts?.get(mount))
    mount = over;
  const root = new Path(mount, mount.root);
  fs.setRoot(root);
  fs.setCwd(root);
  fs.enter(ns);
}

/** umount2(2). */
export function umount(vfs: Vfs, path: Path, flags: number): number {
  const { mount } = path;
  if (!isMountRoot(path) || mount.namespace === null) return -EINVAL;
  if (mount.parent === null) return mount.namespace.root === mount ? -EBUSY : -EINVAL;
  const lazily = (flags & MNT_DETACH) !== 0;
  const going = new Set(lazily ? subtree(mount) : [mount]);
  const others = propagatedUmounts(going);
  if (!lazily && (mount.children.size > 0 || isInUse(mount) || [...others].some(isInUse))) return -EBUSY;
  for (const other of others) {
    uncover(other);
    release(vfs, other);
  }
  releaseTree(vfs, mount);
  return 0;
}

const isInUse = (mount: Mount): boolean => mount.refs > 0;

/** MS_SHARED and the like: changes how the mount propagates from now on. */
function propagate(vfs: Vfs, where: Path, flags: number): number {
  const type = flags & ~(MS_REC | MS_SILENT);
  if ((type & ~PROPAGATION) !== 0 || (type & (type - 1)) !== 0 || !isMountRoot(where)) return -EINVAL;
  const mounts = (flags & MS_REC) === 0 ? [where.mount] : subtree(where.mount);
  for (const mount of mounts) setPropagation(vfs.peerGroups, mount, type);
  return 0;
}

/** pivot_root(2). `everyone` is the fs structs of all tasks: those at the old root move to the new one. */
export function pivotRoot(
  ctx: WalkContext,
  newRoot: Path,
  putOld: Path,
  everyone: Iterable<FsStruct>,
): number {
  const old = new Path(ctx.root.mount, ctx.root.dentry);
  const ns = newRoot.mount.namespace;
  if (!isDir(newRoot.inode.mode) || !isDir(putOld.inode.mode)) return -ENOTDIR;
  if (newRoot.mount === old.mount || putOld.mount === old.mount) return -EBUSY;
  if (ns === null || ns !== old.mount.namespace || !isMountRoot(newRoot) || !isMountRoot(old)) return -EINVAL;
  if (newRoot.mount.parent === null || !isBelow(putOld, newRoot)) return -EINVAL;
  const moved = [newRoot.mount.parent, old.mount.parent, putOld.mount];
  if (moved.some(one => one !== null && one.peers !== null)) return -EINVAL;
  const { parent, mountpoint } = old.mount;
  newRoot.mount.detach();
  if (parent !== null && mountpoint !== null) {
    old.mount.detach();
    newRoot.mount.attach(parent, mountpoint);
  } else {
    ns.root = newRoot.mount;
  }
  const top = topOf(putOld);
  old.mount.attach(top.mount, top.dentry);
  for (const fs of everyone) {
    if (fs.root.equals(old)) fs.setRoot(newRoot);
    if (fs.cwd.equals(old)) fs.setCwd(newRoot);
  }
  return 0;
}

/** Where a path leads after crossing all mounts on it. */
export function topOf(path: Path): Path {
  let { mount, dentry } = path;
  for (let upper = dentry.mounts?.get(mount); upper !== undefined; upper = dentry.mounts?.get(mount)) {
    mount = upper;
    dentry = upper.root;
  }
  return new Path(mount, dentry);
}

/** sync(2). */
export function syncAll(vfs: Vfs): void {
  for (const { inode } of vfs.roots) inode!.sb.sync();
}

/** The per-mount flags of a new mount: relatime unless noatime or strictatime is asked for (mount(2)). */
function ownFlags(flags: number): number {
  const own = flags & (MOUNT_FLAGS | MS_NOSYMFOLLOW) & ~MS_RELATIME;
  return (flags & (MS_NOATIME | MS_STRICTATIME)) === 0 ? own | MS_RELATIME : own;
}

function graftNew(vfs: Vfs, made: Mount, where: Path): number {
  const again = isMountRoot(where) && where.mount.sb === made.sb && where.dentry === made.root;
  const err = again ? -EBUSY : graft(vfs, made, where);
  if (err < 0) releaseTree(vfs, made);
  return err;
}

function remount({ mount, dentry }: Path, flags: number, data: string): number {
  const { sb } = mount;
  if (dentry !== mount.root) return -EINVAL;
  const readOnly = (flags & MS_RDONLY) !== 0;
  const alone = (flags & MS_BIND) !== 0;
  if (alone && readOnly && mount.writers > 0) return -EBUSY;
  const err = alone ? 0 : changeFilesystem(sb, data, readOnly);
  if (err < 0) return err;
  const asked = (flags & ATIME_FLAGS) === 0 ? flags | (mount.flags & ATIME_FLAGS) | MS_STRICTATIME : flags;
  mount.flags = ownFlags(asked) | (asked & mount.flags & MS_RELATIME);
  return 0;
}

/** Changes a mounted filesystem's options. */
export function changeFilesystem(sb: SuperBlock, data: string, readOnly: boolean): number {
  if (readOnly && !sb.readOnly && sb.writers > 0) return -EBUSY;
  const err = sb.remount(data, readOnly);
  if (err === 0) sb.readOnly = readOnly;
  return err;
}

function bind(vfs: Vfs, ctx: WalkContext, source: string, where: Path, recursive: boolean): number {
  if (source === '') return -EINVAL;
  const from = lookup(vfs, ctx, null, source, LOOKUP_FOLLOW);
  if (typeof from === 'number') return from;
  if (!isThere(from.mount) || isForeign(from.mount, ctx) || from.mount.unbindable) return -EINVAL;
  return bindPath(vfs, from, where, recursive);
}

/** Makes what is at `from` visible at `where`, too. */
export function bindPath(vfs: Vfs, from: Path, where: Path, recursive: boolean): number {
  const full = roomForMounts(vfs, recursive ? subtree(from.mount).length : 1);
  if (full < 0) return full;
  const copy = copyTree(vfs, from.mount, from.dentry, recursive).get(from.mount)!;
  const err = graft(vfs, copy, where);
  if (err < 0) releaseTree(vfs, copy);
  return err;
}

function move(vfs: Vfs, ctx: WalkContext, source: string, where: Path): number {
  const from = lookup(vfs, ctx, null, source, LOOKUP_FOLLOW);
  return typeof from === 'number' ? from : moveMount(vfs, from, where);
}

/** Moves the tree of mounts whose root is `from`: MS_MOVE, move_mount(2). */
export function moveMount(vfs: Vfs, from: Path, where: Path): number {
  const err = moveError(from, where) || graftError(vfs, from.mount, where);
  if (err < 0) return err;
  from.mount.detach();
  hang(vfs, from.mount, where);
  return 0;
}

/** The same, but beneath the mount at `where`, which ends up on top. */
export function moveBeneath(vfs: Vfs, from: Path, where: Path): number {
  const { mount } = from;
  const top = where.mount;
  if (!isMountRoot(where) || top.parent === null || top.namespace === null) return -EINVAL;
  const place = new Path(top.parent, top.mountpoint!);
  // A propagated copy would land on top of the mount that it must be beneath, or on itself.
  const covers = (one: Mount): boolean => one.root === place.dentry && receivers(place.mount).includes(one);
  if (covers(top) || (!mount.loose && covers(mount))) return -EINVAL;
  if (from.dentry.mounts?.has(mount) === true) return -EINVAL;
  for (let at: Mount | null = mount; at !== null; at = at.parent) if (at === top) return -EINVAL;
  const err = moveError(from, place) || graftError(vfs, mount, place);
  if (err < 0) return err;
  mount.detach();
  top.detach();
  hang(vfs, mount, place);
  top.attach(mount, mount.root);
  return 0;
}

function moveError(from: Path, where: Path): number {
  const { mount } = from;
  if (!isMountRoot(from) || where.mount.namespace === null) return -EINVAL;
  const { parent } = mount;
  if (!mount.loose && (parent === null || mount.namespace !== where.mount.namespace)) return -EINVAL;
  if (parent !== null && parent.peers !== null) return -EINVAL;
  if (isDir(from.inode.mode) !== isDir(where.inode.mode)) return -EINVAL;
  for (let at: Mount | null = where.mount; at !== null; at = at.parent) if (at === mount) return -ELOOP;
  return 0;
}

function newNamespace(vfs: Vfs, root: Mount): MountNamespace {
  const ns = new MountNamespace(vfs.nextNamespaceId(), root);
  for (const one of ns.mounts()) one.namespace = ns;
  return ns;
}

function isBelow(path: Path, top: Path): boolean {
  let { mount, dentry } = path;
  while (mount !== top.mount) {
    if (mount.parent === null) return false;
    dentry = mount.mountpoint!;
    mount = mount.parent;
  }
  return dentry.isWithin(top.dentry);
}
