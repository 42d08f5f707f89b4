/**
 * Guard pages (madvise(2), MADV_GUARD_INSTALL): pages that may not be touched, whatever their area's rights. They do
 * not cut areas: an Mm keeps them as ranges, and the engine's pages there have no rights.
 */
import { PROT_NONE } from '../engine/engine.ts';
import { MADV_DONTNEED } from '../uapi/mman.ts';
import type { Mm } from './mm.ts';
import type { Vma } from './vma.ts';

/** MADV_GUARD_INSTALL: the contents are lost, and a touch is SIGSEGV. */
export function installGuards(mm: Mm, from: number, to: number): void {
  mm.changing();
  mm.guards.add(from, to);
  mm.advisePages(from, to, MADV_DONTNEED);
  mm.protectPages(from, to, PROT_NONE);
}

/** MADV_GUARD_REMOVE, within one area: its rights apply again. */
export function removeGuards(mm: Mm, vma: Vma, start: number, end: number): void {
  for (const { from, to } of mm.guards.within(start, end)) mm.protectPages(from, to, vma.pageProt);
  mm.guards.remove(start, end);
}

/** Takes away the access to guard pages that a mapping or mprotect has just given. */
export function hideGuards(mm: Mm, start: number, end: number): void {
  if (mm.guards.count === 0) return;
  for (const { from, to } of mm.guards.within(start, end)) mm.protectPages(from, to, PROT_NONE);
}

/** The pages [from, from + len) have moved to `to`: moves their guards, too. */
export function moveGuards(mm: Mm, from: number, len: number, to: number): void {
  const moved = mm.guards.within(from, from + len);
  mm.guards.remove(from, from + len);
  for (const range of moved) mm.guards.add(range.from - from + to, range.to - from + to);
}
