/** rt_sigreturn(2): from a signal handler back to the interrupted code. */
import { cleanFlags, getRegister, REGISTERS_SIZE, setSegments } from '../arch/x86_64/registers.ts';
import { FRAME_SIZE, fpstateBehind, frameOnReturn, readFrame } from '../arch/x86_64/signal-frame.ts';
import type { EngineThread, Space } from '../engine/engine.ts';
import { SS_AUTODISARM, SS_DISABLE, SS_ONSTACK } from '../uapi/signal.ts';
import { NO_ALT_STACK } from './signal-state.ts';
import type { Task } from './task.ts';

const XSTATE_HEADER = 512;
const SW_MAGIC = 464;
const FP_XSTATE_MAGIC1 = 0x46505853;

/** Restores the registers from before the handler. False when the frame is not readable: the caller forces SIGSEGV. */
export function sigreturn(task: Task): boolean {
  const { thread, mm, signals } = task;
  if (thread === null || mm === null) return false;
  const { view, bytes } = task.kernel.memory;
  const { tls } = thread;
  const at = restore(thread, mm.space, view, bytes);
  if (at < 0) return false;
  thread.tls = tls;
  const saved = readFrame(view, at);
  bytes.copyWithin(thread.context, saved.registers, saved.registers + REGISTERS_SIZE);
  setSegments(view, thread.context);
  cleanFlags(view, thread.context);
  signals.setMask(saved.maskLo, saved.maskHi);
  restoreAltStack(task, view, saved.stack);
  return true;
}

/**
 * Gives the thread a frame with the program's extended state; returns where a copy of the program's frame lies, or -1.
 * Usually that is as we made it, followed by as much state as the thread has now: then one read gets both.
 */
function restore(thread: EngineThread, space: Space, view: DataView, bytes: Uint8Array): number {
  const address = frameOnReturn(thread, view);
  const size = thread.fpstateSize;
  const behind = fpstateBehind(address) - address;
  const at = thread.stageIn(behind + size);
  const isWhole = size > 0 && space.read(address, at, behind + size) === 0;
  if (!isWhole && space.read(address, at, FRAME_SIZE) < 0) return -1;
  const { fpstate } = readFrame(view, at);
  if (!isWhole || fpstate !== address + behind || sizeOf(view, at + behind) !== size)
    return restoreElsewhere(thread, space, view, fpstate) ? at : -1;
  thread.newFrame(size);
  bytes.copyWithin(thread.fpstate, at + behind, at + behind + size);
  return at;
}

/** For extended state that lies elsewhere, or has another size; address 0: none. */
function restoreElsewhere(thread: EngineThread, space: Space, view: DataView, address: number): boolean {
  if (address === 0) {
    thread.newFrame(0);
    return true;
  }
  const head = thread.stageIn(XSTATE_HEADER);
  if (address % 64 !== 0 || space.read(address, head, XSTATE_HEADER) < 0) return false;
  const size = sizeOf(view, head);
  if (size < XSTATE_HEADER || size > thread.maxFpstate) return false;
  thread.newFrame(size);
  return space.read(address, thread.fpstate, size) === 0;
}

/** The size, as the program gives it, of the extended state with a copy at `head`. */
function sizeOf(view: DataView, head: number): number {
  const extended = view.getUint32(head + SW_MAGIC, true) === FP_XSTATE_MAGIC1;
  return extended ? view.getUint32(head + SW_MAGIC + 4, true) : XSTATE_HEADER;
}

function restoreAltStack(task: Task, view: DataView, at: number): void {
  const sp = getRegister(view, at, 0);
  const size = getRegister(view, at, 2);
  const flags = view.getInt32(at + 8, true);
  const kept = flags & (SS_ONSTACK | SS_AUTODISARM);
  if ((flags & SS_DISABLE) !== 0) task.signals.altStack = { ...NO_ALT_STACK, flags: SS_DISABLE | kept };
  else task.signals.altStack = { sp, size, flags: kept };
}
