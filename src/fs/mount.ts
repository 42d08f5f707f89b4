/**
 * A filesystem at a place in the tree.
 *
 * `flags` are those of mount(2) that hold per mount. A mount is busy while paths into it are kept (`refs`)
 * or others are mounted in it (`children`); a detached one goes with its last path.
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

/** Numbers that are never given again begin here (statx(2), STATX_MNT_ID_UNIQUE): nobody takes one for another's. */
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
  /** What it shares, what it only gets, and whether it may not be bound elsewhere (peer-group.ts). */
  peers: PeerGroup | null = null;
  master: PeerGroup | null = null;
  unbindable = false;
  refs = 0;
  /** Made and not hung anywhere yet (open_tree(2), fsmount(2)): it goes with the file that stands for it. */
  loose = false;
  /** Told when a detached mount's last path is let go. */
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

  /** Hangs this mount on `mountpoint`, a dentry of `parent`'s. */
  attach(parent: Mount, mountpoint: Dentry): void {
    this.parent = parent;
    this.mountpoint = mountpoint;
    mountpoint.mounts ??= new Map();
    mountpoint.mounts.set(parent, this);
    parent.children.add(this);
  }

  /** Takes it off its mountpoint. */
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

/** A mount's flags as the newer system calls have them: relatime is none of them, strictatime is one. */
export function attributesOf({ flags }: Mount): number {
  const strict = (flags & (MS_NOATIME | MS_RELATIME)) === 0 ? MOUNT_ATTR_STRICTATIME : 0;
  return ATTRIBUTES.reduce(
    (all, [flag, attribute]) => ((flags & flag) !== 0 ? all | attribute : all),
    strict,
  );
}

/** What an access time setting of MOUNT_ATTR__ATIME means: neither of two flags is strictatime. */
const ATIMES: Readonly<Record<number, number>> = {
  0: MS_RELATIME,
  [MOUNT_ATTR_NOATIME]: MS_NOATIME,
  [MOUNT_ATTR_STRICTATIME]: 0,
};

/** Whether a set of attributes is one that a mount can have. */
export const isAttributes = (attributes: number): boolean =>
  attributes < 2 ** 32 &&
  (attributes & ~MOUNT_ATTR_ALL) === 0 &&
  ATIMES[attributes & MOUNT_ATTR__ATIME] !== undefined;

/** The flags of mount(2) for them. */
export const flagsOf = (attributes: number): number =>
  ATTRIBUTES.reduce(
    (all, [flag, attribute]) => ((attributes & attribute) !== 0 ? all | flag : all),
    ATIMES[attributes & MOUNT_ATTR__ATIME]!,
  );
