import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Delivery, dequeue } from '../../../src/kernel/dequeue.ts';
import { becomeOnlyThread, exitGroup, exitTask } from '../../../src/kernel/exit.ts';
import { DEFAULT_ACTION } from '../../../src/kernel/sighand.ts';
import { sendToGroup } from '../../../src/kernel/signal.ts';
import { park } from '../../../src/kernel/stop.ts';
import type { Task } from '../../../src/kernel/task.ts';
import { processCalls } from '../../../src/syscalls/process.ts';
import { EACCES, ECHILD, EINVAL, EPERM, ERESTARTSYS, ESRCH } from '../../../src/uapi/errno.ts';
import { PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG } from '../../../src/uapi/prctl.ts';
import { kernelInfo } from '../../../src/uapi/siginfo.ts';
import * as s from '../../../src/uapi/signal.ts';
import * as w from '../../../src/uapi/wait.ts';
import { caller, FakeMachine } from './machine.ts';

const call = caller(processCalls);
const root = () => {
  const m = new FakeMachine();
  return { m, task: m.process(m.init) };
};
const exit = (task: Task, code: number) => exitGroup(task, w.exitStatusOf(code));
const isGone = (task: Task) => !task.kernel.tasks.has(task.pid) && !task.kernel.groups.has(task.tgid);
const handle = (task: Task, signal: number, flags = 0, handler = 0x4000) =>
  task.group.sighand.set(signal, { ...DEFAULT_ACTION, handler, flags });

test('wait4 sleeps until a child exits, reports it, and reaps it', async () => {
  const { m, task } = root();
  const child = m.process(task);
  child.usage.user = 30_000_000;
  const waiting = call(task, 'wait4', -1, 512, 0, 1024);
  exit(child, 7);
  assert.equal(await waiting, child.tgid);
  assert.equal(task.user.view.getInt32(512, true), 7 << 8);
  assert.equal(task.user.view.getInt32(1024 + 8, true), 30_000);
  assert.equal(task.group.childUsage.user, 30_000_000);
  assert.equal(isGone(child), true);
  assert.equal(call(task, 'wait4', -1, 0, 0, 0), -ECHILD);
  assert.equal(task.kernel.users.of(0).tasks, 2);
});

test('wait4 is interrupted by a signal', async () => {
  const { m, task } = root();
  m.process(task);
  handle(task, s.SIGUSR1);
  const waiting = call(task, 'wait4', -1, 0, 0, 0);
  sendToGroup(task.group, kernelInfo(s.SIGUSR1));
  assert.equal(await waiting, -ERESTARTSYS);
});

test('waitid: arguments, WNOWAIT, which children', () => {
  const { m, task } = root();
  const child = m.process(task);
  const clone = m.process(task, 0, 0);
  exit(child, 3);
  exit(clone, 4);
  const { view } = task.user;
  assert.equal(call(task, 'waitid', w.P_ALL, 0, 0, w.WNOHANG), -EINVAL);
  assert.equal(call(task, 'waitid', w.P_PID, 0, 0, w.WEXITED), -EINVAL);
  assert.equal(call(task, 'waitid', 9, 0, 0, w.WEXITED), -EINVAL);
  assert.equal(call(task, 'waitid', w.P_ALL, 0, 256, w.WEXITED | w.WNOWAIT), 0);
  assert.deepEqual(
    [256, 264, 272, 280].map(at => view.getInt32(at, true)),
    [s.SIGCHLD, s.CLD_EXITED, child.tgid, 3],
  );
  assert.equal(isGone(child), false);
  assert.equal(call(task, 'waitid', w.P_PID, child.tgid, 256, w.WEXITED), 0);
  assert.equal(call(task, 'waitid', w.P_ALL, 0, 256, w.WEXITED), -ECHILD);
  assert.equal(call(task, 'wait4', -1, 0, w.__WCLONE, 0), clone.tgid);
});

test('a parent that ignores SIGCHLD has no zombies, and waits until the last child is gone', async () => {
  const { m, task } = root();
  const [one, two] = [m.process(task), m.process(task)];
  handle(task, s.SIGCHLD, 0, s.SIG_IGN);
  const waiting = call(task, 'wait4', -1, 0, 0, 0);
  exit(one, 0);
  assert.equal(isGone(one), true);
  exit(two, 0);
  assert.equal(await waiting, -ECHILD);
});

test('SA_NOCLDWAIT: no zombie, but a signal', () => {
  const { m, task } = root();
  const child = m.process(task);
  handle(task, s.SIGCHLD, s.SA_NOCLDWAIT);
  exit(child, 1);
  assert.equal(isGone(child), true);
  assert.equal((dequeue(task) as Delivery).info.code, s.CLD_EXITED);
});

test('children of the dead go to the nearest subreaper, or to process 1', () => {
  const { m, task } = root();
  const middle = m.process(task);
  const child = m.process(middle);
  const zombie = m.process(middle);
  exit(zombie, 0);
  call(task, 'prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  exit(middle, 0);
  assert.equal(child.group.parent, task.group);
  assert.equal(call(child, 'getppid'), task.tgid);
  assert.deepEqual([...task.group.children], [middle.group, child.group, zombie.group]);
  exit(task, 0);
  assert.equal(child.group.parent, m.init.group);
});

test('PR_SET_PDEATHSIG: when the thread that made the child ends', () => {
  const { m, task } = root();
  const thread = m.thread(task);
  const child = m.process(thread);
  handle(child, s.SIGUSR1);
  call(child, 'prctl', PR_SET_PDEATHSIG, s.SIGUSR1, 0, 0, 0);
  exitTask(thread, 0);
  assert.equal((dequeue(child) as Delivery).info.signo, s.SIGUSR1);
  assert.equal(child.group.creator, task);
});

test('a stopped process group that is orphaned gets SIGHUP and SIGCONT', async () => {
  const { m, task: shell } = root();
  call(shell, 'setsid');
  const parent = m.process(shell);
  const child = m.process(parent);
  assert.equal(call(child, 'setpgid', 0, 0), 0);
  sendToGroup(child.group, kernelInfo(s.SIGSTOP));
  assert.equal(dequeue(child), 'stop');
  const parked = park(child);
  assert.equal(m.kernel.jobs.isOrphaned(child.pgid), false);
  exit(parent, 0);
  assert.equal(m.kernel.jobs.isOrphaned(child.pgid), true);
  await parked;
  assert.equal(dequeue(child), 'exit');
  assert.equal(child.group.exitStatus, s.SIGHUP);
});

test('stop signals of the terminal do nothing to an orphaned group', () => {
  const { m, task } = root();
  call(task, 'setsid');
  sendToGroup(task.group, kernelInfo(s.SIGTSTP));
  assert.equal(dequeue(task), 'none');
  const child = m.process(task);
  call(child, 'setpgid', 0, 0);
  sendToGroup(child.group, kernelInfo(s.SIGTSTP));
  assert.equal(dequeue(child), 'stop');
});

test('setpgid and setsid: what is allowed', () => {
  const { m, task } = root();
  const child = m.process(task);
  assert.equal(call(task, 'setpgid', child.tgid, -1), -EINVAL);
  assert.equal(call(task, 'setpgid', m.init.tgid, 0), -ESRCH);
  assert.equal(call(task, 'setpgid', child.tgid, 4000), -EPERM);
  assert.equal(call(task, 'setpgid', child.tgid, 0), 0);
  assert.equal(call(child, 'getpgrp'), child.tgid);
  assert.equal(call(child, 'setsid'), -EPERM);
  assert.equal(call(task, 'setpgid', 0, child.tgid), 0);
  assert.equal(call(task, 'setsid'), task.tgid);
  assert.equal(call(task, 'setpgid', 0, 0), -EPERM);
  assert.equal(call(task, 'setpgid', child.tgid, 0), -EPERM);
  const other = m.process(task);
  other.group.execed = true;
  assert.equal(call(task, 'setpgid', other.tgid, 0), -EACCES);
});

test('the last member takes group and session along; the leader hangs the terminal up', () => {
  const { m, task } = root();
  const ended: number[] = [];
  m.kernel.jobs.sessionEnded = session => void ended.push(session.sid);
  call(task, 'setsid');
  const child = m.process(task);
  exit(task, 0);
  assert.deepEqual(ended, [task.tgid]);
  assert.equal(call(m.init, 'wait4', -1, 0, 0, 0), task.tgid);
  assert.equal(m.kernel.jobs.uses(task.tgid), true);
  exit(child, 0);
  assert.equal(call(m.init, 'wait4', -1, 0, 0, 0), child.tgid);
  assert.equal(m.kernel.jobs.uses(task.tgid), false);
});

test('exec by a thread: the others die, it becomes the leader', async () => {
  const { m, task } = root();
  const [one, two] = [m.thread(task), m.thread(task)];
  const done = becomeOnlyThread(one);
  for (const task_ of [task, two]) assert.equal(dequeue(task_), 'exit');
  assert.equal(await done, true);
  assert.equal(one.pid, task.group.tgid);
  assert.equal(task.group.leader, one);
  assert.equal(m.kernel.tasks.get(one.pid), one);
  assert.equal(task.group.zombie, false);
  assert.equal(m.kernel.users.of(0).tasks, 2);
});

test('the leader exits first: the process lives on, its number too', () => {
  const { m, task } = root();
  const thread = m.thread(task);
  exitTask(task, 0);
  assert.equal(task.state, 'Z');
  assert.equal(call(m.init, 'wait4', -1, 0, w.WNOHANG, 0), 0);
  exitTask(thread, w.exitStatusOf(5));
  assert.equal(call(m.init, 'wait4', -1, 512, 0, 0), task.tgid);
  assert.equal(m.init.user.view.getInt32(512, true), 5 << 8);
});

test('pids wrap, and skip what is in use', () => {
  const { m, task } = root();
  m.kernel.pids.pidMax = 305;
  while (m.kernel.pids.latest < 304) m.kernel.pids.alloc();
  assert.equal(m.kernel.pids.alloc(), 300);
  const child = m.process(task);
  assert.equal(child.pid, 301);
  for (const pid of [302, 303, 304, 300, 302]) assert.equal(m.kernel.pids.alloc(), pid);
});
