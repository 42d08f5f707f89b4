/** Numbers as procfs writes and reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInteger } from '../../../src/fs/proc/context.ts';
import { listFormat, maskFormat } from '../../../src/fs/proc/format.ts';

test('lists and masks of processors', () => {
  assert.equal(listFormat([0, 1, 2, 5, 7, 8]), '0-2,5,7-8');
  assert.equal(listFormat([]), '');
  assert.equal(maskFormat([0, 1], 2), '3');
  assert.equal(maskFormat([63], 64), '80000000,00000000');
});

test('whole numbers as the kernel reads them', () => {
  for (const [written, value] of [
    ['12', 12],
    [' -3\n', -3],
    ['0x1F', 31],
    ['017', 15],
    ['0', 0],
  ] as const) {
    assert.equal(parseInteger(written), value);
  }
  for (const bad of ['', 'x', '1 2', '08', '0x', '--1', '1e3', '1.5'])
    assert.equal(parseInteger(bad), null, bad);
});
