/** The file that goes along with answers, as kernel and thread see it in the slot. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALONG } from '../../../src/engine/answers.ts';
import { NativeFileAlong } from '../../../src/engine/native/file-along.ts';
import { SIZE, SLOT } from '../../../src/engine/native/layout.ts';
import type { MemoryFile } from '../../../src/engine/native/memory-file.ts';

const HERE = 0x1000;
const FILE = {
  fd: 7,
  flags: 0x8000,
  size: 300,
  may: ALONG.STEADY,
  whole: true,
  place: HERE + SLOT.S_FILE_PLACE,
};

function slot(): { along: NativeFileAlong; words: Int32Array } {
  const i32 = new Int32Array((HERE + SIZE.SLOT_STRIDE) / 4);
  return {
    along: new NativeFileAlong({ i32, bytes: new Uint8Array(i32.buffer) } as unknown as MemoryFile, HERE),
    words: i32.subarray(HERE / 4),
  };
}

test('what is sent stands in the slot, until it is taken', () => {
  const { along, words } = slot();
  assert.equal(along.take(), null);
  along.send(FILE, 20);
  const sent = [SLOT.S_FILE, SLOT.S_FILE_FLAGS, SLOT.S_FILE_SIZE, SLOT.S_FILE_WHOLE, SLOT.S_FILE_USE];
  assert.deepEqual(
    sent.map(at => words[at / 4]),
    [7, 0x8000, 300, 1, 21],
  );
  assert.deepEqual(along.take(), { position: 20, closed: false });
  assert.equal(words[SLOT.S_FILE_USE / 4], 0);
  assert.equal(along.take(), null);
});

test('a thread that closes a file leaves its position', () => {
  const { along, words } = slot();
  along.send(FILE, 0);
  words[SLOT.S_FILE_USE / 4]! |= SLOT.FILE_CLOSED;
  assert.deepEqual(along.take(), { position: 0, closed: true });
});

test('whatever a guest writes there is a position, or nothing', () => {
  const { along, words } = slot();
  for (const [word, use] of [
    [-1, { position: 2 ** 31 - 2, closed: true }],
    [2 ** 31 - 1, { position: 2 ** 31 - 2, closed: false }],
    [-(2 ** 31), null],
    [0, null],
  ] as const) {
    words[SLOT.S_FILE_USE / 4] = word;
    assert.deepEqual(along.take(), use);
  }
});

test('a file does not go along with a position that has no room', () => {
  const { along } = slot();
  for (const position of [2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40]) {
    along.send(FILE, position);
    assert.equal(along.take(), null);
  }
  along.send(FILE, 2 ** 31 - 2);
  assert.deepEqual(along.take(), { position: 2 ** 31 - 2, closed: false });
});

test('its bytes lie in the slot, apart from what is copied in and out', () => {
  const { along } = slot();
  assert.ok(along.place(along.size) - HERE >= SLOT.S_STAGE_OUT + 0x10000);
  assert.ok(along.place(0) + along.size <= HERE + SIZE.SLOT_STRIDE);
  assert.ok(along.stat - HERE >= SLOT.S_COPY + 16 * SLOT.MAX_COPIES);
});
