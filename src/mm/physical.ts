/**
 * The allocator of the machine's memory (ram.ts has the contract), over the engine's memory file.
 *
 * Ranges come in powers of two. A freed range gives its pages back at once, but is handed out again only after
 * every space has surely done what was ordered before (`settle`): a guest must not find another's data through
 * a mapping that is about to go.
 */
import type { EngineMemory } from '../engine/engine.ts';
import { ENOMEM } from '../uapi/errno.ts';
import { PAGE_SHIFT, PAGE_SIZE, type Ram } from './ram.ts';

/** Calls back once all that was ordered of all spaces so far is done. */
export type Settle = (done: () => void) => void;

/** Freed ranges wait until there are so many: settling concerns every space. */
const QUARANTINE = 256;

const SPARE_PART = 1 / 8;

interface Range {
  readonly order: number;
  readonly offset: number;
}

export class PhysicalMemory implements Ram {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly totalPages: number;
  readonly reclaimers: Set<(pages: number) => void> = new Set();
  usedPages = 0;
  readonly spare: number;
  private readonly memory: EngineMemory;
  private readonly settle: Settle;
  private readonly free_: number[][] = [];
  private quarantine: Range[] = [];
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
    this.next = memory.base;
    this.end = memory.base + memory.size;
  }

  alloc(len: number): number {
    const order = orderOf(len);
    const reused = this.free_[order]?.pop();
    if (reused !== undefined) return reused;
    const size = PAGE_SIZE * 2 ** order;
    if (this.next + size > this.end) return -ENOMEM;
    this.next += size;
    return this.next - size;
  }

  free(offset: number, len: number): void {
    this.memory.discard(offset, len);
    this.quarantine.push({ order: orderOf(len), offset });
    if (this.quarantine.length >= QUARANTINE) this.release();
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
    this.settle(() => {
      for (const { order, offset } of ranges) {
        this.free_[order] ??= [];
        // A guest may have touched the range after its pages were given back.
        this.memory.discard(offset, PAGE_SIZE * 2 ** order);
        this.free_[order].push(offset);
      }
    });
  }
}

function orderOf(len: number): number {
  let order = 0;
  for (let size = 1 << PAGE_SHIFT; size < len; size *= 2) order++;
  return order;
}
