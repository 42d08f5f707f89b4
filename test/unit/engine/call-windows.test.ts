/** What a thread copies when it is answered: a list, or one copy through a window. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallWindows } from '../../../src/engine/native/call-windows.ts';
import { SIZE, SLOT } from '../../../src/engine/native/layout.ts';

const HERE = SIZE.SLOT_STRIDE;
const BUFFER = 0x5000;
const WINDOW = { offset: 0x1000, place: 0, closings: 0 };

/** A call whose second argument is BUFFER. */
function windows(): CallWindows {
  const i32 = new Int32Array((2 * SIZE.SLOT_STRIDE) / 4);
  i32[(HERE + SLOT.S_ARGS + 8) / 4] = BUFFER;
  const memory = { i32, view: new DataView(i32.buffer) };
  const space = { write: () => 0 };
  const made = new CallWindows(memory as never, space as never, HERE, { stagedIn: 0, stagedOut: 0 } as never);
  made.begin(undefined);
  return made;
}

test('what goes through a window goes alone', () => {
  const made = windows();
  assert.ok(made.copyThrough(BUFFER, WINDOW as never, 16, 100, false));
  assert.ok(!made.copyThrough(BUFFER, WINDOW as never, 16, 100, false));
  assert.equal(made.send(), SLOT.COPY_THROUGH | (1 << SLOT.COPY_ARG));
});

test('after copies that were made at once the next is no longer through a window', () => {
  const made = windows();
  assert.ok(made.copyThrough(BUFFER, WINDOW as never, 16, 100, false));
  assert.equal(made.copyNow(), 0);
  const offset = made.stageOut(100);
  made.copyOut(BUFFER, offset, 100);
  assert.equal(made.send(), 1);
  assert.equal(made.through, null);
});
