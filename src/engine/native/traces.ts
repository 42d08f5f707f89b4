/**
 * What a program's calls leave in its thread's slot: what they read and wrote, and registers. The program that it
 * executes next (execve(2)) may have fewer rights, so all of that is wiped as far as the slot was used: mostly some
 * kilobytes.
 */
import type { Prefetch } from '../engine.ts';
import { OWN_FRAME } from './frame.ts';
import { KNOWN, SLOT } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

/** What a call brings, two things at most: where in the slot, and how much fits. */
export const WINDOWS = [SLOT.S_IN0, SLOT.S_IN1] as const;
export const WINDOW_SIZES = [SLOT.S_IN1 - SLOT.S_IN0, SLOT.S_STAGE_IN - SLOT.S_IN1] as const;
/** Where the thread says how much it has brought: words in the slot. */
export const LENGTHS = [SLOT.S_IN0_LEN / 4, SLOT.S_IN1_LEN / 4] as const;
const COPY_SIZE = 16;
/** For 64 signals: where a program's handlers lie must not reach the next one. */
const ACTIONS_SIZE = 64 * 32;
/** The largest frame that the kernel does not hear of: an interruption that comes while the thread is asking. */
const UNSEEN_FRAME = 0x1000;
/** The kernel does not hear of calls whose answer the thread knew. */
const UNHEARD = KNOWN.KNOWN_LONGEST + 1;

export class Traces {
  /** How much of the stages was used. */
  stagedIn = 0;
  stagedOut = 0;
  private readonly fetched: [number, number] = [UNHEARD, UNHEARD];
  /** The lowest frame of the host's, as an offset in the slot, and the size of our largest. */
  private lowestFrame: number = SLOT.S_IN0 - UNSEEN_FRAME;
  private ownFrame = 0;
  private readonly memory: MemoryFile;
  private readonly slot: number;
  private readonly w: number;

  constructor(memory: MemoryFile, slot: number) {
    this.memory = memory;
    this.slot = slot;
    this.w = slot >> 2;
  }

  /** The thread came, with what its call reads. */
  came(plan: readonly Prefetch[] | undefined): void {
    if (plan === undefined) return;
    const { fetched, w } = this;
    const { i32 } = this.memory;
    // -1, a fault, is more than any length.
    for (let i = 0; i < plan.length; i++) if (i32[w + LENGTHS[i]!]! >>> 0 > fetched[i]!) this.note(plan);
  }

  private note(plan: readonly Prefetch[]): void {
    plan.forEach(({ arg }, i) => {
      const { i32 } = this.memory;
      const pointer = (this.slot + SLOT.S_ARGS + 8 * arg) >> 2;
      const have = i32[this.w + LENGTHS[i]!]!;
      // Bytes before the fault may have come, if there was anything to fetch.
      const most = have >= 0 ? have : (i32[pointer]! | i32[pointer + 1]!) === 0 ? 0 : WINDOW_SIZES[i]!;
      this.fetched[i] = Math.max(this.fetched[i]!, Math.min(most, WINDOW_SIZES[i]!));
    });
  }

  /** The host put a frame at that offset in the slot. */
  frameAt(offset: number): void {
    if (offset < this.lowestFrame) this.lowestFrame = offset;
  }

  /** We put a frame of that size. */
  ownFrameOf(size: number): void {
    if (size > this.ownFrame) this.ownFrame = size;
  }

  /** `frame`: offset of the frame below which the thread's stack is in use; 0: none. */
  wipe(frame: number): void {
    this.zero(SLOT.S_COPY, SLOT.MAX_COPIES * COPY_SIZE);
    this.zero(SLOT.S_FETCHED, SLOT.SMALL);
    this.zero(SLOT.S_ACTIONS, ACTIONS_SIZE);
    for (const i of [0, 1] as const) this.zero(WINDOWS[i], this.fetched[i]);
    this.zero(SLOT.S_STAGE_IN, this.stagedIn);
    this.zero(SLOT.S_STAGE_OUT, this.stagedOut);
    this.zero(OWN_FRAME, this.ownFrame);
    const lowest = Math.max(frame, this.lowestFrame);
    this.zero(lowest, SLOT.S_IN0 - lowest);
    this.fetched.fill(UNHEARD);
    this.stagedIn = 0;
    this.stagedOut = 0;
    this.lowestFrame = SLOT.S_IN0 - UNSEEN_FRAME;
    this.ownFrame = 0;
  }

  private zero(from: number, size: number): void {
    if (size > 0) this.memory.bytes.fill(0, this.slot + from, this.slot + from + size);
  }
}
