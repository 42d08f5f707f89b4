/**
 * The pages of one file in the machine's memory.
 *
 * A cache owns one contiguous range of `ram`, larger than the file, so that a mapping of the file is one host mapping.
 * If there is no range for a whole sparse file, its range reaches only as far as its pages. A page is *present* once it
 * holds the file's bytes; absent pages of a file without a `fill` are holes and read as zeros without costing memory.
 * Growing past the range moves the file to a larger one, and its mappings (`PageUser`) are told.
 */
import type { HostFile } from '../engine/engine.ts';
import { Bitmap } from '../lib/bitmap.ts';
import { Roster } from '../lib/roster.ts';
import { ENOSPC } from '../uapi/errno.ts';
import type { PageWindow } from './page-window.ts';
import { PAGE_SIZE, pageUp, type Ram } from './ram.ts';

/** Reads the file's bytes [pos, pos + len) into ram at `offset`; 0 or -errno. The pages are zeros beforehand. */
export type FillPages = (pos: number, offset: number, len: number) => number;

/** A mapping of the file, told when pages that it may have mapped change behind it. */
export interface PageUser {
  /** Pages from byte `pos` (page-aligned) to the end are gone: a touch is SIGBUS until the file grows again. */
  truncated(pos: number): void;
  /** Pages [first, last) are holes now: a touch must make them anew. */
  punched(cache: PageCache, first: number, last: number): void;
  /** The file now lies elsewhere in ram: mapped pages must be mapped anew, except copies that were written. */
  moved(cache: PageCache): void;
}

const SMALLEST_RANGE = 16 * PAGE_SIZE;
/** How much is read at once where `fill` is used, in bytes: a page's neighbours cost little more. */
const READAHEAD = 64 * PAGE_SIZE;
/** From this many bytes on, copying to absent pages is worth a host call, which makes the pages as it copies. */
const MANY = 4 * PAGE_SIZE;
/**
 * A file that outgrows its room gets twice as much; one between these two sizes gets 16 times as much, as it must be
 * copied.
 */
const LARGE = 1 << 20;
const HUGE = 1 << 28;

export class PageCache {
  readonly ram: Ram;
  readonly users: Roster<PageUser> = new Roster();
  /** Windows through which programs copy from and to its pages on their own. */
  readonly windows: Roster<PageWindow> = new Roster();
  /** Number of areas, of all spaces, through which the file may be written. */
  writers = 0;
  private readonly fill: FillPages | null;
  private readonly present = new Bitmap();
  /** Ranges that the file has left while it was mapped. */
  private retired: { readonly offset: number; readonly len: number }[] = [];
  /** The host's file, which only the host changes: programs may map it privately themselves. Otherwise null. */
  hostFile: HostFile | null = null;
  /** It is getting pages: reclaim that makes room for them must leave this cache alone. */
  filling = false;
  private base = 0;
  private room = 0;
  private bytes: number;

  constructor(ram: Ram, size: number, fill: FillPages | null) {
    this.ram = ram;
    this.bytes = size;
    this.fill = fill;
  }

  get size(): number {
    return this.bytes;
  }

  /** Pages in use. */
  get pageCount(): number {
    return this.present.count;
  }

  /** Whether it has been elsewhere before, and mappings may still show that range. */
  get hasLeft(): boolean {
    return this.retired.length > 0;
  }

  isPresent(page: number): boolean {
    return this.present.has(page);
  }

  /** The next page that is present (`want`) or absent, from `page` on; pages past the end count as absent. */
  nextPage(page: number, want: boolean): number {
    return this.present.next(page, want);
  }

  /** Makes the pages of [pos, pos + len) present; 0 or -errno. May move the file. */
  ensure(pos: number, len: number): number {
    const placed = this.reserveFor(pos + len);
    if (placed < 0) return placed;
    const end = Math.ceil((pos + len) / PAGE_SIZE);
    let page = this.present.next(Math.floor(pos / PAGE_SIZE), false, end);
    while (page < end) {
      const most = this.fillEnd(page, end);
      const stop = Math.min(this.present.next(page, true, most), most);
      const got = this.bring(page, stop);
      if (got < 0) return got;
      page = this.present.next(stop, false, end);
    }
    return 0;
  }

  /** Where byte `pos` lies in ram, once `ensure` has made it present. Valid until the file grows. */
  offsetOf(pos: number): number {
    return this.base + pos;
  }

  /** Bytes copied into buf[off, off + len), 0 at the end of the file, or -errno. */
  read(pos: number, buf: Uint8Array, off: number, len: number): number {
    const n = Math.min(len, this.bytes - pos);
    if (n <= 0) return 0;
    if (this.fill !== null) {
      const got = this.ensure(pos, n);
      if (got < 0) return got;
      copy(this.ram.bytes, this.base + pos, buf, off, n);
      return n;
    }
    const stop = Math.ceil((pos + n) / PAGE_SIZE);
    for (let done = 0; done < n; ) {
      const page = Math.floor((pos + done) / PAGE_SIZE);
      const here = this.present.has(page);
      const end = Math.min(n, this.present.next(page, !here, stop) * PAGE_SIZE - pos);
      if (here) copy(this.ram.bytes, this.base + pos + done, buf, off + done, end - done);
      else buf.fill(0, off + done, off + end);
      done = end;
    }
    return n;
  }

  /** Copies buf[off, off + len) to `pos`, growing the file as needed; bytes written or -errno. */
  write(pos: number, buf: Uint8Array, off: number, len: number): number {
    if (len === 0) return 0;
    const fresh = buf === this.ram.bytes && len >= MANY && this.isAbsent(pos, len);
    const got = this.ensure(pos, len);
    if (got < 0) return got;
    if (fresh) this.put(this.base + pos, off, len);
    else copy(buf, off, this.ram.bytes, this.base + pos, len);
    if (pos + len > this.bytes) this.bytes = pos + len;
    return len;
  }

  /** Copies within ram, to pages that are absent so far. */
  private put(to: number, from: number, len: number): void {
    if (len < MANY || this.ram.store(to, from, len) !== len) this.ram.bytes.copyWithin(to, from, from + len);
  }

  private isAbsent(pos: number, len: number): boolean {
    const stop = Math.ceil((pos + len) / PAGE_SIZE);
    return (
      this.fill === null &&
      this.present.next(Math.floor(pos / PAGE_SIZE), true, stop) * PAGE_SIZE >= pos + len
    );
  }

  /** Cuts or extends the file to `size` bytes. What lies past the new end reads as zeros later. */
  truncate(size: number): void {
    if (size > this.bytes) {
      this.bytes = size;
      return;
    }
    this.closeWindows();
    this.dropFrom(size);
    this.bytes = size;
    const edge = pageUp(size);
    for (const user of this.users) user.truncated(edge);
  }

  /** Makes [pos, pos + len) a hole: whole pages go, the rest is zeroed. */
  punch(pos: number, len: number): void {
    const end = Math.min(pos + len, this.room);
    const first = Math.ceil(pos / PAGE_SIZE);
    const last = Math.floor(end / PAGE_SIZE);
    this.closeWindows();
    if (first > last) {
      this.zero(pos, end);
      return;
    }
    this.zero(pos, first * PAGE_SIZE);
    this.zero(last * PAGE_SIZE, end);
    this.discardPages(first, last);
    for (const user of this.users) user.punched(this, first, last);
  }

  /** A mapping is gone. After the last one, frees the ranges that only mappings could still see. */
  dropUser(user: PageUser): void {
    this.users.delete(user);
    if (this.users.size === 0) this.freeRetired();
  }

  /** Before a look at what was done with the file, or a change of what may be done with it. */
  recallWindows(): void {
    for (const window of this.windows) window.recall();
  }

  /** Before pages go, or move. */
  closeWindows(): void {
    for (const window of this.windows) window.close();
  }

  /** Before writing is forbidden for good: until this returns, a thread may still be copying into the file's pages. */
  closeWindowsForGood(): void {
    const spaces = [...this.windows].map(window => window.owner.space);
    this.closeWindows();
    for (const space of spaces) space.settle();
  }

  /** Lets go of everything. */
  destroy(): void {
    this.closeWindows();
    this.ram.charge(-this.present.count);
    this.present.clear(0, Number.POSITIVE_INFINITY);
    if (this.room > 0) this.ram.free(this.base, this.room);
    this.freeRetired();
    this.base = 0;
    this.room = 0;
    this.bytes = 0;
  }

  private freeRetired(): void {
    for (const { offset, len } of this.retired) this.ram.free(offset, len);
    this.retired = [];
  }

  private fillEnd(page: number, end: number): number {
    if (this.fill === null) return end;
    return Math.max(end, Math.min(page + READAHEAD / PAGE_SIZE, Math.ceil(this.bytes / PAGE_SIZE)));
  }

  private bring(first: number, stop: number): number {
    if (!this.charge(stop - first)) return -ENOSPC;
    const pos = first * PAGE_SIZE;
    const len = Math.min((stop - first) * PAGE_SIZE, this.bytes - pos);
    const got = this.fill === null || len <= 0 ? 0 : this.fill(pos, this.base + pos, len);
    if (got < 0) {
      this.ram.charge(first - stop);
      return got;
    }
    this.present.set(first, stop);
    return 0;
  }

  private charge(pages: number): boolean {
    this.filling = true;
    const charged = this.ram.charge(pages, this.fill === null ? this.ram.spare : 0);
    this.filling = false;
    return charged;
  }

  /** Makes room up to byte `end` at least; for the whole file at once, if there is that much. */
  private reserveFor(end: number): number {
    if (end <= this.room) return 0;
    if (end < this.bytes && this.reserve(this.bytes) === 0) return 0;
    return this.reserve(end);
  }

  private reserve(size: number): number {
    const grows = this.room >= LARGE && this.room < HUGE ? 16 : 2;
    let room = Math.max(SMALLEST_RANGE, this.room * grows);
    while (room < size) room *= 2;
    const base = this.ram.alloc(room, this.fill === null ? this.ram.spareRange : 0);
    if (base < 0) return -ENOSPC;
    if (this.room > 0) this.moveTo(base, room);
    this.base = base;
    this.room = room;
    return 0;
  }

  private moveTo(base: number, room: number): void {
    const old = this.base;
    const oldRoom = this.room;
    this.closeWindows();
    for (let page = this.present.next(0, true); Number.isFinite(page); ) {
      const stop = this.present.next(page, false);
      const len = (stop - page) * PAGE_SIZE;
      this.put(base + page * PAGE_SIZE, old + page * PAGE_SIZE, len);
      page = this.present.next(stop, true);
    }
    this.base = base;
    this.room = room;
    for (const user of this.users) user.moved(this);
    // Programs may still see the old range: the new mappings are only ordered, and some mappings are not replaced.
    if (this.users.size > 0) this.retired.push({ offset: old, len: oldRoom });
    else this.ram.free(old, oldRoom);
  }

  private dropFrom(size: number): void {
    this.zero(size, Math.min(pageUp(size), this.room));
    // Pages past the end, too: fallocate(2) may have made some there.
    this.discardPages(Math.ceil(size / PAGE_SIZE), Number.POSITIVE_INFINITY);
  }

  private discardPages(first: number, stop: number): void {
    for (let page = this.present.next(first, true); page < stop; ) {
      const end = Math.min(stop, this.present.next(page, false));
      this.ram.discard(this.base + page * PAGE_SIZE, (end - page) * PAGE_SIZE);
      this.ram.charge(page - end);
      page = this.present.next(end, true);
    }
    this.present.clear(first, stop);
  }

  /** Zeroes bytes of one page, if that page is there. */
  private zero(pos: number, end: number): void {
    if (end <= pos || !this.present.has(Math.floor(pos / PAGE_SIZE))) return;
    this.ram.bytes.fill(0, this.base + pos, this.base + end);
  }
}

/** Copies between windows; within one array (the common case: all is ram) without an allocation. */
export function copy(from: Uint8Array, at: number, to: Uint8Array, off: number, len: number): void {
  if (from === to) to.copyWithin(off, at, at + len);
  else to.set(from.subarray(at, at + len), off);
}
