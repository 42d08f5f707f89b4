import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Delivery, deliverable, dequeue } from '../../../src/kernel/dequeue.ts';
import { DEFAULT_ACTION } from '../../../src/kernel/sighand.ts';
import { forceSignal, sendToGroup, sendToTask } from '../../../src/kernel/signal.ts';
import { SigSet } from '../../../src/kernel/sigset.ts';
import { park } from '../../../src/kernel/stop.ts';
import type { Task } from '../../../src/kernel/task.ts';
import { signalCalls } from '../../../src/syscalls/signal.ts';
import { waitCalls } from '../../../src/syscalls/wait.ts';
import { EAGAIN, EINTR, EINVAL, EPERM, ERESTARTNOHAND, ERESTARTSYS, ESRCH } from '../../../src/uapi/errno.ts';
import { RLIMIT_SIGPENDING } from '../../../src/uapi/resource.ts';
import { faultInfo, kernelInfo, killInfo, type SignalInfo } from '../../../src/uapi/siginfo.ts';
import * as s from '../../../src/uapi/signal.ts';
import { WCONTINUED, WNOHANG, WUNTRACED } from '../../../src/uapi/wait.ts';
import { caller, FakeMachine, settle } from './machine.ts';

const call = caller([...signalCalls, ...waitCalls]);
const HANDLER = 0x4000;

function handle(task: Task, signal: number, flags = 0): void {
  task.group.sighand.set(signal, { ...DEFAULT_ACTION, handler: HANDLER, flags });
}

function mask(task: Task, ...signals: number[]): void {
  const set = new SigSet();
  for (const signal of signals) set.add(signal);
  task.signals.setMask(set.lo, set.hi);
}

const rt = (signal: number, value: number): SignalInfo => {
  const info = killInfo(signal, s.SI_QUEUE, 1, 0);
  info.words[6] = value;
  return info;
};

/** All signals with handlers, in the order in which they are delivered. */
function drain(task: Task): string[] {
  const seen: string[] = [];
  for (;;) {
    const next = dequeue(task);
    if (typeof next === 'string') return next === 'none' ? seen : [...seen, next];
    if ('fatal' in next) return [...seen, `core:${next.fatal.signo}`];
    seen.push(`${next.info.signo}:${next.info.valueLo}`);
  }
}

const root = () => {
  const m = new FakeMachine();
  return { m, task: m.process(m.init) };
};

test('standard signals merge, realtime ones queue in order', () => {
  const { task } = root();
  for (const signal of [s.SIGUSR1, 34, 35, 40]) handle(task, signal);
  mask(task, s.SIGUSR1, 34, 35, 40);
  sendToGroup(task.group, rt(40, 1));
  for (const value of [1, 2, 3]) sendToGroup(task.group, rt(35, value));
  sendToGroup(task.group, rt(34, 9));
  for (let i = 0; i < 3; i++) sendToGroup(task.group, killInfo(s.SIGUSR1, s.SI_USER, 7, 0));
  assert.equal(deliverable(task), false);
  mask(task);
  assert.equal(deliverable(task), true);
  assert.deepEqual(drain(task), ['10:0', '34:9', '35:1', '35:2', '35:3', '40:1']);
  assert.equal(task.kernel.users.of(0).sigpending, 0);
});

test('RLIMIT_SIGPENDING bounds realtime queues, standard signals still come', () => {
  const { task } = root();
  task.group.rlimits[RLIMIT_SIGPENDING] = { soft: 2, hard: 2 };
  handle(task, 34);
  mask(task, 34, s.SIGUSR1);
  assert.equal(sendToGroup(task.group, rt(34, 1)), 0);
  assert.equal(sendToGroup(task.group, rt(34, 2)), 0);
  assert.equal(sendToGroup(task.group, rt(34, 3)), -EAGAIN);
  assert.equal(sendToGroup(task.group, rt(s.SIGUSR1, 3)), 0);
  assert.equal(task.isPending(1 << (s.SIGUSR1 - 1), 0), true);
});

test('ignored signals are dropped unless blocked; setting SIG_IGN drops what is pending', () => {
  const { task } = root();
  sendToGroup(task.group, kernelInfo(s.SIGCHLD));
  assert.equal(task.isPending(-1, -1), false);
  mask(task, s.SIGCHLD, s.SIGUSR2);
  sendToGroup(task.group, kernelInfo(s.SIGCHLD));
  sendToGroup(task.group, kernelInfo(s.SIGUSR2));
  assert.equal(task.isPending(1 << (s.SIGCHLD - 1), 0), true);
  task.user.view.setBigUint64(64, BigInt(s.SIG_IGN), true);
  assert.equal(call(task, 'rt_sigaction', s.SIGUSR2, 64, 128, 8), 0);
  assert.equal(task.isPending(1 << (s.SIGUSR2 - 1), 0), false);
});

test('a process signal goes to a thread that does not block it, a thread signal to that thread', () => {
  const { m, task } = root();
  const other = m.thread(task);
  handle(task, s.SIGUSR1);
  mask(task, s.SIGUSR1);
  sendToGroup(task.group, kernelInfo(s.SIGUSR1));
  assert.equal(deliverable(task), false);
  assert.equal(deliverable(other), true);
  assert.equal((dequeue(other) as Delivery).info.signo, s.SIGUSR1);
  sendToTask(task, kernelInfo(s.SIGUSR1));
  assert.equal(deliverable(other), false);
});

test('blocking a pending process signal hands it to another thread that sleeps', async () => {
  const { m, task } = root();
  const other = m.thread(task);
  handle(task, s.SIGUSR1);
  const slept = other.sleepOn([]);
  sendToGroup(task.group, kernelInfo(s.SIGUSR1));
  task.user.view.setInt32(8, 1 << (s.SIGUSR1 - 1), true);
  assert.equal(call(task, 'rt_sigprocmask', s.SIG_BLOCK, 8, 0, 8), 0);
  assert.equal(await slept, -ERESTARTSYS);
});

test('SA_RESETHAND and SA_NODEFER: the action is reset as it is taken', () => {
  const { task } = root();
  handle(task, s.SIGUSR1, s.SA_RESETHAND);
  sendToGroup(task.group, kernelInfo(s.SIGUSR1));
  assert.equal((dequeue(task) as Delivery).action.handler, HANDLER);
  // Flags and mask stay: only the handler goes.
  const { handler, flags } = task.group.sighand.get(s.SIGUSR1);
  assert.deepEqual([handler, flags], [s.SIG_DFL, s.SA_RESETHAND]);
});

test('faults are delivered before everything else', () => {
  const { task } = root();
  for (const signal of [s.SIGHUP, s.SIGSEGV]) handle(task, signal);
  sendToTask(task, kernelInfo(s.SIGHUP));
  forceSignal(task, faultInfo(s.SIGSEGV, 1, 0xdead_beef_00));
  const first = dequeue(task) as Delivery;
  assert.equal(first.info.signo, s.SIGSEGV);
  assert.equal(first.info.addr, 0xdead_beef_00);
});

test('a fault whose signal is blocked kills, even process 1', () => {
  const { m } = root();
  handle(m.init, s.SIGSEGV);
  mask(m.init, s.SIGSEGV);
  forceSignal(m.init, faultInfo(s.SIGSEGV, 1, 0));
  const end = dequeue(m.init);
  assert.ok(typeof end === 'object' && 'fatal' in end);
  assert.equal(end.fatal.signo, s.SIGSEGV);
});

test('process 1 gets nothing that it has no handler for', () => {
  const { m, task } = root();
  for (const signal of [s.SIGTERM, s.SIGKILL, s.SIGSTOP]) assert.equal(call(task, 'kill', 1, signal), 0);
  assert.equal(dequeue(m.init), 'none');
  assert.equal(m.init.group.exiting, null);
  handle(m.init, s.SIGTERM);
  call(task, 'kill', 1, s.SIGTERM);
  assert.equal((dequeue(m.init) as Delivery).info.pid, task.tgid);
});

test('a fatal signal ends all threads', async () => {
  const { m, task } = root();
  const other = m.thread(task);
  const slept = other.sleepOn([]);
  sendToGroup(task.group, kernelInfo(s.SIGTERM));
  assert.equal(await slept, -ERESTARTSYS);
  assert.equal(dequeue(other), 'exit');
  assert.equal(task.group.zombie, false);
  assert.equal(dequeue(task), 'exit');
  assert.equal(task.group.zombie, true);
  assert.equal(task.group.exitStatus, s.SIGTERM);
  assert.deepEqual(m.released, [other.pid, task.pid]);
});

test('kill: who may', () => {
  const { m, task } = root();
  const user = m.process(m.init);
  const ids = { uid: 1000, euid: 1000, suid: 1000, fsuid: 1000 };
  user.cred = { ...user.cred, ...ids, effective: { lo: 0, hi: 0 } };
  assert.equal(call(user, 'kill', task.tgid, 0), -EPERM);
  assert.equal(call(user, 'kill', task.tgid, s.SIGCONT), 0);
  assert.equal(call(user, 'kill', task.tgid, 65), -EINVAL);
  assert.equal(call(user, 'kill', 4000, 0), -ESRCH);
  assert.equal(call(user, 'kill', -4000, 0), -ESRCH);
  assert.equal(call(user, 'tgkill', user.tgid, task.tgid, 0), -ESRCH);
  assert.equal(call(user, 'tgkill', 0, 1, 0), -EINVAL);
  assert.equal(call(task, 'kill', user.tgid, 0), 0);
  task.cred = { ...task.cred, suid: 1000, uid: 5, effective: { lo: 0, hi: 0 } };
  assert.equal(call(user, 'kill', task.tgid, 0), 0);
});

test('rt_sigqueueinfo keeps the value, and refuses what looks like the kernel', () => {
  const { m, task } = root();
  const other = m.process(m.init);
  handle(other, 36);
  rt(36, 77).write(task.user.view, 256);
  assert.equal(call(task, 'rt_sigqueueinfo', other.tgid, 36, 256), 0);
  assert.equal((dequeue(other) as Delivery).info.valueLo, 77);
  kernelInfo(36).write(task.user.view, 256);
  assert.equal(call(task, 'rt_sigqueueinfo', other.tgid, 36, 256), -EPERM);
});

test('stop and continue: all threads stop, the parent is told, wait reports once', async () => {
  const { m, task: parent } = root();
  const child = m.process(parent);
  const thread = m.thread(child);
  handle(parent, s.SIGCHLD);
  const wait = (options: number) => call(parent, 'wait4', -1, 512, options, 0);
  const status = () => parent.user.view.getInt32(512, true);

  sendToGroup(child.group, killInfo(s.SIGSTOP, s.SI_USER, 1, 0));
  assert.equal(dequeue(child), 'stop');
  const parked = park(child);
  assert.equal(deliverable(thread), true);
  assert.equal(wait(WNOHANG | WUNTRACED), 0);
  assert.equal(dequeue(thread), 'stop');
  const parkedToo = park(thread);
  assert.equal(child.state, 'T');
  const told = (dequeue(parent) as Delivery).info;
  assert.deepEqual([told.code, told.pid, told.status], [s.CLD_STOPPED, child.tgid, s.SIGSTOP]);
  assert.equal(wait(WNOHANG), 0);
  assert.equal(wait(WNOHANG | WUNTRACED), child.tgid);
  assert.equal(status(), (s.SIGSTOP << 8) | 0x7f);
  assert.equal(wait(WNOHANG | WUNTRACED), 0);

  sendToGroup(child.group, killInfo(s.SIGCONT, s.SI_USER, 1, 0));
  await Promise.all([parked, parkedToo]);
  assert.equal(dequeue(child), 'none');
  assert.equal((dequeue(parent) as Delivery).info.code, s.CLD_CONTINUED);
  assert.equal(wait(WNOHANG | WCONTINUED), child.tgid);
  assert.equal(status(), 0xffff);
  assert.equal(wait(WNOHANG | WCONTINUED), 0);
});

test('SIGKILL ends a stopped process; SIGCONT takes back a stop that is pending', async () => {
  const { m, task } = root();
  const child = m.process(task);
  sendToGroup(child.group, kernelInfo(s.SIGSTOP));
  assert.equal(dequeue(child), 'stop');
  const parked = park(child);
  sendToGroup(child.group, kernelInfo(s.SIGKILL));
  await parked;
  assert.equal(dequeue(child), 'exit');

  const next = m.process(task);
  mask(next, s.SIGTSTP);
  sendToGroup(next.group, kernelInfo(s.SIGTSTP));
  sendToGroup(next.group, kernelInfo(s.SIGCONT));
  mask(next);
  assert.equal(dequeue(next), 'none');
});

test('sigsuspend: the mask holds while it waits, and comes back', async () => {
  const { task } = root();
  handle(task, s.SIGUSR1);
  mask(task, s.SIGUSR1);
  const waiting = call(task, 'rt_sigsuspend', 0, 8);
  assert.equal(task.signals.isBlocked(s.SIGUSR1), false);
  sendToGroup(task.group, kernelInfo(s.SIGUSR1));
  assert.equal(await waiting, -ERESTARTNOHAND);
  assert.equal((dequeue(task) as Delivery).info.signo, s.SIGUSR1);
  assert.equal(task.signals.takeSavedMask().has(s.SIGUSR1), true);
  assert.equal(task.signals.takeSavedMask().has(s.SIGUSR1), false);
});

test('sigtimedwait takes blocked signals, times out, is interrupted by others', async () => {
  const { m, task } = root();
  handle(task, s.SIGUSR2);
  mask(task, s.SIGUSR1);
  task.user.view.setInt32(0, 1 << (s.SIGUSR1 - 1), true);
  task.user.view.setInt32(16 + 8, 5_000_000, true);
  const first = call(task, 'rt_sigtimedwait', 0, 256, 16, 8);
  sendToGroup(task.group, killInfo(s.SIGUSR1, s.SI_USER, 42, 7));
  assert.equal(await first, s.SIGUSR1);
  assert.equal(task.user.view.getInt32(256 + 16, true), 42);
  const second = call(task, 'rt_sigtimedwait', 0, 0, 16, 8);
  m.advance(5_000_000);
  assert.equal(await second, -EAGAIN);
  const third = call(task, 'rt_sigtimedwait', 0, 0, 0, 8);
  sendToGroup(task.group, kernelInfo(s.SIGUSR2));
  assert.equal(await third, -EINTR);
  await settle();
  assert.equal(task.signals.waiting.empty, true);
});

test('sigaction: what is refused, what is remembered', () => {
  const { task } = root();
  const { view } = task.user;
  view.setBigUint64(64, BigInt(HANDLER), true);
  view.setBigUint64(72, 0xffff_ffffn, true);
  view.setBigUint64(88, 0xffff_ffff_ffff_ffffn, true);
  assert.equal(call(task, 'rt_sigaction', s.SIGKILL, 0, 128, 8), 0);
  assert.equal(call(task, 'rt_sigaction', s.SIGKILL, 64, 0, 8), -EINVAL);
  assert.equal(call(task, 'rt_sigaction', 65, 0, 128, 8), -EINVAL);
  assert.equal(call(task, 'rt_sigaction', s.SIGUSR1, 64, 0, 4), -EINVAL);
  assert.equal(call(task, 'rt_sigaction', s.SIGUSR1, 64, 0, 8), 0);
  assert.equal(call(task, 'rt_sigaction', s.SIGUSR1, 0, 128, 8), 0);
  assert.equal(Number(view.getBigUint64(128, true)), HANDLER);
  // Unknown flags are gone, and nothing masks SIGKILL and SIGSTOP.
  assert.equal(view.getUint32(136, true), 0xdc00_0007);
  assert.equal(view.getUint32(152, true), ~((1 << 8) | (1 << 18)) >>> 0);
  assert.equal(view.getUint32(156, true), 0xffff_ffff);
});
