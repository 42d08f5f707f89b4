/** Copies trees of mounts, attaches them and takes them down. A tree is loose until it is attached. */
import { EINVAL, ENOENT, ENOSPC, ENOTDIR } from '../uapi/errno.ts';
import { isDir } from '../uapi/stat.ts';
import type { WalkContext } from './context.ts';
import type { Dentry, Path } from './dentry.ts';
import { type Mount, newMount } from './mount.ts';
import { subtree } from './namespace.ts';
import { isolate, propagateLike } from './peer-group.ts';
import { propagateMount, receivers } from './propagation.ts';
import type { Vfs } from './vfs.ts';

/** Stops mount bombs (binds of binds): per namespace (proc_sys_fs(5), mount-max). */
const MOUNT_MAX = 10_000;
/** Stops mount bombs of many namespaces: for all of them together. */
const MOST_MOUNTS = 100_000;

export const isMountRoot = (path: Path): boolean => path.dentry === path.mount.root;

/** Whether it is in a namespace, or in a loose tree. */
export function isThere(mount: Mount): boolean {
  let top = mount;
  while (top.parent !== null) top = top.parent;
  return top.namespace !== null || top.loose;
}

/** Whether a mount, reached by a descriptor, is in another namespace than the caller's, who may then not change it. */
export const isForeign = (mount: Mount, { namespace }: WalkContext): boolean =>
  mount.namespace !== null && mount.namespace !== namespace;

/** Attaches a tree of mounts at a path: 0 or -errno. */
export function graft(vfs: Vfs, tree: Mount, where: Path): number {
  const err = graftError(vfs, tree, where);
  if (err === 0) hang(vfs, tree, where);
  return err;
}

/** Whether `more` mounts may be made: 0 or -ENOSPC. */
export const roomForMounts = (vfs: Vfs, more: number): number =>
  vfs.mountCount + more > MOST_MOUNTS ? -ENOSPC : 0;

export function graftError(vfs: Vfs, tree: Mount, { mount, dentry, inode }: Path): number {
  const ns = mount.namespace;
  if (ns === null || dentry.dead || (dentry.unhashed && dentry.parent !== dentry)) return -ENOENT;
  if (!inode.mayBeCovered) return -ENOENT;
  if (isDir(tree.root.inode!.mode) !== isDir(inode.mode)) return -ENOTDIR;
  const more = subtree(tree);
  if (mount.peers !== null && more.some(one => one.unbindable)) return -EINVAL;
  const copies = receivers(mount).length;
  const here = tree.namespace === ns ? copies : copies + 1;
  if (ns.mounts().length + more.length * here > MOUNT_MAX) return -ENOSPC;
  return roomForMounts(vfs, more.length * copies);
}

/** Attaches a tree for which `graftError` answered 0. */
export function hang(vfs: Vfs, tree: Mount, { mount, dentry }: Path): void {
  const isNew = tree.namespace === null;
  tree.attach(mount, dentry);
  tree.loose = false;
  for (const one of subtree(tree)) one.namespace = mount.namespace;
  propagateMount(vfs, tree, isNew, mount, dentry);
}

/** Takes a tree down. */
export function releaseTree(vfs: Vfs, top: Mount): void {
  top.loose = false;
  for (const gone of subtree(top).reverse()) release(vfs, gone);
}

/**
 * Copies a mount from `root` down and, with `recursive`, the mounts below that; returns a map from old to new.
 * Unbindable mounts are left out unless `all` is set.
 */
export function copyTree(
  vfs: Vfs,
  top: Mount,
  root: Dentry,
  recursive: boolean,
  all: boolean = false,
): Map<Mount, Mount> {
  const copies = new Map([[top, copyMount(vfs, top, root)]]);
  if (!recursive) return copies;
  for (const one of subtree(top)) {
    const parent = one === top ? undefined : copies.get(one.parent!);
    if (parent === undefined || !one.mountpoint!.isWithin(parent.root)) continue;
    if (one.unbindable && !all) continue;
    const copy = copyMount(vfs, one, one.root);
    copies.set(one, copy);
    copy.attach(parent, one.mountpoint!);
  }
  return copies;
}

function copyMount(vfs: Vfs, from: Mount, root: Dentry): Mount {
  const copy = newMount(vfs, from.sb, root, from.source, from.flags);
  propagateLike(copy, from);
  return copy;
}

/** Takes a mount out of its tree; it is disposed of now, or with the last path into it. */
export function release(vfs: Vfs, mount: Mount): void {
  mount.detach();
  isolate(mount);
  mount.namespace = null;
  if (mount.refs === 0) dispose(vfs, mount);
  else mount.lastPut = () => dispose(vfs, mount);
}

function dispose(vfs: Vfs, mount: Mount): void {
  const { sb } = mount;
  vfs.mountCount--;
  mount.lastPut = null;
  sb.iput(mount.root.inode!);
  sb.unmount();
}
