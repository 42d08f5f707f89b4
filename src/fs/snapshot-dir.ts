/**
 * An open directory that is read as a whole when reading starts, for filesystems whose own positions cannot be handed
 * out (a host's, or those of several directories in one).
 *
 * The position is 1 after '.', 2 after '..', and then counts entries. Positions stay valid until the directory is read
 * from its start again (rewinddir(3)), which is when POSIX wants changes to be seen.
 */
import { dirType, S_IFDIR } from '../uapi/stat.ts';
import { type EmitEntry, File } from './file.ts';

/** Entries except '.' and '..', in three parallel arrays. */
export interface Listing {
  readonly names: readonly string[];
  readonly inos: readonly number[];
  readonly types: readonly number[];
}

const AFTER_DOTS = 2;
const DT_DIR = dirType(S_IFDIR);

export abstract class SnapshotDir extends File {
  private listing: Listing | null = null;

  /** The current entries, or -errno. Read-only: the object may be shared. */
  abstract list(): Listing | number;
  /** The inode number of '..'. */
  protected abstract get parentIno(): number;

  override readdir(pos: number, emit: EmitEntry): number {
    if (pos === 0 || this.listing === null) {
      const listing = this.list();
      if (typeof listing === 'number') return listing;
      this.listing = listing;
    }
    if (pos <= 0 && !emit('.', this.inode.ino, DT_DIR, 1)) return 0;
    if (pos <= 1 && !emit('..', this.parentIno, DT_DIR, AFTER_DOTS)) return 0;
    const { names, inos, types } = this.listing;
    for (let i = Math.max(0, pos - AFTER_DOTS); i < names.length; i++) {
      if (!emit(names[i]!, inos[i]!, types[i]!, i + 1 + AFTER_DOTS)) return 0;
    }
    return 0;
  }

  override fsync(_dataOnly: boolean): number {
    return 0;
  }

  override release(): void {
    this.listing = null;
  }
}
