/** The window that a thread uses on its own (answers.ts, `WindowAlong`), in its slot; stub/window.c looks there. */
import { setInt64 } from '../../lib/int64.ts';
import type { WindowAlong, WindowTerms, WindowUse } from '../answers.ts';
import type { FileWindow } from '../engine.ts';
import type { NativeWindow } from './file-windows.ts';
import { SLOT } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

const USE = SLOT.S_WINDOW_USE / 4;
const { WINDOW_OPEN, WINDOW_MAY_WRITE, WINDOW_READ, WINDOW_WRITTEN } = SLOT;

export class NativeWindowAlong implements WindowAlong {
  /** What the thread may have done. Anything else that it says does not count. */
  private may = 0;
  private readonly i32: Int32Array;
  private readonly view: DataView;
  private readonly slot: number;
  private readonly w: number;

  constructor(memory: MemoryFile, slot: number) {
    this.i32 = memory.i32;
    this.view = memory.view;
    this.slot = slot;
    this.w = slot >> 2;
  }

  send(window: FileWindow, { fd, from, to, mayWrite }: WindowTerms): void {
    const { i32, w, view, slot } = this;
    const { place, closings } = window as NativeWindow;
    i32[w + SLOT.S_WINDOW_FD / 4] = fd;
    i32[w + SLOT.S_WINDOW_PLACE / 4] = place;
    i32[w + SLOT.S_WINDOW_WAS / 4] = closings;
    setInt64(view, slot + SLOT.S_WINDOW_FROM, from);
    setInt64(view, slot + SLOT.S_WINDOW_TO, to);
    this.may = WINDOW_READ | (mayWrite ? WINDOW_WRITTEN : 0);
    Atomics.store(i32, w + USE, WINDOW_OPEN | (mayWrite ? WINDOW_MAY_WRITE : 0));
  }

  look(): WindowUse {
    return usesOf(Atomics.and(this.i32, this.w + USE, ~(WINDOW_READ | WINDOW_WRITTEN)) & this.may);
  }

  take(): WindowUse {
    return usesOf(Atomics.exchange(this.i32, this.w + USE, 0) & this.may);
  }
}

const NOTHING: WindowUse = { read: false, written: false };
const ONLY_READ: WindowUse = { read: true, written: false };
const ONLY_WRITTEN: WindowUse = { read: false, written: true };
const BOTH: WindowUse = { read: true, written: true };

function usesOf(use: number): WindowUse {
  if ((use & WINDOW_WRITTEN) !== 0) return (use & WINDOW_READ) !== 0 ? BOTH : ONLY_WRITTEN;
  return (use & WINDOW_READ) !== 0 ? ONLY_READ : NOTHING;
}
