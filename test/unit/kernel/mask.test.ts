/** A thread that changes its signal mask by itself: what the kernel tells it, and what it believes (kernel/signal-state.ts). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ThreadFacts } from '../../../src/engine/answers.ts';
import { deliverable, dequeue } from '../../../src/kernel/dequeue.ts';
import { tellMask, untellAll } from '../../../src/kernel/facts.ts';
import { inheritThreadState } from '../../../src/kernel/inherit.ts';
import { DEFAULT_ACTION } from '../../../src/kernel/sighand.ts';
import { forceSignal, sendToGroup, sendToTask } from '../../../src/kernel/signal.ts';
import { sigBit, UNMASKABLE } from '../../../src/kernel/sigset.ts';
import type { Task } from '../../../src/kernel/task.ts';
import { signalCalls } from '../../../src/syscalls/signal.ts';
import { holdMask } from '../../../src/syscalls/sigset.ts';
import { faultInfo, kernelInfo } from '../../../src/uapi/siginfo.ts';
import * as s from '../../../src/uapi/signal.ts';
import { caller, FakeMachine } from './machine.ts';

const call = caller(signalCalls);
const USR1 = sigBit(s.SIGUSR1);
const RT = 40;

/** The thread's side: what it was told, and `set`, as the stub does it. */
class Told {
  told = false;
  pending: [number, number] = [0, 0];
  readonly log: string[] = [];
  interrupted = 0;
  private mask: [number, number] = [0, 0];

  tellMask(lo: number, hi: number): void {
    this.told = true;
    this.mask = [lo, hi];
  }

  tellPending(lo: number, hi: number): void {
    this.pending = [lo, hi];
    this.log.push('pending');
  }

  untellMask(): void {
    this.told = false;
  }

  get maskLo(): number {
    this.log.push('mask');
    return this.mask[0];
  }

  get maskHi(): number {
    return this.mask[1];
  }

  set(lo: number, hi = 0): void {
    assert.equal(this.told, true);
    this.mask = [lo, hi];
  }

  get knows(): readonly [number, number] {
    return this.mask;
  }

  forget(): void {}
  tellActions(): void {}
  untellActions(): void {}
}

function told(task: Task): Told {
  const facts = new Told();
  const thread = {
    facts: facts as unknown as ThreadFacts,
    interrupt: () => void facts.interrupted++,
  };
  task.thread = thread as unknown as Task['thread'];
  tellMask(task);
  return facts;
}

const process = () => {
  const m = new FakeMachine();
  const task = m.process(m.init);
  for (const signal of [s.SIGUSR1, s.SIGUSR2, RT])
    task.group.sighand.set(signal, { ...DEFAULT_ACTION, handler: 0x4000 });
  return { m, task };
};

test('the mask that the thread has set is the one that counts, whoever looks', () => {
  const { m, task } = process();
  task.signals.setMask(1, 2);
  const facts = told(task);
  assert.deepEqual(facts.knows, [1, 2]);
  facts.set(USR1, sigBit(RT));
  assert.equal(task.signals.isBlocked(s.SIGUSR1), true);
  assert.equal(task.signals.isBlocked(RT), true);
  assert.equal(task.signals.isBlocked(1), false);
  const child = m.process(task);
  inheritThreadState(task, child, 0);
  assert.deepEqual({ ...child.signals.blocked }, { lo: USR1, hi: sigBit(RT) });
  task.user.view.setBigUint64(64, 0n, true);
  assert.equal(call(task, 'rt_sigprocmask', 0, 0, 64, 8), 0);
  assert.equal(task.user.view.getInt32(64, true), USR1);
});

test('whatever it says, SIGKILL and SIGSTOP are not blocked', () => {
  const { task } = process();
  const facts = told(task);
  facts.set(-1, -1);
  assert.equal(task.signals.blocked.lo, ~UNMASKABLE);
  sendToGroup(task.group, kernelInfo(s.SIGKILL));
  assert.equal(task.signals.mustDie(), true);
});

test('it knows at each time what is pending, for itself and for its process', () => {
  const { task } = process();
  const facts = told(task);
  facts.set(-1, -1);
  sendToGroup(task.group, kernelInfo(s.SIGUSR1));
  sendToTask(task, kernelInfo(RT));
  assert.deepEqual(facts.pending, [USR1, sigBit(RT)]);
  facts.set(-1, 0);
  assert.equal(deliverable(task), true);
  assert.equal(typeof dequeue(task), 'object');
  assert.deepEqual(facts.pending, [USR1, 0]);
  sendToGroup(task.group, kernelInfo(s.SIGTSTP));
  assert.deepEqual(facts.pending, [USR1 | sigBit(s.SIGTSTP), 0]);
  sendToGroup(task.group, kernelInfo(s.SIGCONT));
  assert.deepEqual(facts.pending, [USR1 | sigBit(s.SIGCONT), 0]);
  task.group.pending.clear();
  assert.deepEqual(facts.pending, [0, 0]);
});

test('what was pending before is told with the mask', () => {
  const { task } = process();
  task.signals.setMask(-1, -1);
  sendToGroup(task.group, kernelInfo(s.SIGUSR1));
  assert.deepEqual(told(task).pending, [USR1, 0]);
});

test('who sends says so first and then looks whether it is blocked', () => {
  for (const send of [sendToTask, (task: Task, info: never) => sendToGroup(task.group, info)]) {
    const { task } = process();
    const facts = told(task);
    facts.set(USR1);
    facts.log.length = 0;
    send(task, kernelInfo(s.SIGUSR1) as never);
    assert.ok(facts.log.lastIndexOf('mask') > facts.log.indexOf('pending'));
    assert.equal(facts.interrupted, 0);
    facts.set(0);
    assert.equal(task.signals.mustWake(), true);
    send(task, kernelInfo(s.SIGUSR2) as never);
    assert.equal(facts.interrupted, 1);
  }
});

test('masks that the kernel sets and takes back are told', () => {
  const { task } = process();
  const facts = told(task);
  facts.set(USR1);
  holdMask(task, task.signals.blocked.clone());
  task.signals.setMask(7, 7);
  assert.deepEqual(facts.knows, [7, 7]);
  task.signals.restoreSavedMask();
  assert.deepEqual(facts.knows, [USR1, 0]);
  forceSignal(task, faultInfo(s.SIGUSR1, 1, 0));
  assert.deepEqual(facts.knows, [0, 0]);
});

test('a thread that gets company asks, and changes nothing by itself; alone again, it is told anew', () => {
  const { m, task } = process();
  const facts = told(task);
  facts.set(USR1);
  const other = m.thread(task);
  assert.equal(facts.told, false);
  assert.deepEqual({ ...task.signals.blocked }, { lo: USR1, hi: 0 });
  assert.equal(other.signals.isBlocked(s.SIGUSR1), true);
  tellMask(task);
  assert.equal(facts.told, false);
  sendToGroup(task.group, kernelInfo(s.SIGUSR1));
  assert.deepEqual(facts.pending, [0, 0]);
  task.group.threads.delete(other);
  assert.equal(call(task, 'rt_sigprocmask', 0, 0, 0, 8), 0);
  assert.equal(facts.told, true);
  assert.deepEqual(facts.pending, [USR1, 0]);
});

test('nothing holds any more once all is taken back', () => {
  const { task } = process();
  const facts = told(task);
  facts.set(USR1);
  untellAll(task);
  assert.equal(facts.told, false);
  assert.equal(task.signals.isBlocked(s.SIGUSR1), true);
  sendToTask(task, kernelInfo(s.SIGUSR1));
  assert.deepEqual(facts.pending, [0, 0]);
});
