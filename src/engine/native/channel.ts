/**
 * Pipes between two threads of different processes (answers.ts, `Channel`), which read and write them without the
 * kernel; stub/channel.c has the other side. What one end may write, the other can only read. So neither can make the
 * other, or us, see anything but bytes of a pipe: if the positions do not fit together, nothing is left in it.
 */
import type { Channel, ChannelEnds, PipeEnd } from '../answers.ts';
import type { WindowSpace } from './file-windows.ts';
import { CHANNEL, SIZE, SLOT, VA } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

const { CHANNEL_OPEN, WRITER_SIZE, READER_SIZE, CHANNEL_SIZE, RING_SIZE, LARGEST_PUT, C_RING } = CHANNEL;
const TAIL = CHANNEL.C_TAIL / 4;
const HEAD = CHANNEL.C_HEAD / 4;
/** For each of the two threads: whether it sleeps, which processor it is on, how often it looks. */
const ASLEEP = [CHANNEL.C_FULL / 4, CHANNEL.C_EMPTY / 4] as const;
const PROCESSORS = [CHANNEL.C_WRITER / 4, CHANNEL.C_READER / 4] as const;
const LOOKS = [CHANNEL.C_WRITER_LOOKS / 4, CHANNEL.C_READER_LOOKS / 4] as const;
const NOWHERE = -1;
const PLACES = { write: VA.CHANNEL_BASE, read: VA.CHANNEL_BASE + SIZE.CHANNEL_STRIDE } as const;
const BITS = { write: SLOT.CHANNEL_WRITES, read: SLOT.CHANNEL_READS } as const;
const DESCRIPTORS = { write: SLOT.S_CHANNEL_WRITE / 4, read: SLOT.S_CHANNEL_READ / 4 } as const;
const ENDS = SLOT.S_CHANNELS / 4;

/** One thread's ends: maps them into its space, and notes in its slot which ones it has. */
export class NativeChannelEnds implements ChannelEnds {
  private readonly space: WindowSpace;
  private readonly i32: Int32Array;
  private readonly w: number;
  private readonly shown: Record<PipeEnd, boolean> = { write: false, read: false };

  constructor(memory: MemoryFile, space: WindowSpace, slot: number) {
    this.space = space;
    this.i32 = memory.i32;
    this.w = slot >> 2;
  }

  show(end: PipeEnd, offset: number, fd: number): void {
    const { space, i32, w } = this;
    const place = PLACES[end];
    // A mapping may fail for lack of room in the host's tables. It would then leave the old mapping in place.
    if (this.shown[end]) space.unmap(place, CHANNEL_SIZE, true);
    this.shown[end] = true;
    space.mapWindow(place, WRITER_SIZE, offset, end === 'write');
    space.mapWindow(place + WRITER_SIZE, READER_SIZE, offset + WRITER_SIZE, end === 'read');
    i32[w + DESCRIPTORS[end]] = fd;
    i32[w + ENDS]! |= BITS[end];
  }

  hide(end: PipeEnd): void {
    this.i32[this.w + ENDS]! &= ~BITS[end];
    this.shown[end] = false;
    this.space.unmap(PLACES[end], CHANNEL_SIZE, true);
  }

  /** The thread may get another owner. */
  forget(): void {
    this.i32[this.w + ENDS] = 0;
  }
}

export class NativeChannel implements Channel {
  left = 0;
  readonly size: number = RING_SIZE;
  readonly most: number = RING_SIZE - LARGEST_PUT;
  private readonly bytes: Uint8Array;
  private readonly words: Int32Array;
  private readonly wake: () => void;
  /** The positions when opened (`began` continues where it was closed), and the writer's when last looked at. */
  private began = CHANNEL_OPEN as number;
  private filled = 0;
  private seen = 0;
  /** Where the bytes that are left begin. */
  private first = 0;

  /** `wake`: wakes those who wait for either position to change. */
  constructor({ buffer }: MemoryFile, offset: number, wake: () => void) {
    this.bytes = new Uint8Array(buffer, offset, CHANNEL_SIZE);
    this.words = new Int32Array(buffer, offset, CHANNEL_SIZE / 4);
    this.wake = wake;
  }

  open(len: number, fill: (to: Uint8Array, off: number, len: number) => void): void {
    const { words, bytes } = this;
    // Ahead of all earlier positions, so that a late thread finds positions other than those it has seen. The next byte
    // goes where it would have gone before, so a late writer writes to a place that holds nothing.
    this.filled = (this.began + 4 * RING_SIZE) | 0;
    this.began = (this.filled - 2 * len) | 0;
    this.seen = 0;
    const start = (this.began >>> 1) & (RING_SIZE - 1);
    const first = Math.min(len, RING_SIZE - start);
    fill(bytes, C_RING + start, first);
    fill(bytes, C_RING, len - first);
    for (const i of [0, 1] as const) {
      words[PROCESSORS[i]] = NOWHERE;
      words[LOOKS[i]] = 0;
    }
    Atomics.store(words, HEAD, this.began);
    Atomics.store(words, TAIL, this.filled);
  }

  close(): boolean {
    const { words, began, filled } = this;
    const tail = Atomics.exchange(words, TAIL, 0);
    const head = Atomics.exchange(words, HEAD, 0);
    if (words[ASLEEP[0]] !== 0 || words[ASLEEP[1]] !== 0) this.wake();
    const left = (tail - head) >>> 1;
    // The reader could claim that it has not read. Then bytes come again, but only bytes that were written.
    const isSound = (tail & head & CHANNEL_OPEN) !== 0 && left <= RING_SIZE && left <= (tail - began) >>> 1;
    this.left = isSound ? left : 0;
    this.first = (head >>> 1) & (RING_SIZE - 1);
    this.began = isSound ? tail : filled;
    return tail !== filled || head !== began;
  }

  callBack(): void {
    this.wake();
  }

  copy(to: Uint8Array, off: number): void {
    const { bytes, first, left } = this;
    const most = Math.min(left, RING_SIZE - first);
    to.set(bytes.subarray(C_RING + first, C_RING + first + most), off);
    to.set(bytes.subarray(C_RING, C_RING + left - most), off + most);
  }

  rests(): boolean {
    const { words, seen } = this;
    this.seen = Atomics.load(words, TAIL);
    return this.seen === seen;
  }
}
