/** Waiting for children (wait4(2), waitid(2)): which children qualify, what there is to report, taking it. */
import { ECHILD } from '../uapi/errno.ts';
import { CLD_CONTINUED, CLD_STOPPED, SIGCHLD, SIGCONT } from '../uapi/signal.ts';
import {
  __WALL,
  __WCLONE,
  __WNOTHREAD,
  STATUS_CONTINUED,
  stopStatusOf,
  WCONTINUED,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  WSTOPPED,
} from '../uapi/wait.ts';
import { childCode, childStatus, reap } from './exit.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';
import { Usage } from './usage.ts';

/** Which children are waited for. */
export type WaitTarget =
  | { readonly type: 'all' }
  | { readonly type: 'pid'; readonly pid: number }
  | { readonly type: 'pgid'; readonly pgid: number };

/** A change of state of a child. */
export interface Waited {
  readonly pid: number;
  readonly uid: number;
  /** The status word of wait4. */
  readonly status: number;
  /** si_code and si_status of waitid. */
  readonly code: number;
  readonly detail: number;
  /** What the child used, and the children that it had waited for. */
  readonly usage: Usage;
}

/**
 * Waits for a change and returns it; 0 with WNOHANG when there is none, -ECHILD when no child qualifies, or
 * -ERESTARTSYS after a signal.
 */
export function waitForChild(
  task: Task,
  target: WaitTarget,
  options: number,
): Waited | number | Promise<Waited | number> {
  const found = poll(task, target, options);
  if (found !== 0 || (options & WNOHANG) !== 0) return found;
  return sleepForChild(task, target, options);
}

async function sleepForChild(task: Task, target: WaitTarget, options: number): Promise<Waited | number> {
  for (;;) {
    const slept = await task.sleepOn([task.group.childq]);
    // The signal that ended the sleep may be the child's SIGCHLD.
    const found = poll(task, target, options);
    if (found !== 0) return found;
    if (slept !== 0) return slept;
  }
}

/** Checks once: a change (taken unless WNOWAIT), 0 for none yet, -ECHILD. */
function poll(task: Task, target: WaitTarget, options: number): Waited | number {
  let candidates = 0;
  for (const child of candidatesOf(task, target)) {
    if (!qualifies(task, child, target, options)) continue;
    // A zombie changes no more: without WEXITED there is nothing to wait for.
    if (!child.zombie || (options & WEXITED) !== 0) candidates++;
    const waited = report(task, child, options);
    if (waited !== null) return waited;
  }
  return candidates === 0 ? -ECHILD : 0;
}

/** The children to look at; a number has at most one. */
function candidatesOf(task: Task, target: WaitTarget): Iterable<ThreadGroup> {
  if (target.type !== 'pid') return task.group.children;
  const child = task.kernel.groups.get(target.pid);
  return child === undefined || child.parent !== task.group ? [] : [child];
}

function qualifies(task: Task, child: ThreadGroup, target: WaitTarget, options: number): boolean {
  if (target.type === 'pgid' && child.pgid !== target.pgid) return false;
  if ((options & __WNOTHREAD) !== 0 && child.creator !== task) return false;
  if ((options & __WALL) !== 0) return true;
  const isClone = child.exitSignal !== SIGCHLD;
  return isClone === ((options & __WCLONE) !== 0);
}

function report(task: Task, child: ThreadGroup, options: number): Waited | null {
  const keep = (options & WNOWAIT) !== 0;
  if (child.zombie) return (options & WEXITED) !== 0 ? reportExit(task, child, keep) : null;
  if ((options & WSTOPPED) !== 0 && child.stopped && child.stopReport !== 0) return reportStop(child, keep);
  if ((options & WCONTINUED) !== 0 && child.continueReport) return reportContinue(child, keep);
  return null;
}

function reportExit(task: Task, child: ThreadGroup, keep: boolean): Waited {
  const status = child.exitStatus;
  const waited = describe(child, status, childCode(status), childStatus(status));
  if (keep) return waited;
  task.group.childUsage.add(waited.usage);
  reap(child);
  return waited;
}

function reportStop(child: ThreadGroup, keep: boolean): Waited {
  const signal = child.stopReport;
  if (!keep) child.stopReport = 0;
  return describe(child, stopStatusOf(signal), CLD_STOPPED, signal);
}

function reportContinue(child: ThreadGroup, keep: boolean): Waited {
  if (!keep) child.continueReport = false;
  return describe(child, STATUS_CONTINUED, CLD_CONTINUED, SIGCONT);
}

function describe(child: ThreadGroup, status: number, code: number, detail: number): Waited {
  const usage = new Usage();
  usage.add(child.usage);
  usage.add(child.childUsage);
  return { pid: child.tgid, uid: child.leader.cred.uid, status, code, detail, usage };
}
