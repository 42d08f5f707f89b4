/**
 * However much guests ask for, and however long that takes, the clock goes on and timers are not late; and before the kernel
 * sleeps, all that promises have to do is done.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../../src/core/clock.ts';
import { TimerHeap } from '../../../src/core/timers.ts';
import type { BackgroundThreads } from '../../../src/host/background.ts';
import { monotonicNow } from '../../../src/host/monotonic.ts';
import { Loop } from '../../../src/init/loop.ts';
import type { MachineKernel } from '../../../src/init/machine-kernel.ts';

/** One call takes so long, ns, and as many as there are were asked for. */
const CALL = 5e5;
const CALLS = 400;

for (const promises of [false, true])
  test(`timers run, and the coarse clock is kept, between calls that never end; with promises: ${promises}`, async () => {
    await calling(promises);
  });

async function calling(promises: boolean): Promise<void> {
  let calls = 0;
  let callsAtTimer = -1;
  let callsSincePass = 0;
  let mostSincePass = 0;
  const clock = {
    monotonic: monotonicNow,
    passes: () => {
      callsSincePass = 0;
    },
  } as unknown as Clock;
  const timers = new TimerHeap(clock);
  const poll = (): number => {
    for (const end = monotonicNow() + CALL; monotonicNow() < end; );
    mostSincePass = Math.max(mostSincePass, ++callsSincePass);
    if (++calls === CALLS) loop.stop();
    kernel.promisesWait = promises;
    return 1;
  };
  const engine = { poll, busyCount: 1, elsewhereCount: 1, runningCount: 1 };
  const oom = { wake: () => {} };
  const kernel = { engine, clock, timers, oom, promisesWait: false } as unknown as MachineKernel;
  const loop = new Loop(kernel, 2, { look: () => {} } as unknown as BackgroundThreads);

  timers.at(monotonicNow() + 10 * CALL, () => {
    callsAtTimer = calls;
  });
  loop.start();
  while (calls < CALLS) await new Promise(resolve => setImmediate(resolve));
  assert.ok(
    callsAtTimer >= 0 && callsAtTimer < 40,
    `the timer was to run after 10 calls, not ${callsAtTimer}`,
  );
  assert.ok(mostSincePass < 40, `the clock stood still for ${mostSincePass} calls`);
}

/** Longer than what the loop waits for by itself. */
const TICKS = 100;
/** Looks around, of which each takes some hundred ns at the least, until the loop sleeps for the second time. */
const FEW = 20;

for (const elsewhere of [0, 1])
  test(`a long chain of promises ends before the kernel sleeps; guests on other processors: ${elsewhere}`, async () => {
    let ended = false;
    const chain = async (): Promise<void> => {
      for (let i = 0; i < TICKS; i++) await undefined;
      ended = true;
    };
    const sleeps: boolean[] = [];
    let looks = 0;
    let looksAsleep = 0;
    const poll = (): number => {
      if (++looks !== 1) return 0;
      kernel.promisesWait = true;
      void chain();
      return 1;
    };
    const sleep = (): void => {
      if (sleeps.push(ended) === 1) looksAsleep = looks;
      else loop.stop();
    };
    const engine = { poll, sleep, busyCount: 1, elsewhereCount: elsewhere, runningCount: 1 };
    const clock = { monotonic: monotonicNow, passes: () => {} } as unknown as Clock;
    const oom = { wake: () => {} };
    const timers = new TimerHeap(clock);
    const kernel = { engine, clock, timers, oom, promisesWait: false } as unknown as MachineKernel;
    const loop = new Loop(kernel, 2, { look: () => {} } as unknown as BackgroundThreads);

    loop.start();
    while (sleeps.length < 2) await new Promise(resolve => setImmediate(resolve));
    assert.deepEqual(sleeps, [true, true]);
    assert.ok(looks - looksAsleep < FEW, `it looked ${looks - looksAsleep} times after nothing had come`);
  });
