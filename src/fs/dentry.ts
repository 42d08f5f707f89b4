/**
 * Names (dentries) and where they are mounted.
 *
 * A dentry is a cached answer of a directory: this name is that inode, or nothing (`inode` null: negative).
 * A path is a dentry seen through a mount. `put` what was `get`, so that a mount knows whether it is busy
 * and an unlinked file when it may go.
 */
import type { Inode } from './inode.ts';
import type { Mount } from './mount.ts';

export class Dentry {
  name: string;
  /** The root of a filesystem is its own parent. */
  parent: Dentry;
  inode: Inode | null;
  /** Cached names in this directory. */
  readonly children: Map<string, Dentry> = new Map();
  /** Mounts on this dentry: the mount it lies in -> what is mounted there. */
  mounts: Map<Mount, Mount> | null = null;
  /** Unlinked or moved away: no longer found under its parent. */
  unhashed = false;

  constructor(parent: Dentry | null, name: string, inode: Inode | null) {
    this.name = name;
    this.parent = parent ?? this;
    this.inode = inode;
  }
}

export class Path {
  readonly mount: Mount;
  readonly dentry: Dentry;

  constructor(mount: Mount, dentry: Dentry) {
    this.mount = mount;
    this.dentry = dentry;
  }

  get(): this {
    this.mount.refs++;
    if (this.dentry.inode !== null) this.dentry.inode.refs++;
    return this;
  }

  put(): void {
    this.mount.refs--;
    const inode = this.dentry.inode;
    if (inode !== null) inode.sb.iput(inode);
  }

  equals(other: Path): boolean {
    return this.mount === other.mount && this.dentry === other.dentry;
  }
}
