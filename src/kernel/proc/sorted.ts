/** The numbers of a changing set in order, for listings that go through them one by one. */

/** Sorts anew only when the set has changed, which `stamp` shows. */
export class SortedNumbers {
  private numbers: number[] = [];
  private stamp = '';

  /** The least number >= `from`; -1 if there is none. */
  next(from: number, stamp: string, all: () => Iterable<number>): number {
    if (stamp !== this.stamp) {
      this.numbers = [...all()].sort((a, b) => a - b);
      this.stamp = stamp;
    }
    return this.numbers[this.indexOf(from)] ?? -1;
  }

  private indexOf(from: number): number {
    let [low, high] = [0, this.numbers.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.numbers[middle]! >= from) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
