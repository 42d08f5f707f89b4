/** A set of numbers as ordered, disjoint ranges [from, to). For sets of few ranges. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export class Ranges {
  private list: Range[] = [];

  get count(): number {
    return this.list.length;
  }

  add(from: number, to: number): void {
    const first = this.indexAfter(from - 1);
    const last = this.indexFrom(to + 1);
    const joined = this.list.slice(first, last);
    const low = Math.min(from, joined[0]?.from ?? from);
    const high = Math.max(to, joined.at(-1)?.to ?? to);
    this.list.splice(first, joined.length, { from: low, to: high });
  }

  remove(from: number, to: number): void {
    if (this.list.length === 0) return;
    const first = this.indexAfter(from);
    const last = this.indexFrom(to);
    if (first >= last) return;
    const left = { from: this.list[first]!.from, to: from };
    const right = { from: to, to: this.list[last - 1]!.to };
    this.list.splice(first, last - first, ...[left, right].filter(r => r.from < r.to));
  }

  /** The parts of ranges that lie in [from, to). */
  within(from: number, to: number): Range[] {
    return this.list
      .slice(this.indexAfter(from), this.indexFrom(to))
      .map(r => ({ from: Math.max(from, r.from), to: Math.min(to, r.to) }));
  }

  /** Whether [from, to) overlaps a range. */
  touches(from: number, to: number): boolean {
    return this.list.length > 0 && (this.list[this.indexAfter(from)]?.from ?? to) < to;
  }

  /** Whether [from, to), which must not be empty, lies in one range. */
  covers(from: number, to: number): boolean {
    const range = this.list[this.indexAfter(from)];
    return range !== undefined && range.from <= from && to <= range.to;
  }

  clone(): Ranges {
    const copy = new Ranges();
    copy.list = [...this.list];
    return copy;
  }

  /** Index of the first range that ends after `at`. */
  private indexAfter(at: number): number {
    return this.search(r => r.to > at);
  }

  /** Index of the first range that begins at `at` or later. */
  private indexFrom(at: number): number {
    return this.search(r => r.from >= at);
  }

  private search(isRight: (range: Range) => boolean): number {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isRight(this.list[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
