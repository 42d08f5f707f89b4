/** Sets of signals: who is in them, one after another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachSignal, SigSet } from '../../../src/kernel/sigset.ts';

const membersOf = (lo: number, hi: number): number[] => {
  const members: number[] = [];
  eachSignal(lo, hi, signal => members.push(signal));
  return members;
};

test('each signal of a set comes once, in order', () => {
  for (const wanted of [[], [1], [32], [33], [64], [1, 31, 32, 33, 63, 64], [9, 17, 34]]) {
    const set = new SigSet();
    for (const signal of wanted.toReversed()) set.add(signal);
    assert.deepEqual(membersOf(set.lo, set.hi), wanted);
  }
  assert.deepEqual(
    membersOf(-1, -1),
    Array.from({ length: 64 }, (_, i) => i + 1),
  );
});
