/**
 * A window: some pages of an open file, mapped for a program that reads and writes it often and copies the bytes
 * itself. Only present pages around a position are shown, so that a touch makes none. Before anything happens to the
 * file's pages the window is closed (`PageCache.closeWindows`), as it is when the file is closed: what a program may no
 * longer read, it no longer sees.
 */
import type { WindowAlong, WindowUse } from '../engine/answers.ts';
import type { FileWindow, Space } from '../engine/engine.ts';
import type { Roster } from '../lib/roster.ts';
import type { PageCache } from './page-cache.ts';
import { PAGE_SIZE } from './ram.ts';

/** The owner of windows: the memory of a program. */
export interface WindowOwner {
  readonly space: Space;
  readonly windows: Roster<PageWindow>;
}

export interface Opening {
  readonly owner: WindowOwner;
  readonly holder: unknown;
  readonly cache: PageCache;
  readonly writable: boolean;
}

type Used = (use: WindowUse) => void;

export class PageWindow {
  readonly owner: WindowOwner;
  /** The descriptors by which the program has the file open. */
  readonly holder: unknown;
  readonly cache: PageCache;
  /** Position in the file of the window's first byte. */
  readonly pos: number;
  readonly writable: boolean;
  readonly view: FileWindow;
  private readonly len: number;
  /** The word of the thread that copies through it without asking, and the callback that is told of such use. */
  private lentTo: WindowAlong | null = null;
  private used: Used | null = null;

  private constructor(place: Opening, pos: number, len: number, view: FileWindow) {
    const { owner, holder, cache, writable } = place;
    this.owner = owner;
    this.holder = holder;
    this.cache = cache;
    this.writable = writable;
    this.pos = pos;
    this.len = len;
    this.view = view;
    owner.windows.add(this);
    cache.windows.add(this);
  }

  /**
   * On the present pages without a gap around byte `pos`; null if its page is absent, or they are more than a window
   * shows.
   */
  static open(place: Opening, pos: number): PageWindow | null {
    const { owner, cache, writable } = place;
    const page = Math.floor(pos / PAGE_SIZE);
    if (!cache.isPresent(page)) return null;
    // From the file's start on, if no page before is absent.
    const first = cache.nextPage(0, false) > page ? 0 : page;
    const start = first * PAGE_SIZE;
    const len = cache.nextPage(page, false) * PAGE_SIZE - start;
    const view = owner.space.openWindow(cache.offsetOf(start), len, writable);
    return view === null ? null : new PageWindow(place, start, len, view);
  }

  /** Whether the window shows bytes [pos, pos + len) of the file. */
  covers(pos: number, len: number): boolean {
    return this.view.isOpen && pos >= this.pos && pos + len <= this.pos + this.len;
  }

  /**
   * Lets a thread of the owner copy bytes [pos, to) by descriptor `fd` without asking; `used` is told of it, with a
   * delay.
   */
  lend(along: WindowAlong, fd: number, to: number, mayWrite: boolean, used: Used): void {
    const end = Math.min(to, this.pos + this.len);
    along.send(this.view, { fd, from: this.pos, to: end, mayWrite: mayWrite && this.writable });
    this.lentTo = along;
    this.used = used;
  }

  get isLent(): boolean {
    return this.lentTo !== null;
  }

  /** Passes on what was done until now. Whether that was anything. */
  look(): boolean {
    return this.lentTo !== null && this.tell(this.lentTo.look());
  }

  /** Before a look at the file, or a change of what may be done with it: from now on the thread asks. */
  recall(): void {
    const { lentTo } = this;
    if (lentTo === null) return;
    this.lentTo = null;
    this.tell(lentTo.take());
  }

  private tell(use: WindowUse): boolean {
    if (!use.read && !use.written) return false;
    this.used!(use);
    return true;
  }

  close(): void {
    this.recall();
    this.owner.windows.delete(this);
    this.cache.windows.delete(this);
    this.view.close();
  }
}
