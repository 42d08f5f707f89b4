/**
 * What a signal handler finds on its stack (struct rt_sigframe), as offsets from the stack pointer at entry:
 *
 *   0    address that the handler returns to (sa_restorer)
 *   8    struct ucontext: flags u64, link u64, stack_t (24), registers (184), fpstate pointer, 64 reserved, mask u64
 *   312  siginfo_t (128)
 *   ...  extended state (xsave area), 64-byte aligned, above
 */
import type { EngineThread } from '../../engine/engine.ts';
import { getRegister, REGISTERS_SIZE, RSP, setRegister } from './registers.ts';

export const UCONTEXT = 8;
const UC_STACK = UCONTEXT + 16;
const UC_REGISTERS = UCONTEXT + 40;
const UC_FPSTATE = UC_REGISTERS + REGISTERS_SIZE;
const UC_SIGMASK = UC_REGISTERS + 256;
export const SIGINFO = UC_SIGMASK + 8;
export const FRAME_SIZE = SIGINFO + 128;
/** Bytes below the stack pointer that belong to the interrupted function (psABI 3.2.2). */
const RED_ZONE = 128;
const UC_FLAGS = 7;

/** Where a frame goes below `sp`: its address, and the extended state's. */
export function placeFrame(
  sp: number,
  onOtherStack: boolean,
  fpstateSize: number,
): { frame: number; fpstate: number } {
  const top = onOtherStack ? sp : sp - RED_ZONE;
  const fpstate = Math.floor((top - fpstateSize) / 64) * 64;
  const frame = Math.floor((fpstate - FRAME_SIZE) / 16) * 16 - 8;
  return { frame, fpstate };
}

/** Where `placeFrame` put the extended state of the frame at `frame`. */
export const fpstateBehind = (frame: number): number => Math.ceil((frame + 8 + FRAME_SIZE) / 64) * 64;

export interface FrameContents {
  readonly restorer: number;
  readonly maskLo: number;
  readonly maskHi: number;
  readonly stack: { readonly sp: number; readonly flags: number; readonly size: number };
  /** Address of the extended state, 0 for none. */
  readonly fpstate: number;
}

/** Writes all of the frame except siginfo at memory offset `at`; registers are copied from the thread. */
export function writeFrame(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  thread: EngineThread,
  f: FrameContents,
): void {
  bytes.fill(0, at, at + FRAME_SIZE);
  setRegister(view, at, 0, f.restorer);
  view.setUint32(at + UCONTEXT, UC_FLAGS, true);
  setRegister(view, at + UC_STACK, 0, f.stack.sp);
  view.setInt32(at + UC_STACK + 8, f.stack.flags, true);
  setRegister(view, at + UC_STACK + 16, 0, f.stack.size);
  bytes.copyWithin(at + UC_REGISTERS, thread.context, thread.context + REGISTERS_SIZE);
  setRegister(view, at + UC_FPSTATE, 0, f.fpstate);
  view.setInt32(at + UC_SIGMASK, f.maskLo, true);
  view.setInt32(at + UC_SIGMASK + 4, f.maskHi, true);
}

/** What sigreturn(2) takes from a frame's copy at memory offset `at` (the ucontext lies at `at` + 8). */
export function readFrame(
  view: DataView,
  at: number,
): { fpstate: number; maskLo: number; maskHi: number; registers: number; stack: number } {
  return {
    fpstate: getRegister(view, at + UC_FPSTATE, 0),
    maskLo: view.getInt32(at + UC_SIGMASK, true),
    maskHi: view.getInt32(at + UC_SIGMASK + 4, true),
    registers: at + UC_REGISTERS,
    stack: at + UC_STACK,
  };
}

/** The frame that a thread in rt_sigreturn returns from: the handler's `ret` has taken the restorer's address. */
export const frameOnReturn = (thread: EngineThread, view: DataView): number =>
  getRegister(view, thread.context, RSP) - 8;
