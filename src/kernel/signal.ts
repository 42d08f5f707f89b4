/**
 * Sending signals (signal(7), kill(2)): what is kept, what is dropped, which thread is woken.
 *
 * Nothing here runs a handler: `dequeue` (kernel/dequeue.ts) tells a thread what to do about its signals.
 */
import { CAP_KILL, type Cred, capable, ROOT_CRED } from '../core/cred.ts';
import { EAGAIN, EINVAL, EPERM } from '../uapi/errno.ts';
import { RLIMIT_SIGPENDING } from '../uapi/resource.ts';
import type { SignalInfo } from '../uapi/siginfo.ts';
import {
  NSIG,
  SI_KERNEL,
  SI_USER,
  SIG_DFL,
  SIG_IGN,
  SIGABRT,
  SIGBUS,
  SIGCONT,
  SIGFPE,
  SIGILL,
  SIGKILL,
  SIGQUIT,
  SIGRTMIN,
  SIGSEGV,
  SIGSTOP,
  SIGSYS,
  SIGTRAP,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGXCPU,
  SIGXFSZ,
} from '../uapi/signal.ts';
import { insist } from './insist.ts';
import type { QueuedSignal } from './sig-queue.ts';
import { DEFAULT_ACTION, isIgnoredByDefault } from './sighand.ts';
import { isUncatchable, sigBit } from './sigset.ts';
import { continueGroup } from './stop.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';

export const STOP_SIGNALS = sigBit(SIGSTOP) | sigBit(SIGTSTP) | sigBit(SIGTTIN) | sigBit(SIGTTOU);
/** Signals whose default is to die with a core dump. */
const CORE_SIGNALS =
  sigBit(SIGQUIT) |
  sigBit(SIGILL) |
  sigBit(SIGTRAP) |
  sigBit(SIGABRT) |
  sigBit(SIGBUS) |
  sigBit(SIGFPE) |
  sigBit(SIGSEGV) |
  sigBit(SIGSYS) |
  sigBit(SIGXCPU) |
  sigBit(SIGXFSZ);

export const isValidSignal = (signal: number): boolean => signal > 0 && signal <= NSIG;
export const isStopSignal = (signal: number): boolean =>
  signal < SIGRTMIN && (STOP_SIGNALS & sigBit(signal)) !== 0;
/** Whether the default is to die with a core dump (signal(7)). */
export const dumpsCore = (signal: number): boolean =>
  signal < SIGRTMIN && (CORE_SIGNALS & sigBit(signal)) !== 0;

/**
 * 0 if `from` may signal a process with the credentials `to`, else -EPERM (kill(2)); SIGCONT may go anywhere in a
 * session.
 */
function maySignal(from: Task, group: ThreadGroup, to: Cred, signal: number): number {
  if (from.group === group || sameUser(from.cred, to) || capable(from.cred, CAP_KILL)) return 0;
  return signal === SIGCONT && from.group.session === group.session ? 0 : -EPERM;
}

/** The ids that count for signals (kill(2)). */
export const sameUser = (from: Cred, to: Cred): boolean =>
  from.euid === to.suid || from.euid === to.uid || from.uid === to.suid || from.uid === to.uid;

/** Sends on behalf of `from`; signal 0 only checks. 0 or -errno. */
export function signalGroupFrom(from: Task, group: ThreadGroup, info: SignalInfo): number {
  const cred = group.isKernel ? ROOT_CRED : group.leader.cred;
  const error = checkSender(from, group, cred, info.signo);
  return error !== 0 || info.signo === 0 ? error : sendToGroup(group, info);
}

export function signalTaskFrom(from: Task, task: Task, info: SignalInfo): number {
  const error = checkSender(from, task.group, task.cred, info.signo);
  return error !== 0 || info.signo === 0 ? error : sendToTask(task, info);
}

function checkSender(from: Task, group: ThreadGroup, to: Cred, signal: number): number {
  if (signal < 0 || signal > NSIG) return -EINVAL;
  return maySignal(from, group, to, signal);
}

/** Sends a signal to a process without a permission check. 0, or -EAGAIN: no room in the queue. */
export const sendToGroup = (group: ThreadGroup, info: SignalInfo): number => post(group, null, info);

/** Sends a signal to one thread. */
export const sendToTask = (task: Task, info: SignalInfo): number => post(task.group, task, info);

/**
 * Sends a signal that a thread cannot put off, for a fault of its own. If it is blocked or ignored, it gets its default
 * action, of which the thread dies.
 */
export function forceSignal(task: Task, info: SignalInfo): void {
  const { group, signals } = task;
  const { handler } = group.sighand.get(info.signo);
  const blocked = signals.isBlocked(info.signo);
  if (blocked || handler === SIG_IGN) {
    group.sighand.set(info.signo, DEFAULT_ACTION);
    signals.unblock(info.signo);
  }
  if (group.sighand.get(info.signo).handler === SIG_DFL) group.unkillable = false;
  post(group, task, info);
}

/** Sends a timer's signal, which knows whether it is still wanted (`taken`). False if it was not queued. */
export function sendQueued(group: ThreadGroup, target: Task | null, entry: QueuedSignal): boolean {
  const { signo } = entry.info;
  if (!prepare(group, target, entry.info)) return false;
  const queue = target === null ? group.pending : target.signals.pending;
  queue.add(signo, entry);
  announce(group, target, entry.info);
  return true;
}

function post(group: ThreadGroup, target: Task | null, info: SignalInfo): number {
  if (!prepare(group, target, info)) return 0;
  const queue = target === null ? group.pending : target.signals.pending;
  if (queue.merges(info.signo)) return 0;
  const receiver = target ?? group.leader;
  const user = receiver.kernel.users.of(receiver.cred.uid);
  const sentByKernel = info.signo < SIGRTMIN && info.code >= SI_USER;
  if (sentByKernel || user.sigpending < group.rlimits[RLIMIT_SIGPENDING]!.soft) {
    queue.add(info.signo, { info, user });
  } else if (info.signo >= SIGRTMIN && info.code !== SI_USER) {
    return -EAGAIN;
  } else {
    queue.add(info.signo, null);
  }
  announce(group, target, info);
  return 0;
}

/** What sending alone does to stops; returns whether the signal is to be kept. */
function prepare(group: ThreadGroup, target: Task | null, info: SignalInfo): boolean {
  const { signo } = info;
  if (group.isKernel || group.threads.size === 0 || group.exiting !== null) return false;
  if (target !== null && !group.threads.has(target)) return false;
  if (isStopSignal(signo)) discardEverywhere(group, sigBit(SIGCONT), 0);
  if (signo === SIGCONT) {
    discardEverywhere(group, STOP_SIGNALS, 0);
    continueGroup(group);
  }
  const receiver = target ?? group.leader;
  if (!isDropped(group, receiver, info)) return true;
  receiver.kernel.observer?.signal(receiver, info);
  return false;
}

/** Whether the signal would never be seen: ignored, and not blocked by its receiver. */
function isDropped(group: ThreadGroup, task: Task, info: SignalInfo): boolean {
  const { signo } = info;
  if (task.signals.isBlocked(signo)) return false;
  if (isProtected(group, signo) && !(isUncatchable(signo) && info.code === SI_KERNEL)) return true;
  return group.sighand.isIgnored(signo);
}

/** Process 1 gets only signals that it has a handler for. */
export const isProtected = (group: ThreadGroup, signal: number): boolean =>
  group.unkillable && group.sighand.get(signal).handler === SIG_DFL;

/** Removes pending signals of a process and all its threads. */
export function discardEverywhere(group: ThreadGroup, lo: number, hi: number): void {
  group.pending.discard(lo, hi);
  for (const task of group.threads) task.signals.pending.discard(lo, hi);
}

/** A signal is pending now: wakes a thread that may take it, or ends the process if the signal will do that. */
function announce(group: ThreadGroup, target: Task | null, info: SignalInfo): void {
  const signal = info.signo;
  group.sighand.signalfd.wake();
  const chosen = target === null ? chooseThread(group, signal) : wants(target, signal) ? target : null;
  if (chosen === null) return;
  if (!isFatal(group, chosen, signal)) {
    chosen.wakeForSignal();
    return;
  }
  if (signal !== SIGKILL) chosen.kernel.observer?.signal(chosen, info);
  beginGroupExit(group, signal);
}

/** The leader if it can take the signal at once, else any thread that can. */
function chooseThread(group: ThreadGroup, signal: number): Task | null {
  if (group.threads.has(group.leader) && wants(group.leader, signal)) return group.leader;
  for (const task of group.threads) if (wants(task, signal)) return task;
  return null;
}

function wants(task: Task, signal: number): boolean {
  const { signals } = task;
  if (signals.isBlocked(signal) && !signals.waiting.has(signal)) return false;
  return signal === SIGKILL || signals.unpark === null;
}

/** Whether taking the signal now ends the process without a core dump first. */
function isFatal(group: ThreadGroup, task: Task, signal: number): boolean {
  if (signal === SIGKILL) return true;
  const byDefault = group.sighand.get(signal).handler === SIG_DFL && !task.signals.isBlocked(signal);
  if (!byDefault || group.unkillable || dumpsCore(signal)) return false;
  return !isIgnoredByDefault(signal) && !isStopSignal(signal);
}

/** The process ends with `status` (as wait reports it). Each thread learns of it when it enters the kernel. */
export function beginGroupExit(group: ThreadGroup, status: number): void {
  if (group.exiting !== null) return;
  group.exiting = status;
  for (const task of group.threads) killThread(task);
}

/** Makes one thread exit, whatever it is doing. */
export function killThread(task: Task): void {
  task.signals.pending.add(SIGKILL, null);
  task.signals.unpark?.();
  task.wakeForSignal();
  if (task.thread?.runs === true || task.group.threads.size > 1) insist(task);
}

/** Replaces a thread's mask; signals that it newly blocks may be for another thread. */
export function setBlocked(task: Task, lo: number, hi: number): void {
  const { blocked } = task.signals;
  const newLo = lo & ~blocked.lo;
  const newHi = hi & ~blocked.hi;
  task.signals.setMask(lo, hi);
  retarget(task, newLo, newHi);
}

/** Announces signals of the process that `task` does not take (any more) to the other threads. */
export function retarget(task: Task, lo: number, hi: number): void {
  const { set } = task.group.pending;
  if (((set.lo & lo) | (set.hi & hi)) === 0) return;
  for (const other of task.group.threads) {
    const { blocked } = other.signals;
    const takes = (set.lo & lo & ~blocked.lo) | (set.hi & hi & ~blocked.hi);
    if (other !== task && takes !== 0) other.wakeForSignal();
  }
}
