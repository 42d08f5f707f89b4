/** Areas that grow downwards as they are touched: stacks (mmap(2), MAP_GROWSDOWN). */
import type { Mm } from './mm.ts';
import { highestUse, MMAP_MIN } from './places.ts';
import { mapPrivate } from './private-pages.ts';
import { PAGE_SIZE, pageDown, pageUp } from './ram.ts';
import { VM_GROWSDOWN, type Vma } from './vma.ts';

/** The program's stack grows by this many bytes. */
const STACK_PIECE = 1024 * 1024;

/**
 * After a touch below an area that grows downwards: extends it, if `limit` (RLIMIT_STACK) and what lies below permit;
 * otherwise null. The program's stack grows by a piece at a time.
 */
export function growDown(mm: Mm, address: number, limit: number): Vma | null {
  const index = mm.vmas.indexAfter(address);
  const vma = mm.vmas.at(index);
  if (vma === undefined || (vma.flags & VM_GROWSDOWN) === 0 || vma.start <= address) return null;
  const lowest = Math.max(MMAP_MIN, pageUp(vma.end - limit), highestUse(mm.vmas.at(index - 1)));
  const page = pageDown(address);
  if (page < lowest) return null;
  const start = vma.name === '[stack]' ? Math.max(lowest, page - STACK_PIECE) : page;
  const more = vma.start - start;
  if (!mm.isAllowed(start, more)) return null;
  mapPrivate(mm, vma, start, vma.start, false);
  mm.changing();
  mm.account(more, vma);
  vma.start = start;
  return vma;
}

/** At most this many pages of a stack are looked at, in pieces of this many. */
const LOOKED_AT = 262144;
const PIECE = 4096;

/**
 * The lowest address of an area that was used. A program's stack is mapped whole, where Linux would let it grow, so on
 * Linux there is nothing below this address. Of a very large one (over 1 GiB) all but the lowest part counts as used.
 */
export function lowestUsed(mm: Mm, vma: Vma): number {
  if (vma.name !== '[stack]') return vma.start;
  const pages = Math.min(LOOKED_AT, vma.length / PAGE_SIZE);
  for (let page = 0; page < pages; page += PIECE) {
    const present = new Uint8Array(Math.min(PIECE, pages - page));
    mm.space.present(vma.start + page * PAGE_SIZE, present);
    const first = present.indexOf(1);
    if (first >= 0) return vma.start + (page + first) * PAGE_SIZE;
  }
  return vma.start + (pages - 1) * PAGE_SIZE;
}

/** Bytes of stacks with all of these flags that are mapped but were never used. */
export function unusedStack(mm: Mm, flags = 0): number {
  let bytes = 0;
  for (const vma of mm.vmas) if ((vma.flags & flags) === flags) bytes += lowestUsed(mm, vma) - vma.start;
  return bytes;
}
