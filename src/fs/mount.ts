/**
 * Mounts: a filesystem at a place in the tree.
 *
 * `flags` are the per-mount flags of mount(2). A mount is busy while paths into it are kept (`refs`) or others are
 * mounted in it (`children`); a detached mount goes with its last path.
 */
import {
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_ALL,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_RDONLY,
  MS_RELATIME,
} from '../uapi/mount.ts';
import type { Dentry } from './dentry.ts';
import type { MountNamespace } from './namespace.ts';
import type { PeerGroup } from './peer-group.ts';
import type { SuperBlock } from './super.ts';
import type { Vfs } from './vfs.ts';

/** The flags that belong to a mount, not to its filesystem. */
export const MOUNT_FLAGS =
  MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME;

/** Unique mount ids, never reused, begin here (statx(2), STATX_MNT_ID_UNIQUE), apart from the ordinary ones. */
export const UNIQUE_IDS = 2 ** 31;

export class Mount {
  readonly id: number;
  readonly sb: SuperBlock;
  readonly root: Dentry;
  /** Where it is mounted; null for the root of a namespace, and once it is unmounted. */
  parent: Mount | null = null;
  mountpoint: Dentry | null = null;
  readonly children: Set<Mount> = new Set();
  /** The tree it is part of; null when unmounted. */
  namespace: MountNamespace | null = null;
  /** MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME ... of mount(2). */
  flags: number;
  /** The source as given to mount(2), for /proc/mounts. */
  readonly source: string;
  /** The group it shares with, the group it only receives from, and whether it may not be bound (peer-group.ts). */
  peers: PeerGroup | null = null;
  master: PeerGroup | null = null;
  unbindable = false;
  refs = 0;
  /** Files that were opened for writing through this mount: while there are any, it cannot become read-only. */
  writers = 0;
  /** Not attached anywhere yet (open_tree(2), fsmount(2)): it goes with the file that stands for it. */
  loose = false;
  /** Called when a detached mount's last path is put. */
  lastPut: (() => void) | null = null;

  constructor(id: number, sb: SuperBlock, root: Dentry, source: string, flags: number) {
    this.id = id;
    this.sb = sb;
    this.root = root;
    this.source = source;
    this.flags = flags;
  }

  get uniqueId(): number {
    return UNIQUE_IDS + this.id;
  }

  get readOnly(): boolean {
    return (this.flags & MS_RDONLY) !== 0 || this.sb.readOnly;
  }

  put(): void {
    if (--this.refs === 0 && this.lastPut !== null) this.lastPut();
  }

  /** Attaches this mount at `mountpoint`, a dentry of `parent`. */
  attach(parent: Mount, mountpoint: Dentry): void {
    this.parent = parent;
    this.mountpoint = mountpoint;
    mountpoint.mounts ??= new Map();
    mountpoint.mounts.set(parent, this);
    parent.children.add(this);
  }

  detach(): void {
    const mounts = this.mountpoint?.mounts;
    if (mounts !== undefined && mounts !== null) {
      mounts.delete(this.parent!);
      if (mounts.size === 0) this.mountpoint!.mounts = null;
    }
    this.parent?.children.delete(this);
    this.parent = null;
    this.mountpoint = null;
  }
}

export function newMount(vfs: Vfs, sb: SuperBlock, root: Dentry, source: string, flags: number): Mount {
  vfs.mountCount++;
  sb.mounts++;
  root.inode!.refs++;
  return new Mount(vfs.nextMountId(), sb, root, source, flags);
}

const ATTRIBUTES: readonly (readonly [number, number])[] = [
  [MS_RDONLY, MOUNT_ATTR_RDONLY],
  [MS_NOSUID, MOUNT_ATTR_NOSUID],
  [MS_NODEV, MOUNT_ATTR_NODEV],
  [MS_NOEXEC, MOUNT_ATTR_NOEXEC],
  [MS_NOATIME, MOUNT_ATTR_NOATIME],
  [MS_NODIRATIME, MOUNT_ATTR_NODIRATIME],
  [MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW],
];

/** A mount's flags as MOUNT_ATTR_* of the newer system calls: relatime is no flag there, strictatime is one. */
export function attributesOf({ flags }: Mount): number {
  const strict = (flags & (MS_NOATIME | MS_RELATIME)) === 0 ? MOUNT_ATTR_STRICTATIME : 0;
  return ATTRIBUTES.reduce(
    (all, [flag, attribute]) => ((flags & flag) !== 0 ? all | attribute : all),
    strict,
  );
}

/** What each MOUNT_ATTR__ATIME setting means in flags of mount(2): strictatime is neither of two flags. */
const ATIMES: Readonly<Record<number, number>> = {
  0: MS_RELATIME,
  [MOUNT_ATTR_NOATIME]: MS_NOATIME,
  [MOUNT_ATTR_STRICTATIME]: 0,
};

/** Whether a mount can have this set of attributes. */
export const isAttributes = (attributes: number): boolean =>
  attributes < 2 ** 32 &&
  (attributes & ~MOUNT_ATTR_ALL) === 0 &&
  ATIMES[attributes & MOUNT_ATTR__ATIME] !== undefined;

/** The flags of mount(2) for a set of attributes. */
export const flagsOf = (attributes: number): number =>
  ATTRIBUTES.reduce(
    (all, [flag, attribute]) => ((attributes & attribute) !== 0 ? all | flag : all),
    ATIMES[attributes & MOUNT_ATTR__ATIME]!,
  );
