/**
 * Handles: numbers that find files of a filesystem again, without their names (name_to_handle_at(2)).
 *
 * A file whose handle was asked for stays in memory while it has names, so that it can be found; only the latest
 * MOST_HANDLES do. The generation distinguishes a file from an earlier one with the same inode number.
 */
import type { Dentry } from './dentry.ts';
import type { Inode } from './inode.ts';
import type { SuperBlock } from './super.ts';

const MOST_HANDLES = 1 << 16;

interface Known {
  readonly inode: Inode;
  /** One of its names, which may be gone by now. */
  readonly dentry: Dentry;
  readonly generation: number;
}

export class FileHandles {
  private readonly sb: SuperBlock;
  /** By inode number, oldest first. */
  private readonly files: Map<number, Known> = new Map();
  private generation = 0;

  constructor(sb: SuperBlock) {
    this.sb = sb;
  }

  /** Returns the generation that, with the inode number, finds the file at `dentry`. */
  remember(dentry: Dentry): number {
    const inode = dentry.inode!;
    const known = this.files.get(inode.ino);
    if (known?.inode === inode && isCurrent(known)) return known.generation;
    const generation = known?.inode === inode ? known.generation : ++this.generation;
    if (inode.nlink === 0) return generation;
    inode.refs++;
    if (known !== undefined) this.forget(known.inode);
    this.files.set(inode.ino, { inode, dentry, generation });
    if (this.files.size > MOST_HANDLES) this.forget(this.files.values().next().value!.inode);
    return generation;
  }

  /** Where the file is, or was when its handle was last asked for; null if it is unknown. */
  find(ino: number, generation: number): { inode: Inode; dentry: Dentry } | null {
    const known = this.files.get(ino);
    return known?.generation === generation && known.inode.nlink > 0 ? known : null;
  }

  /** The file has no names any more. */
  forget(inode: Inode): void {
    if (this.files.get(inode.ino)?.inode !== inode) return;
    this.files.delete(inode.ino);
    this.sb.iput(inode);
  }

  clear(): void {
    for (const { inode } of [...this.files.values()]) this.forget(inode);
  }
}

/** Whether the file still has the recorded name. */
export const isCurrent = ({ inode, dentry }: { inode: Inode; dentry: Dentry }): boolean =>
  dentry.inode === inode && !dentry.unhashed;
