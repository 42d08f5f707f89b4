/**
 * An address space as the kernel sees it (mm_struct): its areas, and where things are. Keeps areas and the
 * engine's pages in step. The system calls' own rules (flags, limits, errors) are in syscalls/mm.ts.
 */
import { PROT_EXEC, type Space } from '../engine/engine.ts';
import { Bitmap } from '../lib/bitmap.ts';
import { EINVAL, ENOMEM } from '../uapi/errno.ts';
import type { PageUser } from './page-cache.ts';
import { PAGE_SIZE, pageDown, pageUp } from './ram.ts';
import type { TextImages } from './text-image.ts';
import { type Backing, VM_DONTFORK, VM_GROWSDOWN, VM_LOCKED, VM_MAYWRITE, type Vma, VmaList } from './vma.ts';

/** User space ends here (47 bits, less the page that x86-64 keeps free). */
export const TASK_SIZE = 0x7ffffffff000;
/** Lowest address for mappings (vm.mmap_min_addr). */
export const MMAP_MIN = 0x10000;
/** Files up to this size are read whole when they are mapped, larger ones as they are touched. */
const EAGER = 16 * 1024 * 1024;
/** What is read and mapped at once after a touch. */
const CHUNK = 1024 * 1024;
const MADV_FREE = 8;
/** A stack that grows does so by this much, and keeps this far from what is below (stack_guard_gap). */
const STACK_PIECE = 1024 * 1024;
const STACK_GUARD = 256 * PAGE_SIZE;

/** What address spaces have in common: a machine's. */
export interface MmHost {
  readonly images: TextImages;
  /** The memory that kernel and engine share, for what is staged. */
  readonly bytes: Uint8Array;
  /** So many private pages more (or fewer) may be touched. */
  promise(pages: number): void;
}

export class Mm implements PageUser {
  space: Space;
  readonly vmas: VmaList = new VmaList();
  /** Tasks that use it. */
  users = 1;
  brkStart = 0;
  brk = 0;
  /** Mappings without a wish go below this. */
  mmapBase = 0;
  startCode = 0;
  endCode = 0;
  startData = 0;
  endData = 0;
  startStack = 0;
  argStart = 0;
  argEnd = 0;
  envStart = 0;
  envEnd = 0;
  /** The auxiliary vector as bytes, for /proc/PID/auxv. */
  auxv: Uint8Array = new Uint8Array(0);
  /** The program's file. */
  exe: Backing | null = null;
  /** Largest ever size of all areas in pages, for /proc (VmPeak). */
  peakPages = 0;
  private pages = 0;
  /** Below this, down to the highest area under it, nothing is mapped: where the next mapping probably fits. */
  private freeHint = 0;
  private readonly host: MmHost;
  /** Private pages that may be touched. */
  private promised = 0;

  constructor(space: Space, host: MmHost) {
    this.space = space;
    this.host = host;
  }

  /** Pages of all areas (VmSize). */
  get totalPages(): number {
    return this.pages;
  }

  /** Whether [start, start + len) may be mapped at all. */
  isAllowed(start: number, len: number): boolean {
    if (start < MMAP_MIN || start + len > TASK_SIZE) return false;
    return this.space.reserved.every(r => start + len <= r.from || start >= r.to);
  }

  /** The highest free place below `mmapBase` (then below `limit`) for `len` bytes; -ENOMEM. */
  findFree(len: number, limit = this.mmapBase): number {
    if (limit !== this.mmapBase) return this.fitBelow(len, limit, false);
    const quick = this.freeHint > 0 ? this.fitBelow(len, this.freeHint, true) : -ENOMEM;
    if (quick > 0) {
      this.freeHint = quick;
      return quick;
    }
    const found = this.fitBelow(len, limit, false);
    if (found < 0) return this.fitBelow(len, TASK_SIZE, false);
    this.freeHint = found;
    return found;
  }

  isFree(start: number, len: number): boolean {
    const next = this.vmas.at(this.vmas.indexAfter(start));
    return this.isAllowed(start, len) && (next === undefined || next.start >= start + len);
  }

  /** Replaces what is at [start, start + len) by private or shared zero pages, or by a file's. */
  map(vma: Vma): number {
    this.unmap(vma.start, vma.length, false);
    if (vma.backing === null) this.space.mapAnonymous(vma.start, vma.length, vma.prot);
    else {
      const failed = this.mapBacking(vma, vma.backing);
      if (failed < 0) {
        this.account(vma.length, vma);
        this.drop(vma);
        return failed;
      }
    }
    this.account(vma.length, vma);
    this.vmas.insert(vma);
    return vma.start;
  }

  /** Takes all areas of [start, start + len) away. `pages` false: something is mapped over them at once. */
  unmap(start: number, len: number, pages = true): void {
    const gone = this.vmas.remove(start, start + len);
    if (gone.length === 0) return;
    // A file's pages that are not replaced must go even where the new area maps none.
    if (pages || gone.some(v => v.backing !== null)) this.unmapPages(start, start + len);
    for (const vma of gone) this.drop(vma);
    this.freeHint = Math.max(this.freeHint, start + len);
  }

  protect(start: number, len: number, prot: number): void {
    for (const vma of this.vmas.isolate(start, start + len)) vma.prot = prot;
    this.vmas.join(start, start + len);
    this.space.protect(start, len, prot);
  }

  /** Whether all of the range may be made writable. */
  mayWrite(start: number, len: number): boolean {
    for (let i = this.vmas.indexAfter(start); ; i++) {
      const vma = this.vmas.at(i);
      if (vma === undefined || vma.start >= start + len) return true;
      if ((vma.flags & VM_MAYWRITE) === 0) return false;
    }
  }

  isAnonymous(start: number, len: number): boolean {
    for (let i = this.vmas.indexAfter(start); ; i++) {
      const vma = this.vmas.at(i);
      if (vma === undefined || vma.start >= start + len) return true;
      if (vma.backing !== null) return false;
    }
  }

  /** Whether a page is in memory: a file's in its cache, a private one as the engine says (mincore(2)). */
  isResident(address: number): boolean {
    const vma = this.vmas.find(address);
    if (vma?.backing?.cache.isPresent(Math.floor(vma.posOf(address) / PAGE_SIZE))) return true;
    return this.space.presence(address, PAGE_SIZE).own > 0;
  }

  lockedPages(): number {
    let pages = 0;
    for (const vma of this.vmas) if ((vma.flags & VM_LOCKED) !== 0) pages += vma.length / PAGE_SIZE;
    return pages;
  }

  /** Makes an area longer by `more` bytes, which are free. */
  extend(vma: Vma, more: number): void {
    const end = vma.end;
    vma.end += more;
    this.account(more, vma);
    if (vma.backing === null) this.space.grow(vma.start, end - vma.start, vma.end - vma.start);
    else this.mapFilePages(vma, vma.backing, vma.posOf(end), vma.posOf(vma.end));
    this.vmas.join(vma.start, vma.end);
  }

  /** A touch below the stack: makes it longer, by a piece at a time, if `limit` (RLIMIT_STACK) lets it. */
  growStack(address: number, limit: number): Vma | null {
    const vma = this.vmas.at(this.vmas.indexAfter(address));
    if (vma === undefined || (vma.flags & VM_GROWSDOWN) === 0) return null;
    const lowest = Math.max(MMAP_MIN, vma.end - limit);
    if (address < lowest) return null;
    const start = Math.max(pageUp(lowest), pageDown(address) - STACK_PIECE);
    const gap = start - STACK_GUARD;
    if (start >= vma.start || !this.isFree(gap, vma.start - gap)) return null;
    this.space.mapAnonymous(start, vma.start - start, vma.prot);
    this.account(vma.start - start, vma);
    vma.start = start;
    return vma;
  }

  /** madvise(MADV_DONTNEED, MADV_FREE): private pages are dropped; files' pages come back when touched. */
  dontNeed(start: number, len: number, advice: number): number {
    for (const vma of this.vmas) {
      const from = Math.max(start, vma.start);
      const to = Math.min(start + len, vma.end);
      if (from >= to || vma.shared) continue;
      if ((vma.flags & VM_LOCKED) !== 0) return -EINVAL;
      if (vma.backing !== null && advice === MADV_FREE) return -EINVAL;
      this.space.advise(from, to - from, advice);
    }
    return 0;
  }

  /** madvise(MADV_REMOVE): holes in the files of shared mappings. */
  punch(start: number, len: number): number {
    for (const vma of this.vmas) {
      const from = Math.max(start, vma.start);
      const to = Math.min(start + len, vma.end);
      if (from >= to) continue;
      if (!vma.shared || vma.backing === null || (vma.flags & VM_MAYWRITE) === 0) return -EINVAL;
      vma.backing.cache.punch(vma.posOf(from), to - from);
    }
    return 0;
  }

  /** Moves the single area [from, from + len) to `to` with size `newLen`. The new place was unmapped. */
  move(from: number, len: number, newLen: number, to: number): void {
    const [vma] = this.vmas.remove(from, from + len);
    if (vma === undefined) return;
    vma.start = to;
    vma.end = to + newLen;
    vma.shift += to - from;
    this.account(newLen - len, vma);
    this.freeHint = Math.max(this.freeHint, from + len);
    if (vma.backing === null) this.space.move(from, len, newLen, to);
    else this.moveFilePages(vma, vma.backing, from, len);
    this.vmas.insert(vma);
  }

  /** For a new program: nothing is left but what the engine keeps. */
  clear(): void {
    for (const vma of this.vmas.clear()) this.drop(vma);
    this.unmapPages(MMAP_MIN, TASK_SIZE);
    this.freeHint = 0;
    this.exe?.put();
    this.exe = null;
  }

  /** Bytes that kernel and engine share. */
  get kernelBytes(): Uint8Array {
    return this.host.bytes;
  }

  /** The areas of a child made by fork; the engine has copied the pages. */
  fork(space: Space): Mm {
    const child = new Mm(space, this.host);
    const { brkStart, brk, mmapBase, startCode, endCode, startData, endData, startStack } = this;
    const { argStart, argEnd, envStart, envEnd, auxv } = this;
    Object.assign(child, { brkStart, brk, mmapBase, startCode, endCode, startData, endData, startStack });
    Object.assign(child, { argStart, argEnd, envStart, envEnd, auxv });
    child.exe = this.exe?.get() ?? null;
    for (const vma of this.vmas) {
      if ((vma.flags & VM_DONTFORK) !== 0) continue;
      const copy = vma.slice(vma.start, vma.end);
      copy.flags = vma.flags;
      child.adopt(copy);
    }
    this.host.images.forked(this, child);
    return child;
  }

  /** The pages of a file mapping that [address, address + len) needs but that are not mapped yet: how many were mapped, or -errno. */
  populate(address: number, len: number): number {
    let mapped = 0;
    for (let at = pageDown(address); at < address + len; ) {
      const vma = this.vmas.find(at);
      if (vma === null) break;
      const end = Math.min(vma.end, pageUp(address + len));
      if (vma.backing !== null && vma.mapped !== null) {
        const from = vma.posOf(at);
        const got = this.mapFilePages(vma, vma.backing, from, Math.max(vma.posOf(end), from + CHUNK));
        if (got < 0) return got;
        mapped += got;
      }
      at = vma.end;
    }
    return mapped;
  }

  /** Whether the program may access all of [address, address + len) so. */
  allows(address: number, len: number, prot: number): boolean {
    if (len === 0) return true;
    for (let at = address; at < address + len; ) {
      const vma = this.vmas.find(at);
      if (vma === null || (vma.prot & prot) !== prot) return false;
      at = vma.end;
    }
    return true;
  }

  /** madvise(MADV_DONTFORK and the like): the engine copies as the flags say. */
  setForkFlags(start: number, len: number, set: number, clear: number, advice: number): void {
    // Only of areas: what the engine keeps in between is copied, or not, as the engine says.
    for (const vma of this.vmas.isolate(start, start + len)) {
      vma.flags = (vma.flags | set) & ~clear;
      this.space.advise(vma.start, vma.length, advice);
    }
    this.vmas.join(start, start + len);
  }

  /** The last user is gone. */
  destroy(): void {
    this.space.destroy();
    this.host.promise(-this.promised);
    const gone = this.vmas.clear();
    for (const vma of gone) {
      vma.countWriter(-1);
      if (vma.shared) vma.backing?.sync(vma.pos, vma.length);
      vma.backing?.detached?.();
    }
    this.exe?.put();
    this.exe = null;
    this.space.whenDone(() => {
      this.host.images.destroyed(this);
      for (const vma of gone) this.release(vma);
    });
  }

  /** The sum of private areas that may be written, in pages: what the program might come to use. */
  committedPages(): number {
    let pages = 0;
    for (const vma of this.vmas) if (!vma.shared && (vma.prot & 2) !== 0) pages += vma.length / PAGE_SIZE;
    return pages;
  }

  truncated(): void {
    for (const vma of this.vmas) {
      if (vma.backing === null || vma.mapped === null) continue;
      const edge = pageUp(vma.backing.cache.size);
      const from = Math.max(vma.start, vma.start + (edge - vma.pos));
      if (from >= vma.end) continue;
      if (!Number.isFinite(vma.mapped.next(Math.floor(vma.posOf(from) / PAGE_SIZE), true))) continue;
      this.space.unmap(from, vma.end - from);
      vma.mapped.clear(vma.posOf(from) / PAGE_SIZE, Number.POSITIVE_INFINITY);
    }
    this.space.flush();
  }

  moved(): void {
    for (const vma of this.vmas) {
      if (vma.backing === null || vma.mapped === null || vma.mapped.count === 0) continue;
      const { cache } = vma.backing;
      for (let page = vma.mapped.next(0, true); Number.isFinite(page); ) {
        const stop = vma.mapped.next(page, false);
        const from = Math.max(page * PAGE_SIZE, vma.pos);
        const to = Math.min(stop * PAGE_SIZE, vma.posOf(vma.end));
        // A private mapping keeps the pages it has: they may have been written.
        if (to > from && vma.shared) this.mapRun(vma, cache.offsetOf(from), from, to);
        page = vma.mapped.next(stop, true);
      }
    }
    this.space.flush();
  }

  /** Takes the pages of [start, end) away, but for what the engine keeps. */
  private unmapPages(start: number, end: number): void {
    let at = start;
    for (const { from, to } of this.space.reserved) {
      if (to <= at || from >= end) continue;
      if (from > at) this.space.unmap(at, from - at);
      at = to;
    }
    if (end > at) this.space.unmap(at, end - at);
  }

  private adopt(vma: Vma): void {
    if (vma.backing !== null) {
      vma.hold();
      vma.backing.cache.users.add(this);
    }
    this.account(vma.length, vma);
    this.vmas.append(vma);
  }

  private account(bytes: number, vma: Vma): void {
    const pages = bytes / PAGE_SIZE;
    this.pages += pages;
    if (vma.backing === null && (vma.flags & VM_GROWSDOWN) === 0) {
      this.promised += pages;
      this.host.promise(pages);
    }
    if (this.pages > this.peakPages) this.peakPages = this.pages;
  }

  private fitBelow(len: number, limit: number, once: boolean): number {
    let top = limit;
    let index = this.vmas.indexAfter(top - 1);
    for (;;) {
      const area = this.vmas.at(index);
      if (area !== undefined && area.start < top && area.end > top - 1) top = area.start;
      const below = this.vmas.at(--index);
      const floor = below === undefined ? MMAP_MIN : below.end;
      for (const at of this.reservedAround(floor, top))
        if (top - at.to >= len) return top - len;
        else top = Math.min(top, at.from);
      if (top - floor >= len && top > floor) return top - len;
      if (below === undefined || once) return -ENOMEM;
      top = below.start;
    }
  }

  /** Reserved ranges between `floor` and `top`, highest first. */
  private reservedAround(floor: number, top: number): { from: number; to: number }[] {
    return this.space.reserved.filter(r => r.to > floor && r.from < top).sort((a, b) => b.from - a.from);
  }

  private mapBacking(vma: Vma, backing: Backing): number {
    vma.mapped = new Bitmap();
    backing.cache.users.add(this);
    vma.countWriter(1);
    const { size } = backing.cache;
    const eager = size <= EAGER ? vma.posOf(vma.end) : vma.pos;
    // Whatever was there must be gone: the file's pages may not fill the area.
    if (vma.posOf(vma.end) > pageUp(size) || eager < vma.posOf(vma.end))
      this.space.unmap(vma.start, vma.length);
    if ((vma.prot & PROT_EXEC) !== 0 && this.host.images.map(this, vma, backing)) return 0;
    if (eager === vma.pos) this.mapPresent(vma, backing);
    return Math.min(0, this.mapFilePages(vma, backing, vma.pos, eager));
  }

  /** Maps what the page cache of a large file has already: others have touched it. */
  private mapPresent(vma: Vma, backing: Backing): void {
    const { cache } = backing;
    const end = Math.min(vma.posOf(vma.end), pageUp(cache.size)) / PAGE_SIZE;
    for (let page = cache.nextPage(vma.pos / PAGE_SIZE, true); page < end; ) {
      const stop = Math.min(end, cache.nextPage(page, false));
      this.mapRun(vma, cache.offsetOf(page * PAGE_SIZE), page * PAGE_SIZE, stop * PAGE_SIZE);
      vma.mapped!.set(page, stop);
      page = cache.nextPage(stop, true);
    }
  }

  /** Maps what is not mapped yet of the file's bytes [from, to) that the area covers; pages mapped or -errno. */
  private mapFilePages(vma: Vma, backing: Backing, from: number, to: number): number {
    const { cache } = backing;
    const end = Math.min(to, vma.posOf(vma.end), pageUp(cache.size));
    const mapped = vma.mapped!;
    let count = 0;
    for (let page = mapped.next(Math.floor(from / PAGE_SIZE), false); page * PAGE_SIZE < end; ) {
      const stop = Math.min(mapped.next(page, true), end / PAGE_SIZE);
      const got = cache.ensure(page * PAGE_SIZE, (stop - page) * PAGE_SIZE);
      if (got < 0) return got;
      this.mapRun(vma, cache.offsetOf(page * PAGE_SIZE), page * PAGE_SIZE, stop * PAGE_SIZE);
      mapped.set(page, stop);
      count += stop - page;
      page = mapped.next(stop, false);
    }
    return count;
  }

  /**
   * The file's pages of an area that was at [from, from + len) come to where it is now. No mapping of the engine's
   * grows on the way: behind a file's pages lie those of others.
   */
  private moveFilePages(vma: Vma, backing: Backing, from: number, len: number): void {
    const first = vma.pos / PAGE_SIZE;
    const last = first + len / PAGE_SIZE;
    for (let page = vma.mapped!.next(first, true); page < last; ) {
      const stop = Math.min(vma.mapped!.next(page, false), last);
      const at = (page - first) * PAGE_SIZE;
      const size = (stop - page) * PAGE_SIZE;
      if (vma.shared)
        this.mapRun(vma, backing.cache.offsetOf(page * PAGE_SIZE), page * PAGE_SIZE, stop * PAGE_SIZE);
      else this.space.move(from + at, size, size, vma.start + at);
      page = vma.mapped!.next(stop, true);
    }
    this.space.unmap(from, len);
    this.mapFilePages(vma, backing, vma.pos + len, vma.posOf(vma.end));
  }

  private mapRun(vma: Vma, offset: number, from: number, to: number): void {
    const address = vma.start + (from - vma.pos);
    this.space.mapMemory(address, to - from, vma.prot, offset, vma.shared, (vma.flags & VM_MAYWRITE) !== 0);
  }

  /** The area's pages are ordered away; its file is let go once they are surely gone. */
  private drop(vma: Vma): void {
    this.account(-vma.length, vma);
    const { backing } = vma;
    if (backing === null) return;
    this.host.images.unmapped(this, vma);
    vma.countWriter(-1);
    if (vma.shared) backing.sync(vma.pos, vma.length);
    backing.detached?.();
    this.space.whenDone(() => this.release(vma));
  }

  private release(vma: Vma): void {
    const { backing } = vma;
    if (backing === null) return;
    vma.backing = null;
    if (![...this.vmas].some(v => v.backing?.cache === backing.cache)) backing.cache.dropUser(this);
    backing.put();
  }
}
