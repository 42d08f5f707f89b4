/**
 * Pages of files in an address space; `vma.mapped` notes which of them the engine has mapped. Small files are mapped
 * whole, large ones as they are touched, or by the space itself from the host's file. Only the engine's pages and these
 * notes change here, not the list of areas. Lengths and addresses are page-aligned unless stated otherwise.
 */
import { PROT_EXEC, PROT_NONE, PROT_WRITE } from '../engine/engine.ts';
import { Bitmap } from '../lib/bitmap.ts';
import type { Range } from '../lib/ranges.ts';
import { MADV_DONTFORK } from '../uapi/mman.ts';
import { hideGuards } from './guards.ts';
import type { Mm } from './mm.ts';
import type { PageCache } from './page-cache.ts';
import { movePages } from './private-pages.ts';
import { PAGE_SIZE, pageDown, pageUp } from './ram.ts';
import { type Backing, VM_DONTFORK, VM_MAYWRITE, VM_SHARED_WRITER, type Vma, withoutStores } from './vma.ts';

/** Files up to this size are read whole when they are mapped, larger ones as they are touched. */
const EAGER = 16 * 1024 * 1024;
/**
 * How much is read and mapped after a touch: the aligned piece of the file around it, so that going backwards costs no
 * more.
 */
const CHUNK = 1024 * 1024;

/** Maps a new area's file; the old mapping may still be in its place. 0, or -errno with some pages perhaps mapped. */
export function mapBacking(mm: Mm, vma: Vma, backing: Backing): number {
  vma.mapped = new Bitmap();
  backing.cache.users.add(mm);
  vma.countWriter(1);
  if (backing.hearsStores && (vma.flags & VM_SHARED_WRITER) === VM_SHARED_WRITER) vma.unstored = true;
  const { size } = backing.cache;
  const end = vma.posOf(vma.end);
  const eager = size <= EAGER ? end : vma.pos;
  // The old mapping must go: the file's pages may not fill the area.
  if (end > pageUp(size) || eager < end) mm.space.unmap(vma.start, vma.length, true);
  if ((vma.prot & PROT_EXEC) !== 0 && mm.host.images.map(mm, vma, backing)) return 0;
  if (eager === vma.pos) {
    if (mapDirectly(mm, vma, backing)) return 0;
    mapPresent(mm, vma, backing);
  }
  return Math.min(0, mapFilePages(mm, vma, backing, vma.pos, eager));
}

/** Maps the host's own file: its pages need not be read, and the kernel has no part in a touch. */
function mapDirectly(mm: Mm, vma: Vma, { cache }: Backing): boolean {
  const len = Math.min(vma.length, pageUp(cache.size) - vma.pos);
  if (vma.shared || cache.hostFile === null || len <= 0) return false;
  if (!mm.space.mapFile(vma.start, len, vma.prot, cache.hostFile, vma.pos)) return false;
  vma.mapped!.set(vma.pos / PAGE_SIZE, (vma.pos + len) / PAGE_SIZE);
  vma.direct = true;
  hasMapped(mm, vma, vma.start, len);
  return true;
}

/** The host has refused to map the file: the area gets its pages from the page cache as they are touched. */
export function mapIndirectly(vma: Vma): void {
  vma.direct = false;
  vma.mapped = new Bitmap();
}

/** Maps what the page cache of a large file has already, as others have touched it. */
function mapPresent(mm: Mm, vma: Vma, backing: Backing): void {
  const { cache } = backing;
  const end = Math.min(vma.posOf(vma.end), pageUp(cache.size)) / PAGE_SIZE;
  for (let page = cache.nextPage(vma.pos / PAGE_SIZE, true); page < end; ) {
    const stop = Math.min(end, cache.nextPage(page, false));
    mapRun(mm, vma, cache.offsetOf(page * PAGE_SIZE), page * PAGE_SIZE, stop * PAGE_SIZE);
    vma.mapped!.set(page, stop);
    page = cache.nextPage(stop, true);
  }
}

/**
 * Maps those of the file's bytes [from, to) that the area covers and that are not mapped yet: pages mapped, or -errno.
 */
function mapFilePages(mm: Mm, vma: Vma, backing: Backing, from: number, to: number): number {
  const { cache } = backing;
  const end = Math.min(to, vma.posOf(vma.end), pageUp(cache.size));
  const mapped = vma.mapped!;
  let count = 0;
  for (let page = mapped.next(Math.floor(from / PAGE_SIZE), false); page * PAGE_SIZE < end; ) {
    const stop = Math.min(mapped.next(page, true), end / PAGE_SIZE);
    const got = cache.ensure(page * PAGE_SIZE, (stop - page) * PAGE_SIZE);
    if (got < 0) return got;
    mapRun(mm, vma, cache.offsetOf(page * PAGE_SIZE), page * PAGE_SIZE, stop * PAGE_SIZE);
    mapped.set(page, stop);
    count += stop - page;
    page = mapped.next(stop, false);
  }
  return count;
}

/**
 * Moves the file's pages of an area that was at [from, from + len) to where the area is now. No mapping of the engine's
 * grows on the way, because the pages behind a file's belong to others.
 */
export function moveFilePages(mm: Mm, vma: Vma, backing: Backing, from: number, len: number): void {
  const first = vma.pos / PAGE_SIZE;
  const last = first + len / PAGE_SIZE;
  for (let page = vma.mapped!.next(first, true); page < last; ) {
    const stop = Math.min(vma.mapped!.next(page, false), last);
    const at = (page - first) * PAGE_SIZE;
    const size = (stop - page) * PAGE_SIZE;
    if (vma.shared)
      mapRun(mm, vma, backing.cache.offsetOf(page * PAGE_SIZE), page * PAGE_SIZE, stop * PAGE_SIZE);
    else movePages(mm, from + at, size, vma.start + at);
    page = vma.mapped!.next(stop, true);
  }
  mm.space.unmap(from, len, true);
  mapAppended(mm, vma, backing, vma.pos + len);
}

/**
 * An area has become longer. Notes on pages from `pos` on are stale: they come from an area that this one was cut from.
 */
export function mapAppended(mm: Mm, vma: Vma, backing: Backing, pos: number): void {
  vma.mapped!.clear(pos / PAGE_SIZE, Number.POSITIVE_INFINITY);
  mapFilePages(mm, vma, backing, pos, vma.posOf(vma.end));
}

/** Maps the bytes [from, to) of the area's file, which lie at `offset` in memory. Guard pages stay guarded. */
export function mapRun(mm: Mm, vma: Vma, offset: number, from: number, to: number): void {
  const address = vma.start + (from - vma.pos);
  mm.space.mapMemory(address, to - from, vma.pageProt, offset, vma.shared, (vma.flags & VM_MAYWRITE) !== 0);
  hasMapped(mm, vma, address, to - from);
}

function hasMapped(mm: Mm, vma: Vma, address: number, len: number): void {
  if ((vma.flags & VM_DONTFORK) !== 0) mm.space.advise(address, len, MADV_DONTFORK);
  for (const guard of mm.guards.within(address, address + len))
    mm.space.protect(guard.from, guard.to - guard.from, PROT_NONE);
}

/**
 * Maps the pages of files that [address, address + len), not page-aligned, needs and that are not mapped yet: how many,
 * or -errno. The result includes areas whose files have been told of a store.
 */
export function mapTouched(mm: Mm, address: number, len: number, stores: boolean): number {
  let mapped = stores ? storing(mm, address, len) : 0;
  for (let at = pageDown(address); at < address + len; ) {
    const vma = mm.vmas.find(at);
    if (vma === null) break;
    const end = Math.min(vma.end, pageUp(address + len));
    if (vma.backing !== null && vma.mapped !== null) {
      const touched = vma.posOf(at);
      const from = Math.max(vma.pos, touched - (touched % CHUNK));
      const got = mapFilePages(mm, vma, vma.backing, from, Math.max(vma.posOf(end), from + CHUNK));
      if (got < 0) return got;
      mapped += got;
    }
    at = vma.end;
  }
  return mapped;
}

/**
 * [start, end) has become writable: takes that right back where nothing was stored yet, as the file must be told of it.
 */
export function hideUnstored(mm: Mm, start: number, end: number, prot: number): void {
  for (const vma of mm.vmas.within(start, end)) {
    if (!vma.unstored) continue;
    for (const { from, to } of mappedParts(vma, Math.max(start, vma.start), Math.min(end, vma.end)))
      mm.space.protect(from, to - from, withoutStores(prot));
  }
}

/** Before a store to [address, address + len), not page-aligned: the number of areas whose files have been told now. */
function storing(mm: Mm, address: number, len: number): number {
  let heard = 0;
  for (const vma of mm.vmas.within(address, address + len)) {
    if (!vma.unstored || (vma.prot & PROT_WRITE) === 0) continue;
    vma.unstored = false;
    protectMapped(mm, vma, vma.prot);
    vma.backing?.stored();
    heard++;
  }
  return heard;
}

/** Gives the mapped pages of an area these rights. */
export function protectMapped(mm: Mm, vma: Vma, prot: number): void {
  for (const { from, to } of mappedParts(vma, vma.start, vma.end)) mm.space.protect(from, to - from, prot);
  hideGuards(mm, vma.start, vma.end);
}

/** Removes the engine's pages behind the ends of files (PageUser). */
export function unmapTruncated(mm: Mm): void {
  for (const vma of mm.vmas) {
    if (vma.backing === null || vma.mapped === null) continue;
    const edge = pageUp(vma.backing.cache.size);
    const from = Math.max(vma.start, vma.start + (edge - vma.pos));
    if (from >= vma.end) continue;
    if (!Number.isFinite(vma.mapped.next(Math.floor(vma.posOf(from) / PAGE_SIZE), true))) continue;
    mm.space.unmap(from, vma.end - from, true);
    vma.mapped.clear(vma.posOf(from) / PAGE_SIZE, Number.POSITIVE_INFINITY);
  }
  mm.space.flush();
}

/** Pages [first, last) of a file have become a hole (PageUser). */
export function unmapPunched(mm: Mm, cache: PageCache, first: number, last: number): void {
  for (const vma of mm.vmas) {
    // Through private mappings the hole shows without our help, and what was written stays.
    if (vma.backing?.cache !== cache || vma.mapped === null || !vma.shared) continue;
    const from = Math.max(vma.start, vma.start + (first * PAGE_SIZE - vma.pos));
    const to = Math.min(vma.end, vma.start + (last * PAGE_SIZE - vma.pos));
    if (from >= to || vma.mapped.next(vma.posOf(from) / PAGE_SIZE, true) * PAGE_SIZE >= vma.posOf(to))
      continue;
    mm.space.unmap(from, to - from, true);
    vma.mapped.clear(vma.posOf(from) / PAGE_SIZE, vma.posOf(to) / PAGE_SIZE);
  }
  mm.space.flush();
}

/** Where the engine has pages in [start, end). Requests for other ranges fail, and end at the first hole. */
export function mappedRuns(mm: Mm, start: number, end: number): Range[] {
  const runs: Range[] = [];
  for (const vma of mm.vmas.within(start, end))
    for (const part of mappedParts(vma, Math.max(start, vma.start), Math.min(end, vma.end))) {
      const last = runs.at(-1);
      if (last?.to === part.from) runs[runs.length - 1] = { from: last.from, to: part.to };
      else runs.push(part);
    }
  return runs;
}

/** Parts of an area that the engine has pages for: all of private memory, and of a file what has been mapped so far. */
export function* mappedParts({ mapped, start, pos }: Vma, from: number, to: number): Generator<Range> {
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

/** Which pages of a file from `page` on are cached and were touched: sets out[i] to 1 for each. */
export function touched(mm: Mm, cache: PageCache, page: number, out: Uint8Array): void {
  for (let at = cache.nextPage(page, true); at < page + out.length; ) {
    const stop = Math.min(page + out.length, cache.nextPage(at, false));
    mm.host.touched(cache.offsetOf(at * PAGE_SIZE), out.subarray(at - page, stop - page));
    at = cache.nextPage(stop, true);
  }
}

/**
 * Only when the pages of an area that is no longer listed are surely gone may the cache stop telling the space of
 * changes.
 */
export function forgetCache(mm: Mm, cache: PageCache): void {
  if (!mm.vmas.isMapped(cache)) cache.dropUser(mm);
}
