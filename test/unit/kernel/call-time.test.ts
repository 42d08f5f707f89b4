import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallShare, CallTime } from '../../../src/kernel/call-time.ts';

test('time that calls took is time in the system, and never more than there was', () => {
  const share = new CallShare();
  share.calls = 10;
  assert.deepEqual(share.split({ user: 1000, system: 50 }, 30), { user: 700, system: 350 });
  share.calls = 1000;
  assert.deepEqual(share.split({ user: 1100, system: 60 }, 30), { user: 725, system: 435 });
});

test('who does nothing but call is in user mode for a part of the time', () => {
  const share = new CallShare();
  share.calls = 1_000_000;
  assert.deepEqual(share.split({ user: 1_000_000, system: 0 }, 30), { user: 250_000, system: 750_000 });
});

test('where the host counts in steps, what it showed late is made up for', () => {
  const share = new CallShare();
  for (let i = 1; i <= 100; i++) {
    share.calls++;
    assert.deepEqual(share.split({ user: 0, system: 0 }, 30), { user: 0, system: 0 });
  }
  assert.deepEqual(share.split({ user: 10_000, system: 0 }, 30), { user: 7000, system: 3000 });
});

test('what was given out never goes back', () => {
  const share = new CallShare();
  let [user, system] = [0, 0];
  for (let i = 0; i < 1000; i++) {
    share.calls += i % 7;
    const now = share.split({ user: 37 * i, system: 5 * i }, (i * 13) % 50);
    assert.ok(now.user >= user && now.system >= system, `at ${i}`);
    assert.equal(now.user + now.system, 42 * i);
    ({ user, system } = now);
  }
});

test('another thread of the host begins with nothing', () => {
  const share = new CallShare();
  share.calls = 5;
  share.split({ user: 1000, system: 0 }, 10);
  share.clear();
  assert.deepEqual(share.split({ user: 10, system: 0 }, 10), { user: 10, system: 0 });
});

test('the average follows what is measured; what waits does not count in full', () => {
  const time = new CallTime();
  for (let i = 0; i < 200; i++) time.measured(5000);
  assert.ok(Math.abs(time.average - 5000) < 1);
  time.measured(1e9);
  assert.ok(time.average < 12_000);
});
