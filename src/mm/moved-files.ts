/**
 * A file that has outgrown its range of memory lies elsewhere: all mappings of it must show what is written there from
 * now on. In private mappings only the written copies stay as they are.
 */
import { PROT_EXEC, PROT_WRITE } from '../engine/engine.ts';
import { mappedParts, mapRun, protectMapped } from './file-pages.ts';
import type { Mm } from './mm.ts';
import type { PageCache } from './page-cache.ts';
import { PAGE_SIZE } from './ram.ts';
import { type Vma, withoutStores } from './vma.ts';

/** The file lies elsewhere in memory now (PageUser). */
export function remapMoved(mm: Mm, cache: PageCache): void {
  const areas = [...mm.vmas].filter(vma => vma.backing?.cache === cache && follows(mm, vma));
  for (const vma of areas) if (vma.shared) remap(mm, vma, cache, vma.start, vma.end);
  const privately = areas.filter(vma => !vma.shared);
  // No store may come between the look at the pages and their replacement: such a store faults, and is repeated later.
  const writable = privately.filter(vma => (vma.prot & PROT_WRITE) !== 0);
  for (const vma of writable) protectMapped(mm, vma, withoutStores(vma.prot));
  for (const vma of privately) remapUnwritten(mm, vma, cache);
  for (const vma of writable) protectMapped(mm, vma, vma.prot);
  mm.space.flush();
}

/**
 * Copies in [from, to) are dropped: next the file shows there as it is now, though the copies were kept when it moved.
 */
export function remapDropped(mm: Mm, vma: Vma, from: number, to: number): void {
  const cache = vma.backing?.cache;
  if (cache?.hasLeft && follows(mm, vma)) remap(mm, vma, cache, from, to);
}

/**
 * Whether the area is mapped anew. Not the host's own pages, nor program text, which may be patched (text-image.ts).
 */
function follows(mm: Mm, vma: Vma): boolean {
  if (vma.direct || vma.mapped === null || vma.mapped.count === 0) return false;
  return vma.shared || ((vma.prot & PROT_EXEC) === 0 && !mm.texts.some(text => text.vma === vma));
}

function remapUnwritten(mm: Mm, vma: Vma, cache: PageCache): void {
  for (const { from, to } of mappedParts(vma, vma.start, vma.end)) {
    const copied = new Uint8Array((to - from) / PAGE_SIZE);
    mm.space.copied(from, copied);
    for (let page = copied.indexOf(0); page >= 0; ) {
      const next = copied.indexOf(1, page);
      const stop = next < 0 ? copied.length : next;
      remap(mm, vma, cache, from + page * PAGE_SIZE, from + stop * PAGE_SIZE);
      page = copied.indexOf(0, stop);
    }
  }
}

/** Maps anew what is mapped of [start, end) of an area. */
function remap(mm: Mm, vma: Vma, cache: PageCache, start: number, end: number): void {
  for (const { from, to } of mappedParts(vma, start, end))
    mapRun(mm, vma, cache.offsetOf(vma.posOf(from)), vma.posOf(from), vma.posOf(to));
}
