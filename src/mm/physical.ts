/**
 * The allocator of the machine's memory (ram.ts has the contract), over the engine's memory file.
 *
 * Ranges are powers of two in size: one that was freed, or a new one. When no new ones are left, all free ranges are
 * joined where they adjoin, and cut anew. A freed range gives its pages back at once, but is handed out again only
 * after every space has provably done what was ordered before (`settle`): a guest must not find another's data through
 * a mapping that is about to go.
 */
import type { EngineMemory } from '../engine/engine.ts';
import { ENOMEM } from '../uapi/errno.ts';
import { PAGE_SHIFT, PAGE_SIZE, type Ram } from './ram.ts';

/** Calls back once all spaces have done everything ordered so far. */
export type Settle = (done: () => void) => void;

/**
 * Freed ranges wait until there are this many, or until they are this part of all offsets: settling involves every
 * space.
 */
const QUARANTINE = 256;
const QUARANTINE_PART = 1 / 64;

const SPARE_PART = 1 / 8;

interface Range {
  readonly order: number;
  readonly offset: number;
}

/** A run of adjoining free ranges. */
interface Piece {
  offset: number;
  size: number;
}

export class PhysicalMemory implements Ram {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly totalPages: number;
  readonly reclaimers: Set<(pages: number) => void> = new Set();
  usedPages = 0;
  readonly spare: number;
  readonly spareRange: number;
  private readonly memory: EngineMemory;
  private readonly settle: Settle;
  /** Free ranges by their order. */
  private free_: number[][] = [];
  /** Free ranges after they were joined. */
  private pieces: Piece[] = [];
  private quarantine: Range[] = [];
  /** Bytes in quarantine, and bytes that can be handed out. */
  private quarantined = 0;
  private left: number;
  /** Where the next new range begins. */
  private next: number;
  private readonly end: number;

  /** `limit` is mem=, in bytes. */
  constructor(memory: EngineMemory, limit: number, settle: Settle) {
    this.memory = memory;
    this.settle = settle;
    this.bytes = memory.bytes;
    this.view = memory.view;
    this.totalPages = Math.floor(limit / PAGE_SIZE);
    this.spare = Math.floor(this.totalPages * SPARE_PART);
    this.spareRange = memory.size * SPARE_PART;
    this.left = memory.size;
    this.next = memory.base;
    this.end = memory.base + memory.size;
  }

  alloc(len: number, spare = 0): number {
    const order = orderOf(len);
    const size = sizeOf(order);
    if (this.left < size + spare) return -ENOMEM;
    const offset = this.free_[order]?.pop() ?? this.fresh(size);
    if (offset >= 0) this.left -= size;
    return offset;
  }

  free(offset: number, len: number): void {
    const order = orderOf(len);
    this.memory.discard(offset, len);
    this.quarantine.push({ order, offset });
    this.quarantined += sizeOf(order);
    const isMuch = this.quarantined >= this.memory.size * QUARANTINE_PART;
    if (isMuch || this.quarantine.length >= QUARANTINE) this.release();
  }

  discard(offset: number, len: number): void {
    this.memory.discard(offset, len);
  }

  store(offset: number, from: number, len: number): number {
    return this.memory.store(offset, from, len);
  }

  load(offset: number, fd: number, pos: number, len: number): number {
    return this.memory.load(offset, fd, pos, len);
  }

  charge(pages: number, spare = 0): boolean {
    if (pages > 0 && !this.hasRoom(pages + spare)) return false;
    this.usedPages += pages;
    return true;
  }

  private hasRoom(pages: number): boolean {
    for (const reclaim of this.reclaimers) {
      const missing = this.usedPages + pages - this.totalPages;
      if (missing <= 0) return true;
      reclaim(missing);
    }
    return this.usedPages + pages <= this.totalPages;
  }

  private release(): void {
    const ranges = this.quarantine;
    this.quarantine = [];
    this.quarantined = 0;
    this.settle(() => {
      for (const { order, offset } of ranges) {
        this.free_[order] ??= [];
        // A guest may have touched the range after its pages were given back.
        this.memory.discard(offset, sizeOf(order));
        this.free_[order].push(offset);
        this.left += sizeOf(order);
      }
    });
  }

  private fresh(size: number): number {
    if (this.next + size <= this.end) {
      this.next += size;
      return this.next - size;
    }
    const offset = this.cut(size);
    if (offset >= 0) return offset;
    this.putTogether();
    return this.cut(size);
  }

  private cut(size: number): number {
    const index = this.pieces.findIndex(piece => piece.size >= size);
    const piece = this.pieces[index];
    if (piece === undefined) return -ENOMEM;
    const { offset } = piece;
    piece.offset += size;
    piece.size -= size;
    if (piece.size === 0) this.pieces.splice(index, 1);
    return offset;
  }

  private putTogether(): void {
    const all = [...this.pieces, { offset: this.next, size: this.end - this.next }];
    for (const [order, offsets] of this.free_.entries())
      for (const offset of offsets ?? []) all.push({ offset, size: sizeOf(order) });
    this.free_ = [];
    this.next = this.end;
    this.pieces = [];
    let last: Piece = { offset: Number.NaN, size: 0 };
    for (const piece of all.sort((a, b) => a.offset - b.offset)) {
      if (piece.size === 0) continue;
      if (last.offset + last.size === piece.offset) last.size += piece.size;
      else {
        this.pieces.push(piece);
        last = piece;
      }
    }
  }
}

const sizeOf = (order: number): number => PAGE_SIZE * 2 ** order;

function orderOf(len: number): number {
  let order = 0;
  for (let size = 1 << PAGE_SHIFT; size < len; size *= 2) order++;
  return order;
}
