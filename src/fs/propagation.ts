/** What comes to a shared mount comes to its peers and their slaves, and goes from them again (mount_namespaces(7)). */
import type { Dentry } from './dentry.ts';
import { type Mount, newMount } from './mount.ts';
import { subtree } from './namespace.ts';
import { type PeerGroup, setMaster, share } from './peer-group.ts';
import type { Vfs } from './vfs.ts';

/** For each mount of a tree the group of its copies. */
type Groups = ReadonlyMap<Mount, PeerGroup>;

/** All mounts that get what `from` gets, itself not counted. */
export function receivers(from: Mount): Mount[] {
  const found = new Set<Mount>();
  // A set gives what is added while one goes through it, too.
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
 * A tree of mounts was hung on `place` in `parent`: if that is shared, others get copies of it. A new tree does not get
 * any itself, one that was only moved does.
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

/** One tree on its way to many mounts. */
class Spread {
  readonly nodes: readonly Mount[];
  private readonly vfs: Vfs;
  private readonly place: Dentry;
  /** New mounts get nothing. */
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

  /** Copies for a group's members but `except`; the groups that the copies are in, null if there are none. */
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

/** Mounts a tree where something may be mounted already: that is on top then. */
function tuck(tree: Mount, parent: Mount, place: Dentry): void {
  const above = place.mounts?.get(parent);
  above?.detach();
  tree.attach(parent, place);
  if (above === undefined) return;
  let top = tree;
  for (let over = top.root.mounts?.get(top); over !== undefined; over = top.root.mounts?.get(top)) top = over;
  above.attach(top, top.root);
}

/** What goes elsewhere when these mounts go. Mounts that others are mounted in stay, but for what covers them. */
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

/** What covers a mount that goes is mounted where that was. */
export function uncover(mount: Mount): void {
  const { parent, mountpoint } = mount;
  const cover = mount.root.mounts?.get(mount);
  if (cover === undefined || parent === null) return;
  cover.detach();
  mount.detach();
  cover.attach(parent, mountpoint!);
}
