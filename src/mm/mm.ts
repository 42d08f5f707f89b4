/**
 * An address space as the kernel sees it (mm_struct): its areas, and where things are. Keeps areas and the
 * engine's pages in step. The system calls' own rules (flags, limits, errors) are in syscalls/mm.ts.
 */
import { PROT_EXEC, PROT_NONE, PROT_READ, type Space } from '../engine/engine.ts';
import { Bitmap } from '../lib/bitmap.ts';
import { type Range, Ranges } from '../lib/ranges.ts';
import { ENOMEM } from '../uapi/errno.ts';
import { MADV_DONTFORK, MADV_WIPEONFORK } from '../uapi/mman.ts';
import { removeGuards } from './advice.ts';
import type { PageCache, PageUser } from './page-cache.ts';
import { highestUse, lowestUse, MMAP_MIN, Places, TASK_SIZE } from './places.ts';
import { PAGE_SIZE, pageDown, pageUp } from './ram.ts';
import type { TextImages } from './text-image.ts';
import {
  type Backing,
  VM_DONTFORK,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_LOCKED_MASK,
  VM_MAYWRITE,
  VM_SEALED,
  VM_WIPEONFORK,
  Vma,
  VmaList,
} from './vma.ts';

export { MMAP_MIN, TASK_SIZE };

/** Files up to this size are read whole when they are mapped, larger ones as they are touched. */
const EAGER = 16 * 1024 * 1024;
/** What is read and mapped at once after a touch. */
const CHUNK = 1024 * 1024;
/** The program's stack grows by this much. */
const STACK_PIECE = 1024 * 1024;

/** What address spaces have in common: a machine's. */
export interface MmHost {
  readonly images: TextImages;
  /** The memory that kernel and engine share, for what is staged. */
  readonly bytes: Uint8Array;
  /** Of the pages at `offset` of that memory: sets out[i] to 1 for each that was ever touched. */
  touched(offset: number, out: Uint8Array): void;
  /** So many private pages more (or fewer) may be touched. */
  promise(pages: number): void;
}

/** Whether an area with these PROT_ bits lets one do this. What may be written or executed can be read, on x86. */
export const grants = (has: number, wanted: number): boolean =>
  wanted === PROT_READ ? has !== PROT_NONE : (has & wanted) === wanted;

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
  /** Flags of areas to come: mlockall(2), MCL_FUTURE. */
  defFlags = 0;
  /** What membarrier(2) was told to be ready for. */
  barriers = 0;
  /** Guard pages (madvise(2), MADV_GUARD_INSTALL): no access, whatever their areas say. */
  guards = new Ranges();
  private readonly places = new Places();
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
    return this.places.find(this, len, limit);
  }

  /** Whether nothing is there. `apart`: nor does it come too near to an area that grows downwards. */
  isFree(start: number, len: number, apart = false): boolean {
    const next = this.vmas.at(this.vmas.indexAfter(start));
    if (!this.isAllowed(start, len)) return false;
    return next === undefined || (apart ? lowestUse(next) : next.start) >= start + len;
  }

  /** Replaces what is at [start, start + len) by private or shared zero pages, or by a file's. */
  map(vma: Vma): number {
    const overFile = this.unmap(vma.start, vma.length, false);
    if (vma.backing === null) this.mapPrivate(vma, vma.start, vma.end, overFile);
    else {
      const failed = this.mapBacking(vma, vma.backing);
      if (failed < 0) {
        this.unmapPages(vma.start, vma.end);
        this.account(vma.length, vma);
        this.drop(vma);
        return failed;
      }
    }
    this.account(vma.length, vma);
    this.vmas.insert(vma);
    return vma.start;
  }

  /**
   * Takes all areas of [start, start + len) away; whether there were files' pages. `pages` false: pages are mapped over
   * all of theirs at once.
   */
  unmap(start: number, len: number, pages = true): boolean {
    const gone = this.vmas.remove(start, start + len);
    if (gone.length === 0) return false;
    const files = gone.some(v => v.backing !== null);
    if (pages) this.unmapPages(start, start + len, files);
    for (const vma of gone) this.drop(vma);
    this.guards.remove(start, start + len);
    this.places.freed(start + len);
    return files;
  }

  protect(start: number, len: number, prot: number): void {
    for (const vma of this.vmas.isolate(start, start + len)) vma.prot = prot;
    this.protectPages(start, start + len, prot);
    this.vmas.join(start, start + len);
    this.hideGuards(start, start + len);
  }

  protectPages(start: number, end: number, prot: number): void {
    for (const { from, to } of this.mappedRuns(start, end)) this.space.protect(from, to - from, prot);
  }

  advisePages(start: number, end: number, advice: number): void {
    for (const { from, to } of this.mappedRuns(start, end)) this.space.advise(from, to - from, advice);
  }

  /** Where the engine has pages in [start, end): what it is asked of others fails, and ends at the first hole. */
  private mappedRuns(start: number, end: number): Range[] {
    const runs: Range[] = [];
    for (const vma of this.vmas.within(start, end))
      for (const part of mappedParts(vma, Math.max(start, vma.start), Math.min(end, vma.end))) {
        const last = runs.at(-1);
        if (last?.to === part.from) runs[runs.length - 1] = { from: last.from, to: part.to };
        else runs.push(part);
      }
    return runs;
  }

  /** Takes the right to access guard pages away, which a mapping or mprotect has just given. */
  hideGuards(start: number, end: number): void {
    if (this.guards.count === 0) return;
    for (const { from, to } of this.guards.within(start, end)) this.protectPages(from, to, PROT_NONE);
  }

  /** Whether others may see what the program writes. */
  get sharesMemory(): boolean {
    if (this.users > 1) return true;
    for (let i = this.vmas.count - 1; i >= 0; i--) if (this.vmas.at(i)!.shared) return true;
    return false;
  }

  /** Pages of [start, end) that are locked in memory. */
  lockedPages(start = 0, end = TASK_SIZE): number {
    let pages = 0;
    for (const vma of this.vmas.within(start, end))
      if ((vma.flags & VM_LOCKED) !== 0)
        pages += (Math.min(end, vma.end) - Math.max(start, vma.start)) / PAGE_SIZE;
    return pages;
  }

  /** Whether something of [start, end) must stay as it is. */
  isSealed(start: number, end: number): boolean {
    for (const vma of this.vmas.within(start, end)) if ((vma.flags & VM_SEALED) !== 0) return true;
    return false;
  }

  /** Flags that areas of [start, end) get and lose: 0, or -ENOMEM at a hole; the areas before it have changed. */
  setFlags(start: number, end: number, set: number, clear: number): number {
    const stop = this.vmas.coveredFrom(start, end);
    for (const vma of this.vmas.isolate(start, stop)) vma.flags = (vma.flags & ~clear) | set;
    this.vmas.join(start, stop);
    return stop < end ? -ENOMEM : 0;
  }

  /** Makes an area longer by `more` bytes, which are free. */
  extend(vma: Vma, more: number): void {
    const end = vma.end;
    vma.end += more;
    this.account(more, vma);
    if (vma.backing === null) this.grow(vma, end);
    else this.mapAppended(vma, vma.backing, vma.posOf(end));
    this.vmas.join(vma.start, vma.end);
  }

  /**
   * A touch below an area that grows downwards makes it longer, if `limit` (RLIMIT_STACK) and what lies below let
   * it. The program's stack grows by a piece at a time.
   */
  growDown(address: number, limit: number): Vma | null {
    const index = this.vmas.indexAfter(address);
    const vma = this.vmas.at(index);
    if (vma === undefined || (vma.flags & VM_GROWSDOWN) === 0 || vma.start <= address) return null;
    const lowest = Math.max(MMAP_MIN, pageUp(vma.end - limit), highestUse(this.vmas.at(index - 1)));
    const page = pageDown(address);
    if (page < lowest) return null;
    const start = vma.name === '[stack]' ? Math.max(lowest, page - STACK_PIECE) : page;
    const more = vma.start - start;
    if (!this.isAllowed(start, more)) return null;
    this.mapPrivate(vma, start, vma.start, false);
    this.account(more, vma);
    vma.start = start;
    return vma;
  }

  /** Moves the single area [from, from + len) to `to` with size `newLen`. The new place was unmapped. */
  move(from: number, len: number, newLen: number, to: number): void {
    const [vma] = this.vmas.remove(from, from + len);
    if (vma === undefined) return;
    vma.start = to;
    vma.end = to + newLen;
    vma.shift += to - from;
    this.account(newLen - len, vma);
    this.places.freed(from + len);
    if (vma.backing !== null) this.moveFilePages(vma, vma.backing, from, len);
    else {
      this.movePages(from, len, to);
      if (newLen > len) this.grow(vma, to + len);
    }
    this.moveGuards(from, len, to);
    this.vmas.insert(vma);
    this.hideGuards(to, to + newLen);
  }

  /** For a new program: nothing is left but what the engine keeps. */
  clear(): void {
    for (const vma of this.vmas.clear()) this.drop(vma);
    this.unmapPages(MMAP_MIN, TASK_SIZE);
    this.places.reset();
    this.guards = new Ranges();
    this.defFlags = 0;
    this.barriers = 0;
    this.exe?.put();
    this.exe = null;
  }

  /** Which pages of a file from `page` on are in memory: sets out[i] to 1 for each. */
  touched(cache: PageCache, page: number, out: Uint8Array): void {
    for (let at = cache.nextPage(page, true); at < page + out.length; ) {
      const stop = Math.min(page + out.length, cache.nextPage(at, false));
      this.host.touched(cache.offsetOf(at * PAGE_SIZE), out.subarray(at - page, stop - page));
      at = cache.nextPage(stop, true);
    }
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
    child.barriers = this.barriers;
    child.guards = this.guards.clone();
    for (const vma of this.vmas) {
      if ((vma.flags & VM_DONTFORK) !== 0) continue;
      const copy = vma.slice(vma.start, vma.end);
      copy.flags = vma.flags & ~VM_LOCKED_MASK;
      child.adopt(copy);
      if ((vma.flags & VM_WIPEONFORK) !== 0) removeGuards(child, copy, copy.start, copy.end);
    }
    this.host.images.forked(this, child);
    return child;
  }

  /** One more mapping like `vma`, of what lies at `pos` of its file; of fresh pages if it has none. The place, or -errno. */
  duplicate(vma: Vma, start: number, len: number, pos: number): number {
    const copy = new Vma(start, start + len, vma.prot, vma.flags);
    copy.backing = vma.backing?.get() ?? null;
    copy.pos = pos;
    copy.name = vma.name;
    return this.map(copy);
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
      if (vma === null || !grants(vma.prot, prot)) return false;
      at = vma.end;
    }
    return !this.guards.touches(address, address + len);
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
      this.space.unmap(from, vma.end - from, true);
      vma.mapped.clear(vma.posOf(from) / PAGE_SIZE, Number.POSITIVE_INFINITY);
    }
    this.space.flush();
  }

  punched(cache: PageCache, first: number, last: number): void {
    for (const vma of this.vmas) {
      // Through private mappings the hole is seen without our help, and what was written stays.
      if (vma.backing?.cache !== cache || vma.mapped === null || !vma.shared) continue;
      const from = Math.max(vma.start, vma.start + (first * PAGE_SIZE - vma.pos));
      const to = Math.min(vma.end, vma.start + (last * PAGE_SIZE - vma.pos));
      if (from >= to || vma.mapped.next(vma.posOf(from) / PAGE_SIZE, true) * PAGE_SIZE >= vma.posOf(to))
        continue;
      this.space.unmap(from, to - from, true);
      vma.mapped.clear(vma.posOf(from) / PAGE_SIZE, vma.posOf(to) / PAGE_SIZE);
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
  private unmapPages(start: number, end: number, files = true): void {
    let at = start;
    for (const { from, to } of this.space.reserved) {
      if (to <= at || from >= end) continue;
      if (from > at) this.space.unmap(at, from - at, files);
      at = to;
    }
    if (end > at) this.space.unmap(at, end - at, files);
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

  private mapBacking(vma: Vma, backing: Backing): number {
    vma.mapped = new Bitmap();
    backing.cache.users.add(this);
    vma.countWriter(1);
    const { size } = backing.cache;
    const eager = size <= EAGER ? vma.posOf(vma.end) : vma.pos;
    // Whatever was there must be gone: the file's pages may not fill the area.
    if (vma.posOf(vma.end) > pageUp(size) || eager < vma.posOf(vma.end))
      this.space.unmap(vma.start, vma.length, true);
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
      else this.movePages(from + at, size, vma.start + at);
      page = vma.mapped!.next(stop, true);
    }
    this.space.unmap(from, len, true);
    this.mapAppended(vma, backing, vma.pos + len);
  }

  /** An area has become longer. What is noted of the pages from `pos` on is of an area that it was once cut from. */
  private mapAppended(vma: Vma, backing: Backing, pos: number): void {
    vma.mapped!.clear(pos / PAGE_SIZE, Number.POSITIVE_INFINITY);
    this.mapFilePages(vma, backing, pos, vma.posOf(vma.end));
  }

  /** Fresh pages, which forks treat as the area says. */
  private mapPrivate({ prot, flags }: Vma, start: number, end: number, overFile: boolean): void {
    this.space.mapAnonymous(start, end - start, prot, overFile);
    if ((flags & VM_DONTFORK) !== 0) this.space.advise(start, end - start, MADV_DONTFORK);
    if ((flags & VM_WIPEONFORK) !== 0) this.space.advise(start, end - start, MADV_WIPEONFORK);
  }

  /** Private memory that ended at `old` comes to reach to the area's end. A guard page there is not to be continued. */
  private grow({ start, end, prot }: Vma, old: number): void {
    this.space.grow(start, old - start, end - start);
    if (this.guards.count > 0) this.space.protect(old, end - old, prot);
  }

  private mapRun(vma: Vma, offset: number, from: number, to: number): void {
    const address = vma.start + (from - vma.pos);
    this.space.mapMemory(address, to - from, vma.prot, offset, vma.shared, (vma.flags & VM_MAYWRITE) !== 0);
    if ((vma.flags & VM_DONTFORK) !== 0) this.space.advise(address, to - from, MADV_DONTFORK);
    for (const guard of this.guards.within(address, address + to - from))
      this.space.protect(guard.from, guard.to - guard.from, PROT_NONE);
  }

  /** In pieces that are areas of the host's, too: guard pages are apart there. */
  private movePages(from: number, len: number, to: number): void {
    const cuts = this.guards.within(from, from + len).flatMap(range => [range.from, range.to]);
    let at = from;
    for (const cut of [...cuts, from + len]) {
      if (cut > at) this.space.move(at, cut - at, cut - at, to + (at - from));
      at = cut;
    }
  }

  private moveGuards(from: number, len: number, to: number): void {
    const moved = this.guards.within(from, from + len);
    this.guards.remove(from, from + len);
    for (const range of moved) this.guards.add(range.from - from + to, range.to - from + to);
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

  private maps({ cache }: Backing): boolean {
    for (let i = this.vmas.count - 1; i >= 0; i--) if (this.vmas.at(i)!.backing?.cache === cache) return true;
    return false;
  }

  private release(vma: Vma): void {
    const { backing } = vma;
    if (backing === null) return;
    vma.backing = null;
    if (!this.maps(backing)) backing.cache.dropUser(this);
    backing.put();
  }
}

/** Parts of an area that the engine has pages for: all of private memory, of a file what was mapped so far. */
function* mappedParts({ mapped, start, pos }: Vma, from: number, to: number): Generator<Range> {
  if (mapped === null) {
    yield { from, to };
    return;
  }
  const last = (pos + (to - start)) / PAGE_SIZE;
  for (let page = mapped.next((pos + (from - start)) / PAGE_SIZE, true); page < last; ) {
    const stop = Math.min(last, mapped.next(page, false));
    yield { from: start + (page * PAGE_SIZE - pos), to: start + (stop * PAGE_SIZE - pos) };
    page = mapped.next(stop, true);
  }
}
