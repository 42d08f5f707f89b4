/** An open regular file of the host. Reads go straight into the caller's window, unless the page cache has the file. */
import type { Result } from '../../lib/result.ts';
import type { PageCache } from '../../mm/page-cache.ts';
import { EACCES } from '../../uapi/errno.ts';
import { O_APPEND, SEEK_DATA, SEEK_END, SEEK_HOLE } from '../../uapi/fcntl.ts';
import { File } from '../file.ts';
import type { Handle } from './handles.ts';
import type { HostInode } from './inode.ts';

/** This many reads bring a file of at most this size (bytes) into the page cache; a small file comes sooner. */
const OFTEN = 16;
const CACHED_SIZE = 16 * 1024 * 1024;
const OFTEN_SMALL = 3;
const SMALL_SIZE = 64 * 1024;

export class HostFile extends File {
  declare readonly inode: HostInode;
  readonly reader: Handle | null;
  readonly writer: Handle | null;

  constructor(inode: HostInode, flags: number, reader: Handle | null, writer: Handle | null) {
    super(inode, flags);
    this.reader = reader;
    this.writer = writer;
  }

  override get mayBeDirect(): boolean {
    return true;
  }

  override get seeksFreely(): boolean {
    return true;
  }

  override read(buf: Uint8Array, off: number, len: number, pos: number): number {
    const { mapped, sb } = this.inode;
    if (mapped !== null) return mapped.cache.read(pos, buf, off, len);
    // A file that is read repeatedly and does not change is cached, so that the host is not asked again.
    if (sb.cacheAlways) this.noteRead();
    return sb.files.pread(this.reader!.fd, buf, off, len, pos);
  }

  override seen(): PageCache | null {
    return this.inode.mapped?.cache ?? null;
  }

  private noteRead(): void {
    const { inode } = this;
    const often = inode.size <= SMALL_SIZE ? OFTEN_SMALL : OFTEN;
    if (++inode.reads === often && inode.size <= CACHED_SIZE) inode.pages();
  }

  override write(buf: Uint8Array, off: number, len: number, pos: number): number {
    const { inode } = this;
    const { fd } = this.writer!;
    const at = (this.flags & O_APPEND) !== 0 ? this.end() : pos;
    const { mapped, sb } = inode;
    const n = mapped !== null ? mapped.write(fd, buf, off, len, at) : sb.files.pwrite(fd, buf, off, len, at);
    if (n < 0) return n;
    if (at + n > inode.size) inode.size = at + n;
    inode.changedByUs(fd);
    return n;
  }

  override seek(offset: number, whence: number): number {
    if (whence === SEEK_END) this.inode.refresh();
    if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return super.seek(offset, whence);
    const pos = this.inode.sb.files.seek((this.reader ?? this.writer)!.fd, offset, whence);
    if (pos >= 0) this.pos = pos;
    return pos;
  }

  override mmap(shared: boolean, _write: boolean): Result<PageCache> {
    if (this.reader === null) return -EACCES;
    const pages = this.inode.pages();
    if (typeof pages === 'number') return pages;
    // mprotect(2) may allow stores later.
    const r = shared && this.writer !== null ? this.inode.mappedForStores() : 0;
    return r < 0 ? r : pages;
  }

  override fsync(dataOnly: boolean): number {
    const r = this.inode.writeback(0, this.inode.size);
    if (r < 0 || this.inode.sb.readOnly) return r;
    return this.inode.sb.files.fsync((this.writer ?? this.reader)!.fd, dataOnly);
  }

  override fallocate(mode: number, offset: number, len: number): number {
    const { inode } = this;
    const { fd } = this.writer!;
    const r = inode.sb.files.fallocate(fd, mode, offset, len);
    if (r < 0) return r;
    inode.changedByUs(fd);
    inode.refresh();
    inode.mapped?.changed(fd, inode.size);
    return 0;
  }

  override release(): void {
    if (this.reader !== null) this.inode.unpin(this.reader);
    if (this.writer !== null) this.inode.unpin(this.writer);
  }

  /** Where O_APPEND writes: the current end, which the host may have moved. */
  private end(): number {
    this.inode.refresh();
    return this.inode.size;
  }
}
