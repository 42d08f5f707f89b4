/**
 * A task's `UserMemory` (core/user.ts): windows in its thread's slot. The stub brings along what the call's arguments
 * point to; the rest is fetched, and output is copied when the call is answered.
 */
import type { UserMemory } from '../core/user.ts';
import { type EngineThread, type FileWindow, PROT_READ, PROT_WRITE } from '../engine/engine.ts';
import { latin1 } from '../lib/latin1.ts';
import type { Mm } from '../mm/mm.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { growDown } from '../mm/stack.ts';
import { EFAULT, ENAMETOOLONG } from '../uapi/errno.ts';
import { RLIMIT_STACK } from '../uapi/resource.ts';

const MAX_WINDOW = 64 * 1024;

/** The memory's owner: both change in a task's life (exec, exit). */
export interface UserContext {
  readonly mm: Mm | null;
  readonly thread: EngineThread | null;
  rlimit(resource: number): number;
}

export class UserAccess implements UserMemory {
  readonly ram: Uint8Array;
  readonly view: DataView;
  readonly maxWindow: number = MAX_WINDOW;
  private readonly context: UserContext;
  /** The latest `out` window, not yet given to the engine: its length may shrink. */
  private outAddress = 0;
  private outOffset = 0;
  private outLength = 0;
  /** Where windows are kept meanwhile, -1: in the slot; and where the latest goes from there, -1: it is in place. */
  private keptAt = -1;
  private goesTo = -1;

  constructor(ram: Uint8Array, view: DataView, context: UserContext) {
    this.ram = ram;
    this.view = view;
    this.context = context;
  }

  in(addr: number, len: number): number {
    const { thread, mm } = this.context;
    if (thread === null || mm === null) return -EFAULT;
    const have = thread.prefetched(addr, len);
    if (have >= 0) return have;
    if (!this.reaches(mm, addr, len, PROT_READ)) return -EFAULT;
    const offset = thread.stageIn(len);
    if (offset < 0) return -EFAULT;
    return mm.space.read(addr, offset, len) < 0 ? -EFAULT : offset;
  }

  gather(words: Float64Array, count: number, total: number): number {
    const { thread, mm } = this.context;
    if (thread === null || mm === null || total > MAX_WINDOW) return -EFAULT;
    for (let i = 0; i < count; i++) {
      if (!this.reaches(mm, words[2 * i]!, words[2 * i + 1]!, PROT_READ)) return -EFAULT;
    }
    const offset = thread.stageIn(total);
    if (offset < 0) return -EFAULT;
    return mm.space.gather(words, count, offset, total) < 0 ? -EFAULT : offset;
  }

  out(addr: number, len: number): number {
    const { thread, mm } = this.context;
    if (thread === null || mm === null) return -EFAULT;
    if (!this.reaches(mm, addr, len, PROT_WRITE)) return -EFAULT;
    const { keptAt } = this;
    this.flush();
    const offset = thread.stageOut(len);
    if (offset < 0) return -EFAULT;
    const kept = keptAt >= 0 && len <= PAGE_SIZE;
    this.outAddress = addr;
    this.outOffset = kept ? keptAt : offset;
    this.goesTo = kept ? offset : -1;
    this.outLength = len;
    return this.outOffset;
  }

  room(addr: number, len: number): number {
    const { thread, mm } = this.context;
    if (thread === null || mm === null) return 0;
    if (this.reaches(mm, addr, len, PROT_WRITE)) return len;
    let end = addr;
    while (this.reaches(mm, end, 1, PROT_WRITE)) end += PAGE_SIZE - (end % PAGE_SIZE);
    return Math.min(len, end - addr);
  }

  /** Until `release`, what the call writes first is in this page, where no program can change it. */
  keepAt(page: number): void {
    this.keptAt = page;
  }

  release(): void {
    const { goesTo, outOffset, outLength } = this;
    this.keptAt = -1;
    if (goesTo < 0) return;
    this.ram.copyWithin(goesTo, outOffset, outOffset + outLength);
    this.outOffset = goesTo;
    this.goesTo = -1;
  }

  /**
   * Has the program itself copy `len` bytes from byte `at` of a window to `addr`, or `back`. False: the call must go
   * the usual way, which says what is wrong.
   */
  through(addr: number, window: FileWindow, at: number, len: number, back: boolean): boolean {
    const { thread, mm } = this.context;
    if (thread === null || mm === null || this.outLength > 0 || this.keptAt >= 0) return false;
    if (!this.reaches(mm, addr, len, back ? PROT_READ : PROT_WRITE)) return false;
    return thread.copyThrough(addr, window, at, len, back);
  }

  shrink(len: number): void {
    this.outLength = Math.min(this.outLength, Math.max(0, len));
  }

  string(addr: number, max: number): string | number {
    const { thread, mm } = this.context;
    if (thread === null || mm === null) return -EFAULT;
    const have = Math.min(thread.prefetchedString(addr), max);
    if (have > 0) {
      const offset = thread.prefetched(addr, have);
      const end = this.endOfString(offset, have);
      if (end >= 0) return latin1(this.ram, offset, end - offset);
    }
    return this.slowString(thread, mm, addr, max);
  }

  /** Where the bytes that the call will write at `addr` are kept, if that is the latest window; else -1. */
  written(addr: number): number {
    return this.outLength > 0 && this.outAddress === addr && this.goesTo >= 0 ? this.outOffset : -1;
  }

  get writtenLength(): number {
    return this.outLength;
  }

  /** Gives the latest window to the engine. Called by the code that answers the call. */
  flush(): void {
    this.release();
    if (this.outLength > 0) this.context.thread?.copyOut(this.outAddress, this.outOffset, this.outLength);
    this.outLength = 0;
  }

  /** Forgets windows not given to the engine: the call failed, or starts anew. */
  forget(): void {
    this.outLength = 0;
  }

  /** Whether the program may access the range, letting an area that grows downwards grow for it. */
  private reaches(mm: Mm, addr: number, len: number, prot: number): boolean {
    if (mm.allows(addr, len, prot)) return true;
    if (growDown(mm, addr, this.context.rlimit(RLIMIT_STACK)) === null) return false;
    mm.space.settle();
    return mm.allows(addr, len, prot);
  }

  private endOfString(offset: number, len: number): number {
    for (let at = offset; at < offset + len; at++) if (this.ram[at] === 0) return at;
    return -1;
  }

  private slowString(thread: EngineThread, mm: Mm, addr: number, max: number): string | number {
    let text = '';
    for (let at = addr; text.length < max; ) {
      const len = Math.min(max - text.length, PAGE_SIZE - (at % PAGE_SIZE));
      if (!this.reaches(mm, at, 1, PROT_READ)) return -EFAULT;
      const offset = thread.stageIn(len);
      if (offset < 0 || mm.space.read(at, offset, len) < 0) return -EFAULT;
      const end = this.endOfString(offset, len);
      if (end >= 0) return text + latin1(this.ram, offset, end - offset);
      text += latin1(this.ram, offset, len);
      at += len;
    }
    return -ENAMETOOLONG;
  }
}
