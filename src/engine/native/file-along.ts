/** The file that goes along with answers to a thread (engine.ts, `FileAlong`), in its slot; stub/along.c reads it there. */
import type { FileAlong, FileUse, OpenedFile } from '../engine.ts';
import { SLOT } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

/** Larger ones have no room in S_FILE_USE. */
const LAST_POSITION = SLOT.FILE_CLOSED - 2;
const STAT_SIZE = 144;

export class NativeFileAlong implements FileAlong {
  readonly stat: number;
  readonly size: number = SLOT.FILE_DATA_SIZE;
  private readonly data: number;
  /** How much of it was used. */
  private used = 0;
  private readonly bytes: Uint8Array;
  private readonly i32: Int32Array;
  private readonly w: number;

  constructor(memory: MemoryFile, slot: number) {
    this.bytes = memory.bytes;
    this.i32 = memory.i32;
    this.w = slot >> 2;
    this.stat = slot + SLOT.S_FILE_STAT;
    this.data = slot + SLOT.S_FILE_DATA;
  }

  place(size: number): number {
    this.used = Math.max(this.used, size);
    return this.data;
  }

  /** What files left here is not for the next program. */
  wipe(): void {
    this.bytes.fill(0, this.stat, this.stat + STAT_SIZE);
    this.bytes.fill(0, this.data, this.data + this.used);
    this.used = 0;
  }

  send({ fd, flags, size, whole }: OpenedFile, position: number): void {
    if (position > LAST_POSITION) return;
    const { i32, w } = this;
    i32[w + SLOT.S_FILE / 4] = fd;
    i32[w + SLOT.S_FILE_FLAGS / 4] = flags;
    i32[w + SLOT.S_FILE_SIZE / 4] = size;
    i32[w + SLOT.S_FILE_WHOLE / 4] = whole ? 1 : 0;
    Atomics.store(i32, w + USE, position + 1);
  }

  take(): FileUse | null {
    const use = Atomics.exchange(this.i32, this.w + USE, 0);
    // Whatever the guest has written there, it is a position that a file can have.
    const position = (use & ~SLOT.FILE_CLOSED) - 1;
    return position < 0 ? null : { position, closed: use < 0 };
  }
}

const USE = SLOT.S_FILE_USE / 4;
