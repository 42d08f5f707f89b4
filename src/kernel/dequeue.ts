/**
 * What a thread must do about its signals before it returns to its program.
 *
 * Default actions are taken here; a signal with a handler is returned, and the caller builds its frame. The caller:
 *
 *   while (deliverable(task)) {
 *     const next = dequeue(task);
 *     'exit': the task is gone      'stop': await park(task), go on      'none': leave the loop
 *     a `CoreDump`: await dumpCore(task), exitGroup
 *     else: build the frame for next.action (its mask: `takeSavedMask`), leave the loop
 *   }
 *   without a frame: task.signals.restoreSavedMask()
 */
import type { SignalInfo } from '../uapi/siginfo.ts';
import {
  SA_RESETHAND,
  SIG_DFL,
  SIG_IGN,
  SIGBUS,
  SIGFPE,
  SIGILL,
  SIGKILL,
  SIGSEGV,
  SIGSTOP,
  SIGSYS,
  SIGTRAP,
} from '../uapi/signal.ts';
import { exitGroup, exitTask } from './exit.ts';
import { isOrphaned } from './session.ts';
import type { SigQueue } from './sig-queue.ts';
import { isIgnoredByDefault, type SigAction } from './sighand.ts';
import { dumpsCore, isProtected, isStopSignal } from './signal.ts';
import { isUncatchable, lowestSignal, sigBit } from './sigset.ts';
import { beginStop, tellOfContinue } from './stop.ts';
import type { Task } from './task.ts';

/** A signal for which a handler has to be run. */
export interface Delivery {
  readonly info: SignalInfo;
  readonly action: SigAction;
}

/** A signal that ends the process; a core file may be written first. */
export interface CoreDump {
  readonly fatal: SignalInfo;
}

/** Faults come before all else, so that their frames hold the registers of the fault. */
const SYNCHRONOUS =
  sigBit(SIGSEGV) | sigBit(SIGBUS) | sigBit(SIGILL) | sigBit(SIGTRAP) | sigBit(SIGFPE) | sigBit(SIGSYS);

/** Whether `dequeue` has anything to do; it looks at only a few words. */
export const deliverable = (task: Task): boolean =>
  task.signals.mustWake() ||
  task.group.exiting !== null ||
  task.group.untold !== 0 ||
  task.signals.savedMask !== null;

export function dequeue(task: Task): Delivery | CoreDump | 'none' | 'stop' | 'exit' {
  const { group } = task;
  for (;;) {
    if (group.untold !== 0) tellOfContinue(group);
    if (group.exiting !== null || task.signals.mustDie()) {
      exitTask(task, group.exiting ?? SIGKILL);
      return 'exit';
    }
    if (group.stopping) return 'stop';
    const info = takeUnblocked(task);
    if (info === null) return 'none';
    task.kernel.observer?.signal(task, info);
    const action = group.sighand.get(info.signo);
    if (action.handler === SIG_IGN) continue;
    if (action.handler !== SIG_DFL) {
      if ((action.flags & SA_RESETHAND) !== 0) group.sighand.set(info.signo, { ...action, handler: SIG_DFL });
      return { info, action };
    }
    const done = defaultAction(task, info);
    if (done !== 'none') return done;
  }
}

/** What SIG_DFL does; 'none' if nothing. */
function defaultAction(task: Task, info: SignalInfo): CoreDump | 'none' | 'stop' | 'exit' {
  const { group } = task;
  const signal = info.signo;
  if (isIgnoredByDefault(signal)) return 'none';
  if (isProtected(group, signal) && !isUncatchable(signal)) return 'none';
  if (isStopSignal(signal)) {
    // POSIX: a terminal's stop signals do nothing to a process that no shell could continue.
    if (signal !== SIGSTOP && isOrphaned(group.processGroup, null)) return 'none';
    beginStop(group, signal);
    return 'stop';
  }
  if (dumpsCore(signal)) return { fatal: info };
  exitGroup(task, signal);
  return 'exit';
}

/** Takes the next signal that the thread's mask lets through. */
function takeUnblocked(task: Task): SignalInfo | null {
  const { blocked } = task.signals;
  return takeFrom(task, ~blocked.lo, ~blocked.hi);
}

/**
 * Takes the next of the signals in two words: the thread's own first, then the process's (sigtimedwait,
 * signalfd, delivery). Null when there is none.
 */
export function takeFrom(task: Task, lo: number, hi: number): SignalInfo | null {
  return takeOf(task.signals.pending, lo, hi) ?? takeOf(task.group.pending, lo, hi);
}

/**
 * The thread will soon come back for a signal, with its registers: what it will take of the process's signals is its
 * own from now on. A process that signals itself takes the signal before the call ends (kill(2), "Notes").
 */
export function claim(task: Task): void {
  const { group, signals } = task;
  if (group.threads.size === 1) return;
  const { blocked, pending } = signals;
  const lo = ~blocked.lo;
  const hi = ~blocked.hi;
  if (((pending.set.lo & lo) | (pending.set.hi & hi)) !== 0) return;
  const shared = group.pending;
  const wantedLo = shared.set.lo & lo;
  const wantedHi = shared.set.hi & hi;
  if ((wantedLo | wantedHi) !== 0) shared.moveTo(pending, lowestSignal(wantedLo, wantedHi));
}

function takeOf(queue: SigQueue, lo: number, hi: number): SignalInfo | null {
  for (;;) {
    const wantedLo = queue.set.lo & lo;
    const wantedHi = queue.set.hi & hi;
    if ((wantedLo | wantedHi) === 0) return null;
    const faults = wantedLo & SYNCHRONOUS;
    const signal = faults !== 0 ? lowestSignal(faults, 0) : lowestSignal(wantedLo, wantedHi);
    const info = queue.take(signal);
    if (info !== null) return info;
  }
}
