/**
 * The windows of a call in its thread's slot: what the call brought along (engine.ts, `Prefetch`), stages for more that
 * is fetched and for what is copied out, and the list of copies that the thread makes when it is answered. The guest
 * can write to all of this: what is read here may be wrong, but it lies within the windows.
 */
import { setInt64 } from '../../lib/int64.ts';
import { EFAULT } from '../../uapi/errno.ts';
import type { Prefetch } from '../engine.ts';
import type { NativeWindow } from './file-windows.ts';
import { SLOT } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';
import type { NativeSpace } from './native-space.ts';
import { LENGTHS, type Traces, WINDOW_SIZES, WINDOWS } from './traces.ts';

export class CallWindows {
  /** What the thread's current call brought; undefined: nothing. */
  plan: readonly Prefetch[] | undefined = undefined;
  private stagedIn = 0;
  private stagedOut = 0;
  /** Copies to make when the call is answered. The list in the slot is for the stub; the guest may spoil it. */
  private copies = 0;
  /** How many of them the last answer included. */
  private sent = 0;
  /** The window on a file that the only copy goes through, and whether the copy goes to the window. */
  through: NativeWindow | null = null;
  private goesBack = false;
  /** The thread knows the call's arguments, as it sent them itself. */
  private saidArguments = true;
  private readonly copyTo: number[] = [];
  private readonly copyFrom: number[] = [];
  private readonly copyLength: number[] = [];
  private readonly space: NativeSpace;
  private readonly traces: Traces;
  private readonly slot: number;
  private readonly i32: Int32Array;
  private readonly view: DataView;
  private readonly w: number;

  constructor(memory: MemoryFile, space: NativeSpace, slot: number, traces: Traces) {
    this.space = space;
    this.traces = traces;
    this.slot = slot;
    this.i32 = memory.i32;
    this.view = memory.view;
    this.w = slot >> 2;
  }

  /** The thread came, with what its call brought. Anything staged before is void. */
  begin(plan: readonly Prefetch[] | undefined): void {
    this.plan = plan;
    this.stagedIn = 0;
    this.stagedOut = 0;
    this.copies = 0;
    this.through = null;
    this.saidArguments = true;
  }

  /** The call's arguments are in the thread's registers: it has not sent them. */
  becomeCall(plan: readonly Prefetch[] | undefined): void {
    this.plan = plan;
    this.saidArguments = false;
  }

  /**
   * The thread is about to be answered. A small copy to where an argument points goes into the first cache line
   * (`put`), as does everything about a window. Otherwise there is a list. Returns the value for S_COPIES.
   */
  send(): number {
    this.sent = this.copies;
    if (this.copies === 0) return 0;
    if (this.through !== null)
      return SLOT.COPY_THROUGH | (this.goesBack ? SLOT.COPY_BACK : 0) | this.argument();
    if (
      this.copies === 1 &&
      this.copyLength[0]! <= SLOT.ARGS_HERE &&
      (this.copyFrom[0]! & 3) === 0 &&
      this.argument() >= 0
    )
      return SLOT.COPY_HERE | this.argument() | this.copyLength[0]!;
    for (let i = 0; i < this.copies; i++) this.list(i);
    return this.copies;
  }

  /** Which argument the first copy goes to, as S_COPIES encodes it; -1: none of the first four. */
  private argument(): number {
    if (!this.saidArguments) return -1;
    for (let i = 0; i < 4; i++) if (this.pointer(i) === this.copyTo[0]) return i << SLOT.COPY_ARG;
    return -1;
  }

  private list(i: number): void {
    const at = this.slot + SLOT.S_COPY + 16 * i;
    setInt64(this.view, at, this.copyTo[i]!);
    this.view.setUint32(at + 8, this.copyFrom[i]! - this.slot, true);
    this.view.setUint32(at + 12, this.copyLength[i]!, true);
  }

  /** Unless `copies` (from `send`) is a list, puts what it stands for where the thread looks anyway. */
  put(copies: number): void {
    const { i32, through } = this;
    const to = this.w + SLOT.S_ARGS / 4;
    if (through !== null) {
      i32[to] = through.place + this.copyFrom[0]! - through.offset;
      i32[to + 1] = through.closings;
      return;
    }
    if ((copies & SLOT.COPY_HERE) === 0) return;
    const from = this.copyFrom[0]! >> 2;
    for (let i = 0; 4 * i < this.copyLength[0]!; i++) i32[to + i] = i32[from + i]!;
  }

  /** The thread came back because it could not make the copies. */
  sentBack(): void {
    this.copies = this.sent;
  }

  prefetched(address: number, len: number): number {
    const { plan } = this;
    if (plan === undefined) return -1;
    for (let i = 0; i < plan.length; i++) {
      if (plan[i]!.kind === 'strings' || this.pointer(plan[i]!.arg) !== address) continue;
      const have = this.i32[this.w + LENGTHS[i]!]!;
      if (have < len || have > WINDOW_SIZES[i]!) continue;
      return (
        this.slot + (i === 0 && plan[0]!.small === true && have <= SLOT.SMALL ? SLOT.S_SMALL : WINDOWS[i]!)
      );
    }
    return -1;
  }

  prefetchedString(address: number): number {
    const { plan } = this;
    if (plan === undefined) return 0;
    for (let i = 0; i < plan.length; i++) {
      if (plan[i]!.kind !== 'string' || this.pointer(plan[i]!.arg) !== address) continue;
      const have = this.i32[this.w + LENGTHS[i]!]!;
      return have > 0 && have <= WINDOW_SIZES[i]! ? have : 0;
    }
    return 0;
  }

  prefetchedStrings(address: number): number {
    const second = this.plan?.[1];
    if (second?.kind !== 'strings' || this.pointer(second.arg) !== address) return 0;
    const have = this.i32[this.w + SLOT.S_IN1_LEN / 4]!;
    return have > 0 && have <= WINDOW_SIZES[1] ? have : 0;
  }

  get strings(): number {
    return this.slot + SLOT.S_IN1;
  }

  stageIn(len: number): number {
    if (len > STAGE_IN_SIZE) return -1;
    if (this.stagedIn + len > STAGE_IN_SIZE) this.stagedIn = 0;
    const offset = this.slot + SLOT.S_STAGE_IN + this.stagedIn;
    this.stagedIn += (len + 15) & ~15;
    if (this.stagedIn > this.traces.stagedIn) this.traces.stagedIn = this.stagedIn;
    return offset;
  }

  stageOut(len: number): number {
    if (len > STAGE_OUT_SIZE) return -1;
    if (this.stagedOut + len > STAGE_OUT_SIZE || this.copies === SLOT.MAX_COPIES) {
      if (this.copyNow() < 0) return -1;
    }
    const offset = this.slot + SLOT.S_STAGE_OUT + this.stagedOut;
    this.stagedOut += (len + 15) & ~15;
    if (this.stagedOut > this.traces.stagedOut) this.traces.stagedOut = this.stagedOut;
    return offset;
  }

  copyOut(address: number, offset: number, len: number): void {
    const i = this.copies++;
    this.copyTo[i] = address;
    this.copyFrom[i] = offset;
    this.copyLength[i] = len;
  }

  copyThrough(address: number, window: NativeWindow, at: number, len: number, back: boolean): boolean {
    if (this.copies > 0) return false;
    this.copyOut(address, window.offset + at, back ? 0 : len);
    if (this.argument() < 0) {
      this.copies = 0;
      return false;
    }
    this.through = window;
    this.goesBack = back;
    return true;
  }

  queued(address: number, len: number): number {
    for (let i = this.copies - 1; i >= 0; i--) {
      const skip = address - this.copyTo[i]!;
      if (skip >= 0 && skip + len <= this.copyLength[i]!) return this.copyFrom[i]! + skip;
    }
    return -1;
  }

  copyNow(): number {
    let failed = 0;
    for (let i = 0; i < this.copies; i++) {
      if (this.space.write(this.copyTo[i]!, this.copyFrom[i]!, this.copyLength[i]!) < 0) failed = -EFAULT;
    }
    this.copies = 0;
    this.through = null;
    this.stagedOut = 0;
    return failed;
  }

  /** An argument of the call, taken as an address. */
  private pointer(index: number): number {
    const at = this.w + SLOT.S_ARGS / 4 + 2 * index;
    return (this.i32[at + 1]! >>> 0) * 4294967296 + (this.i32[at]! >>> 0);
  }
}

const STAGE_IN_SIZE = SLOT.S_STAGE_OUT - SLOT.S_STAGE_IN;
const STAGE_OUT_SIZE = SLOT.S_PIPE - SLOT.S_STAGE_OUT;
