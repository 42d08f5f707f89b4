/** However much guests ask for, and however long that takes, the clock goes on and timers are not late. */
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
