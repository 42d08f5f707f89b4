/**
 * Windows on the pages of files, in one space: what a program reads and writes often it copies itself, so that the bytes do not
 * cross between two processors' caches twice (engine.ts, `FileWindow`).
 *
 * The thread copies after it was answered, so a window may close, and its place be used again, while it does. Each place has a
 * count of how often that happened, which spaces can read (`P_WINDOWS`): the thread looks there after it has copied, and
 * asks again if the count is not what the answer said.
 */
import type { FileWindow } from '../engine.ts';
import { SIZE, SPACE, VA } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

/** The space, as windows need it: it maps `len` bytes of memory, not for its children, and takes them away. */
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

  /** The window that was opened first makes room. Null: that is too much to see at once. */
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

  /** Before anything happens to the pages: whoever is copying will see it. */
  take(window: NativeWindow): void {
    if (!this.has(window)) return;
    const { index, len } = window;
    this.open[index] = null;
    Atomics.add(this.closings, index, 1);
    this.space.unmap(addressOf(index), len, true);
  }

  /** The space is gone, and its pages may be another's. */
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

  /** Where it is among the windows. */
  get place(): number {
    return this.index * SIZE.WINDOW_STRIDE;
  }

  /** How often its place was closed before. */
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
