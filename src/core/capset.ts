/** Arithmetic of capability sets. */
import type { CapSet } from './cred.ts';
import { CAPS_ALL } from './cred.ts';

const make = (lo: number, hi: number): CapSet => ({ lo: lo >>> 0, hi: hi >>> 0 });

export const capUnion = (a: CapSet, b: CapSet): CapSet => make(a.lo | b.lo, a.hi | b.hi);
export const capIntersect = (a: CapSet, b: CapSet): CapSet => make(a.lo & b.lo, a.hi & b.hi);
export const capMinus = (a: CapSet, b: CapSet): CapSet => make(a.lo & ~b.lo, a.hi & ~b.hi);
export const capSubset = (a: CapSet, of: CapSet): boolean => ((a.lo & ~of.lo) | (a.hi & ~of.hi)) === 0;
export const capOf = (cap: number): CapSet => (cap < 32 ? make(1 << cap, 0) : make(0, 1 << (cap - 32)));

/** A set from a guest's words: capabilities that do not exist are dropped. */
export const capFromWords = (lo: number, hi: number): CapSet => capIntersect(make(lo, hi), CAPS_ALL);
