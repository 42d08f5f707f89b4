/**
 * Stopped processes (signal(7), POSIX job control): all threads stop, the parent is told, SIGCONT lets them go on.
 *
 * A stop begins when one thread takes a stop signal; the others are called in, and each parks.
 */
import { childInfo } from '../uapi/siginfo.ts';
import {
  CLD_CONTINUED,
  CLD_STOPPED,
  SA_NOCLDSTOP,
  SIG_IGN,
  SIGCHLD,
  SIGCONT,
  SIGSTOP,
} from '../uapi/signal.ts';
import { sendToGroup } from './signal.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';

/** Called when a thread has taken a stop signal. */
export function beginStop(group: ThreadGroup, signal: number): void {
  if (group.stopping) return;
  group.stopping = true;
  group.stopReport = signal;
  group.continueReport = false;
  for (const task of group.threads) task.wakeForSignal();
}

/** Waits out a stop. Resolves when the process goes on or dies: ask `dequeue` again. */
export function park(task: Task): Promise<void> {
  return new Promise(resolve => {
    task.state = 'T';
    task.kernel.observer?.stopped(task, task.group.stopReport);
    task.signals.unpark = () => {
      task.signals.unpark = null;
      task.state = 'R';
      task.kernel.promiseResolved();
      resolve();
    };
    checkStopped(task.group);
  });
}

/** Tells the parent once the last thread has stopped. Called as threads park, and as they exit. */
export function checkStopped(group: ThreadGroup): void {
  if (!group.stopping || group.stopped || group.dumping !== null || group.threads.size === 0) return;
  for (const task of group.threads) if (task.signals.unpark === null) return;
  group.stopped = true;
  tellParent(group, CLD_STOPPED, group.stopReport);
}

/** Called when SIGCONT is sent. */
export function continueGroup(group: ThreadGroup): void {
  if (!group.stopping || group.dumping !== null) return;
  const wasStopped = group.stopped;
  group.stopping = false;
  group.stopped = false;
  group.stopReport = 0;
  group.continueReport = wasStopped;
  group.untold = wasStopped ? CLD_CONTINUED : CLD_STOPPED;
  for (const task of group.threads) {
    if (task.signals.unpark === null) task.wakeForSignal();
    else task.signals.unpark();
  }
}

/** A thread runs again after a SIGCONT: tells the parent, right before anything else the thread may do. */
export function tellOfContinue(group: ThreadGroup): void {
  const code = group.untold;
  group.untold = 0;
  tellParent(group, code, code === CLD_CONTINUED ? SIGCONT : SIGSTOP);
}

function tellParent(group: ThreadGroup, code: number, status: number): void {
  const { parent, leader } = group;
  if (parent === null) return;
  const action = parent.sighand.get(SIGCHLD);
  if (action.handler !== SIG_IGN && (action.flags & SA_NOCLDSTOP) === 0) {
    sendToGroup(parent, childInfo(code, group.tgid, leader.cred.uid, status));
  }
  parent.childq.wake();
}
