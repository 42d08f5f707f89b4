/**
 * Mappings of private memory that a space's only thread makes itself on its way back to its program, at no cost but
 * that of the call. The seccomp filter lets every guest thread do so (filters.ts), as it harms no other space: the
 * thread reaches only its own memory, and what the machine's memory file gave it stays as it was, or goes.
 */
import { setInt64 } from '../../lib/int64.ts';
import { LOWEST_OWN, SLOT, VA } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

const FIELDS = 4;
const GIB4 = 2 ** 32;
const LOWEST_TOP = Math.floor(VA.SLOT_END / GIB4);
const HIGHEST_BOTTOM = Math.floor(VA.SLOT_BASE / GIB4);

export class OwnMappings {
  count = 0;
  private readonly memory: MemoryFile;
  private readonly ops: number[] = [];

  constructor(memory: MemoryFile) {
    this.memory = memory;
  }

  /** Whether it is taken over: a mapping call with its address, length, and protection or advice. */
  take(nr: number, address: number, len: number, value: number, may: boolean): boolean {
    if (!may || this.count === SLOT.MAX_OWN || !isApart(address, len)) return false;
    const at = FIELDS * this.count++;
    this.ops[at] = nr;
    this.ops[at + 1] = address;
    this.ops[at + 2] = len;
    this.ops[at + 3] = value;
    return true;
  }

  /** Writes the mappings into the slot of the thread that is about to go on. */
  give(slot: number): void {
    const { view } = this.memory;
    view.setInt32(slot + SLOT.S_OWN, this.count, true);
    this.forEach((nr, address, len, value, i) => {
      const at = slot + SLOT.S_OWN_OPS + SLOT.OWN_OP_SIZE * i;
      setInt64(view, at, nr);
      setInt64(view, at + 8, address);
      setInt64(view, at + 16, len);
      setInt64(view, at + 24, value);
    });
  }

  /** Hands all of them out in order. None are left. */
  forEach(each: (nr: number, address: number, len: number, value: number, index: number) => void): void {
    const { ops, count } = this;
    this.count = 0;
    for (let i = 0; i < count; i++) {
      const at = FIELDS * i;
      each(ops[at]!, ops[at + 1]!, ops[at + 2]!, ops[at + 3]!, i);
    }
  }
}

/** Whether the filter finds the range outside the engine's places. Above 4 GiB it compares only the upper halves. */
export function isApart(address: number, len: number): boolean {
  const high = Math.floor(address / GIB4);
  if (high >= LOWEST_TOP) return true;
  if (high === 0) return address >= LOWEST_OWN && address + len <= VA.STUB_TEXT;
  return high + Math.floor(len / GIB4) + 2 <= HIGHEST_BOTTOM;
}
