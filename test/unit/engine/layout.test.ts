/** What kernel and stub share lies where nothing else does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FILE, SLOT } from '../../../src/engine/native/layout.ts';
import { NOTES_END } from '../../../src/engine/native/notes.ts';
import { SCRATCH, SCRATCH_END } from '../../../src/engine/native/scratch.ts';

test('each field of a slot has a place of its own', () => {
  const seen = new Map<number, string>();
  for (const [name, offset] of Object.entries(SLOT)) {
    if (!name.startsWith('S_') || offset >= SLOT.S_COPY) continue;
    assert.equal(seen.get(offset), undefined, name);
    seen.set(offset, name);
  }
  assert.ok(seen.size > 40);
});

test("the kernel's scratch room is wide enough, and ends before what spaces see", () => {
  assert.ok(NOTES_END <= SCRATCH.TRANSFER);
  assert.ok(SCRATCH_END <= FILE.FILE_KNOWN);
});
