/** Byte strings against Node's own latin1. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latin1, latin1Bytes } from '../../../src/lib/latin1.ts';

const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7) % 256);
const expected = (off: number, len: number): string => Buffer.from(bytes.buffer, off, len).toString('latin1');

test('a window is a string of as many characters', () => {
  for (const len of [0, 1, 2, 7, 255, 256, 4095, 4096, 4097, 8192, 9000])
    for (const off of [0, 1, 300]) assert.equal(latin1(bytes, off, len), expected(off, len));
  assert.equal(latin1(bytes, 5, -1), '');
});

test('and back', () => {
  assert.deepEqual(latin1Bytes(latin1(bytes, 3, 9000)), bytes.slice(3, 9003));
});
