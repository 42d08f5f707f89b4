/** Regular files of tmpfs: their data is a page cache without backing store. */
import type { Cred } from '../../core/cred.ts';
import type { Result } from '../../lib/result.ts';
import { PageCache } from '../../mm/page-cache.ts';
import { PAGE_SHIFT, PAGE_SIZE } from '../../mm/ram.ts';
import { EFBIG, EINVAL, ENOSPC, ENXIO, EOPNOTSUPP } from '../../uapi/errno.ts';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, SEEK_DATA, SEEK_HOLE } from '../../uapi/fcntl.ts';
import { fileAccessed } from '../atime.ts';
import { File } from '../file.ts';
import type { Attributes, NewInode } from '../inode.ts';
import { TmpfsInode } from './inode.ts';
import type { TmpfsSuper } from './super.ts';

const SECTORS_PER_PAGE = PAGE_SIZE / 512;

export class TmpfsFile extends TmpfsInode {
  readonly cache: PageCache;
  /** Pages that the filesystem has counted; mappings add pages that are counted later. */
  private counted = 0;

  constructor(sb: TmpfsSuper, init: NewInode) {
    super(sb, init);
    this.cache = new PageCache(sb.env.ram, 0, null);
  }

  override open(flags: number, _cred: Cred): Result<File> {
    return new TmpfsOpenFile(this, flags);
  }

  override pages(): Result<PageCache> {
    return this.cache;
  }

  override refresh(): number {
    this.cache.recallWindows();
    this.recount();
    return 0;
  }

  override setattr(attr: Attributes): number {
    this.cache.recallWindows();
    return super.setattr(attr);
  }

  /** Bytes written, fewer than `len` if the filesystem fills up; or -ENOSPC, -EFBIG. */
  write(pos: number, buf: Uint8Array, off: number, len: number): number {
    if (len === 0) return 0;
    if (pos >= this.sb.maxBytes) return -EFBIG;
    const fits = this.sb.freeBlocks > (len >>> PAGE_SHIFT) + 1 ? len : this.room(pos, len);
    if (fits === 0) return -ENOSPC;
    const written = this.cache.write(pos, buf, off, fits);
    if (written < 0) return written;
    if (pos + written > this.size) this.size = pos + written;
    if (this.cache.pageCount !== this.counted) this.recount();
    this.changed();
    return written;
  }

  /** The pages, in which the caller replaces bytes [pos, pos + len); null if the file would grow. */
  overwritten(pos: number, len: number): PageCache | null {
    if (pos + len > this.size) return null;
    this.changed();
    return this.cache;
  }

  protected override resize(size: number): number {
    this.cache.truncate(size);
    this.size = size;
    this.recount();
    return 0;
  }

  /** fallocate(2), modes 0, KEEP_SIZE and PUNCH_HOLE. */
  allocate(mode: number, offset: number, len: number): number {
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) !== 0) return -EOPNOTSUPP;
    const keep = (mode & FALLOC_FL_KEEP_SIZE) !== 0;
    if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) return keep ? this.punch(offset, len) : -EOPNOTSUPP;
    const end = offset + len;
    if (end > this.sb.maxBytes) return -EFBIG;
    if (this.room(offset, len) < len) return -ENOSPC;
    const err = this.cache.ensure(offset, len);
    if (err < 0) return err;
    if (!keep && end > this.size) {
      this.cache.truncate(end);
      this.size = end;
    }
    this.recount();
    this.changed();
    return 0;
  }

  override get hearsStores(): boolean {
    return true;
  }

  override stored(): void {
    this.changed();
  }

  override evict(): void {
    this.cache.destroy();
    this.recount();
    super.evict();
  }

  private punch(offset: number, len: number): number {
    this.cache.punch(offset, len);
    this.recount();
    this.changed();
    return 0;
  }

  private changed(): void {
    const now = this.sb.clock.coarse();
    this.mtime = now;
    this.ctime = now;
  }

  private recount(): void {
    const pages = this.cache.pageCount;
    this.sb.countBlocks(pages - this.counted);
    this.counted = pages;
    this.blocks = pages * SECTORS_PER_PAGE;
  }

  /** How many of the bytes [pos, pos + len) fit in the filesystem's free blocks and largest file size. */
  private room(pos: number, len: number): number {
    const end = Math.min(pos + len, this.sb.maxBytes);
    const stop = Math.ceil(end / PAGE_SIZE);
    let free = this.sb.freeBlocks;
    let page = this.cache.nextPage(Math.floor(pos / PAGE_SIZE), false);
    while (page < stop) {
      const next = Math.min(this.cache.nextPage(page, true), stop);
      if (next - page > free) return Math.max(0, (page + free) * PAGE_SIZE - pos);
      free -= next - page;
      page = this.cache.nextPage(next, false);
    }
    return end - pos;
  }
}

export class TmpfsOpenFile extends File {
  declare readonly inode: TmpfsFile;

  override get mayBeDirect(): boolean {
    return true;
  }

  override get seeksFreely(): boolean {
    return true;
  }

  override get closesQuietly(): boolean {
    return true;
  }

  override read(buf: Uint8Array, off: number, len: number, pos: number): number {
    const got = this.inode.cache.read(pos, buf, off, len);
    fileAccessed(this);
    return got;
  }

  override write(buf: Uint8Array, off: number, len: number, pos: number): number {
    return this.inode.write(pos, buf, off, len);
  }

  override seen(): PageCache | null {
    fileAccessed(this);
    return this.inode.cache;
  }

  override overwritten(pos: number, len: number): PageCache | null {
    return this.inode.overwritten(pos, len);
  }

  override seek(offset: number, whence: number): number {
    if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return super.seek(offset, whence);
    const { cache, size } = this.inode;
    if (offset < 0 || offset >= size) return -ENXIO;
    const page = Math.floor(offset / PAGE_SIZE);
    const found = cache.nextPage(page, whence === SEEK_DATA);
    const pos = found === page ? offset : found * PAGE_SIZE;
    if (whence === SEEK_DATA && pos >= size) return -ENXIO;
    this.pos = Math.min(pos, size);
    return this.pos;
  }

  override mmap(_shared: boolean, _write: boolean): Result<PageCache> {
    fileAccessed(this);
    return this.inode.cache;
  }

  override fsync(_dataOnly: boolean): number {
    return 0;
  }

  override fallocate(mode: number, offset: number, len: number): number {
    if (offset < 0 || len <= 0) return -EINVAL;
    return this.inode.allocate(mode, offset, len);
  }
}
