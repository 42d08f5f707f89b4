/**
 * The page cache of a host file: made when a guest maps it, or reads it repeatedly (file.ts).
 *
 * From then on, reads and writes go through the cache, and writes go on to the host at once. What guests store through
 * shared mappings is found at writeback, by comparing pages with the host's. If the host's file turns out to have
 * changed, the pages that are present are reloaded in place.
 */
import type { HostFiles } from '../../host/files.ts';
import { PageCache } from '../../mm/page-cache.ts';
import { PAGE_SIZE, pageUp, type Ram } from '../../mm/ram.ts';
import { EIO } from '../../uapi/errno.ts';
import type { Handle } from './handles.ts';

const CHUNK = 64 * 1024;

export class HostPages {
  readonly cache: PageCache;
  /** The pinned descriptor to which stores through shared mappings are written; null if there are no such mappings. */
  writer: Handle | null = null;
  private readonly files: HostFiles;
  private readonly ram: Ram;

  /** `reader` returns a descriptor for reading, or -errno; `steady`: no program of the machine can write the file. */
  constructor(files: HostFiles, ram: Ram, size: number, reader: () => number, steady: boolean) {
    this.files = files;
    this.ram = ram;
    this.cache = new PageCache(ram, size, (pos, offset, len) => {
      const fd = reader();
      return fd < 0 ? fd : this.loadFresh(fd, pos, offset, len);
    });
    if (steady) this.cache.hostFile = { descriptor: reader };
  }

  /** Writes to the cache, and from there to the host, so that both get the same bytes; bytes written, or -errno. */
  write(fd: number, buf: Uint8Array, off: number, len: number, pos: number): number {
    const size = this.cache.size;
    const n = this.cache.write(pos, buf, off, len);
    if (n < 0) return n;
    const stored = this.store(fd, pos, n);
    if (stored === n) return n;
    this.cache.truncate(Math.max(size, pos + Math.max(stored, 0)));
    this.reload(fd);
    return stored;
  }

  /** Writes what guests stored in [pos, pos + len) through shared mappings to the host; 0 or -errno. */
  writeback(pos: number, len: number): number {
    if (this.writer === null) return 0;
    const end = Math.min(pageUp(Math.min(pos + len, this.cache.size)), this.cache.size);
    let err = 0;
    this.eachPresent(Math.floor(pos / PAGE_SIZE) * PAGE_SIZE, end, (at, n) => {
      const r = this.storeChanges(this.writer!.fd, at, n);
      if (r < 0) err = r;
    });
    return err;
  }

  /** The host's file has changed its content or size: updates the cache. */
  changed(fd: number, size: number): void {
    if (this.cache.size !== size) this.cache.truncate(size);
    if (this.writer === null) this.reload(fd);
  }

  /** Reloads all present pages. */
  reload(fd: number): void {
    this.eachPresent(0, this.cache.size, (at, n) => {
      this.load(fd, at, this.cache.offsetOf(at), n);
    });
  }

  /** Fills pages that are not present yet, reading what the host does not deliver at once; 0 or -errno. */
  private loadFresh(fd: number, pos: number, offset: number, len: number): number {
    const n = Math.max(0, this.ram.load(offset, fd, pos, len));
    return n === len ? 0 : this.load(fd, pos + n, offset + n, len - n);
  }

  private load(fd: number, pos: number, offset: number, len: number): number {
    for (let done = 0; done < len; ) {
      const n = this.files.pread(fd, this.ram.bytes, offset + done, len - done, pos + done);
      if (n < 0) return n;
      if (n === 0) {
        this.ram.bytes.fill(0, offset + done, offset + len);
        break;
      }
      done += n;
    }
    return 0;
  }

  private store(fd: number, pos: number, len: number): number {
    for (let done = 0; done < len; ) {
      const at = this.cache.offsetOf(pos + done);
      const n = this.files.pwrite(fd, this.ram.bytes, at, len - done, pos + done);
      if (n <= 0) return done > 0 ? done : n < 0 ? n : -EIO;
      done += n;
    }
    return len;
  }

  /** Writes those pages of a range that differ from the host's: 0 or -errno. */
  private storeChanges(fd: number, pos: number, len: number): number {
    const theirs = new Uint8Array(len);
    const got = this.files.pread(fd, theirs, 0, len, pos);
    for (let at = 0; at < len; at += PAGE_SIZE) {
      const n = Math.min(PAGE_SIZE, len - at);
      const from = this.cache.offsetOf(pos + at);
      const ours = this.ram.bytes.subarray(from, from + n);
      if (at + n <= got && Buffer.compare(ours, theirs.subarray(at, at + n)) === 0) continue;
      const stored = this.store(fd, pos + at, n);
      if (stored < 0) return stored;
    }
    return 0;
  }

  /** Visits the present bytes of [pos, end) in pieces of at most CHUNK. */
  private eachPresent(pos: number, end: number, visit: (pos: number, len: number) => void): void {
    const last = Math.ceil(end / PAGE_SIZE);
    let page = this.cache.nextPage(Math.floor(pos / PAGE_SIZE), true);
    while (page < last) {
      const stop = Math.min(last, this.cache.nextPage(page, false), page + CHUNK / PAGE_SIZE);
      visit(page * PAGE_SIZE, Math.min(stop * PAGE_SIZE, end) - page * PAGE_SIZE);
      page = this.cache.nextPage(stop, true);
    }
  }
}
