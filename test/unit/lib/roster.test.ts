import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NumberTable } from '../../../src/lib/number-table.ts';
import { Roster } from '../../../src/lib/roster.ts';
import { dice } from '../dice.ts';

test('a roster behaves as a set', () => {
  const roll = dice(1);
  const roster = new Roster<number>();
  const model = new Set<number>();
  for (let i = 0; i < 5000; i++) {
    const member = roll(40);
    if (roll(2) === 0) {
      roster.add(member);
      model.add(member);
    } else assert.equal(roster.delete(member), model.delete(member));
    assert.equal(roster.size, model.size);
    assert.equal(roster.has(member), model.has(member));
    if (i % 50 === 0) assert.deepEqual([...roster], [...model]);
  }
  assert.deepEqual(roster.takeAll(), [...model]);
  assert.equal(roster.size, 0);
});

test('whoever leaves a roster while it is gone through does not hide another', () => {
  const roster = new Roster<number>();
  for (const member of [1, 2, 3, 4]) roster.add(member);
  const seen: number[] = [];
  for (const member of roster) {
    seen.push(member);
    roster.delete(member);
  }
  assert.deepEqual(seen, [1, 2, 3, 4]);
  assert.equal(roster.size, 0);
});

test('a table by numbers behaves as a map, in the order of the numbers', () => {
  const roll = dice(2);
  const table = new NumberTable<string>();
  const model = new Map<number, string>();
  for (let i = 0; i < 5000; i++) {
    const number = roll(2) === 0 ? roll(40) : 500 + roll(5_000_000);
    if (roll(3) > 0) {
      table.set(number, `${i}`);
      model.set(number, `${i}`);
    }
    const gone = [...model.keys()][roll(2 * model.size + 1)] ?? -1;
    assert.equal(table.delete(gone), model.delete(gone));
    assert.equal(table.size, model.size);
    assert.equal(table.get(number), model.get(number));
    assert.equal(table.has(gone), false);
  }
  const sorted = [...model].sort(([a], [b]) => a - b).map(([, entry]) => entry);
  assert.deepEqual([...table.values()], sorted);
});

test('whoever leaves a table while it is gone through is not met', () => {
  const table = new NumberTable<number>();
  for (const number of [3, 600, 601, 2000]) table.set(number, number);
  const seen: number[] = [];
  for (const number of table.values()) {
    seen.push(number);
    table.delete(601);
  }
  assert.deepEqual(seen, [3, 600, 2000]);
});
