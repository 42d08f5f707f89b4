/** 64-bit integers in memory against BigInt's, at the edges of what a half holds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHalves, getInt64, getUint64, setInt64 } from '../../../src/lib/int64.ts';

const EDGES = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 47 - 4096, 2 ** 53 - 1];
const VALUES = [...EDGES, ...EDGES.map(value => -value)];

test('what is written is what BigInt writes, and is read again', () => {
  const view = new DataView(new ArrayBuffer(8));
  const other = new DataView(new ArrayBuffer(8));
  for (const value of VALUES) {
    setInt64(view, 0, value);
    other.setBigInt64(0, BigInt(value), true);
    assert.equal(view.getBigUint64(0), other.getBigUint64(0), `${value}`);
    assert.equal(getInt64(view, 0), value + 0);
    assert.equal(fromHalves(view.getInt32(0, true), view.getInt32(4, true)), value + 0);
    const unsigned = view.getBigUint64(0, true);
    if (unsigned < 2n ** 53n) assert.equal(getUint64(view, 0), Number(unsigned));
  }
});

test('a fraction is cut off, and huge numbers stay huge', () => {
  const view = new DataView(new ArrayBuffer(8));
  setInt64(view, 0, 7.9);
  assert.equal(getInt64(view, 0), 7);
  view.setBigUint64(0, 2n ** 64n - 1n);
  assert.equal(getUint64(view, 0), 2 ** 64);
  assert.equal(getInt64(view, 0), -1);
});
