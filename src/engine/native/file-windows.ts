/**
 * Windows on the pages of files, in one space. A program itself copies what it reads and writes often, so that the
 * bytes do not cross between two processors' caches twice (engine.ts, `FileWindow`).
 *
 * The thread copies after it was answered. Meanwhile a window may close, and its place be used again. So each place
 * counts how often it was closed, in a word that the space can read (`P_WINDOWS`). The thread compares it after it has
 * copied, and asks again if the count is not the one in the answer.
 */
import type { FileWindow } from '../engine.ts';
import { SIZE, SPACE, VA } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

/** What windows need of the space: it maps `len` bytes of memory, which children do not inherit, and unmaps them. */
export interface WindowSpace {
  mapWindow(address: number, len: number, offset: number, writable: boolean): void;
  unmap(address: number, len: number, shared: boolean): void;
}

export class FileWindows {
  private readonly space: WindowSpace;
  /** For each place, how often it was closed. */
  private readonly closings: Int32Array;
  private readonly open: (NativeWindow | null)[] = new Array(SIZE.MAX_WINDOWS).fill(null);
  private next = 0;

  /** `pages`: where the space's pages lie in memory. */
  constructor(memory: MemoryFile, space: WindowSpace, pages: number) {
    this.space = space;
    this.closings = new Int32Array(memory.buffer, pages + SPACE.P_WINDOWS, SIZE.MAX_WINDOWS);
  }

  /** Takes the place of the oldest window. Null: more than a window can show. */
  make(offset: number, len: number, writable: boolean): FileWindow | null {
    if (len > SIZE.WINDOW_STRIDE) return null;
    const index = this.next++ % SIZE.MAX_WINDOWS;
    this.open[index]?.close();
    const window = new NativeWindow(this, index, offset, len);
    this.open[index] = window;
    this.space.mapWindow(addressOf(index), len, offset, writable);
    return window;
  }

  has(window: NativeWindow): boolean {
    return this.open[window.index] === window;
  }

  closingsOf({ index }: NativeWindow): number {
    return this.closings[index]!;
  }

  /** Call it before anything happens to the pages. A thread that is copying will notice. */
  take(window: NativeWindow): void {
    if (!this.has(window)) return;
    const { index, len } = window;
    this.open[index] = null;
    Atomics.add(this.closings, index, 1);
    this.space.unmap(addressOf(index), len, true);
  }

  /** The space is gone, and another may get its pages. */
  died(): void {
    this.open.fill(null);
  }
}

export class NativeWindow implements FileWindow {
  readonly index: number;
  readonly offset: number;
  readonly len: number;
  private readonly windows: FileWindows;

  constructor(windows: FileWindows, index: number, offset: number, len: number) {
    this.windows = windows;
    this.index = index;
    this.offset = offset;
    this.len = len;
  }

  /** Its offset from WINDOW_BASE. */
  get place(): number {
    return this.index * SIZE.WINDOW_STRIDE;
  }

  /** How often its place has been closed. */
  get closings(): number {
    return this.windows.closingsOf(this);
  }

  get isOpen(): boolean {
    return this.windows.has(this);
  }

  close(): void {
    this.windows.take(this);
  }
}

const addressOf = (index: number): number => VA.WINDOW_BASE + index * SIZE.WINDOW_STRIDE;
