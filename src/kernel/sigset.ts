/** Sets of signals 1 to 64 as two words: `lo` holds 1 to 32, `hi` 33 to 64, as sigset_t does in memory. */
import { SIGKILL, SIGSTOP } from '../uapi/signal.ts';

/** The word of a signal's set that holds it: 0 is `lo`, 1 is `hi`. */
export const sigWord = (signal: number): number => (signal - 1) >>> 5;
export const sigBit = (signal: number): number => 1 << ((signal - 1) & 31);

/** Signals that no mask ever holds. */
export const UNMASKABLE = sigBit(SIGKILL) | sigBit(SIGSTOP);

/** Signals that always have the default disposition. */
export const isUncatchable = (signal: number): boolean => signal === SIGKILL || signal === SIGSTOP;

export class SigSet {
  lo = 0;
  hi = 0;

  constructor(lo = 0, hi = 0) {
    this.lo = lo;
    this.hi = hi;
  }

  get empty(): boolean {
    return (this.lo | this.hi) === 0;
  }

  has(signal: number): boolean {
    return ((sigWord(signal) === 0 ? this.lo : this.hi) & sigBit(signal)) !== 0;
  }

  add(signal: number): void {
    if (sigWord(signal) === 0) this.lo |= sigBit(signal);
    else this.hi |= sigBit(signal);
  }

  delete(signal: number): void {
    if (sigWord(signal) === 0) this.lo &= ~sigBit(signal);
    else this.hi &= ~sigBit(signal);
  }

  set(lo: number, hi: number): void {
    this.lo = lo;
    this.hi = hi;
  }

  clone(): SigSet {
    return new SigSet(this.lo, this.hi);
  }
}

/** A set that is only read. */
export type ReadonlySigSet = Readonly<Pick<SigSet, 'lo' | 'hi' | 'has' | 'clone'>>;

/** Calls `each` for every signal of two words, in order; fast for few. */
export function eachSignal(lo: number, hi: number, each: (signal: number) => void): void {
  for (let rest = lo; rest !== 0; rest &= rest - 1) each(lowestSignal(rest, 0));
  for (let rest = hi; rest !== 0; rest &= rest - 1) each(lowestSignal(0, rest));
}

/** The lowest signal of two words, or 0 for none. */
export function lowestSignal(lo: number, hi: number): number {
  if (lo !== 0) return 32 - Math.clz32(lo & -lo);
  return hi === 0 ? 0 : 64 - Math.clz32(hi & -hi);
}
