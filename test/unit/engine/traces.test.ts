/** What calls leave in a slot is gone when the next program begins, and nothing else is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Prefetch } from '../../../src/engine/engine.ts';
import { NativeFileAlong } from '../../../src/engine/native/file-along.ts';
import { OWN_FRAME } from '../../../src/engine/native/frame.ts';
import { SIZE, SLOT } from '../../../src/engine/native/layout.ts';
import type { MemoryFile } from '../../../src/engine/native/memory-file.ts';
import { Traces } from '../../../src/engine/native/traces.ts';

const HERE = SIZE.SLOT_STRIDE;
const FRAME = SLOT.S_IN0 - 0x800;
const MARK = 0xaa;

class Slot {
  readonly bytes = new Uint8Array(3 * SIZE.SLOT_STRIDE);
  readonly i32 = new Int32Array(this.bytes.buffer);
  readonly memory = { bytes: this.bytes, i32: this.i32 } as unknown as MemoryFile;
  readonly traces = new Traces(this.memory, HERE);

  constructor() {
    this.bytes.fill(MARK);
    this.set(SLOT.S_IN0_LEN, 0);
    this.set(SLOT.S_IN1_LEN, 0);
  }

  set(field: number, value: number): void {
    this.i32[(HERE + field) >> 2] = value;
  }

  /** A call whose two pieces have these lengths; they are arguments 0 and 1. */
  call(plan: readonly Prefetch[], in0: number, in1 = 0): void {
    this.set(SLOT.S_IN0_LEN, in0);
    this.set(SLOT.S_IN1_LEN, in1);
    this.traces.came(plan);
  }

  /** How many bytes from `offset` on are zeros. */
  wiped(offset: number): number {
    return this.bytes.subarray(HERE + offset).indexOf(MARK);
  }

  get all(): number {
    return this.bytes.reduce((sum, byte) => sum + (byte === 0 ? 1 : 0), 0);
  }
}

const BUFFER: readonly Prefetch[] = [
  { kind: 'buffer', arg: 0, lengthArg: 2, size: undefined, small: false },
  { kind: 'struct', arg: 1, lengthArg: undefined, size: 16, small: false },
];

test('what was brought, as far as it ever went', () => {
  const slot = new Slot();
  slot.call(BUFFER, 5000, 16);
  slot.call(BUFFER, 100, 700);
  slot.traces.came(undefined);
  slot.traces.wipe(FRAME);
  assert.deepEqual([slot.wiped(SLOT.S_IN0), slot.wiped(SLOT.S_IN1)], [5000, 700]);
  assert.deepEqual([slot.wiped(SLOT.S_STAGE_IN), slot.wiped(SLOT.S_STAGE_OUT)], [0, 0]);
});

test('what came before a fault: perhaps all', () => {
  const slot = new Slot();
  slot.call(BUFFER, -1, -1);
  slot.traces.wipe(FRAME);
  assert.equal(slot.wiped(SLOT.S_IN0), SLOT.S_STAGE_IN - SLOT.S_IN0);
  // Null pointers: nothing was there to fetch.
  const other = new Slot();
  for (const field of [0, 4, 8, 12]) other.set(SLOT.S_ARGS + field, 0);
  other.call(BUFFER, -1, -1);
  other.traces.wipe(FRAME);
  assert.ok(other.wiped(SLOT.S_IN0) <= 256);
});

test('whatever a guest says that it brought, its slot alone is wiped', () => {
  for (const length of [0x7fffffff, 0x20000, -1, -0x80000000]) {
    const slot = new Slot();
    slot.call(BUFFER, length, length);
    slot.traces.wipe(FRAME);
    assert.equal(slot.wiped(SLOT.S_IN0), SLOT.S_STAGE_IN - SLOT.S_IN0);
    assert.ok(slot.bytes.subarray(0, HERE).every(byte => byte === MARK));
    assert.ok(slot.bytes.subarray(HERE + SIZE.SLOT_STRIDE).every(byte => byte === MARK));
  }
});

test('the stages, frames and registers', () => {
  const slot = new Slot();
  Object.assign(slot.traces, { stagedIn: 3000, stagedOut: 70_000 });
  slot.traces.ownFrameOf(3000);
  slot.traces.frameAt(FRAME - 0x1000);
  slot.traces.frameAt(FRAME);
  slot.traces.wipe(FRAME);
  const places = [SLOT.S_STAGE_IN, SLOT.S_STAGE_OUT, OWN_FRAME, FRAME - 0x1000];
  assert.deepEqual(
    places.map(at => slot.wiped(at)),
    [3000, 70_000, 3000, 0],
  );
  assert.ok(slot.wiped(FRAME) >= SLOT.S_IN0 - FRAME);
  // A thread that came without a frame uses none of that stack.
  slot.bytes.fill(MARK);
  slot.traces.frameAt(FRAME - 0x1000);
  slot.traces.wipe(0);
  assert.ok(slot.wiped(FRAME - 0x1000) >= 0x1000);
});

test('once: after that next to nothing', () => {
  const slot = new Slot();
  slot.call(BUFFER, 60_000, 10_000);
  Object.assign(slot.traces, { stagedIn: 100_000, stagedOut: 100_000 });
  slot.traces.wipe(FRAME);
  slot.bytes.fill(MARK);
  slot.set(SLOT.S_IN0_LEN, 0);
  slot.set(SLOT.S_IN1_LEN, 0);
  slot.traces.wipe(FRAME);
  assert.ok(slot.all < 6144 + 8, `${slot.all} bytes`);
});

test('the file that came along', () => {
  const slot = new Slot();
  const along = new NativeFileAlong(slot.memory, HERE);
  along.place(1000);
  along.place(10);
  along.wipe();
  assert.equal(slot.wiped(SLOT.S_FILE_PLACE + SLOT.FILE_HEAD), 1000);
  assert.equal(slot.wiped(SLOT.S_FILE_PLACE), 144);
  slot.bytes.fill(MARK);
  along.wipe();
  assert.equal(slot.wiped(SLOT.S_FILE_PLACE + SLOT.FILE_HEAD), 0);
});
