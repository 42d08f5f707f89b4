/** Sites that something jumps into are found, near and far. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findAfter, jumpedInto } from '../../../src/arch/x86_64/call-site.ts';

const SIZE = 5000;
const SITE = 2000;
const LENGTH = 6;

/** A text without jumps but this one. */
function textWith(at: number, ...jump: number[]): Uint8Array {
  const text = new Uint8Array(SIZE).fill(0x90);
  text.set(jump, at);
  return text;
}

const rel32 = (distance: number): number[] => [0, 8, 16, 24].map(shift => (distance >> shift) & 255);
const isHit = (text: Uint8Array): boolean => jumpedInto(text, [SITE], LENGTH).has(SITE);

test('every byte of a site, from everywhere that a jump reaches', () => {
  for (let byte = -1; byte <= LENGTH; byte++) {
    const inside = byte >= 0 && byte < LENGTH;
    const target = SITE + byte;
    for (const at of [SITE - 100, SITE - 50, SITE - 10, SITE + 20, SITE + 100]) {
      const distance = (target - at - 2) & 255;
      assert.equal(isHit(textWith(at, 0xeb, distance)), inside, `short from ${at} to ${target}`);
      assert.equal(isHit(textWith(at, 0x7f, distance)), inside, `conditional from ${at} to ${target}`);
      for (const op of [0xe0, 0xe1, 0xe2, 0xe3])
        assert.equal(isHit(textWith(at, op, distance)), byte === 0, `loop from ${at} to ${target}`);
    }
    for (const at of [0, 1000, SITE - 100, SITE + 50, 4000, SIZE - 7, SIZE - 6]) {
      assert.equal(isHit(textWith(at, 0xe9, ...rel32(target - at - 5))), inside, `far from ${at}`);
      assert.equal(isHit(textWith(at, 0x0f, 0x84, ...rel32(target - at - 6))), inside, `0f 84 from ${at}`);
    }
  }
});

test('the last bytes of a text that have room for a jump', () => {
  assert.ok(isHit(textWith(SIZE - 5, 0xe9, ...rel32(SITE - SIZE))));
  const short = new Uint8Array(8).fill(0x90);
  short.set([0xeb, -8 & 255], 6);
  assert.deepEqual([...jumpedInto(short, [0], 6)], [0]);
});

test('the farthest short jumps, both ways', () => {
  assert.ok(isHit(textWith(SITE - 2 - 127, 0xeb, 127)));
  assert.ok(isHit(textWith(SITE + LENGTH - 1 - 2 + 128, 0xeb, 0x80)));
});

test('one of several sites, and jumps that lead out of the text', () => {
  const text = textWith(4000, 0xe9, ...rel32(2100 - 4005));
  text.set([0xe9, ...rel32(-100_000)], 100);
  text.set([0xe9, ...rel32(1 << 30)], 200);
  assert.deepEqual([...jumpedInto(text, [SITE, 2098, 3000], LENGTH)], [2098]);
  assert.equal(jumpedInto(text, [], LENGTH).size, 0);
});

test('comparisons with -4096 and -4095 after a call are sites', () => {
  const site = [0x0f, 0x05, 0x48, 0x3d];
  const text = Buffer.alloc(100, 0x90);
  text.set([...site, 0x00, 0xf0, 0xff, 0xff], 10);
  text.set([...site, 0x01, 0xf0, 0xff, 0xff], 30);
  text.set([...site, 0x02, 0xf0, 0xff, 0xff], 50);
  text.set([0x0f, 0x05, 0x48, 0x3c, 0x00, 0xf0, 0xff, 0xff], 70);
  text.set([0x00, 0xf0, 0xff, 0xff], 0);
  text.set(site, 96);
  assert.deepEqual(findAfter(text), [12, 32]);
});
