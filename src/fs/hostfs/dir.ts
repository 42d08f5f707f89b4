/** An open directory of the host, listed all at once. */
import type { Result } from '../../lib/result.ts';
import type { File } from '../file.ts';
import { type Listing, SnapshotDir } from '../snapshot-dir.ts';
import type { HostInode } from './inode.ts';

export class HostDir extends SnapshotDir {
  declare readonly inode: HostInode;
  /** The listing was prepared by `open`, so that open(2) fails if the host refuses; good for one listing. */
  private isReady = true;

  static open(inode: HostInode, flags: number): Result<File> {
    const r = inode.openListing();
    return r < 0 ? r : new HostDir(inode, flags);
  }

  protected override get parentIno(): number {
    return this.inode.parentIno;
  }

  override list(): Listing | number {
    const r = this.isReady ? 0 : this.inode.openListing();
    this.isReady = false;
    return r < 0 ? r : this.inode.list();
  }
}
