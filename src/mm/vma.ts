/**
 * Areas of an address space (vm_area_struct): what should be where. The pages themselves are the engine's.
 */
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../engine/engine.ts';
import type { Bitmap } from '../lib/bitmap.ts';
import { type MemPolicy, samePolicy } from './mem-policy.ts';
import type { PageCache } from './page-cache.ts';
import { PAGE_SIZE, pageUp } from './ram.ts';

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
/** Not for core files (madvise(2), MADV_DONTDUMP). */
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
  /** The file's times tell of stores through mappings: it wants to hear of an area's first one. */
  readonly hearsStores: boolean;
  stored(): void;
  /** An area is gone from its address space, and not just joined with another; `put` follows. */
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
  /** These are the host's own: the space maps the file itself. */
  direct = false;
  /**
   * How far private memory was moved by mremap. The host cannot join pages that were moved differently into one
   * area of its own, and moves only within one.
   */
  shift = 0;
  /** Nothing was stored through it yet: its pages are mapped without that right, so that the file hears of the first store. */
  unstored = false;
  /** '[heap]', '[stack]', '[vdso]' or '' for /proc. */
  name: string;
  /** mbind(2); null: the thread's. */
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

  /** With which rights its pages are mapped. */
  get pageProt(): number {
    return this.unstored ? withoutStores(this.prot) : this.prot;
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
    if ((this.flags & VM_SHARED_WRITER) === VM_SHARED_WRITER && this.backing !== null)
      this.backing.cache.writers += by;
  }

  /** The file's position that `address` maps. */
  posOf(address: number): number {
    return this.pos + (address - this.start);
  }

  /** Whether some pages below `address` are past the end of its file: to touch them is SIGBUS. */
  fileEndsBefore(address: number): boolean {
    const { backing } = this;
    return backing !== null && this.posOf(Math.min(address, this.end)) > pageUp(backing.cache.size);
  }

  /** A copy for [from, to), which lies inside; it has no reference to the backing yet. */
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
   * Whether `next` was cut from this area of a file and is like it, but for whether somebody has stored through it. Program
   * text stays cut: it has images.
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
    this.unstored ||= next.unstored;
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
      this.shift === next.shift &&
      samePolicy(this.policy, next.policy)
    );
  }
}
