/** Private pages of an address space. They are the engine's: the list of areas does not change here. */
import { MADV_DONTFORK, MADV_WIPEONFORK } from '../uapi/mman.ts';
import type { Mm } from './mm.ts';
import { VM_DONTFORK, VM_WIPEONFORK, type Vma } from './vma.ts';

/** Maps fresh pages, which fork treats as the area says. */
export function mapPrivate(
  mm: Mm,
  { prot, flags }: Vma,
  start: number,
  end: number,
  overFile: boolean,
): void {
  mm.space.mapAnonymous(start, end - start, prot, overFile);
  if ((flags & VM_DONTFORK) !== 0) mm.space.advise(start, end - start, MADV_DONTFORK);
  if ((flags & VM_WIPEONFORK) !== 0) mm.space.advise(start, end - start, MADV_WIPEONFORK);
}

/** Extends private memory that ended at `old` to the area's end. A guard page before `old` is not continued. */
export function growPrivate(mm: Mm, { start, end, prot }: Vma, old: number): void {
  mm.space.grow(start, old - start, end - start);
  if (mm.guards.count > 0) mm.space.protect(old, end - old, prot);
}

/**
 * Moves [from, from + len) to `to` in pieces, as the host moves only within one area of its own: guard pages are
 * others.
 */
export function movePages(mm: Mm, from: number, len: number, to: number): void {
  const cuts = mm.guards.within(from, from + len).flatMap(range => [range.from, range.to]);
  let at = from;
  for (const cut of [...cuts, from + len]) {
    if (cut > at) mm.space.move(at, cut - at, cut - at, to + (at - from));
    at = cut;
  }
}
