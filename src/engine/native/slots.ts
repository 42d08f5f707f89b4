/** Thread slots of the memory file. A slot is free again only when the process that used it is gone. */
import { FILE, SIZE } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

export class Slots {
  private readonly memory: MemoryFile;
  private next: number = FILE.FILE_SLOTS;
  private readonly free_: number[] = [];

  constructor(memory: MemoryFile) {
    this.memory = memory;
  }

  /** How many can still be had. */
  get room(): number {
    return this.free_.length + (FILE.FILE_SLOTS_END - this.next) / SIZE.SLOT_STRIDE;
  }

  /** A slot's offset in the memory file; -1 when all are in use. */
  alloc(): number {
    const slot = this.free_.pop();
    if (slot !== undefined) return slot;
    if (this.next + SIZE.SLOT_STRIDE > FILE.FILE_SLOTS_END) return -1;
    this.next += SIZE.SLOT_STRIDE;
    return this.next - SIZE.SLOT_STRIDE;
  }

  free(slot: number): void {
    // What its process asked and got is nobody else's business.
    this.memory.wipe(slot, SIZE.SLOT_STRIDE);
    this.free_.push(slot);
  }
}
