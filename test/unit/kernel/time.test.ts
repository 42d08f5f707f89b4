import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimerHeap } from '../../../src/core/timers.ts';
import { type Delivery, deliverable, dequeue } from '../../../src/kernel/dequeue.ts';
import { DEFAULT_ACTION } from '../../../src/kernel/sighand.ts';
import { sendToGroup } from '../../../src/kernel/signal.ts';
import type { Task } from '../../../src/kernel/task.ts';
import { timeCalls } from '../../../src/syscalls/time.ts';
import { EINVAL, EOPNOTSUPP, EPERM, ERESTART_RESTARTBLOCK } from '../../../src/uapi/errno.ts';
import { kernelInfo } from '../../../src/uapi/siginfo.ts';
import * as s from '../../../src/uapi/signal.ts';
import * as t from '../../../src/uapi/time.ts';
import { dice } from '../dice.ts';
import { caller, FakeMachine, settle } from './machine.ts';

const call = caller(timeCalls);
const MS = 1_000_000;
const root = () => {
  const m = new FakeMachine();
  return { m, task: m.process(m.init) };
};
const handle = (task: Task, signal: number) =>
  task.group.sighand.set(signal, { ...DEFAULT_ACTION, handler: 0x4000 });
const put = (task: Task, at: number, ...words: number[]) => {
  for (const [i, word] of words.entries()) task.user.view.setBigInt64(at + 8 * i, BigInt(word), true);
};
const get = (task: Task, at: number) => Number(task.user.view.getBigInt64(at, true));

test('timers fire in order; random ones as in a sorted list', () => {
  const clock = { now: 0, monotonic: () => clock.now };
  const heap = new TimerHeap(clock);
  const random = dice(7);
  const model: { at: number; id: number }[] = [];
  const fired: number[] = [];
  const armed = new Map<number, { cancel(): void }>();
  for (let id = 0; id < 2000; id++) {
    const at = clock.now + random(50);
    model.push({ at, id });
    armed.set(
      id,
      heap.at(at, () => fired.push(id)),
    );
    if (random(3) === 0) {
      const victim = random(id + 1);
      armed.get(victim)!.cancel();
      const index = model.findIndex(timer => timer.id === victim);
      if (index >= 0) model.splice(index, 1);
    }
    if (random(5) > 0) continue;
    clock.now += random(20);
    const due = model.filter(timer => timer.at <= clock.now).sort((a, b) => a.at - b.at || a.id - b.id);
    fired.length = 0;
    assert.equal(heap.run(), due.length);
    assert.deepEqual(
      fired,
      due.map(timer => timer.id),
    );
    for (const timer of due) model.splice(model.indexOf(timer), 1);
    assert.equal(heap.next(), model.length === 0 ? Infinity : Math.min(...model.map(timer => timer.at)));
  }
});

test('a timer that arms itself for now does not hold up the run', () => {
  const heap = new TimerHeap({ monotonic: () => 5 });
  let count = 0;
  const again = (): void => {
    count++;
    heap.at(0, again);
  };
  heap.at(1, again);
  heap.run();
  assert.equal(count, 1);
});

test('nanosleep sleeps; interrupted it says what is left, and restarts', async () => {
  const { m, task } = root();
  handle(task, s.SIGUSR1);
  put(task, 64, 1, 500 * MS);
  const first = call(task, 'nanosleep', 64, 128);
  m.advance(1000 * MS);
  sendToGroup(task.group, kernelInfo(s.SIGUSR1));
  assert.equal(await first, -ERESTART_RESTARTBLOCK);
  assert.deepEqual([get(task, 128), get(task, 136)], [0, 500 * MS]);
  dequeue(task);
  const rest = task.restart!();
  m.advance(500 * MS);
  assert.equal(await rest, 0);
  put(task, 64, 0, 1_000_000_000);
  assert.equal(call(task, 'nanosleep', 64, 0), -EINVAL);
});

test('an absolute sleep on CLOCK_REALTIME follows the clock', async () => {
  const { m, task } = root();
  put(task, 64, m.wall.sec + 1000, 0);
  let done = false;
  const sleep = Promise.resolve(call(task, 'clock_nanosleep', t.CLOCK_REALTIME, t.TIMER_ABSTIME, 64, 0));
  void sleep.then(() => {
    done = true;
  });
  await settle();
  put(task, 128, m.wall.sec + 990, 0);
  assert.equal(call(task, 'clock_settime', t.CLOCK_REALTIME, 128), 0);
  await settle();
  assert.equal(done, false);
  m.advance(10_000 * MS);
  assert.equal(await sleep, 0);
});

test('ITIMER_REAL repeats; setitimer answers what is left', () => {
  const { m, task } = root();
  handle(task, s.SIGALRM);
  put(task, 64, 0, 100_000, 0, 250_000);
  assert.equal(call(task, 'setitimer', t.ITIMER_REAL, 64, 0), 0);
  m.advance(200 * MS);
  call(task, 'getitimer', t.ITIMER_REAL, 128);
  assert.deepEqual(
    [128, 136, 144, 152].map(at => get(task, at)),
    [0, 100_000, 0, 50_000],
  );
  assert.equal(deliverable(task), false);
  m.advance(50 * MS);
  assert.equal((dequeue(task) as Delivery).info.signo, s.SIGALRM);
  m.advance(100 * MS);
  assert.equal((dequeue(task) as Delivery).info.signo, s.SIGALRM);
  put(task, 64, 0, 0, 0, 0);
  call(task, 'setitimer', t.ITIMER_REAL, 64, 128);
  assert.deepEqual([get(task, 136), get(task, 152)], [100_000, 100_000]);
  m.advance(500 * MS);
  assert.equal(deliverable(task), false);
});

test('alarm answers seconds, rounded', () => {
  const { m, task } = root();
  assert.equal(call(task, 'alarm', 10), 0);
  m.advance(4600 * MS);
  assert.equal(call(task, 'alarm', 1), 5);
  m.advance(900 * MS);
  assert.equal(call(task, 'alarm', 0), 1);
  assert.equal(call(task, 'alarm', 0), 0);
});

test('ITIMER_PROF counts processor time', () => {
  const { m, task } = root();
  handle(task, s.SIGPROF);
  put(task, 64, 0, 0, 0, 20_000);
  call(task, 'setitimer', t.ITIMER_PROF, 64, 0);
  m.advance(1000 * MS);
  assert.equal(deliverable(task), false);
  task.usage.user += 15 * MS;
  m.advance(100 * MS);
  assert.equal(deliverable(task), false);
  task.usage.system += 5 * MS;
  m.advance(100 * MS);
  assert.equal((dequeue(task) as Delivery).info.signo, s.SIGPROF);
});

test('timer_create: value, overrun, one signal at a time', () => {
  const { m, task } = root();
  handle(task, 35);
  task.signals.setMask(-1, -1);
  put(task, 64, 0x1234);
  task.user.view.setInt32(72, 35, true);
  task.user.view.setInt32(76, t.SIGEV_SIGNAL, true);
  assert.equal(call(task, 'timer_create', t.CLOCK_MONOTONIC, 64, 256), 0);
  const id = task.user.view.getInt32(256, true);
  put(task, 128, 0, 10 * MS, 0, 10 * MS);
  assert.equal(call(task, 'timer_settime', id, 0, 128, 0), 0);
  m.advance(55 * MS);
  task.signals.setMask(0, 0);
  const { info } = dequeue(task) as Delivery;
  assert.deepEqual([info.signo, info.code, info.valueLo, info.overrun], [35, s.SI_TIMER, 0x1234, 4]);
  assert.equal(call(task, 'timer_getoverrun', id), 4);
  assert.equal(dequeue(task), 'none');
  call(task, 'timer_gettime', id, 128);
  assert.equal(get(task, 152), 5 * MS);
  m.advance(5 * MS);
  assert.equal(task.isPending(-1, -1), true);
  // A timer that is deleted takes its signal along.
  assert.equal(call(task, 'timer_delete', id), 0);
  assert.equal(dequeue(task), 'none');
  assert.equal(call(task, 'timer_delete', id), -EINVAL);
  assert.equal(task.kernel.users.of(0).sigpending, 0);
  assert.equal(m.timers.count, 0);
});

test('which clocks there are, as on the host', () => {
  const { task } = root();
  const answers = (name: string, ...args: number[]) =>
    Array.from({ length: 24 }, (_, i) => call(task, name, i - 10, ...args));
  const none = -EINVAL;
  const yes = 0;
  const [cpu, real] = [
    [none, none, yes, yes, yes, none, yes, yes, yes, none],
    [yes, yes, yes, yes, yes, yes, yes, yes],
  ];
  assert.deepEqual(answers('clock_getres', 64), [...cpu, ...real, none, none, none, yes, none, none]);
  assert.deepEqual(answers('clock_gettime', 64), [...cpu, ...real, none, none, none, yes, none, none]);
  task.user.view.setInt32(76, t.SIGEV_NONE, true);
  const no = -EOPNOTSUPP;
  assert.deepEqual(answers('timer_create', 64, 256).slice(10), [
    yes,
    yes,
    yes,
    yes,
    no,
    no,
    no,
    yes,
    no,
    no,
    none,
    yes,
    none,
    none,
  ]);
  put(task, 64, -1, -1);
  assert.deepEqual(answers('clock_settime', 64).slice(2, 5), [-EPERM, -EPERM, -EPERM]);
});
