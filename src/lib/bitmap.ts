const NO_WORDS = new Uint32Array(0);

/** A set of integers below 2^31 that grows as needed, 32 to a word. Queries may exceed its size. */
export class Bitmap {
  private words = NO_WORDS;
  private members = 0;
  /** The words may be shared with a clone, and are copied before a change. */
  private shared = true;

  get count(): number {
    return this.members;
  }

  has(bit: number): boolean {
    return bit < this.words.length * 32 && ((this.words[bit >>> 5]! >>> (bit & 31)) & 1) === 1;
  }

  /** Adds the integers of [from, to). */
  set(from: number, to: number): void {
    if (to <= from) return;
    this.grow(to);
    for (let bit = from; bit < to; ) {
      const end = Math.min(to, (bit | 31) + 1);
      this.flip(bit >>> 5, mask(bit, end) & ~this.words[bit >>> 5]!, 1);
      bit = end;
    }
  }

  /** Removes the integers of [from, to). */
  clear(from: number, to: number): void {
    const stop = Math.min(to, this.words.length * 32);
    for (let bit = from; bit < stop; ) {
      const end = Math.min(stop, (bit | 31) + 1);
      this.flip(bit >>> 5, mask(bit, end) & this.words[bit >>> 5]!, -1);
      bit = end;
    }
  }

  /**
   * The first integer >= `from` that is in the set (`want`) or not in it; Infinity if there is none. The search ends at
   * `stop`: any result >= `stop` means that there is none below.
   */
  next(from: number, want: boolean, stop: number = Number.POSITIVE_INFINITY): number {
    const bits = Math.min(this.words.length * 32, stop);
    const none = want ? Number.POSITIVE_INFINITY : Math.max(from, bits);
    for (let bit = from; bit < bits; bit = (bit | 31) + 1) {
      const word = want ? this.words[bit >>> 5]! : ~this.words[bit >>> 5]!;
      const rest = (word >>> (bit & 31)) << (bit & 31);
      if (rest !== 0) return (bit & ~31) + (31 - Math.clz32(rest & -rest));
    }
    return none;
  }

  clone(): Bitmap {
    const copy = new Bitmap();
    copy.words = this.words;
    copy.members = this.members;
    this.shared = true;
    return copy;
  }

  /** Flips `bits` of one word: adds all of them (`by` 1) or removes all of them (-1). */
  private flip(index: number, bits: number, by: 1 | -1): void {
    if (bits === 0) return;
    if (this.shared) {
      this.words = this.words.slice();
      this.shared = false;
    }
    this.members += by * popcount(bits);
    this.words[index]! ^= bits;
  }

  private grow(bits: number): void {
    const need = Math.ceil(bits / 32);
    if (need <= this.words.length) return;
    const larger = new Uint32Array(Math.max(need, 4, this.words.length * 2));
    larger.set(this.words);
    this.words = larger;
    this.shared = false;
  }
}

/** Bits [from, to) of the word that holds `from`; `to` is at most the word's end. */
function mask(from: number, to: number): number {
  const low = -1 << (from & 31);
  const high = (to & 31) === 0 ? -1 : ~(-1 << (to & 31));
  return low & high;
}

function popcount(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return (((n + (n >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
