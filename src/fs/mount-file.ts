/** Files that stand for trees of mounts that are not attached anywhere yet: open_tree(2), fsmount(2). */
import type { Result } from '../lib/result.ts';
import { EBUSY, EINVAL } from '../uapi/errno.ts';
import { O_PATH } from '../uapi/fcntl.ts';
import { MOUNT_ATTR_RDONLY } from '../uapi/mount.ts';
import { Path } from './dentry.ts';
import { attributesOf, flagsOf, isAttributes, type Mount } from './mount.ts';
import { copyTree, isMountRoot, isThere, releaseTree, roomForMounts } from './mount-tree.ts';
import { subtree } from './namespace.ts';
import { PathFile } from './open.ts';
import { setPropagation } from './peer-group.ts';
import type { Vfs } from './vfs.ts';

/** Its release takes down the tree, unless that was attached. */
class TreeFile extends PathFile {
  private readonly vfs: Vfs;
  private readonly top: Mount;

  constructor(vfs: Vfs, top: Mount) {
    super(top.root.inode!, O_PATH);
    this.vfs = vfs;
    this.top = top;
    this.path = new Path(top, top.root).get();
  }

  override release(): void {
    if (this.top.loose) releaseTree(this.vfs, this.top);
  }
}

export function looseFile(vfs: Vfs, top: Mount): PathFile {
  top.loose = true;
  return new TreeFile(vfs, top);
}

/** A copy of the mount at `path`; with `recursive`, also of the mounts below it. */
export function openTree(vfs: Vfs, { mount, dentry }: Path, recursive: boolean): Result<PathFile> {
  if (!isThere(mount) || mount.unbindable) return -EINVAL;
  const full = roomForMounts(vfs, recursive ? subtree(mount).length : 1);
  if (full < 0) return full;
  return looseFile(vfs, copyTree(vfs, mount, dentry, recursive).get(mount)!);
}

/** A change by mount_setattr(2): attributes to set and clear, and MS_SHARED or the like, or 0. */
export interface MountChange {
  readonly set: number;
  readonly clear: number;
  readonly propagation: number;
}

/** Changes a mount, with `recursive` all below it, too: all of them or none. */
export function changeMount(vfs: Vfs, path: Path, change: MountChange, recursive: boolean): number {
  const { set, clear, propagation } = change;
  const { mount } = path;
  if (!isMountRoot(path) || !isThere(mount)) return -EINVAL;
  const mounts = recursive ? subtree(mount) : [mount];
  const changed = mounts.map(one => (attributesOf(one) & ~clear) | set);
  if (!changed.every(isAttributes)) return -EINVAL;
  const closes = (set & MOUNT_ATTR_RDONLY) !== 0;
  if (closes && mounts.some(one => one.writers > 0)) return -EBUSY;
  for (const [i, one] of mounts.entries()) {
    one.flags = flagsOf(changed[i]!);
    if (propagation !== 0) setPropagation(vfs.peerGroups, one, propagation);
  }
  return 0;
}
