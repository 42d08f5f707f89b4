/**
 * The end of threads and processes (exit(2), exit_group(2)).
 *
 * A thread that ends gives back at once what it holds (`kernel.releaseTask`). With the last one the process becomes a
 * zombie until its parent has waited for it; it goes at once if the parent does not want to know (wait(2)).
 */
import { childInfo, kernelInfo, killInfo } from '../uapi/siginfo.ts';
import {
  CLD_DUMPED,
  CLD_EXITED,
  CLD_KILLED,
  NSIG,
  SA_NOCLDWAIT,
  SI_USER,
  SIG_IGN,
  SIGCHLD,
  SIGCONT,
  SIGHUP,
} from '../uapi/signal.ts';
import { exitCode, termSignal, WCOREFLAG } from '../uapi/wait.ts';
import { tellOfParent } from './facts.ts';
import { settlePipe } from './pipe-along.ts';
import { leaveBetween } from './pipe-between.ts';
import { isOrphaned, type ProcessGroup } from './session.ts';
import { beginGroupExit, killThread, retarget, sendToGroup, signalGroupFrom } from './signal.ts';
import { checkStopped } from './stop.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';
import { toTicks } from './usage.ts';

/**
 * How long a process takes to end, on its own and of a signal, while its parent runs, ns. Nothing demands that, but
 * programs count on it: a shell that kills a job and then waits for it must not learn of its death before it waits. On
 * Linux it is the time to wake the process and to take its memory apart.
 */
const EXITING = 100_000;
const DYING = 1_000_000;

/** Enters a new task into the tables: its number, its process, its user's count. */
export function registerTask(task: Task): void {
  const { kernel, group } = task;
  group.addThread(task);
  kernel.tally.forks++;
  kernel.tasks.set(task.pid, task);
  if (group.leader === task) {
    kernel.groups.set(group.tgid, group);
    group.timers.cpuLimit.watch(group);
  }
  kernel.users.of(task.cred.uid).tasks++;
}

/** Ends the whole process with `status`, as wait will report it (`exitStatusOf(code)`, or a signal's number). */
export function exitGroup(task: Task, status: number): void {
  beginGroupExit(task.group, status);
  exitTask(task, task.group.exiting ?? status);
}

/** Ends one thread; the process ends with its last one. */
export function exitTask(task: Task, status: number): void {
  const { kernel, group } = task;
  if (!group.threads.delete(task)) return;
  kernel.observer?.ended(task, group.exiting ?? status);
  task.follower?.leave();
  task.follower = null;
  task.openedAlong = null;
  settlePipe(task);
  leaveBetween(task);
  task.windowAlong?.settle();
  task.state = 'Z';
  leaveChildren(task);
  task.settleUsage();
  const pages = kernel.accounting.isOn ? (task.mm?.totalPages ?? 0) : 0;
  kernel.releaseTask(task);
  group.usage.add(task.usage);
  kernel.tally.ended.add(task.usage);
  task.signals.pending.clear();
  if (group.leader !== task) forget(task);
  if (group.threads.size === 0) {
    kernel.accounting.ended(task, group.exiting ?? status, pages);
    endGroup(group, group.exiting ?? status);
  } else othersGoOn(task);
}

/** Signals for the process that this thread would have taken go to the others; a stop may now be complete. */
function othersGoOn(task: Task): void {
  const { group } = task;
  retarget(task, -1, -1);
  checkStopped(group);
  group.threadq.wake();
}

/** The task's number may be used again. */
function forget(task: Task): void {
  task.state = 'X';
  task.kernel.tasks.delete(task.pid);
  task.kernel.users.of(task.cred.uid).tasks--;
}

/**
 * Children made by this thread get another creator, for now: a thread of the same process. A child that asked for a
 * signal gets it from this thread, as by kill(2), so not if this thread may not signal it (PR_SET_PDEATHSIG(2const)).
 */
function leaveChildren(task: Task): void {
  const { group } = task;
  const next = group.threads.values().next().value ?? null;
  for (const child of group.children) {
    if (child.creator !== task) continue;
    child.creator = next;
    for (const thread of child.threads) {
      const signal = thread.attributes.pdeathsig;
      if (signal !== 0) signalGroupFrom(task, child, killInfo(signal, SI_USER, group.tgid, task.cred.uid));
    }
  }
}

function endGroup(group: ThreadGroup, status: number): void {
  const { kernel } = group.leader;
  group.exitStatus = status;
  group.stopping = false;
  group.stopped = false;
  group.timers.clear();
  group.pending.clear();
  group.sighand.refs--;
  if (group.session.leader === group) {
    group.session.leader = null;
    kernel.jobs.sessionEnded(group.session);
  }
  group.ended?.(status);
  kernel.ipc.sem.ended(group, kernel.clock.realtime().sec);
  if (group.tgid === 1) kernel.initExited(status);
  reparentChildren(group);
  hangUpIfOrphaned(group.processGroup, group, group.parent);
  const { parent } = group;
  if (parent === null || !isRunning(parent)) becomeZombie(group);
  else dieSlowly(group, parent, termSignal(status) === 0 ? EXITING : DYING);
}

function isRunning(group: ThreadGroup): boolean {
  for (const task of group.threads) if (task.thread?.runs === true) return true;
  return false;
}

/** Delays the zombie by `time` (ns), or until the parent sleeps. */
function dieSlowly(group: ThreadGroup, parent: ThreadGroup, time: number): void {
  const { timers, clock } = group.leader.kernel;
  const end = (): void => {
    timer.cancel();
    if (parent.dying.delete(end)) becomeZombie(group);
  };
  const timer = timers.at(clock.monotonic() + time, end);
  parent.dying.add(end);
}

function becomeZombie(group: ThreadGroup): void {
  group.zombie = true;
  group.exitQueue.wake();
  tellParent(group);
}

/** Children go to the nearest subreaper (PR_SET_CHILD_SUBREAPER(2const)), or to process 1. */
function reparentChildren(group: ThreadGroup): void {
  const reaper = findReaper(group);
  for (const child of [...group.children]) {
    group.children.delete(child);
    child.parent = reaper;
    child.creator = reaper === null || reaper.isKernel ? null : anyThread(reaper);
    child.exitSignal = SIGCHLD;
    reaper?.children.add(child);
    tellOfParent(child);
    hangUpIfOrphaned(child.processGroup, null, group);
    if (child.zombie) tellParent(child);
  }
}

function findReaper(group: ThreadGroup): ThreadGroup | null {
  for (let up = group.parent; up !== null; up = up.parent) {
    if (up.subreaper && up.threads.size > 0 && up.exiting === null) return up;
  }
  const init = group.leader.kernel.groups.get(1) ?? null;
  return init === group ? null : init;
}

const anyThread = (group: ThreadGroup): Task | null =>
  group.threads.has(group.leader) ? group.leader : (group.threads.values().next().value ?? null);

/**
 * The death of `gone` may have orphaned a process group that it linked to its session. If a member is stopped, all get
 * SIGHUP and SIGCONT (POSIX, _exit). `parent` is the other end of that link.
 */
function hangUpIfOrphaned(group: ProcessGroup, gone: ThreadGroup | null, parent: ThreadGroup | null): void {
  const wasLink =
    parent !== null && parent.processGroup !== group && parent.processGroup.session === group.session;
  if (!wasLink || !isOrphaned(group, gone)) return;
  const members = [...group.members];
  if (!members.some(member => member.stopped)) return;
  for (const member of members) sendToGroup(member, kernelInfo(SIGHUP));
  for (const member of members) sendToGroup(member, kernelInfo(SIGCONT));
}

/** Tells the parent of a zombie, which goes at once if the parent does not want it. */
function tellParent(group: ThreadGroup): void {
  const { parent, exitSignal } = group;
  if (parent === null || parent.isKernel) {
    reap(group);
    return;
  }
  const { handler, flags } = parent.sighand.get(SIGCHLD);
  const unwanted = exitSignal === SIGCHLD && (handler === SIG_IGN || (flags & SA_NOCLDWAIT) !== 0);
  // clone(2) takes any eight-bit number: one that is no signal's is never sent.
  const isSignal = exitSignal > 0 && exitSignal <= NSIG;
  const silent = !isSignal || (exitSignal === SIGCHLD && handler === SIG_IGN);
  if (!silent) sendToGroup(parent, exitInfo(group));
  if (unwanted) reap(group);
  parent.childq.wake();
}

/** The siginfo of a process that has ended. */
export function exitInfo(group: ThreadGroup): ReturnType<typeof childInfo> {
  const status = group.exitStatus;
  const info = childInfo(childCode(status), group.tgid, group.leader.cred.uid, childStatus(status));
  info.words[0] = group.exitSignal;
  info.setLong(8, toTicks(group.usage.user));
  info.setLong(10, toTicks(group.usage.system));
  return info;
}

/** si_code and si_status of a status word. */
export function childCode(status: number): number {
  if (termSignal(status) === 0) return CLD_EXITED;
  return (status & WCOREFLAG) !== 0 ? CLD_DUMPED : CLD_KILLED;
}

export const childStatus = (status: number): number =>
  termSignal(status) === 0 ? exitCode(status) : termSignal(status);

/** Removes the last trace of a zombie. */
export function reap(group: ThreadGroup): void {
  const { kernel } = group.leader;
  group.reaped = true;
  group.parent?.children.delete(group);
  kernel.groups.delete(group.tgid);
  forget(group.leader);
  kernel.jobs.leave(group);
  group.exitQueue.wake();
}

/**
 * Ends all other threads for execve(2), and gives the caller the number of the process. Once they are gone: true, or
 * false if the caller has to die instead.
 */
export function becomeOnlyThread(task: Task): boolean | Promise<boolean> {
  const { group } = task;
  if (group.exiting !== null || group.execing !== null) return false;
  return group.threads.size === 1 && group.leader === task ? true : othersEnd(task);
}

async function othersEnd(task: Task): Promise<boolean> {
  const { group } = task;
  group.execing = task;
  for (const other of group.threads) if (other !== task) killThread(other);
  while (group.threads.size > 1) await threadLeft(task);
  group.execing = null;
  if (group.exiting !== null) return false;
  if (group.leader !== task) takeLeadersPlace(task);
  return true;
}

/** The others are dying already, so this need not be interruptible. */
function threadLeft(task: Task): Promise<void> {
  const { threadq } = task.group;
  return new Promise(resolve => {
    const waiter = {
      woken: () => {
        threadq.remove(waiter);
        task.kernel.promiseResolved();
        resolve();
        return true;
      },
    };
    threadq.add(waiter);
  });
}

function takeLeadersPlace(task: Task): void {
  const { kernel, group } = task;
  const old = group.leader;
  kernel.users.of(old.cred.uid).tasks--;
  old.state = 'X';
  kernel.tasks.delete(task.pid);
  task.pid = group.tgid;
  kernel.tasks.set(task.pid, task);
  group.setLeader(task);
}
