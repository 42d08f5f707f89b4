/** The file that goes along with the answer to a thread's open(2) (engine.ts, `FileAlong`), in its slot; stub/along.c reads it there. */
import type { FileAlong, FileUse, OpenedFile } from '../engine.ts';
import { SLOT } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

export class NativeFileAlong implements FileAlong {
  readonly stat: number;
  readonly data: number;
  readonly size: number = SLOT.FILE_DATA_SIZE;
  private readonly i32: Int32Array;
  private readonly w: number;
  private file: OpenedFile | null = null;

  constructor(memory: MemoryFile, slot: number) {
    this.i32 = memory.i32;
    this.w = slot >> 2;
    this.stat = slot + SLOT.S_FILE_STAT;
    this.data = slot + SLOT.S_FILE_DATA;
  }

  send(file: OpenedFile): void {
    this.file = file;
    this.put(SLOT.S_FILE_SIZE, file.size);
    this.put(SLOT.S_FILE_WHOLE, file.whole ? 1 : 0);
    this.put(SLOT.S_FILE_POS, 0);
    this.put(SLOT.S_FILE_CLOSED, 0);
    this.put(SLOT.S_FILE, file.fd + 1);
  }

  get wasClosed(): boolean {
    return this.file !== null && this.get(SLOT.S_FILE_CLOSED) === 1;
  }

  take(): FileUse | null {
    const { file } = this;
    if (file === null) return null;
    this.file = null;
    this.put(SLOT.S_FILE, 0);
    const position = this.get(SLOT.S_FILE_POS);
    const closed = this.get(SLOT.S_FILE_CLOSED) === 1;
    // The guest can write anything there; what no file of this size has is none.
    return { position: position > 0 && position <= file.size ? position : 0, closed };
  }

  private put(field: number, value: number): void {
    this.i32[this.w + field / 4] = value;
  }

  private get(field: number): number {
    return this.i32[this.w + field / 4]!;
  }
}
