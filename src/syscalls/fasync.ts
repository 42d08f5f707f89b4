/**
 * Signal-driven I/O (fcntl(2), F_SETOWN and O_ASYNC): the owner of a file gets SIGIO when the file has news.
 *
 * While FASYNC is set, a listener waits on the file's wait queue. It goes with the file.
 */
import type { Cred } from '../core/cred.ts';
import { QUIETLY, WAKE_ALL, type Waiter, type WaitQueue } from '../core/wait.ts';
import type { File, FileObserver } from '../fs/file.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { sameUser, sendToGroup, sendToTask } from '../kernel/signal.ts';
import type { Task } from '../kernel/task.ts';
import { FASYNC } from '../uapi/fcntl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLMSG, POLLOUT, POLLPRI, POLLRDNORM } from '../uapi/poll.ts';
import { kernelInfo, pollInfo, type SignalInfo } from '../uapi/siginfo.ts';
import { SIGIO, SIGURG } from '../uapi/signal.ts';

/** POLL_MSG: the code sent to a lease's holder and a directory's watcher. */
const POLL_MSG = 3;
const MESSAGE_BAND = POLLIN | POLLRDNORM | POLLMSG;
/** si_code of each kind of news (sigaction(2)). */
const CODES: readonly (readonly [number, number])[] = [
  [POLLIN, 1],
  [POLLOUT, 2],
  [POLLERR, 4],
  [POLLPRI, 5],
  [POLLHUP, 6],
];

class AsyncListener implements Waiter, FileObserver {
  private readonly kernel: Kernel;
  private readonly file: File;
  private readonly fd: number;
  private readonly queue: WaitQueue;

  constructor(kernel: Kernel, file: File, fd: number, queue: WaitQueue) {
    this.kernel = kernel;
    this.file = file;
    this.fd = fd;
    this.queue = queue;
    queue.add(this);
  }

  /** Sends the signal. Returns false, so that other waiters are woken as well. */
  woken(events: number): boolean {
    const { file } = this;
    if (events !== WAKE_ALL && (events & QUIETLY) !== 0) return false;
    const ready = file.poll() & events;
    const news = CODES.find(([bit]) => (ready & bit) !== 0);
    if (news === undefined || file.owner === 0) return false;
    const [, code] = news;
    signalOwner(this.kernel, file, this.fd, code, ready);
    return false;
  }

  released(): void {
    this.queue.remove(this);
  }
}

export const tellOwner = (kernel: Kernel, file: File, fd: number): void =>
  signalOwner(kernel, file, fd, POLL_MSG, MESSAGE_BAND);

/** A process that asks for signals without F_SETOWN becomes the owner. */
export function ownIfUnowned(task: Task, file: File): void {
  if (file.owner !== 0) return;
  file.owner = task.tgid;
  file.ownerIsThread = false;
  file.ownerCred = task.cred;
}

/** Ending a lease removes the file's owner, even one set by F_SETOWN. */
export function disown(file: File): void {
  file.owner = 0;
  file.ownerSignal = 0;
  file.ownerIsThread = false;
  file.ownerCred = null;
}

/** Sends a file's signal (F_SETSIG, else SIGIO) to its owner, with a POLL_ code and the matching poll bits. */
function signalOwner(kernel: Kernel, file: File, fd: number, code: number, band: number): void {
  const signal = file.ownerSignal;
  sendToOwner(kernel, file, signal === 0 ? kernelInfo(SIGIO) : pollInfo(signal, code, band, fd));
}

/** Sends SIGURG to a socket's owner; that needs no FASYNC. */
export function tellUrgent(kernel: Kernel, file: File): void {
  if (file.owner !== 0) sendToOwner(kernel, file, kernelInfo(SIGURG));
}

function sendToOwner(kernel: Kernel, file: File, info: SignalInfo): void {
  const { owner } = file;
  if (file.ownerIsThread) {
    const task = kernel.tasks.get(owner);
    if (task !== undefined && maySignal(file.ownerCred, task.cred)) sendToTask(task, info);
    return;
  }
  const one = kernel.groups.get(owner);
  const meant = owner > 0 ? (one === undefined ? [] : [one]) : (kernel.jobs.group(-owner)?.members ?? []);
  for (const group of meant) if (maySignal(file.ownerCred, group.leader.cred)) sendToGroup(group, info);
}

/** As for kill(2), with the rights of the task that set the owner; root counts by its number, not by CAP_KILL. */
const maySignal = (from: Cred | null, to: Cred): boolean =>
  from !== null && (from.euid === 0 || sameUser(from, to));

/** Sets or clears FASYNC; nothing happens for files that send no signals. */
export function setAsync(kernel: Kernel, file: File, fd: number, on: boolean): void {
  const queue = file.waitq;
  if (queue === null || !file.sendsSignals || on === ((file.flags & FASYNC) !== 0)) return;
  file.observers ??= new Set();
  if (on) {
    file.observers.add(new AsyncListener(kernel, file, fd, queue));
    file.flags |= FASYNC;
    return;
  }
  file.flags &= ~FASYNC;
  for (const observer of file.observers) {
    if (!(observer instanceof AsyncListener)) continue;
    observer.released();
    file.observers.delete(observer);
  }
}
