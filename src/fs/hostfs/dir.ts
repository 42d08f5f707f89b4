/** An open directory of the host: listed in one go, and then no longer open there. */
import type { Result } from '../../lib/result.ts';
import type { File } from '../file.ts';
import { type Listing, SnapshotDir } from '../snapshot-dir.ts';
import { Handle } from './handles.ts';
import type { HostInode } from './inode.ts';

export class HostDir extends SnapshotDir {
  declare readonly inode: HostInode;
  /** Opened with the file, so that open(2) fails where the host says so; the first listing takes it. */
  private readonly handle: Handle = new Handle();

  static open(inode: HostInode, flags: number): Result<File> {
    const dir = new HostDir(inode, flags);
    const r = inode.device.hidden ? 0 : dir.openList();
    return r < 0 ? r : dir;
  }

  override release(): void {
    super.release();
    this.inode.sb.handles.close(this.handle);
  }

  protected override get parentIno(): number {
    return this.inode.parentIno;
  }

  protected override list(): Listing | number {
    const { sb, device } = this.inode;
    if (device.hidden) return { names: [], inos: [], types: [] };
    const fd = this.handle.fd >= 0 ? this.handle.fd : this.openList();
    if (fd < 0) return fd;
    const entries = sb.files.list(fd);
    sb.handles.close(this.handle);
    if (typeof entries !== 'number' && device.inoBase !== 0) {
      for (let i = 0; i < entries.inos.length; i++) entries.inos[i] = sb.inoOf(device, entries.inos[i]!);
    }
    return entries;
  }

  private openList(): number {
    const { sb } = this.inode;
    const dir = this.inode.directoryFd();
    const fd = dir < 0 ? dir : sb.files.openList(dir);
    if (fd >= 0) sb.handles.fill(this.handle, fd);
    return fd;
  }
}
