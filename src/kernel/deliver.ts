/**
 * Signal delivery: what happens to a task between the end of a call, a fault or an interruption and its return to
 * the program. Handlers get a frame on the program's stack (arch/x86_64/signal-frame.ts); calls that a signal has
 * interrupted are restarted or end with EINTR (signal(7)).
 */
import {
  EFLAGS,
  getRegister,
  handlerFlags,
  RAX,
  RDI,
  RDX,
  RIP,
  RSI,
  RSP,
  setRegister,
  setResult,
} from '../arch/x86_64/registers.ts';
import { FRAME_SIZE, placeFrame, SIGINFO, UCONTEXT, writeFrame } from '../arch/x86_64/signal-frame.ts';
import { NR } from '../arch/x86_64/unistd.ts';
import type { EngineThread } from '../engine/engine.ts';
import { EINTR, ERESTART_RESTARTBLOCK, ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS } from '../uapi/errno.ts';
import { faultInfo } from '../uapi/siginfo.ts';
import {
  SA_NODEFER,
  SA_ONSTACK,
  SA_RESTART,
  SA_RESTORER,
  SI_KERNEL,
  SIGSEGV,
  SS_AUTODISARM,
  SS_DISABLE,
} from '../uapi/signal.ts';
import { WCOREFLAG } from '../uapi/wait.ts';
import { dumpCore } from './core-dump.ts';
import { type Delivery, deliverable, dequeue } from './dequeue.ts';
import { exitGroup } from './exit.ts';
import { DEFAULT_ACTION } from './sighand.ts';
import { forceSignal } from './signal.ts';
import { NO_ALT_STACK } from './signal-state.ts';
import { sigBit, sigWord } from './sigset.ts';
import { park } from './stop.ts';
import type { Task } from './task.ts';

/**
 * Sends a task back to its program, with a frame at hand, after its signals. `result` is that of the call it comes
 * from, whose number is `nr`; null when it does not come from one.
 */
export async function returnToProgram(task: Task, result: number | null, nr: number): Promise<void> {
  const thread = task.thread;
  if (thread === null) return;
  let pending = result;
  while (deliverable(task)) {
    const next = dequeue(task);
    if (next === 'exit') return;
    if (next === 'stop') await park(task);
    else if (typeof next !== 'string' && 'fatal' in next) {
      const { signo } = next.fatal;
      const dumping = dumpCore(task, next.fatal, pending === null ? -1 : nr);
      // The dump may be done already.
      task.kernel.promiseResolved();
      const dumped = await dumping;
      exitGroup(task, dumped ? signo | WCOREFLAG : signo);
      return;
    } else if (next === 'none') {
      if (task.signals.savedMask === null) break;
      // No handler took the mask from before ppoll or sigsuspend. It holds again, and may let more signals through.
      task.signals.restoreSavedMask();
    } else {
      if (pending !== null)
        finishCall(task, thread, pending, nr, (next.action.flags & SA_RESTART) !== 0, true);
      pending = null;
      if (!enterHandler(task, thread, next)) forceSegv(task, next.info.signo);
    }
  }
  if (task.thread === null) return;
  if (pending !== null) finishCall(task, thread, pending, nr, true, false);
  thread.resume();
}

/** Puts a call's result into the registers, or makes the program call again. */
function finishCall(
  task: Task,
  thread: EngineThread,
  result: number,
  nr: number,
  restartFlag: boolean,
  handler: boolean,
): void {
  const { view } = task.kernel.memory;
  const again = shallRestart(result, restartFlag, handler);
  if (again === null) {
    setResult(view, thread.context, isRestart(result) ? -EINTR : result);
    return;
  }
  const rip = getRegister(view, thread.context, RIP);
  setRegister(
    view,
    thread.context,
    RIP,
    task.mm === null ? rip : task.kernel.images.restartAddress(task.mm, rip),
  );
  setRegister(view, thread.context, RAX, again === 'block' ? NR.restart_syscall : nr);
}

const isRestart = (result: number): boolean =>
  result === -ERESTARTSYS ||
  result === -ERESTARTNOINTR ||
  result === -ERESTARTNOHAND ||
  result === -ERESTART_RESTARTBLOCK;

/** How an interrupted call goes on: anew, by restart_syscall, or not (null). */
function shallRestart(result: number, restartFlag: boolean, handler: boolean): 'anew' | 'block' | null {
  if (result === -ERESTARTNOINTR) return 'anew';
  if (result === -ERESTARTSYS) return !handler || restartFlag ? 'anew' : null;
  if (result === -ERESTARTNOHAND) return handler ? null : 'anew';
  return result === -ERESTART_RESTARTBLOCK && !handler ? 'block' : null;
}

/** Builds the handler's frame and points the registers at it; false if the frame does not fit on the stack. */
function enterHandler(task: Task, thread: EngineThread, { info, action }: Delivery): boolean {
  const { memory } = task.kernel;
  const { view, bytes } = memory;
  const { signals } = task;
  if ((action.flags & SA_RESTORER) === 0) return false;
  const sp = getRegister(view, thread.context, RSP);
  const { altStack } = signals;
  const usable = altStack.size > 0 && (altStack.flags & SS_DISABLE) === 0;
  const armed = usable && (altStack.flags & SS_AUTODISARM) === 0;
  const inside = armed && sp > altStack.sp && sp <= altStack.sp + altStack.size;
  const onAlt = (action.flags & SA_ONSTACK) !== 0 && usable && !inside;
  const { frame, fpstate } = placeFrame(onAlt ? altStack.sp + altStack.size : sp, onAlt, thread.fpstateSize);
  if ((onAlt || inside) && frame < altStack.sp) return false;
  const total = fpstate + thread.fpstateSize - frame;
  const at = thread.stageOut(total);
  if (at < 0 || frame < 0 || task.mm === null) return false;
  bytes.fill(0, at + FRAME_SIZE, at + total);
  const mask = signals.takeSavedMask();
  writeFrame(view, bytes, at, thread, {
    restorer: action.restorer,
    maskLo: mask.lo,
    maskHi: mask.hi,
    stack: altStack,
    fpstate: thread.fpstateSize > 0 ? fpstate : 0,
  });
  info.write(view, at + SIGINFO);
  bytes.copyWithin(at + (fpstate - frame), thread.fpstate, thread.fpstate + thread.fpstateSize);
  if (task.mm.space.write(frame, at, total) < 0) return false;
  if ((altStack.flags & SS_AUTODISARM) !== 0) signals.altStack = NO_ALT_STACK;
  blockForHandler(task, info.signo, action.maskLo, action.maskHi, (action.flags & SA_NODEFER) !== 0);
  const flags = view.getUint32(thread.context + 8 * EFLAGS, true);
  setRegister(view, thread.context, RDI, info.signo);
  setRegister(view, thread.context, RSI, frame + SIGINFO);
  setRegister(view, thread.context, RDX, frame + UCONTEXT);
  setRegister(view, thread.context, RAX, 0);
  setRegister(view, thread.context, RSP, frame);
  setRegister(view, thread.context, RIP, action.handler);
  view.setUint32(thread.context + 8 * EFLAGS, flags, true);
  handlerFlags(view, thread.context);
  return true;
}

function blockForHandler(task: Task, signal: number, lo: number, hi: number, nodefer: boolean): void {
  const { blocked } = task.signals;
  const own = nodefer ? 0 : sigBit(signal);
  const low = sigWord(signal) === 0;
  task.signals.setMask(blocked.lo | lo | (low ? own : 0), blocked.hi | hi | (low ? 0 : own));
}

/**
 * Sends SIGSEGV for a signal whose frame does not fit. If that was SIGSEGV itself, it kills: its frame would never fit.
 */
function forceSegv(task: Task, signal: number): void {
  if (signal === SIGSEGV) task.group.sighand.set(SIGSEGV, DEFAULT_ACTION);
  forceSignal(task, faultInfo(SIGSEGV, SI_KERNEL, 0));
}
