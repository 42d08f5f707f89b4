/** Bitmaps against JavaScript's own sets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bitmap } from '../../../src/lib/bitmap.ts';
import { dice } from '../dice.ts';

test('as many members as a set, and the same', () => {
  const below = dice(1);
  const bitmap = new Bitmap();
  const set = new Set<number>();
  for (let round = 0; round < 2000; round++) {
    const from = below(300);
    const to = from + below(100);
    const adds = below(2) === 0;
    const before = bitmap.clone();
    const count = before.count;
    if (adds) bitmap.set(from, to);
    else bitmap.clear(from, to);
    for (let bit = from; bit < to; bit++) adds ? set.add(bit) : set.delete(bit);
    assert.equal(bitmap.count, set.size);
    assert.equal(before.count, count, 'a copy stays as it was');
    const bit = below(420);
    assert.equal(bitmap.has(bit), set.has(bit));
    const members = [...set].filter(member => member >= bit);
    assert.equal(bitmap.next(bit, true), Math.min(...members));
    const stop = bit + below(100);
    for (const want of [true, false]) {
      const [next, most] = [bitmap.next(bit, want), bitmap.next(bit, want, stop)];
      assert.ok(next < stop ? most === next : most >= stop, `${bit} to ${stop}`);
    }
  }
});
