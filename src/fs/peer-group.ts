/**
 * Groups of mounts that propagate to each other (mount_namespaces(7), "Shared subtrees"): what is mounted or unmounted
 * on one is so on all its peers, and on their slaves, which send nothing back.
 *
 * All members of a group have the same master. A group goes with its last member, whose master its slaves inherit.
 */
import { MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE } from '../uapi/mount.ts';
import type { Mount } from './mount.ts';

export class PeerGroup {
  readonly id: number;
  readonly members: Set<Mount> = new Set();
  readonly slaves: Set<Mount> = new Set();
  private readonly all: PeerGroups;

  constructor(id: number, all: PeerGroups) {
    this.id = id;
    this.all = all;
  }

  get master(): PeerGroup | null {
    for (const { master } of this.members) return master;
    return null;
  }

  join(mount: Mount): void {
    this.members.add(mount);
    mount.peers = this;
    mount.unbindable = false;
  }

  leave(mount: Mount): void {
    this.members.delete(mount);
    mount.peers = null;
    if (this.members.size > 0) return;
    for (const slave of this.slaves) setMaster(slave, mount.master);
    this.all.free(this.id);
  }
}

/** The groups of a machine. A new group gets the lowest free number. */
export class PeerGroups {
  private readonly used: Set<number> = new Set();
  private lowest = 1;

  make(): PeerGroup {
    while (this.used.has(this.lowest)) this.lowest++;
    this.used.add(this.lowest);
    return new PeerGroup(this.lowest, this);
  }

  free(id: number): void {
    this.used.delete(id);
    this.lowest = Math.min(this.lowest, id);
  }
}

export function setMaster(mount: Mount, master: PeerGroup | null): void {
  mount.master?.slaves.delete(mount);
  mount.master = master;
  master?.slaves.add(mount);
}

export function share(groups: PeerGroups, mount: Mount): PeerGroup {
  if (mount.peers === null) groups.make().join(mount);
  return mount.peers!;
}

/** Makes the mount receive what its peers do, and send nothing. Without peers it keeps its master. */
function enslave(mount: Mount): void {
  const { peers } = mount;
  peers?.leave(mount);
  if (peers !== null && peers.members.size > 0) setMaster(mount, peers);
}

export function isolate(mount: Mount): void {
  mount.peers?.leave(mount);
  setMaster(mount, null);
  mount.unbindable = false;
}

/** Makes it MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE. */
export function setPropagation(groups: PeerGroups, mount: Mount, type: number): void {
  if (type === MS_SHARED) share(groups, mount);
  else if (type === MS_SLAVE) enslave(mount);
  else {
    isolate(mount);
    mount.unbindable = type === MS_UNBINDABLE;
  }
}

/** Puts a copy of a mount in the same group, with the same master. */
export function propagateLike(copy: Mount, from: Mount): void {
  from.peers?.join(copy);
  setMaster(copy, from.master);
  copy.unbindable = from.unbindable;
}

/** How a mount propagates, as bits of mount(2). */
export function propagationOf({ peers, master, unbindable }: Mount): number {
  const bits =
    (peers === null ? 0 : MS_SHARED) | (master === null ? 0 : MS_SLAVE) | (unbindable ? MS_UNBINDABLE : 0);
  return bits === 0 ? MS_PRIVATE : bits;
}
