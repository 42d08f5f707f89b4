/**
 * The names in a directory, each with a number (cookie) that orders names by age.
 *
 * The numbers are the positions of readdir, which goes from the youngest name to the oldest. They only grow and are
 * never reused, so a reader that continues at a number misses nothing and sees nothing twice, whatever has been made
 * and removed meanwhile.
 */
export interface Slot<T> {
  readonly cookie: number;
  name: string;
  /** Null: the name is gone. */
  value: T | null;
}

export class NameIndex<T extends object> {
  private readonly names: Map<string, Slot<T>> = new Map();
  /** Sorted by number; slots of removed names stay until there are many of them. */
  private slots: Slot<T>[];
  /** The number that the next new name gets. */
  nextCookie: number;

  constructor(firstCookie: number) {
    this.slots = [];
    this.nextCookie = firstCookie;
  }

  get size(): number {
    return this.names.size;
  }

  get(name: string): T | undefined {
    return this.names.get(name)?.value ?? undefined;
  }

  values(): Slot<T>[] {
    return [...this.names.values()];
  }

  /** Sets what a name means; this makes it the youngest, even if it existed before. */
  set(name: string, value: T): void {
    this.delete(name);
    const fresh = { cookie: this.nextCookie++, name, value };
    this.names.set(name, fresh);
    this.slots.push(fresh);
  }

  delete(name: string): void {
    const slot = this.names.get(name);
    if (slot === undefined) return;
    slot.value = null;
    this.names.delete(name);
    if (this.slots.length > 2 * this.names.size + 32)
      this.slots = this.slots.filter(({ value }) => value !== null);
  }

  /** The youngest existing name with a number of at most `cookie`, or null. */
  upTo(cookie: number): Slot<T> | null {
    let low = 0;
    let high = this.slots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.slots[middle]!.cookie <= cookie) low = middle + 1;
      else high = middle;
    }
    let at = low - 1;
    while (at >= 0 && this.slots[at]!.value === null) at--;
    return this.slots[at] ?? null;
  }
}
