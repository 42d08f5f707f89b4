/** Where mappings go that name no address: to the highest place, as on Linux. */
import { ENOMEM } from '../uapi/errno.ts';
import type { Mm } from './mm.ts';
import { PAGE_SIZE } from './ram.ts';
import { VM_GROWSDOWN, type Vma } from './vma.ts';

/** User space ends here (47 bits, less the page that x86-64 keeps free). */
export const TASK_SIZE = 0x7ffffffff000;
/** Lowest address for mappings (vm.mmap_min_addr). */
export const MMAP_MIN = 0x10000;
/** An area that grows downwards keeps this distance from others (stack_guard_gap). */
const STACK_GUARD = 256 * PAGE_SIZE;

/** Where, at the highest, mappings that name no address end below an area. */
export const lowestUse = (vma: Vma): number =>
  (vma.flags & VM_GROWSDOWN) === 0 ? vma.start : Math.max(0, vma.start - STACK_GUARD);

/** How far down an area may grow if `below` is the one below it. */
export function highestUse(below: Vma | undefined): number {
  if (below === undefined) return 0;
  const stands = below.prot !== 0 && (below.flags & VM_GROWSDOWN) === 0;
  return stands ? below.end + STACK_GUARD : below.end;
}

export interface VdsoPlace {
  /** Where its data begin; they end where the vDSO itself begins. */
  readonly data: number;
  readonly from: number;
  readonly to: number;
}

/** Where the vDSO lies: it is in every space and in no list of areas. Null if there is none. */
export function vdsoPlace({ host, space }: Mm): VdsoPlace | null {
  const from = host.vdso();
  const range = from === 0 ? undefined : space.reserved.find(place => from >= place.from && from < place.to);
  return range === undefined ? null : { data: range.from, from, to: range.to };
}

export class Places {
  /** From here down to the next area nothing is mapped, so the next mapping probably fits there. 0: not known. */
  private hint = 0;

  /** A mapping that ended here is gone. */
  freed(end: number): void {
    if (this.hint > 0) this.hint = Math.max(this.hint, end);
  }

  reset(): void {
    this.hint = 0;
  }

  /** The highest free place below `limit` for `len` bytes; -ENOMEM. */
  find(mm: Mm, len: number, limit: number): number {
    if (limit !== mm.mmapBase) return this.fitBelow(mm, len, limit, false);
    // What was freed last may have been above the limit, where the stack is to grow.
    const quick = this.hint > 0 ? this.fitBelow(mm, len, Math.min(this.hint, limit), true) : -ENOMEM;
    if (quick > 0) {
      this.hint = quick;
      return quick;
    }
    const found = this.fitBelow(mm, len, limit, false);
    if (found < 0) return this.fitBelow(mm, len, TASK_SIZE, false);
    this.hint = found;
    return found;
  }

  private fitBelow(mm: Mm, len: number, limit: number, once: boolean): number {
    const { vmas } = mm;
    let top = limit;
    let index = vmas.indexAfter(top - 1);
    for (;;) {
      const area = vmas.at(index);
      if (area !== undefined) top = Math.min(top, lowestUse(area));
      const below = vmas.at(--index);
      const floor = below === undefined ? MMAP_MIN : below.end;
      const { reserved } = mm.space;
      for (let i = reserved.length - 1; i >= 0; i--) {
        const { from, to } = reserved[i]!;
        if (to <= floor || from >= top) continue;
        if (top - to >= len) return top - len;
        top = from;
      }
      if (top - floor >= len && top > floor) return top - len;
      if (below === undefined || once) return -ENOMEM;
      top = below.start;
    }
  }
}
