/**
 * Where guest threads enter and leave the kernel: calls, faults, interruptions. ARCHITECTURE.md, "How a system call
 * travels".
 *
 * A call that is ready answers at once, without a promise. Calls that change registers, or whose task has a signal to
 * take, need all registers: the kernel asks the thread to come again with them (`showFrame`).
 */
import { ERR, getRegister, RIP, setRegister } from '../arch/x86_64/registers.ts';
import { KERN_ALERT, KERN_ERR } from '../core/printk.ts';
import { type EngineThread, TRAP_BADCOPY, TRAP_CALL, TRAP_FAULT, TRAP_FRAME } from '../engine/engine.ts';
import type { File } from '../fs/file.ts';
import { sourceStack } from '../host/stack.ts';
import { EFAULT, ENOSYS } from '../uapi/errno.ts';
import { RLIMIT_STACK } from '../uapi/resource.ts';
import { faultInfo } from '../uapi/siginfo.ts';
import { SIGILL, SIGKILL, SIGSEGV } from '../uapi/signal.ts';
import { exitStatusOf } from '../uapi/wait.ts';
import { sendAlong, settleAlong } from './along.ts';
import { returnToProgram } from './deliver.ts';
import { claim, deliverable } from './dequeue.ts';
import { exitGroup, exitTask } from './exit.ts';
import { tellBreak } from './facts.ts';
import type { Foreseeable } from './habits/step.ts';
import type { Foregone } from './known-answers.ts';
import { pageFault } from './page-fault.ts';
import { sendPipe, settlePipe } from './pipe-along.ts';
import { refusal } from './seccomp.ts';
import { forceSignal } from './signal.ts';
import type { Task } from './task.ts';
import { sendWindow } from './window-along.ts';

/** A call as the table gives it to the entry: how to run it. */
export interface EntryCall {
  readonly name: string;
  /** How each argument is read from its register: 0 int32, 1 signed, 2 unsigned 64 bits. */
  readonly widths: readonly number[];
  /** It reads or replaces registers (fork, execve, rt_sigreturn). */
  readonly needsFrame: boolean;
  /** After it, a file that goes along with answers still does (kernel/along.ts). */
  readonly leavesOpened: boolean;
  /** Set if programs may know its answer without asking. */
  readonly foregone: Foregone | null;
  /** Set if it can be made before the program asks for it. */
  readonly foreseeable: Foreseeable | null;
  run(
    task: Task,
    a0: number,
    a1: number,
    a2: number,
    a3: number,
    a4: number,
    a5: number,
  ): number | Promise<number>;
}

/** The result of a call that has set all registers itself. */
export const REGISTERS_SET = -4096;
/** The result of a call whose task is gone, or goes on in another way. */
export const NO_RETURN = -4097;

/** Told of each call; for strace. */
export interface CallObserver {
  enter(task: Task, nr: number, args: readonly number[]): void;
  /** The call cannot be answered at once. */
  waits(task: Task): void;
  leave(task: Task, nr: number, result: number): void;
}

/** One trap in this many is measured (call-time.ts). */
const MEASURED = 64;
/** For `File.transfers`: a file tried in vain is not tried again. */
const NEVER_OFTEN = -(2 ** 30);

export class Entry {
  observer: CallObserver | null = null;
  private readonly calls: readonly (EntryCall | undefined)[];
  private traps = 0;

  constructor(calls: readonly (EntryCall | undefined)[]) {
    this.calls = calls;
  }

  /** The engine's `trap`. A bug in a handler ends the task with an oops in the log, never the machine. */
  trap(thread: EngineThread): void {
    const task = thread.owner as Task | null;
    if (task === null || task.thread !== thread) return;
    if (++this.traps % MEASURED === 0) this.measured(task, thread);
    else this.safely(task, thread);
  }

  private measured(task: Task, thread: EngineThread): void {
    const { tally, clock } = task.kernel;
    const began = clock.monotonic();
    this.safely(task, thread);
    tally.callTime.measured(clock.monotonic() - began);
  }

  private safely(task: Task, thread: EngineThread): void {
    try {
      if (task.openedAlong !== null) settleAlong(task);
      this.enter(task, thread);
    } catch (bug) {
      oops(task, bug);
    }
  }

  /** The engine's `died`: the host has killed the program, or it has ended on its own and said so. */
  died(thread: EngineThread): void {
    const task = thread.owner as Task | null;
    if (task === null || task.thread !== thread) return;
    exitGroup(task, thread.exitCode === null ? SIGKILL : exitStatusOf(thread.exitCode));
  }

  private enter(task: Task, thread: EngineThread): void {
    // What the program has changed of its memory on its own also holds for faults, and for calls that leave what is
    // foreseen.
    task.follower?.look();
    // This comes before anything the thread asks for: its request is in the program's hands.
    if (task.group.exiting !== null || (task.group.execing !== null && task.signals.mustDie()))
      exitTask(task, task.group.exiting ?? SIGKILL);
    else if (thread.trap === TRAP_CALL) this.call(task, thread);
    else if (thread.trap === TRAP_FRAME) this.frame(task, thread);
    else if (thread.trap === TRAP_FAULT) this.fault(task, thread);
    else if (thread.trap === TRAP_BADCOPY) this.badCopy(task, thread);
    else exitGroup(task, SIGKILL);
  }

  private call(task: Task, thread: EngineThread): void {
    const { nr } = thread;
    task.callNumber = nr;
    task.callShare.calls++;
    if (thread.hasFrame && !thread.fromPatched) this.noteSlowCall(task, thread, nr);
    const call = this.calls[nr];
    if (call !== undefined) this.keepArguments(task, thread, call);
    task.follower?.asked(call);
    if (task.attributes.seccomp !== null && this.isRefused(task, thread, call)) return;
    if (call === undefined) {
      this.observer?.enter(task, nr, []);
      this.finish(task, -ENOSYS);
      return;
    }
    if (call.needsFrame && !thread.hasFrame) {
      task.awaitsFrame = call;
      thread.needFrame();
      return;
    }
    this.run(task, call);
  }

  /** Whether the task's own filters refuse the call; if so, it ends here. */
  private isRefused(task: Task, thread: EngineThread, call: EntryCall | undefined): boolean {
    const answer = refusal(task, thread, task.attributes.seccomp!, call?.widths ?? []);
    if (answer === null) return false;
    this.observer?.enter(task, task.callNumber, task.callArgs);
    if (answer !== 'gone') this.finish(task, answer);
    return true;
  }

  private keepArguments(task: Task, thread: EngineThread, call: EntryCall): void {
    const { callArgs } = task;
    const { widths } = call;
    for (let i = 0; i < widths.length; i++) callArgs[i] = thread.arg(i, widths[i]!);
  }

  private run(task: Task, call: EntryCall): void {
    const a = task.callArgs;
    task.kernel.current = task;
    if (this.observer !== null) this.observer.enter(task, task.callNumber, a);
    // An observer must see every call, and a filter is asked about each.
    const asked = this.observer !== null || task.attributes.seccomp !== null;
    const known = call.foregone === null || asked ? null : task.kernel.known;
    known?.begin(task, call.foregone!);
    if (!call.leavesOpened) {
      task.openedAlong = null;
      if (task.pipeAlong !== null) settlePipe(task);
      task.pipesBetween?.close();
      task.windowAlong?.settle();
    }
    const result = call.run(task, a[0]!, a[1]!, a[2]!, a[3]!, a[4]!, a[5]!);
    known?.end(task, call.foregone!, result);
    if (typeof result === 'number') {
      this.finish(task, result);
      return;
    }
    task.thread?.waits();
    this.observer?.waits(task);
    // The promise may be resolved already.
    task.kernel.promiseResolved();
    result.then(
      value => {
        try {
          this.finish(task, value);
        } catch (bug) {
          oops(task, bug);
        }
      },
      bug => oops(task, bug),
    );
  }

  /** Shows the observer what the call wrote. */
  private tellEnd(observer: CallObserver, task: Task, result: number): void {
    if (result !== NO_RETURN) task.user.flush();
    observer.leave(task, task.callNumber, result);
  }

  private finish(task: Task, result: number): void {
    const { thread } = task;
    if (this.observer !== null) this.tellEnd(this.observer, task, result);
    if (thread === null || result === NO_RETURN) return;
    task.user.flush();
    task.follower?.answered(this.calls[task.callNumber], result);
    if (result === REGISTERS_SET) {
      if (deliverable(task)) this.toProgram(task, null);
      else thread.resume();
    } else if (!deliverable(task) && (result > -512 || result < -4095)) {
      task.lastResult = result;
      if (task.openedAlong !== null) sendAlong(task);
      task.pipesBetween?.send();
      if (task.pipeAlong !== null) sendPipe(task);
      if (task.windowAlong !== null) sendWindow(task);
      task.follower?.foresee();
      tellBreak(task);
      thread.answer(result);
    } else if (thread.hasFrame) this.toProgram(task, result);
    else {
      claim(task);
      task.pendingResult = result;
      thread.showFrame(result);
    }
  }

  private frame(task: Task, thread: EngineThread): void {
    const { awaitsFrame, pendingResult } = task;
    task.awaitsFrame = null;
    task.pendingResult = null;
    if (awaitsFrame !== null) this.run(task, awaitsFrame);
    else if (pendingResult !== null) this.toProgram(task, pendingResult);
    else if (deliverable(task)) this.toProgram(task, null);
    else thread.resume();
  }

  private toProgram(task: Task, result: number | null): void {
    returnToProgram(task, result, task.callNumber).catch(bug => oops(task, bug));
  }

  private fault(task: Task, thread: EngineThread): void {
    const { fault } = thread;
    const { view } = task.kernel.memory;
    if (fault.signal === SIGILL && task.mm !== null && this.isPatchedCall(task, thread)) return;
    if (fault.signal === SIGSEGV && task.mm !== null) {
      const err = view.getUint32(thread.context + 8 * ERR, true);
      const outcome = pageFault(task.mm, fault, err, task.rlimit(RLIMIT_STACK));
      if (outcome === 'mapped') {
        if (deliverable(task)) this.toProgram(task, null);
        else thread.resume();
        return;
      }
      forceSignal(task, faultInfo(outcome.signal, outcome.code, fault.address));
    } else forceSignal(task, faultInfo(fault.signal, fault.code, fault.address));
    this.toProgram(task, null);
  }

  /** The thread jumped into the middle of a patched site: it meant the system call that was there. */
  private isPatchedCall(task: Task, thread: EngineThread): boolean {
    const { images, memory } = task.kernel;
    const { view } = memory;
    const rip = getRegister(view, thread.context, RIP);
    if (!images.isPatchedCall(task.mm!, rip)) return false;
    setRegister(view, thread.context, RIP, rip + 2);
    thread.becomeCall();
    this.call(task, thread);
    return true;
  }

  private noteSlowCall(task: Task, thread: EngineThread, nr: number): void {
    const { mm, kernel } = task;
    if (mm === null) return;
    kernel.images.slowCall(mm, getRegister(kernel.memory.view, thread.context, RIP), nr);
  }

  /** The stub could not copy an answer: either the pages are still to be mapped, or the address is bad. */
  private badCopy(task: Task, thread: EngineThread): void {
    if (thread.copiedThrough && task.wentThrough !== null) {
      this.again(task, thread, task.wentThrough);
      return;
    }
    const shown = task.pendingResult;
    const result = thread.copyNow() < 0 ? -EFAULT : (shown ?? task.lastResult);
    if (shown === null) {
      thread.answer(result);
      return;
    }
    // The thread was about to show its frame.
    task.pendingResult = result;
    thread.showFrame(result);
  }

  /**
   * Runs a call again whose copying the thread could not do on its own, or did in vain. The file goes the usual way
   * from now on.
   */
  private again(task: Task, thread: EngineThread, file: File): void {
    file.closeWindow();
    file.transfers = NEVER_OFTEN;
    file.pos -= task.movedThrough;
    task.wentThrough = null;
    task.pendingResult = null;
    thread.begins();
    this.run(task, this.calls[task.callNumber]!);
  }
}

/** A bug of ours kills the task; the machine goes on. */
export function oops(task: Task, bug: unknown): void {
  const { printk } = task.kernel;
  const text = bug instanceof Error ? sourceStack(bug.stack ?? bug.message) : String(bug);
  printk.log(KERN_ALERT, `BUG: unhandled exception in system call ${task.callNumber}`);
  for (const line of text.split('\n')) printk.log(KERN_ERR, line);
  printk.log(KERN_ALERT, `Oops: task ${task.comm}[${task.pid}] killed`);
  try {
    task.group.unkillable = false;
    exitGroup(task, SIGKILL);
  } catch (worse) {
    printk.log(KERN_ALERT, `Fixing recursive fault but reboot is needed: ${String(worse)}`);
  }
}
