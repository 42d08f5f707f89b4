/** Thread slots of the memory file. A slot is free again only once the process that used it is gone. */
import { FILE, SIZE } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

/** When so many slots await cleaning, they are cleaned before a new one is made. */
const MANY_USED = 64;

export class Slots {
  private readonly memory: MemoryFile;
  private next: number = FILE.FILE_SLOTS;
  private readonly clean: number[] = [];
  /** Given back, but still holding what their processes asked and got. */
  private readonly used: number[] = [];

  constructor(memory: MemoryFile) {
    this.memory = memory;
  }

  /** How many slots can still be had. */
  get room(): number {
    return this.clean.length + this.used.length + (FILE.FILE_SLOTS_END - this.next) / SIZE.SLOT_STRIDE;
  }

  /** A slot's offset in the memory file; -1 when all are in use. */
  alloc(): number {
    const clean = this.clean.pop();
    if (clean !== undefined) return clean;
    const fresh = this.next + SIZE.SLOT_STRIDE <= FILE.FILE_SLOTS_END;
    if (fresh && this.used.length < MANY_USED) {
      this.next += SIZE.SLOT_STRIDE;
      return this.next - SIZE.SLOT_STRIDE;
    }
    this.cleanUp();
    return this.clean.pop() ?? -1;
  }

  free(slot: number): void {
    this.used.push(slot);
  }

  /** Wipes what processes asked and got, which must not reach others. Call it when there is time. */
  cleanUp(): void {
    for (const slot of this.used.splice(0)) {
      this.memory.wipe(slot, SIZE.SLOT_STRIDE);
      this.clean.push(slot);
    }
  }
}
