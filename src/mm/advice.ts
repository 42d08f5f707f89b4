/**
 * What madvise(2), mlock(2) and mincore(2) do to the pages of one area or of a range. Areas are cut only where they
 * become different.
 */
import { PROT_NONE, PROT_READ, PROT_WRITE } from '../engine/engine.ts';
import { EACCES, EFAULT, EINVAL, ENOMEM } from '../uapi/errno.ts';
import { MADV_FREE, MADV_POPULATE_READ, MADV_POPULATE_WRITE } from '../uapi/mman.ts';
import { touched } from './file-pages.ts';
import type { Mm } from './mm.ts';
import { remapDropped } from './moved-files.ts';
import { PAGE_SIZE, pageUp } from './ram.ts';
import { VM_LOCKED, VM_LOCKONFAULT, VM_MAYWRITE, VM_SHARED, type Vma } from './vma.ts';

/** MADV_DONTNEED, MADV_FREE: drops private pages; a file's pages come back when touched. */
export function dropPages(mm: Mm, vma: Vma, from: number, to: number, advice: number): number {
  if (advice === MADV_FREE && (vma.backing !== null || vma.shared)) return -EINVAL;
  if (vma.shared) return 0;
  mm.advisePages(from, to, advice);
  remapDropped(mm, vma, from, to);
  return 0;
}

/** MADV_REMOVE: punches a hole in the file of a shared mapping. */
export function punch(vma: Vma, from: number, to: number): number {
  if (vma.backing === null) return -EINVAL;
  if (!vma.shared || (vma.flags & VM_MAYWRITE) === 0) return -EACCES;
  vma.backing.cache.punch(vma.posOf(from), to - from);
  return 0;
}

/** MADV_DONTFORK and the like: the engine treats the pages at fork as the flags say. */
export function setForkFlag(
  mm: Mm,
  from: number,
  to: number,
  flag: number,
  on: boolean,
  advice: number,
): void {
  mm.vmas.setFlags(from, to, on ? flag : 0, on ? 0 : flag);
  mm.space.advise(from, to - from, advice);
}

/**
 * Brings in the pages of [start, end) as if they had been touched (MAP_POPULATE, mlock(2)): 0, -ENOMEM at a hole,
 * -EFAULT at a page that cannot be touched. The pages before a failure have been brought in.
 */
export function faultIn(mm: Mm, start: number, end: number): number {
  const stop = mm.vmas.coveredFrom(start, end);
  for (const vma of mm.vmas.within(start, stop)) {
    if ((vma.flags & VM_LOCKONFAULT) !== 0) continue;
    const writes = (vma.prot & PROT_WRITE) !== 0 && (vma.flags & VM_SHARED) === 0;
    const failed = faultInArea(mm, vma, Math.max(start, vma.start), Math.min(stop, vma.end), writes);
    if (failed < 0) return failed;
  }
  return stop < end ? -ENOMEM : 0;
}

/** The same for a part of one area. */
export function faultInArea(mm: Mm, vma: Vma, from: number, to: number, writes: boolean): number {
  if (vma.prot === PROT_NONE) return -EFAULT;
  const canRead = (vma.prot & PROT_READ) !== 0;
  const stores = writes || !canRead;
  const [guard] = mm.guards.within(from, to);
  const file = vma.backing === null ? to : vma.start + (pageUp(vma.backing.cache.size) - vma.pos);
  const end = Math.max(from, Math.min(to, guard?.from ?? to, file));
  if (end > from && vma.backing !== null) {
    const failed = mm.populate(from, end - from, stores);
    if (failed < 0) return -EFAULT;
  }
  const advice = stores ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;
  if (end > from && (canRead || (vma.prot & PROT_WRITE) !== 0)) mm.space.advise(from, end - from, advice);
  return end < to ? -EFAULT : 0;
}

/** Whether new pages of an area are brought in at once. */
export const isFilled = (flags: number): boolean => (flags & (VM_LOCKED | VM_LOCKONFAULT)) === VM_LOCKED;

/**
 * Which of the area's pages from `address` on are in memory (mincore(2)): a byte each, 1 or 0. The engine knows this of
 * private pages; a file's page counts if its cache has it and it was touched.
 */
export function residency(mm: Mm, vma: Vma, address: number, out: Uint8Array): void {
  const { backing } = vma;
  out.fill(0);
  if (!vma.shared) mm.space.present(address, out);
  if (backing !== null) touched(mm, backing.cache, vma.posOf(address) / PAGE_SIZE, out);
}
