/** Ranges against a set of single numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ranges } from '../../../src/lib/ranges.ts';
import { dice } from '../dice.ts';

const SIZE = 40;

/** The runs of a set, in [from, to). */
function runs(set: Set<number>, from: number, to: number): { from: number; to: number }[] {
  const out: { from: number; to: number }[] = [];
  for (let n = from; n < to; n++) {
    if (!set.has(n)) continue;
    const last = out.at(-1);
    if (last?.to === n) last.to = n + 1;
    else out.push({ from: n, to: n + 1 });
  }
  return out;
}

test('ranges are what a set of numbers is', () => {
  const choose = dice(7);
  const model = new Set<number>();
  let ranges = new Ranges();
  for (let step = 0; step < 5000; step++) {
    const from = choose(SIZE);
    const to = from + 1 + choose(SIZE - from);
    const adds = choose(2) === 0;
    for (let n = from; n < to; n++) adds ? model.add(n) : model.delete(n);
    if (adds) ranges.add(from, to);
    else ranges.remove(from, to);
    if (choose(50) === 0) ranges = ranges.clone();
    assert.deepEqual(ranges.within(0, SIZE + 1), runs(model, 0, SIZE + 1));
    const low = choose(SIZE);
    const high = low + 1 + choose(SIZE - low);
    assert.deepEqual(ranges.within(low, high), runs(model, low, high));
    assert.equal(ranges.touches(low, high), runs(model, low, high).length > 0);
    assert.equal(ranges.count, runs(model, 0, SIZE + 1).length);
  }
});

test('a copy does not change with the original', () => {
  const ranges = new Ranges();
  ranges.add(1, 5);
  const copy = ranges.clone();
  ranges.remove(2, 3);
  assert.deepEqual(copy.within(0, 9), [{ from: 1, to: 5 }]);
});
