/** A filesystem at a place in the tree. */
import type { Dentry } from './dentry.ts';
import type { SuperBlock } from './super.ts';

export class Mount {
  readonly id: number;
  readonly sb: SuperBlock;
  readonly root: Dentry;
  /** Where it is mounted; null for the root of a namespace. */
  parent: Mount | null = null;
  mountpoint: Dentry | null = null;
  /** MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME ... of mount(2). */
  flags: number;
  /** The source as given to mount(2), for /proc/mounts. */
  readonly source: string;
  refs = 0;

  constructor(id: number, sb: SuperBlock, root: Dentry, source: string, flags: number) {
    this.id = id;
    this.sb = sb;
    this.root = root;
    this.source = source;
    this.flags = flags;
  }
}
