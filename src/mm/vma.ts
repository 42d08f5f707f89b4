/**
 * Areas of an address space (vm_area_struct): what should be where. The pages themselves are the engine's.
 */
import { PROT_EXEC } from '../engine/engine.ts';
import type { Bitmap } from '../lib/bitmap.ts';
import type { PageCache } from './page-cache.ts';
import { PAGE_SIZE } from './ram.ts';

export const VM_SHARED = 1;
/** Grows downwards: the stack, as /proc says it. */
export const VM_GROWSDOWN = 2;
export const VM_NORESERVE = 4;
export const VM_DONTFORK = 8;
export const VM_LOCKED = 16;
/** May be made writable: private, or the file was opened for writing. */
export const VM_MAYWRITE = 32;
export const VM_WIPEONFORK = 64;
/** May never be executed: a file of a mount without that right. */
export const VM_NOEXEC = 128;
/** VM_LOCKED, but only what is touched (mlock2(2), MLOCK_ONFAULT). */
export const VM_LOCKONFAULT = 256;
/** Stays as it is for good (mseal(2)). */
export const VM_SEALED = 512;
/** Pages may go at any time (mmap(2), MAP_DROPPABLE). */
export const VM_DROPPABLE = 1024;
export const VM_LOCKED_MASK: number = VM_LOCKED | VM_LOCKONFAULT;

/** A file, as a mapping holds it. */
export interface Backing {
  readonly cache: PageCache;
  /** For /proc: the file's device and inode number. */
  readonly dev: number;
  readonly ino: number;
  get(): Backing;
  put(): void;
  /** An area is gone from its address space; `put` comes when its pages are, too. */
  detached?(): void;
  /** Writes changed pages of [pos, pos + len) to where the file is kept: 0 or -errno. */
  sync(pos: number, len: number): number;
}

export class Vma {
  start: number;
  end: number;
  /** PROT_ bits. */
  prot: number;
  flags: number;
  backing: Backing | null;
  /** Position in the file that `start` maps. */
  pos: number;
  /** Pages of the file (counted from the file's start) that are mapped in the space; null: no file. */
  mapped: Bitmap | null;
  /**
   * How far private memory was moved by mremap. The host cannot join pages that were moved differently into one
   * area of its own, and moves only within one.
   */
  shift = 0;
  /** '[heap]', '[stack]', '[vdso]' or '' for /proc. */
  name: string;

  constructor(start: number, end: number, prot: number, flags: number) {
    this.start = start;
    this.end = end;
    this.prot = prot;
    this.flags = flags;
    this.backing = null;
    this.pos = 0;
    this.mapped = null;
    this.name = '';
  }

  get shared(): boolean {
    return (this.flags & VM_SHARED) !== 0;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Takes the reference of one area more to the file. */
  hold(): void {
    this.backing?.get();
    this.countWriter(1);
  }

  /** Counts areas through which the file may be written, now or after mprotect. */
  countWriter(by: 1 | -1): void {
    if (this.backing !== null && this.shared && (this.flags & VM_MAYWRITE) !== 0)
      this.backing.cache.writers += by;
  }

  /** The file's position that `address` maps. */
  posOf(address: number): number {
    return this.pos + (address - this.start);
  }

  /** A copy for [from, to), which lies inside; it has no reference to the backing yet. */
  slice(from: number, to: number): Vma {
    const part = new Vma(from, to, this.prot, this.flags);
    part.backing = this.backing;
    part.pos = this.backing === null ? 0 : this.posOf(from);
    part.mapped = this.mapped?.clone() ?? null;
    part.name = this.name;
    part.shift = this.shift;
    return part;
  }

  /** Whether `next` was cut from this area of a file and is like it. Program text stays cut: it has images. */
  resumes(next: Vma): boolean {
    return (
      this.end === next.start &&
      this.backing !== null &&
      this.backing === next.backing &&
      this.backing.detached === undefined &&
      this.prot === next.prot &&
      (this.prot & PROT_EXEC) === 0 &&
      this.flags === next.flags &&
      this.posOf(this.end) === next.pos &&
      this.shift === next.shift
    );
  }

  /** Takes over what `next`, which resumes it, has. */
  absorb(next: Vma): void {
    const from = next.pos / PAGE_SIZE;
    const to = next.posOf(next.end) / PAGE_SIZE;
    this.mapped!.clear(from, to);
    for (let page = next.mapped!.next(from, true); page < to; ) {
      const stop = Math.min(to, next.mapped!.next(page, false));
      this.mapped!.set(page, stop);
      page = next.mapped!.next(stop, true);
    }
    this.end = next.end;
    next.countWriter(-1);
    next.backing!.put();
  }

  /** Whether `next`, which begins where this ends, continues it. */
  continues(next: Vma): boolean {
    return (
      this.end === next.start &&
      this.prot === next.prot &&
      this.flags === next.flags &&
      this.backing === null &&
      next.backing === null &&
      this.name === next.name &&
      this.shift === next.shift
    );
  }
}

/** Areas in order of their addresses, without overlap. */
export class VmaList {
  private readonly list: Vma[] = [];

  get count(): number {
    return this.list.length;
  }

  [Symbol.iterator](): Iterator<Vma> {
    return this.list[Symbol.iterator]();
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

  /** For a list that is made in order, of areas that are not to be joined. */
  append(vma: Vma): void {
    this.list.push(vma);
  }

  insert(vma: Vma): void {
    const index = this.indexAfter(vma.start);
    const before = this.list[index - 1];
    const after = this.list[index];
    if (before?.continues(vma)) {
      before.end = vma.end;
      if (after !== undefined && before.continues(after)) {
        before.end = after.end;
        this.list.splice(index, 1);
      }
    } else if (after !== undefined && vma.continues(after)) after.start = vma.start;
    else this.list.splice(index, 0, vma);
  }

  /** Cuts areas so that none crosses `address`. */
  split(address: number): void {
    const index = this.indexAfter(address);
    const vma = this.list[index];
    if (vma === undefined || vma.start >= address) return;
    const upper = vma.slice(address, vma.end);
    upper.hold();
    vma.end = address;
    this.list.splice(index + 1, 0, upper);
  }

  /** Takes out all areas within [from, to), cutting those at the edges. */
  remove(from: number, to: number): Vma[] {
    this.split(from);
    this.split(to);
    const first = this.indexAfter(from);
    let last = first;
    while (last < this.list.length && this.list[last]!.start < to) last++;
    return this.list.splice(first, last - first);
  }

  /** Areas within [from, to), after cutting those at the edges; merge them again with `join`. */
  isolate(from: number, to: number): Vma[] {
    this.split(from);
    this.split(to);
    const out: Vma[] = [];
    for (let i = this.indexAfter(from); i < this.list.length && this.list[i]!.start < to; i++)
      out.push(this.list[i]!);
    return out;
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
    let i = Math.max(1, this.indexAfter(from - 1));
    while (i < this.list.length && this.list[i]!.start <= to) {
      const before = this.list[i - 1]!;
      const after = this.list[i]!;
      if (before.resumes(after)) before.absorb(after);
      else if (before.continues(after)) before.end = after.end;
      if (before.end === after.end) this.list.splice(i, 1);
      else i++;
    }
  }

  /** Whether areas cover [from, to) without a hole. */
  covering(from: number, to: number): boolean {
    return this.coveredFrom(from, to) >= to;
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

  clear(): Vma[] {
    return this.list.splice(0);
  }
}
