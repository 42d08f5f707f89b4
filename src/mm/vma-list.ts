/** The areas of an address space, in order. Only the list changes here, never the engine's pages. */
import { PROT_WRITE } from '../engine/engine.ts';
import { ENOMEM } from '../uapi/errno.ts';
import type { MemPolicy } from './mem-policy.ts';
import type { PageCache } from './page-cache.ts';
import { PAGE_SIZE } from './ram.ts';
import { VM_GROWSDOWN, VM_LOCKED, VM_SEALED, VM_SHARED_WRITER, type Vma } from './vma.ts';

/** Told before areas come, go, or are cut or joined. */
export interface AreasWatcher {
  changing(): void;
}

/** Areas in order of their addresses, without overlap. */
export class VmaList {
  private readonly list: Vma[] = [];
  private readonly watcher: AreasWatcher | null;
  /** Number of areas through which the program may write what others see. */
  private sharedWriters: number;

  constructor(watcher: AreasWatcher | null = null) {
    this.watcher = watcher;
    this.sharedWriters = 0;
  }

  get count(): number {
    return this.list.length;
  }

  [Symbol.iterator](): Iterator<Vma> {
    return this.list[Symbol.iterator]();
  }

  forEach(each: (vma: Vma) => void): void {
    for (let i = 0; i < this.list.length; i++) each(this.list[i]!);
  }

  at(index: number): Vma | undefined {
    return this.list[index];
  }

  /** Index of the first area that ends after `address`. */
  indexAfter(address: number): number {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.list[middle]!.end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  find(address: number): Vma | null {
    const vma = this.list[this.indexAfter(address)];
    return vma !== undefined && vma.start <= address ? vma : null;
  }

  /** For building a list in order, from areas that must not be joined. */
  append(vma: Vma): void {
    this.list.push(vma);
    this.counts(vma, 1);
  }

  /** A count, so that long lists need not be searched for shared areas. */
  private counts({ flags }: Vma, by: 1 | -1): void {
    if ((flags & VM_SHARED_WRITER) === VM_SHARED_WRITER) this.sharedWriters += by;
  }

  insert(vma: Vma): void {
    this.watcher?.changing();
    const index = this.indexAfter(vma.start);
    const before = this.list[index - 1];
    const after = this.list[index];
    if (before?.continues(vma)) {
      before.end = vma.end;
      if (after !== undefined && before.continues(after)) {
        before.end = after.end;
        this.list.splice(index, 1);
        this.counts(after, -1);
      }
    } else if (after !== undefined && vma.continues(after)) after.start = vma.start;
    else {
      this.list.splice(index, 0, vma);
      this.counts(vma, 1);
    }
  }

  /** Cuts the area at `index`, if it crosses `address`. */
  private cut(index: number, address: number): boolean {
    const vma = this.list[index];
    if (vma === undefined || vma.start >= address || vma.end <= address) return false;
    const upper = vma.slice(address, vma.end);
    upper.hold();
    vma.end = address;
    this.list.splice(index + 1, 0, upper);
    this.counts(upper, 1);
    return true;
  }

  /** Cuts areas at the edges of [from, to). Index of the first area within, and how many there are. */
  private cutOut(from: number, to: number): { first: number; count: number } {
    let first = this.indexAfter(from);
    if (this.cut(first, from)) first++;
    let last = first;
    while (last < this.list.length && this.list[last]!.start < to) last++;
    if (last > first) this.cut(last - 1, to);
    return { first, count: last - first };
  }

  /** Takes out all areas within [from, to), cutting those at the edges. */
  remove(from: number, to: number): Vma[] {
    this.watcher?.changing();
    const { first, count } = this.cutOut(from, to);
    if (count === 0) return [];
    const gone = this.list.splice(first, count);
    for (let i = 0; i < count; i++) this.counts(gone[i]!, -1);
    return gone;
  }

  /** Areas within [from, to), after cutting those at the edges; merge them again with `join`. */
  isolate(from: number, to: number): Vma[] {
    this.watcher?.changing();
    const { first, count } = this.cutOut(from, to);
    return this.list.slice(first, first + count);
  }

  /** How many areas would be cut at the edges of [from, to). */
  cuts(from: number, to: number): number {
    const low = this.find(from);
    const high = this.find(to);
    return Number(low !== null && low.start < from) + Number(high !== null && high.start < to);
  }

  /** Areas that have a part in [from, to). */
  *within(from: number, to: number): Generator<Vma> {
    for (let i = this.indexAfter(from); i < this.list.length && this.list[i]!.start < to; i++)
      yield this.list[i]!;
  }

  /** Merges neighbours around [from, to) that have become alike. */
  join(from: number, to: number): void {
    this.watcher?.changing();
    let i = Math.max(1, this.indexAfter(from - 1));
    while (i < this.list.length && this.list[i]!.start <= to) {
      const before = this.list[i - 1]!;
      const after = this.list[i]!;
      if (before.resumes(after)) before.absorb(after);
      else if (before.continues(after)) before.end = after.end;
      if (before.end === after.end) {
        this.list.splice(i, 1);
        this.counts(after, -1);
      } else i++;
    }
  }

  /** Whether the program may write what others see through one of the areas. */
  get hasSharedWriter(): boolean {
    return this.sharedWriters > 0;
  }

  /** Whether one of the areas maps this file. */
  isMapped(cache: PageCache): boolean {
    const { list } = this;
    for (let i = list.length - 1; i >= 0; i--) if (list[i]!.backing?.cache === cache) return true;
    return false;
  }

  /** Whether areas cover [from, to) without a hole. */
  covering(from: number, to: number): boolean {
    return this.coveredFrom(from, to) >= to;
  }

  /** How much of [from, to) is mapped. */
  mappedBytes(from: number, to: number): number {
    let bytes = 0;
    for (const { start, end } of this.within(from, to)) bytes += Math.min(end, to) - Math.max(start, from);
    return bytes;
  }

  /** Where the first hole in [from, to) begins; `to` if there is none. */
  coveredFrom(from: number, to: number): number {
    let at = from;
    for (let i = this.indexAfter(from); at < to; i++) {
      const vma = this.list[i];
      if (vma === undefined || vma.start > at) return at;
      at = vma.end;
    }
    return to;
  }

  /** Whether part of [start, end) must not change (mseal(2)). */
  isSealed(start: number, end: number): boolean {
    for (const vma of this.within(start, end)) if ((vma.flags & VM_SEALED) !== 0) return true;
    return false;
  }

  /** Pages of [start, end) that are locked in memory. */
  lockedPages(start = 0, end = Number.POSITIVE_INFINITY): number {
    let pages = 0;
    for (const vma of this.within(start, end))
      if ((vma.flags & VM_LOCKED) !== 0)
        pages += (Math.min(end, vma.end) - Math.max(start, vma.start)) / PAGE_SIZE;
    return pages;
  }

  /** The sum of private writable areas, in pages: what the program might come to use. */
  committedPages(): number {
    let pages = 0;
    for (const vma of this.list)
      if (!vma.shared && (vma.prot & PROT_WRITE) !== 0) pages += vma.length / PAGE_SIZE;
    return pages;
  }

  /** Of these, without stacks, in pages: what RLIMIT_DATA limits. */
  dataPages(): number {
    let pages = 0;
    for (const { shared, prot, flags, length } of this.list)
      if (!shared && (prot & PROT_WRITE) !== 0 && (flags & VM_GROWSDOWN) === 0) pages += length / PAGE_SIZE;
    return pages;
  }

  /** Sets and clears flags of areas in [start, end): 0, or -ENOMEM at a hole; the areas before it have changed. */
  setFlags(start: number, end: number, set: number, clear: number): number {
    const stop = this.coveredFrom(start, end);
    for (const vma of this.isolate(start, stop)) vma.flags = (vma.flags & ~clear) | set;
    this.join(start, stop);
    return stop < end ? -ENOMEM : 0;
  }

  /** Replaces the policy of each area in [start, end) by what `change` makes of it. */
  setPolicies(start: number, end: number, change: (old: MemPolicy | null) => MemPolicy | null): void {
    for (const vma of this.isolate(start, end)) vma.policy = change(vma.policy);
    this.join(start, end);
  }

  clear(): Vma[] {
    this.watcher?.changing();
    this.sharedWriters = 0;
    return this.list.splice(0);
  }
}
