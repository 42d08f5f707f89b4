/**
 * Areas of an address space (vm_area_struct): what should be where. The pages themselves belong to the engine.
 */
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../engine/engine.ts';
import type { Bitmap } from '../lib/bitmap.ts';
import { type MemPolicy, samePolicy } from './mem-policy.ts';
import type { PageCache } from './page-cache.ts';
import { PAGE_SIZE, pageUp } from './ram.ts';

export const VM_SHARED = 1;
/** Grows downwards: a stack (as /proc shows it). */
export const VM_GROWSDOWN = 2;
export const VM_NORESERVE = 4;
export const VM_DONTFORK = 8;
export const VM_LOCKED = 16;
/** May be made writable: private, or the file was opened for writing. */
export const VM_MAYWRITE = 32;
export const VM_WIPEONFORK = 64;
/** May never be executed: a file on a noexec mount. */
export const VM_NOEXEC = 128;
/** VM_LOCKED, but only for pages that are touched (mlock2(2), MLOCK_ONFAULT). */
export const VM_LOCKONFAULT = 256;
/** May never change (mseal(2)). */
export const VM_SEALED = 512;
/** Pages may go at any time (mmap(2), MAP_DROPPABLE). */
export const VM_DROPPABLE = 1024;
/** Left out of core files (madvise(2), MADV_DONTDUMP). */
export const VM_DONTDUMP = 2048;
export const VM_LOCKED_MASK: number = VM_LOCKED | VM_LOCKONFAULT;

export const VM_SHARED_WRITER: number = VM_SHARED | VM_MAYWRITE;

/** A file, as a mapping holds it. */
export interface Backing {
  readonly cache: PageCache;
  /** For /proc: the file's device and inode number. */
  readonly dev: number;
  readonly ino: number;
  get(): Backing;
  put(): void;
  /** Whether the file must be told of an area's first store, because its times depend on that. */
  readonly hearsStores: boolean;
  stored(): void;
  /** An area has left its address space, other than by being joined with another; `put` follows. */
  detached?(): void;
  /** Writes changed pages of [pos, pos + len) to where the file is kept: 0 or -errno. */
  sync(pos: number, len: number): number;
}

/** What may be written can be read, on x86. */
export const withoutStores = (prot: number): number =>
  (prot & PROT_WRITE) === 0 ? prot : (prot & ~PROT_WRITE) | PROT_READ;

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
  /** Whether those pages are the host's own: the space maps the file itself. */
  direct = false;
  /**
   * How far mremap has moved private memory. The host cannot join pages with different shifts into one area of its own,
   * and moves pages only within one.
   */
  shift = 0;
  /**
   * Nothing was stored through it yet: its pages are mapped without that right, so that the file can be told of the
   * first store.
   */
  unstored = false;
  /** '[heap]', '[stack]', '[vdso]' or '' for /proc. */
  name: string;
  /** From mbind(2); null: the thread's. */
  policy: MemPolicy | null;

  constructor(start: number, end: number, prot: number, flags: number) {
    this.start = start;
    this.end = end;
    this.prot = prot;
    this.flags = flags;
    this.backing = null;
    this.pos = 0;
    this.mapped = null;
    this.name = '';
    this.policy = null;
  }

  get shared(): boolean {
    return (this.flags & VM_SHARED) !== 0;
  }

  /** The rights with which its pages are mapped. */
  get pageProt(): number {
    return this.unstored ? withoutStores(this.prot) : this.prot;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Takes one more area's reference to the file. */
  hold(): void {
    this.backing?.get();
    this.countWriter(1);
  }

  /** Counts areas through which the file may be written, now or after mprotect. */
  countWriter(by: 1 | -1): void {
    if ((this.flags & VM_SHARED_WRITER) === VM_SHARED_WRITER && this.backing !== null)
      this.backing.cache.writers += by;
  }

  /** The file's position that `address` maps. */
  posOf(address: number): number {
    return this.pos + (address - this.start);
  }

  /** Whether pages below `address` are past the end of its file: touching them is SIGBUS. */
  fileEndsBefore(address: number): boolean {
    const { backing } = this;
    return backing !== null && this.posOf(Math.min(address, this.end)) > pageUp(backing.cache.size);
  }

  /** A copy of [from, to), which lies inside; it has no reference to the backing yet. */
  slice(from: number, to: number): Vma {
    const part = new Vma(from, to, this.prot, this.flags);
    if (this.backing !== null) {
      part.backing = this.backing;
      part.pos = this.pos + (from - this.start);
    }
    if (this.mapped !== null) part.mapped = this.mapped.clone();
    part.direct = this.direct;
    part.unstored = this.unstored;
    part.name = this.name;
    part.policy = this.policy;
    part.shift = this.shift;
    return part;
  }

  /**
   * Whether `next` was cut from this area of a file and differs from it at most in `unstored`. Program text stays cut:
   * it has images.
   */
  resumes(next: Vma): boolean {
    return (
      this.end === next.start &&
      this.backing !== null &&
      this.backing === next.backing &&
      this.backing.detached === undefined &&
      this.prot === next.prot &&
      (this.prot & PROT_EXEC) === 0 &&
      this.flags === next.flags &&
      this.direct === next.direct &&
      this.posOf(this.end) === next.pos &&
      this.shift === next.shift &&
      samePolicy(this.policy, next.policy)
    );
  }

  /** Takes over what `next`, which resumes it, has mapped. */
  absorb(next: Vma): void {
    const from = next.pos / PAGE_SIZE;
    const to = next.posOf(next.end) / PAGE_SIZE;
    this.mapped!.clear(from, to);
    for (let page = next.mapped!.next(from, true); page < to; ) {
      const stop = Math.min(to, next.mapped!.next(page, false));
      this.mapped!.set(page, stop);
      page = next.mapped!.next(stop, true);
    }
    this.unstored ||= next.unstored;
    this.end = next.end;
    next.countWriter(-1);
    next.backing!.put();
  }

  /** Whether `next`, which has no file either, continues this area without a difference. */
  continues(next: Vma): boolean {
    return (
      this.end === next.start &&
      this.prot === next.prot &&
      this.flags === next.flags &&
      this.backing === null &&
      next.backing === null &&
      this.name === next.name &&
      this.shift === next.shift &&
      samePolicy(this.policy, next.policy)
    );
  }
}
