/** What fork, clone and execve do to signals, timers and settings (signal(7), clone(2), execve(2)). */

import { CLONE_SIGHAND, CLONE_VFORK, CLONE_VM } from '../uapi/sched.ts';
import { SIGCHLD } from '../uapi/signal.ts';
import { inheritAttributes } from './attributes.ts';
import type { SigHand } from './sighand.ts';
import { NO_ALT_STACK } from './signal-state.ts';
import type { Task } from './task.ts';

/** The dispositions of a new process; threads of one process need none of their own. */
export const inheritSigHand = (parent: Task, cloneFlags: number): SigHand =>
  (cloneFlags & CLONE_SIGHAND) !== 0 ? parent.group.sighand.share() : parent.group.sighand.clone();

/** What a new thread, in the same process or in a new one, inherits from the thread that made it. */
export function inheritThreadState(parent: Task, child: Task, cloneFlags: number): void {
  const { blocked, altStack } = parent.signals;
  child.signals.setMask(blocked.lo, blocked.hi);
  const otherStack = (cloneFlags & (CLONE_VM | CLONE_VFORK)) === CLONE_VM;
  child.signals.altStack = otherStack ? NO_ALT_STACK : altStack;
  child.attributes = inheritAttributes(parent);
}

/** Called for a new program when execve can no longer fail, in a process of one thread. */
export function resetForExec(task: Task): void {
  const { group, signals } = task;
  if (group.sighand.refs > 1) {
    group.sighand.refs--;
    group.sighand = group.sighand.clone();
  }
  group.sighand.resetHandlers();
  signals.altStack = NO_ALT_STACK;
  group.timers.clearPosixTimers();
  group.exitSignal = SIGCHLD;
  group.execed = true;
  task.setTidAddress(0);
  task.setRobustList(0);
}
