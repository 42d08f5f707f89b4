/** Propagates mounts and unmounts on a shared mount to its peers and their slaves (mount_namespaces(7)). */
import type { Dentry } from './dentry.ts';
import { type Mount, newMount } from './mount.ts';
import { subtree } from './namespace.ts';
import { type PeerGroup, setMaster, share } from './peer-group.ts';
import type { Vfs } from './vfs.ts';

/** For each mount of a tree, the group of its copies. */
type Groups = ReadonlyMap<Mount, PeerGroup>;

/** All mounts that receive what `from` receives, except itself. */
export function receivers(from: Mount): Mount[] {
  const found = new Set<Mount>();
  // Iterating over a set includes what is added meanwhile.
  const groups = new Set(from.peers === null ? [] : [from.peers]);
  for (const { members, slaves } of groups) {
    for (const member of members) found.add(member);
    for (const slave of slaves) {
      found.add(slave);
      if (slave.peers !== null) groups.add(slave.peers);
    }
  }
  found.delete(from);
  return [...found];
}

/**
 * A tree of mounts was attached at `place` in `parent`: if that is shared, its receivers get copies. Mounts of the tree
 * itself may be among them, unless it is new.
 */
export function propagateMount(vfs: Vfs, tree: Mount, isNew: boolean, parent: Mount, place: Dentry): void {
  if (parent.peers === null) return;
  const spread = new Spread(vfs, tree, isNew, place);
  const own = new Map(spread.nodes.map(node => [node, share(vfs.peerGroups, node)]));
  const queue: { group: PeerGroup; copies: Groups }[] = [{ group: parent.peers, copies: own }];
  spread.toPeers(parent.peers, parent, own, null);
  for (const { group, copies } of queue) {
    const further = new Set<PeerGroup>();
    for (const slave of [...group.slaves]) {
      if (slave.peers !== null) further.add(slave.peers);
      else if (spread.reaches(slave)) spread.copyTo(slave, null, copies);
    }
    for (const next of further)
      queue.push({ group: next, copies: spread.toPeers(next, null, null, copies) ?? copies });
  }
}

/** Copies one tree to many mounts. */
class Spread {
  readonly nodes: readonly Mount[];
  private readonly vfs: Vfs;
  private readonly place: Dentry;
  /** New mounts, which receive nothing. */
  private readonly fresh: Set<Mount>;

  constructor(vfs: Vfs, tree: Mount, isNew: boolean, place: Dentry) {
    this.vfs = vfs;
    this.place = place;
    this.nodes = subtree(tree);
    this.fresh = new Set(isNew ? this.nodes : []);
  }

  reaches(mount: Mount): boolean {
    return mount.namespace !== null && !this.fresh.has(mount) && this.place.isWithin(mount.root);
  }

  /** Copies the tree to a group's members except `except`. Returns the groups of the copies, null if there are none. */
  toPeers(
    group: PeerGroup,
    except: Mount | null,
    known: Groups | null,
    masters: Groups | null,
  ): Groups | null {
    let groups = known;
    for (const member of [...group.members]) {
      if (member === except || !this.reaches(member)) continue;
      groups ??= new Map(this.nodes.map(node => [node, this.vfs.peerGroups.make()]));
      this.copyTo(member, groups, masters);
    }
    return groups;
  }

  copyTo(mount: Mount, groups: Groups | null, masters: Groups | null): void {
    const copies = new Map<Mount, Mount>();
    for (const node of this.nodes) {
      const copy = newMount(this.vfs, node.sb, node.root, node.source, node.flags);
      groups?.get(node)?.join(copy);
      setMaster(copy, masters?.get(node) ?? node.master);
      copy.namespace = mount.namespace;
      this.fresh.add(copy);
      copies.set(node, copy);
      if (copies.size > 1) copy.attach(copies.get(node.parent!)!, node.mountpoint!);
    }
    tuck(copies.get(this.nodes[0]!)!, mount, this.place);
  }
}

/** Attaches a tree where something may be mounted already, which ends up on top. */
function tuck(tree: Mount, parent: Mount, place: Dentry): void {
  const above = place.mounts?.get(parent);
  above?.detach();
  tree.attach(parent, place);
  if (above === undefined) return;
  let top = tree;
  for (let over = top.root.mounts?.get(top); over !== undefined; over = top.root.mounts?.get(top)) top = over;
  above.attach(top, top.root);
}

/** The copies that go when `going` goes. Those with other mounts in them stay, unless these only cover their root. */
export function propagatedUmounts(going: ReadonlySet<Mount>): Set<Mount> {
  const found = new Set<Mount>();
  for (const { parent, mountpoint } of going) {
    if (parent === null || parent.peers === null) continue;
    for (const other of receivers(parent)) {
      const child = mountpoint!.mounts?.get(other);
      if (child !== undefined && !going.has(child)) found.add(child);
    }
  }
  const unsure = [...found];
  for (let one = unsure.pop(); one !== undefined; one = unsure.pop()) {
    if (!found.has(one) || !staysFor(one, found, going)) continue;
    found.delete(one);
    if (one.parent !== null) unsure.push(one.parent);
  }
  return found;
}

function staysFor(mount: Mount, found: ReadonlySet<Mount>, going: ReadonlySet<Mount>): boolean {
  for (const child of mount.children) {
    if (found.has(child) || going.has(child)) continue;
    if (child.mountpoint !== mount.root || found.has(mount.parent!)) return true;
  }
  return false;
}

/** Moves what covers a mount that goes to where the mount was. */
export function uncover(mount: Mount): void {
  const { parent, mountpoint } = mount;
  const cover = mount.root.mounts?.get(mount);
  if (cover === undefined || parent === null) return;
  cover.detach();
  mount.detach();
  cover.attach(parent, mountpoint!);
}
