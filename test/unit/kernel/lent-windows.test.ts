/** Windows that are with threads are looked at every tick, by one timer, for as long as there are any. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../../src/core/clock.ts';
import { TimerHeap } from '../../../src/core/timers.ts';
import { LentWindows, type WindowGoesAlong } from '../../../src/kernel/window-along.ts';

test('one timer for all windows, until none is left', () => {
  let now = 0;
  const clock = { monotonic: () => now } as Clock;
  const timers = new TimerHeap(clock);
  const lent = new LentWindows({ timers, clock });
  const stays = [true, true, true];
  const looks = [0, 0, 0];
  const windows = stays.map((_, i) => ({
    file: { window: null },
    look: () => {
      looks[i]!++;
      return stays[i];
    },
  })) as unknown as WindowGoesAlong[];
  const tick = (): number => {
    now += 4e6;
    return timers.run();
  };

  for (const window of [windows[0]!, windows[0]!, ...windows]) lent.add(window);
  assert.equal(timers.count, 1);
  assert.equal(tick(), 1);
  assert.deepEqual(looks, [1, 1, 1]);
  stays[1] = false;
  tick();
  tick();
  assert.deepEqual(looks, [3, 2, 3]);
  stays.fill(false);
  tick();
  assert.equal(timers.count, 0);
  stays[0] = true;
  lent.add(windows[0]!);
  assert.equal(timers.count, 1);
  lent.recall();
  tick();
  assert.deepEqual(looks, [5, 2, 4]);
});
