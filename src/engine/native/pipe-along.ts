/** The pipe that a thread uses on its own (answers.ts, `PipeAlong`), in its slot; stub/pipe.c has the other side. */
import type { PipeAlong } from '../answers.ts';
import { SLOT } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

const USE = SLOT.S_PIPE_USE / 4;
const POSITION = (1 << SLOT.PIPE_TAIL) - 1;

export class NativePipeAlong implements PipeAlong {
  readonly size: number = SLOT.PIPE_SIZE;
  readonly place: number;
  readonly bytes: Uint8Array;
  taken = 0;
  start = 0;
  end = 0;
  private lent = 0;
  private sent = 0;
  private mayWrite = false;
  /** How many bytes of the place were ever used. */
  private used = 0;
  private readonly i32: Int32Array;
  private readonly w: number;

  constructor(memory: MemoryFile, slot: number) {
    this.bytes = memory.bytes;
    this.i32 = memory.i32;
    this.w = slot >> 2;
    this.place = slot + SLOT.S_PIPE;
  }

  send(read: number, write: number, len: number, whole: boolean): void {
    const { i32, w } = this;
    this.lent = len;
    this.mayWrite = write >= 0;
    this.used = this.mayWrite ? this.size : Math.max(this.used, len);
    this.sent = SLOT.PIPE_OPEN | (whole ? SLOT.PIPE_WHOLE : 0) | (len << SLOT.PIPE_TAIL);
    i32[w + SLOT.S_PIPE_READ / 4] = read;
    i32[w + SLOT.S_PIPE_WRITE / 4] = write;
    Atomics.store(i32, w + USE, this.sent);
  }

  /** The guest may have written anything there. Only what lies within the place, and what the thread may do, counts. */
  take(): boolean {
    const { lent, place } = this;
    const use = Atomics.exchange(this.i32, this.w + USE, 0);
    const head = use & POSITION;
    const tail = (use >> SLOT.PIPE_TAIL) & POSITION;
    if (use === this.sent || (use & SLOT.PIPE_OPEN) === 0 || head > tail || tail > this.size) return false;
    const isGone = (use & SLOT.PIPE_GONE) !== 0;
    const start = isGone ? head : Math.max(head, lent);
    this.taken = isGone ? lent : Math.min(head, lent);
    this.start = place + start;
    this.end = place + (this.mayWrite ? Math.max(start, tail) : start);
    return true;
  }

  wipe(): void {
    this.bytes.fill(0, this.place, this.place + this.used);
    this.used = 0;
  }
}
