import assert from 'node:assert/strict';
import test from 'node:test';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import { WaitQueue } from '../../../src/core/wait.ts';
import { PidFd } from '../../../src/ipc/pidfd.ts';
import { PollSet } from '../../../src/ipc/poll.ts';
import { SignalFd, type SignalSource } from '../../../src/ipc/signalfd.ts';
import { createTimerFd, TimerFd } from '../../../src/ipc/timerfd.ts';
import { EAGAIN, ECANCELED, EINVAL } from '../../../src/uapi/errno.ts';
import { TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET } from '../../../src/uapi/eventfd.ts';
import { POLLHUP, POLLIN, POLLNVAL, POLLRDNORM } from '../../../src/uapi/poll.ts';
import { childInfo, killInfo, type SignalInfo } from '../../../src/uapi/siginfo.ts';
import { CLD_EXITED, SI_USER, SIGCHLD, SIGUSR1 } from '../../../src/uapi/signal.ts';
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from '../../../src/uapi/time.ts';
import { Sim } from './sim.ts';

const MS = 1_000_000;
const ms = (n: number) => ({ sec: Math.floor(n / 1000), nsec: (n % 1000) * MS });
const NEVER = ms(0);

function timerFd(clockId: number): { sim: Sim; fd: TimerFd; clockSet: WaitQueue; ticks(): number } {
  const sim = new Sim();
  const clockSet = new WaitQueue();
  const time = { clock: sim.time, timers: sim.time, clockSet };
  const fd = createTimerFd(sim.inode(), clockId, 0, time, ROOT_CRED);
  assert.ok(fd instanceof TimerFd);
  const ticks = () => {
    const got = fd.read(sim.user.ram, 0, 8);
    return got < 0 ? got : sim.user.view.getUint32(0, true);
  };
  return { sim, fd, clockSet, ticks };
}

test('a timer expires once, or again and again, and counts what nobody read', () => {
  const { sim, fd, ticks } = timerFd(CLOCK_MONOTONIC);
  assert.equal(ticks(), -EAGAIN);
  fd.settime(0, ms(100), NEVER);
  assert.deepEqual(fd.gettime(), { value: 100 * MS, interval: 0 });
  sim.time.advance(99 * MS);
  assert.equal(fd.poll(), 0);
  sim.time.advance(MS);
  assert.equal(fd.poll(), POLLIN);
  assert.equal(fd.gettime().value, 0);
  assert.equal(ticks(), 1);
  assert.equal(ticks(), -EAGAIN);
  fd.settime(0, ms(10), ms(20));
  sim.time.advance(75 * MS);
  assert.equal(ticks(), 4, 'at 10, 30, 50 and 70 ms');
  assert.deepEqual(fd.gettime(), { value: 15 * MS, interval: 20 * MS });
  sim.time.advance(15 * MS);
  assert.equal(ticks(), 1);
});

test('a read needs eight bytes, a setting valid times and known flags', () => {
  const { sim, fd } = timerFd(CLOCK_MONOTONIC);
  assert.equal(fd.read(sim.user.ram, 0, 7), -EINVAL);
  assert.equal(fd.settime(4, ms(1), NEVER), -EINVAL);
  assert.equal(fd.settime(0, { sec: 0, nsec: 1e9 }, NEVER), -EINVAL);
  assert.equal(fd.settime(0, { sec: -1, nsec: 0 }, NEVER), -EINVAL);
  const time = { clock: sim.time, timers: sim.time, clockSet: new WaitQueue() };
  assert.equal(createTimerFd(sim.inode(), 4, 0, time, ROOT_CRED), -EINVAL);
});

test('an absolute time on the wall clock follows when that is set, and can be canceled by it', () => {
  const { sim, fd, clockSet, ticks } = timerFd(CLOCK_REALTIME);
  const at = { sec: sim.time.realtime().sec + 100, nsec: 0 };
  fd.settime(TFD_TIMER_ABSTIME, at, NEVER);
  sim.time.offset += 90;
  clockSet.wake();
  sim.time.advance(10_000 * MS);
  assert.equal(ticks(), 1);
  fd.settime(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, { sec: at.sec + 1000, nsec: 0 }, NEVER);
  clockSet.wake();
  assert.equal(fd.poll(), POLLIN);
  assert.equal(ticks(), -ECANCELED);
  assert.equal(ticks(), -EAGAIN);
  fd.put();
  assert.ok(clockSet.empty);
});

test('signalfd reads the pending signals of whoever reads', () => {
  const sim = new Sim();
  const pending: SignalInfo[] = [killInfo(SIGUSR1, SI_USER, 7, 1000), childInfo(CLD_EXITED, 9, 0, 3)];
  const source: SignalSource = {
    signalQueue: new WaitQueue(),
    isPending: () => pending.length > 0,
    dequeueSignal: () => pending.shift() ?? null,
  };
  const fd = new SignalFd(sim.inode(), -1, -1, 0, () => source);
  assert.equal(fd.poll(), POLLIN);
  assert.equal(fd.read(sim.user.ram, 0, 127), -EINVAL);
  assert.equal(fd.read(sim.user.ram, 0, 1000), 256);
  const { view } = sim.user;
  assert.deepEqual(
    [view.getInt32(0, true), view.getInt32(12, true), view.getInt32(16, true)],
    [SIGUSR1, 7, 1000],
  );
  assert.deepEqual(
    [view.getInt32(128, true), view.getInt32(140, true), view.getInt32(168, true)],
    [SIGCHLD, 9, 3],
  );
  assert.equal(fd.read(sim.user.ram, 0, 128), -EAGAIN);
});

test('a pidfd is readable once its process has exited', () => {
  const subject = {
    ...{ pid: 5, exited: false, reaped: false, exitQueue: new WaitQueue() },
    ...{ ppid: 1, cred: ROOT_CRED, exitStatus: 0, dumpable: 1, hasDumped: false },
  };
  const fd = new PidFd(new Sim().inode(), subject, 0);
  assert.equal(fd.poll(), 0);
  subject.exited = true;
  assert.equal(fd.poll(), POLLIN | POLLRDNORM);
  subject.reaped = true;
  assert.equal(fd.poll(), POLLIN | POLLRDNORM | POLLHUP);
});

test('a poll set scans files and names each queue once', () => {
  const sim = new Sim();
  sim.pipe2(0, 'r', 'w');
  const set = new PollSet(null);
  set.add(sim.file('r'), POLLIN);
  set.add(sim.file('w'), POLLIN);
  set.add(null, POLLIN);
  set.skip();
  assert.equal(set.scan(), 1);
  assert.equal(set.revents(2), POLLNVAL);
  assert.equal(set.queues().length, 1);
  sim.write('w', 1, 'a');
  assert.equal(set.scan(), 2);
  assert.equal(set.revents(0), POLLIN);
  assert.equal(set.size, 4);
});
