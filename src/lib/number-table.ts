/**
 * A table keyed by small numbers that come and go all the time (process ids). Like a Map, but in the order of the
 * numbers, and without the trail that a Map leaves (see roster.ts).
 */
const BITS = 9;
const SIZE = 1 << BITS;

interface Page<T> {
  used: number;
  readonly entries: (T | undefined)[];
}

export class NumberTable<T> {
  private readonly pages: (Page<T> | undefined)[] = [];
  /** An empty page kept for reuse, so that none is made where one comes as another goes. */
  private spare: Page<T> | null = null;
  private count = 0;

  get size(): number {
    return this.count;
  }

  get(number: number): T | undefined {
    return number < 0 ? undefined : this.pages[number >>> BITS]?.entries[number & (SIZE - 1)];
  }

  has(number: number): boolean {
    return this.get(number) !== undefined;
  }

  set(number: number, entry: T): void {
    const page = this.page(number >>> BITS);
    const at = number & (SIZE - 1);
    if (page.entries[at] === undefined) {
      page.used++;
      this.count++;
    }
    page.entries[at] = entry;
  }

  /** Whether there was an entry. */
  delete(number: number): boolean {
    if (!this.has(number)) return false;
    const page = this.pages[number >>> BITS]!;
    page.entries[number & (SIZE - 1)] = undefined;
    this.count--;
    if (--page.used > 0) return true;
    this.pages[number >>> BITS] = undefined;
    this.spare = page;
    return true;
  }

  /** The entries in order; changes during the iteration show. */
  *values(): IterableIterator<T> {
    for (let number = 0; number < this.pages.length * SIZE; number++) {
      const page = this.pages[number >>> BITS];
      if (page === undefined) {
        number |= SIZE - 1;
        continue;
      }
      const entry = page.entries[number & (SIZE - 1)];
      if (entry !== undefined) yield entry;
    }
  }

  private page(index: number): Page<T> {
    while (this.pages.length <= index) this.pages.push(undefined);
    const known = this.pages[index];
    if (known !== undefined) return known;
    const page = this.spare ?? { used: 0, entries: new Array<T | undefined>(SIZE).fill(undefined) };
    this.spare = null;
    this.pages[index] = page;
    return page;
  }
}
