/**
 * Names (dentries) and where they are mounted.
 *
 * A dentry is a directory's cached answer: this name is that inode, or does not exist (`inode` null: negative).
 * A path is a dentry seen through a mount. Every `get` needs a `put`: they tell whether a mount is busy and when an
 * unlinked file can be freed. Only a path to an existing file (`inode` not null) may be kept.
 */
import type { Inode } from './inode.ts';
import type { Mount } from './mount.ts';

export const NO_ANSWERS: readonly number[] = [];
const NO_CHILDREN: ReadonlyMap<string, Dentry> = new Map();

export class Dentry {
  name: string;
  /** The root of a filesystem is its own parent. */
  parent: Dentry;
  inode: Inode | null;
  /** Cached names in this directory; most dentries have none and share one empty map. */
  children: ReadonlyMap<string, Dentry> = NO_CHILDREN;
  /** Mounts on this dentry: from the mount through which it is seen to the mount on it. */
  mounts: Map<Mount, Mount> | null = null;
  /** Unlinked or not (yet) cached: not in its parent's `children`. */
  unhashed = false;
  /** A removed directory: no name can be made or found in it any more. */
  dead: boolean;
  /** Looked at since the last sweep of the cache. */
  used = true;
  /** Known answers about this name, and the latest epoch in which one was found by way of it (dcache.ts). */
  answers: readonly number[] = NO_ANSWERS;
  reliedIn = 0;

  constructor(parent: Dentry | null, name: string, inode: Inode | null) {
    this.name = name;
    this.dead = false;
    this.parent = parent ?? this;
    this.inode = inode;
  }

  addChild(child: Dentry): void {
    if (this.children === NO_CHILDREN) this.children = new Map();
    (this.children as Map<string, Dentry>).set(child.name, child);
  }

  /** Returns whether the name stood for this very dentry. */
  removeChild(child: Dentry): boolean {
    if (this.children.get(child.name) !== child) return false;
    return (this.children as Map<string, Dentry>).delete(child.name);
  }

  /** Whether this dentry is `other` or lies below it. */
  isWithin(other: Dentry): boolean {
    for (let at: Dentry = this; ; at = at.parent) {
      if (at === other) return true;
      if (at.parent === at) return false;
    }
  }
}

export class Path {
  readonly mount: Mount;
  readonly dentry: Dentry;

  constructor(mount: Mount, dentry: Dentry) {
    this.mount = mount;
    this.dentry = dentry;
  }

  /** The file at this path, whose dentry must not be negative. */
  get inode(): Inode {
    return this.dentry.inode!;
  }

  get(): this {
    this.mount.refs++;
    if (this.dentry.inode !== null) this.dentry.inode.refs++;
    return this;
  }

  put(): void {
    const inode = this.dentry.inode;
    if (inode !== null) inode.sb.iput(inode);
    this.mount.put();
  }

  equals(other: Path): boolean {
    return this.mount === other.mount && this.dentry === other.dentry;
  }
}
