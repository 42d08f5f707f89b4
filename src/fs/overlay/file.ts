/**
 * An open regular file of an overlay, on top of the real file behind the overlay's inode.
 *
 * After a copy-up, a file that was opened for reading switches to the copy, so it sees later writes, too.
 */
import type { Cred } from '../../core/cred.ts';
import type { Result } from '../../lib/result.ts';
import type { PageCache } from '../../mm/page-cache.ts';
import { SEEK_DATA } from '../../uapi/fcntl.ts';
import { fileAccessed } from '../atime.ts';
import { File } from '../file.ts';
import type { Inode } from '../inode.ts';
import type { OverlayInode } from './inode.ts';

export class OverlayFile extends File {
  declare readonly inode: OverlayInode;
  private readonly cred: Cred;
  private file: File;
  private source: Inode;

  constructor(inode: OverlayInode, flags: number, file: File, cred: Cred) {
    super(inode, flags);
    this.cred = cred;
    this.file = file;
    this.source = file.inode;
  }

  override get mayBeDirect(): boolean {
    return true;
  }

  override get seeksFreely(): boolean {
    return true;
  }

  override get closesQuietly(): boolean {
    return this.file.closesQuietly;
  }

  override read(buf: Uint8Array, off: number, len: number, pos: number): number {
    const n = this.real().read(buf, off, len, pos);
    this.accessed();
    return n;
  }

  override write(buf: Uint8Array, off: number, len: number, pos: number): number {
    const n = this.real().write(buf, off, len, pos);
    this.inode.sync();
    return n;
  }

  override seen(): PageCache | null {
    const cache = this.real().seen();
    if (cache !== null) this.accessed();
    return cache;
  }

  override overwritten(pos: number, len: number): PageCache | null {
    const cache = this.real().overwritten(pos, len);
    if (cache !== null) this.inode.sync();
    return cache;
  }

  override seek(offset: number, whence: number): number {
    if (whence < SEEK_DATA) {
      this.inode.refresh();
      return super.seek(offset, whence);
    }
    const pos = this.real().seek(offset, whence);
    if (pos >= 0) this.pos = pos;
    return pos;
  }

  override mmap(shared: boolean, write: boolean): Result<PageCache> {
    const cache = this.real().mmap(shared, write);
    if (typeof cache !== 'number') this.accessed();
    return cache;
  }

  override fsync(dataOnly: boolean): number {
    return this.real().fsync(dataOnly);
  }

  override fallocate(mode: number, offset: number, len: number): number {
    const r = this.real().fallocate(mode, offset, len);
    this.inode.sync();
    return r;
  }

  override release(): void {
    this.file.put();
  }

  /** Read or mapped: the upper file, if any, keeps the access time. */
  private accessed(): void {
    const { upper } = this.inode;
    if (upper === null) return;
    fileAccessed(this);
    upper.atime = this.inode.atime;
  }

  /** The current real file, with flags that fcntl(2) may have changed. */
  private real(): File {
    const { real } = this.inode;
    if (this.source !== real) this.follow(real);
    this.file.flags = this.flags;
    return this.file;
  }

  private follow(real: Inode): void {
    const file = real.open(this.flags, this.cred);
    if (typeof file === 'number') return;
    this.file.put();
    this.file = file;
    this.source = real;
  }
}
