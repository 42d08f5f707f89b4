/** A host thread that runs guest code, seen through its slot (engine.ts has the contract). */
import { getUint64, setInt64 } from '../../lib/int64.ts';
import type { KnownKey } from '../answers.ts';
import {
  type EngineThread,
  type Fault,
  type FileWindow,
  type ThreadTimes,
  type ThreadUsage,
  TRAP_BADCOPY,
  TRAP_BROKEN,
  TRAP_CALL,
  TRAP_FAULT,
  TRAP_FRAME,
} from '../engine.ts';
import { type BroughtUsage, RUSAGE_SIZE, readUsage } from './brought-usage.ts';
import { CallWindows } from './call-windows.ts';
import { NativeChannelEnds } from './channel.ts';
import { NativeFileAlong } from './file-along.ts';
import type { NativeWindow } from './file-windows.ts';
import { NativeForeseenCalls } from './foreseen.ts';
import {
  fpstateOffset,
  fpstateSize,
  isFrameOffset,
  OWN_FPSTATE,
  OWN_FRAME,
  UC_FPSTATE,
  UC_GREGS,
  UC_SIZE,
} from './frame.ts';
import { SIZE, SLOT, VA } from './layout.ts';
import type { NativeEngine } from './native-engine.ts';
import type { NativeSpace } from './native-space.ts';
import { NativePipeAlong } from './pipe-along.ts';
import { ThreadAccount } from './thread-account.ts';
import { NativeThreadFacts } from './thread-facts.ts';
import { Traces } from './traces.ts';
import { NativeWindowAlong } from './window-along.ts';
import { ACTION, KIND, STATE } from './words.ts';

const NR = { exit_group: 231 } as const;
const RUSAGE_THREAD = 1;
const AUDIT_ARCH_X86_64 = 0xc000003e | 0;
const GREGS_SIZE = 23 * 8;
/** Extended state as xsave wrote it; ss as it is (UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS). */
const UC_FLAGS = 7;

export class NativeThread implements EngineThread {
  readonly space: NativeSpace;
  /** Offset of the slot in memory, and its address in the space. */
  readonly slot: number;
  readonly address: number;
  owner: unknown = null;
  exitCode: number | null = null;
  trap = 0;
  nr = 0;
  fault: Fault = NO_FAULT;
  /** Index in the engine's list of running threads, -1 while in the kernel. */
  runningIndex = -1;
  hasFrame = false;
  fromPatched = false;
  context = 0;
  fpstate = 0;
  fpstateSize = 0;
  readonly along: NativeFileAlong | null;
  readonly pipe: NativePipeAlong | null;
  readonly channels: NativeChannelEnds | null;
  readonly window: NativeWindowAlong | null;
  readonly foreseen: NativeForeseenCalls | null;
  readonly facts: NativeThreadFacts | null;
  readonly account: ThreadAccount;
  private readonly traces: Traces;
  private readonly windows: CallWindows;
  /** The call will come again with a frame, and what it brought is still here. */
  private callGoesOn = false;
  private key: KnownKey | null = null;
  private readonly engine: NativeEngine;
  private readonly i32: Int32Array;
  private readonly view: DataView;
  private readonly w: number;

  constructor(engine: NativeEngine, space: NativeSpace, slot: number, index: number) {
    this.engine = engine;
    this.space = space;
    this.slot = slot;
    this.address = VA.SLOT_BASE + index * SIZE.SLOT_STRIDE;
    this.i32 = engine.memory.i32;
    this.view = engine.memory.view;
    this.w = slot >> 2;
    this.along = engine.foresight ? new NativeFileAlong(engine.memory, slot) : null;
    this.pipe = engine.foresight ? new NativePipeAlong(engine.memory, slot) : null;
    this.channels = engine.foresight ? new NativeChannelEnds(engine.memory, space, slot) : null;
    this.window = engine.foresight ? new NativeWindowAlong(engine.memory, slot) : null;
    this.foreseen = this.along === null ? null : new NativeForeseenCalls(engine.memory, slot, this.along);
    this.facts = engine.foresight ? new NativeThreadFacts(engine.memory, slot) : null;
    this.account = new ThreadAccount(engine.accounts, engine.memory, space, slot);
    this.traces = new Traces(engine.memory, slot);
    this.windows = new CallWindows(engine.memory, space, slot, this.traces);
    this.i32.fill(0, this.w, this.w + SLOT.S_COPY / 4);
    this.i32[this.w + CAME] = NOWHERE;
  }

  /** Reads each field once, as other threads may be writing there. */
  private readFault(): void {
    const { i32, w, view, slot } = this;
    const signal = i32[w + SLOT.S_SIGNO / 4]!;
    const address = getUint64(view, slot + SLOT.S_SIGADDR);
    this.fault = { signal, code: i32[w + SLOT.S_SIGCODE / 4]!, address };
    if (!FAULTS.has(signal)) this.trap = TRAP_BROKEN;
  }

  /** Finds out why a thread came. */
  arrive(): void {
    const { i32, w, windows } = this;
    const kind = i32[w + CAME]! & 0xffff;
    if (kind === KIND.K_BADCOPY) {
      this.trap = TRAP_BADCOPY;
      windows.sentBack();
      return;
    }
    const goesOn = kind === KIND.K_FRAME && this.callGoesOn;
    this.callGoesOn = false;
    if (kind === KIND.K_FAST || kind === KIND.K_LAST) {
      this.hasFrame = false;
      this.nr = this.callNumber();
      if (kind === KIND.K_LAST) this.said();
      else this.trap = TRAP_CALL;
      const plan = this.engine.plans[this.nr];
      windows.begin(plan);
      this.traces.came(plan);
      return;
    }
    windows.begin(goesOn ? windows.plan : undefined);
    this.trap = this.findFrame() ? trapOf(kind) : TRAP_BROKEN;
    this.fromPatched = kind === KIND.K_FRAMED;
    if (this.fromPatched) this.arriveFramed();
    if (kind === KIND.K_FAULT) this.readFault();
    if (kind === KIND.K_CALL) {
      const native = i32[w + SLOT.S_SIGCODE / 4] === AUDIT_ARCH_X86_64;
      const number = this.callNumber();
      this.nr = native ? number : -1;
      windows.plan = this.engine.plans[this.nr];
      this.traces.came(this.engine.plans[number]);
    }
  }

  private arriveFramed(): void {
    this.nr = this.callNumber();
    const plan = this.engine.plans[this.nr];
    this.windows.plan = plan;
    this.traces.came(plan);
  }

  /** The processor from which it says it asked. */
  get cpu(): number {
    return this.i32[this.w + CAME]! >> 16;
  }

  arg(index: number, width: number): number {
    const at = this.w + SLOT.S_ARGS / 4 + 2 * index;
    const low = this.i32[at]!;
    if (width === 0) return low;
    const high = this.i32[at + 1]!;
    if (high === low >> 31 && (width === 1 || high === 0)) return low;
    if (width === 1) return high * 4294967296 + (low >>> 0);
    const value = (high >>> 0) * 4294967296 + (low >>> 0);
    return width === 2 || value < Number.MAX_SAFE_INTEGER ? value : inPages(high >>> 0, low);
  }

  becomeCall(): void {
    const { engine, slot, context } = this;
    const { bytes } = engine.memory;
    const put = (to: number, register: number, size: number): void => {
      bytes.copyWithin(slot + to, context + 8 * register, context + 8 * register + size);
    };
    put(SLOT.S_NR, 13, 4);
    ARGUMENT_REGISTERS.forEach((register, i) => {
      put(SLOT.S_ARGS + 8 * i, register, 8);
    });
    this.i32[this.w + SLOT.S_IN0_LEN / 4] = -1;
    this.i32[this.w + SLOT.S_IN1_LEN / 4] = -1;
    this.trap = TRAP_CALL;
    this.nr = this.callNumber();
    this.windows.becomeCall(this.engine.plans[this.nr]);
  }

  answer(value: number): void {
    this.send(ACTION.A_RETURN, value);
  }

  showFrame(value: number): void {
    this.send(ACTION.A_SHOW_FRAME, value);
  }

  needFrame(): void {
    this.callGoesOn = true;
    this.showFrame(this.nr);
  }

  resume(): void {
    this.i32[this.w + SLOT.S_FRAME / 4] = this.context - UC_GREGS - this.slot;
    this.send(ACTION.A_FRAME, 0);
  }

  waits(): void {
    Atomics.compareExchange(this.i32, this.w, STATE.ST_REQUEST, STATE.ST_WAIT);
  }

  interrupt(): void {
    if (this.runningIndex < 0) return;
    this.engine.kick(this);
  }

  prepare(): void {
    const { i32, w, space } = this;
    i32[w + SLOT.S_TARGET / 4] = space.publish(this.cpu);
    const before = Atomics.compareExchange(i32, w, STATE.ST_REQUEST, STATE.ST_PREPARE);
    if (before !== STATE.ST_REQUEST) space.flush();
  }

  /** Has the thread end its process if it is in the kernel. This wakes no other thread, and mostly not even it. */
  endProcess(): boolean {
    const { i32, w } = this;
    const before = Atomics.load(i32, w);
    if (this.runningIndex >= 0 || !IN_KERNEL.has(before)) return false;
    i32[w + SLOT.S_ACTION / 4] = ACTION.A_EXIT;
    if (Atomics.exchange(i32, w, STATE.ST_ANSWER) === STATE.ST_SLEEPING) this.engine.wake(this);
    return true;
  }

  /** It has sent its last call, which the kernel has not heard yet. */
  get hasLeft(): boolean {
    const { i32, w } = this;
    const isLast = (i32[w + CAME]! & 0xffff) === KIND.K_LAST && i32[w] === STATE.ST_REQUEST;
    return isLast && this.runningIndex >= 0;
  }

  /** Its process is gone. Its last call may not have been heard. */
  ended(): void {
    if (this.hasLeft) this.arrive();
  }

  /** The only call after which there is no thread. The process's death may be heard while the call is handled. */
  private said(): void {
    const isLast = this.nr === NR.exit_group;
    this.trap = isLast ? TRAP_CALL : TRAP_BROKEN;
    if (isLast) this.exitCode = this.arg(0, 0);
  }

  get runs(): boolean {
    return this.runningIndex >= 0;
  }

  abandon(): void {
    this.engine.lives.end(this.space);
  }

  get knownBy(): KnownKey | null {
    return this.key;
  }

  set knownBy(key: KnownKey | null) {
    if (this.key === key) return;
    this.key = key;
    this.i32[this.w + SLOT.S_KEY / 4] = key?.low ?? 0;
    this.i32[this.w + SLOT.S_KEY / 4 + 1] = key?.high ?? 0;
  }

  park(): void {
    this.waits();
    this.along?.take();
    this.pipe?.take();
    this.channels?.forget();
    this.window?.take();
    this.foreseen?.stop();
    this.facts?.forget();
    this.facts?.unsay();
    this.owner = null;
    this.knownBy = null;
    this.space.parked.push(this);
  }

  /** The thread is in the kernel, so the part of the alternate stack above its frame, if it has one, is not in use. */
  wipeTraces(): void {
    this.traces.wipe(this.hasFrame ? this.context - UC_GREGS - this.slot : 0);
    this.along?.wipe();
    this.pipe?.wipe();
    this.channels?.forget();
    this.foreseen?.wipe();
  }

  prefetched(address: number, len: number): number {
    return this.windows.prefetched(address, len);
  }

  prefetchedString(address: number): number {
    return this.windows.prefetchedString(address);
  }

  prefetchedStrings(address: number): number {
    return this.windows.prefetchedStrings(address);
  }

  get stringsWindow(): number {
    return this.windows.strings;
  }

  stageIn(len: number): number {
    return this.windows.stageIn(len);
  }

  stageOut(len: number): number {
    return this.windows.stageOut(len);
  }

  copyOut(address: number, offset: number, len: number): void {
    this.windows.copyOut(address, offset, len);
  }

  copyThrough(address: number, window: FileWindow, at: number, len: number, back: boolean): boolean {
    // With a frame the answer may differ from the call's result, and bring a signal's frame along.
    return !this.hasFrame && this.windows.copyThrough(address, window as NativeWindow, at, len, back);
  }

  get copiedThrough(): boolean {
    return this.windows.through !== null;
  }

  begins(): void {
    this.windows.begin(this.windows.plan);
  }

  queued(address: number, len: number): number {
    return this.windows.queued(address, len);
  }

  copyNow(): number {
    return this.windows.copyNow();
  }

  copyFrame(from: NativeThread): void {
    const { bytes } = this.engine.memory;
    const { fpstate, fpstateSize } = from;
    this.newFrame(fpstateSize);
    bytes.copyWithin(this.context, from.context, from.context + GREGS_SIZE);
    if (fpstate !== 0) bytes.copyWithin(this.fpstate, fpstate, fpstate + fpstateSize);
    this.tls = from.tls;
  }

  newFrame(fpstateSize: number): void {
    const { view, slot } = this;
    const frame = slot + OWN_FRAME;
    const pointer = fpstateSize > 0 ? this.address + OWN_FPSTATE : 0;
    this.traces.ownFrameOf(OWN_FPSTATE - OWN_FRAME + fpstateSize);
    this.engine.memory.bytes.fill(0, frame, frame + UC_SIZE);
    view.setUint32(frame, UC_FLAGS, true);
    setInt64(view, frame + UC_FPSTATE, pointer);
    this.context = frame + UC_GREGS;
    this.fpstate = fpstateSize > 0 ? slot + OWN_FPSTATE : 0;
    this.fpstateSize = Math.min(fpstateSize, this.maxFpstate);
    this.hasFrame = true;
  }

  get maxFpstate(): number {
    return SLOT.S_IN0 - OWN_FPSTATE - 0x4000;
  }

  get tls(): number {
    const at = this.slot + SLOT.S_FS;
    return getUint64(this.view, at);
  }

  set tls(address: number) {
    const at = this.slot + SLOT.S_FS;
    setInt64(this.view, at, address);
  }

  get stackPointer(): number {
    const at = this.hasFrame ? this.context + 15 * 8 : this.slot + SLOT.S_RSP;
    return getUint64(this.view, at);
  }

  get programCounter(): number {
    const at = this.hasFrame ? this.context + 16 * 8 : this.slot + SLOT.S_RIP;
    return getUint64(this.view, at);
  }

  cpuTimes(): ThreadTimes {
    return this.account.times(this.broughtUsage());
  }

  get saysUsage(): boolean {
    return this.broughtUsage() !== null;
  }

  usage(): ThreadUsage {
    return this.account.usage(this.broughtUsage());
  }

  /** For a thread that is still to be made, and will look for its answer on its own. */
  prepareFirst(): void {
    this.i32[this.w] = STATE.ST_REQUEST;
  }

  /** It is no longer alone in its process, so the process's usage is not only its own. */
  bringsOwnUsage(): void {
    this.i32[this.w + SLOT.S_USAGE_OF / 4] = RUSAGE_THREAD;
  }

  /** What the program has used, if its current call brought that along. */
  private broughtUsage(): BroughtUsage | null {
    const { space, windows, i32, w } = this;
    if (windows.plan?.[0]?.kind !== 'usage') return null;
    if (!space.hasOneThread && i32[w + SLOT.S_USAGE_OF / 4] !== RUSAGE_THREAD) return null;
    const has = i32[w + SLOT.S_IN0_LEN / 4] === RUSAGE_SIZE;
    return has ? readUsage(this.view, this.slot + SLOT.S_IN0) : null;
  }

  private callNumber(): number {
    return this.i32[this.w + SLOT.S_NR / 4]!;
  }

  private findFrame(): boolean {
    const offset = this.i32[this.w + SLOT.S_FRAME / 4]!;
    this.hasFrame = isFrameOffset(offset);
    if (!this.hasFrame) return false;
    const context = this.slot + offset;
    this.traces.frameAt(offset);
    this.context = context + UC_GREGS;
    const fpstate = fpstateOffset(this.view, context, this.address);
    this.fpstate = fpstate === 0 ? 0 : this.slot + fpstate;
    this.fpstateSize = fpstate === 0 ? 0 : fpstateSize(this.view, this.fpstate, SLOT.S_IN0 - fpstate);
    return true;
  }

  /** Everything that takes time comes first, then all that the thread reads (layout.ts, `S_STATE`). */
  private send(action: number, result: number): void {
    const { i32, w, space } = this;
    const copies = this.windows.send();
    if (space.own.count > 0) space.own.give(this.slot);
    const target = space.publish(this.cpu);
    space.ran = true;
    this.engine.nowRunning(this);
    const high = Math.floor(result / 4294967296);
    if (copies > SLOT.MAX_COPIES) this.windows.put(copies);
    // ToInt32 is modulo 2^32 already. V8's own remainder of a double takes ten times as long.
    i32[w + SLOT.S_RET / 4] = result | 0;
    i32[w + SLOT.S_RET / 4 + 1] = high;
    i32[w + SLOT.S_ACTION / 4] = action | (copies << 16);
    i32[w + SLOT.S_TARGET / 4] = target;
    if (Atomics.exchange(i32, w, STATE.ST_ANSWER) === STATE.ST_SLEEPING) this.engine.wake(this);
  }
}

/** The word in which a thread says why it came, and from which processor. A new thread is on none. */
const CAME = SLOT.S_KIND / 4;
const NOWHERE = -1 << 16;
const NO_FAULT: Fault = { signal: 0, code: 0, address: 0 };
/** States of a thread that waits for the kernel. */
const IN_KERNEL: ReadonlySet<number> = new Set([STATE.ST_REQUEST, STATE.ST_SLEEPING, STATE.ST_WAIT]);
/** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: those that the stub has handlers for. */
const FAULTS: ReadonlySet<number> = new Set([4, 5, 7, 8, 11]);
/** rdi, rsi, rdx, r10, r8, r9 in struct sigcontext. */
const ARGUMENT_REGISTERS = [8, 9, 12, 2, 0, 1] as const;

/** A register above 2^53 in whole pages, plus half a page if there is a remainder. A number can hold that. */
const inPages = (high: number, low: number): number =>
  high * 4294967296 + ((low & ~0xfff) >>> 0) + ((low & 0xfff) === 0 ? 0 : 0x800);

function trapOf(kind: number): number {
  if (kind === KIND.K_CALL || kind === KIND.K_FRAMED) return TRAP_CALL;
  if (kind === KIND.K_FAULT) return TRAP_FAULT;
  return kind === KIND.K_KICK || kind === KIND.K_FRAME ? TRAP_FRAME : TRAP_BROKEN;
}
