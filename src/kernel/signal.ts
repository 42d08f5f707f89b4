/** Sending signals and taking them (signal(7)). */
import type { SignalInfo } from '../uapi/siginfo.ts';
import type { SigAction } from './sighand.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';

/** A signal for which a handler has to be run. */
export interface Delivery {
  readonly info: SignalInfo;
  readonly action: SigAction;
}

/** Sends a signal to a process on the kernel's behalf, without asking for permission. 0, or -EAGAIN (queue full). */
export function sendToGroup(_group: ThreadGroup, _info: SignalInfo): number {
  return 0;
}

/** Sends a signal to one thread. */
export function sendToTask(_task: Task, _info: SignalInfo): number {
  return 0;
}
