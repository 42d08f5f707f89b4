/** The file that goes along with a thread's answers (answers.ts, `FileAlong`), in its slot; stub/along.c reads it. */
import type { FileAlong, FileUse, OpenedFile } from '../answers.ts';
import { SLOT } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

/** A larger position does not fit into S_FILE_USE. */
const LAST_POSITION = SLOT.FILE_CLOSED - 2;
const STAT_SIZE = 144;

export class NativeFileAlong implements FileAlong {
  /** Where the next file's record will lie, as an offset in the slot, and how many bytes of the file it may have. */
  private record: number;
  private room: number;
  /** How many bytes of the usual place were used, and how many are to be written at another place. */
  private used = 0;
  private placed: number;
  private readonly bytes: Uint8Array;
  private readonly i32: Int32Array;
  private readonly slot: number;
  private readonly w: number;

  constructor(memory: MemoryFile, slot: number) {
    this.bytes = memory.bytes;
    this.i32 = memory.i32;
    this.slot = slot;
    this.w = slot >> 2;
    this.record = SLOT.S_FILE_PLACE;
    this.room = SLOT.FILE_DATA_SIZE;
    this.placed = 0;
  }

  readonly most: number = SLOT.FILE_DATA_SIZE;

  get stat(): number {
    return this.slot + this.record;
  }

  get size(): number {
    return this.room;
  }

  place(size: number): number {
    if (size > this.room) return 0;
    if (this.record === SLOT.S_FILE_PLACE) this.used = Math.max(this.used, size);
    else this.placed = size;
    return this.stat + SLOT.FILE_HEAD;
  }

  /** Places the next file's record at an offset in the slot, with room for so many bytes; by default as usual. */
  putAt(record: number = SLOT.S_FILE_PLACE, room: number = SLOT.FILE_DATA_SIZE): void {
    this.record = record;
    this.room = room;
    this.placed = 0;
  }

  /** What was written there must not reach the program. */
  unput(): void {
    const { record } = this;
    if (record !== SLOT.S_FILE_PLACE) this.bytes.fill(0, this.stat, this.stat + SLOT.FILE_HEAD + this.placed);
    this.putAt();
  }

  /** What files left here must not reach the next program. */
  wipe(): void {
    const record = this.slot + SLOT.S_FILE_PLACE;
    this.bytes.fill(0, record, record + STAT_SIZE);
    this.bytes.fill(0, record + SLOT.FILE_HEAD, record + SLOT.FILE_HEAD + this.used);
    this.used = 0;
  }

  send({ fd, flags, size, may, whole, place }: OpenedFile, position: number): boolean {
    if (position > LAST_POSITION) return false;
    const { i32, w } = this;
    i32[w + SLOT.S_FILE / 4] = fd;
    i32[w + SLOT.S_FILE_RECORD / 4] = place - this.slot;
    i32[w + SLOT.S_FILE_FLAGS / 4] = flags;
    i32[w + SLOT.S_FILE_SIZE / 4] = size;
    i32[w + SLOT.S_FILE_WHOLE / 4] = whole ? 1 : 0;
    i32[w + SLOT.S_FILE_MAY / 4] = may;
    Atomics.store(i32, w + USE, position + 1);
    return true;
  }

  take(): FileUse | null {
    const use = Atomics.exchange(this.i32, this.w + USE, 0);
    // Whatever the guest wrote there, the result is a position that a file can have.
    const position = (use & ~SLOT.FILE_CLOSED) - 1;
    return position < 0 ? null : { position, closed: use < 0 };
  }
}

const USE = SLOT.S_FILE_USE / 4;
