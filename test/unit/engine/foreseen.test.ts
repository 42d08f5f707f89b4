/** Calls that are foreseen, as they stand in a slot, and what a thread, or a guest that lies, makes of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALONG, type ForeseenCall, type OpenedFile } from '../../../src/engine/answers.ts';
import { NativeFileAlong } from '../../../src/engine/native/file-along.ts';
import { NativeForeseenCalls } from '../../../src/engine/native/foreseen.ts';
import { FORESEEN, SIZE, SLOT } from '../../../src/engine/native/layout.ts';
import type { MemoryFile } from '../../../src/engine/native/memory-file.ts';

const HERE = 0x1000;
const QUERY: ForeseenCall = {
  nr: 102,
  args: [],
  compared: 0,
  name: null,
  result: 5,
  written: null,
  out: -1,
  act: 'nothing',
  afterClose: false,
};
const OPEN: ForeseenCall = { ...QUERY, nr: 257, args: [-100, 0, 0, 0], name: '/a/name', act: 'open' };

interface Fixture {
  readonly foreseen: NativeForeseenCalls;
  readonly along: NativeFileAlong;
  readonly words: Int32Array;
  readonly slot: Uint8Array;
}

function fixture(): Fixture {
  const i32 = new Int32Array(new SharedArrayBuffer(HERE + SIZE.SLOT_STRIDE));
  const bytes = new Uint8Array(i32.buffer);
  const view = new DataView(i32.buffer);
  const memory = { i32, bytes, view } as unknown as MemoryFile;
  const along = new NativeFileAlong(memory, HERE);
  const foreseen = new NativeForeseenCalls(memory, HERE, along);
  return { foreseen, along, words: i32.subarray(HERE / 4), slot: bytes.subarray(HERE) };
}

/** A file of so many bytes, which are 1, is written where it is to lie. */
function put({ along, slot }: Fixture, size: number): OpenedFile {
  slot.fill(1, along.stat - HERE, along.stat - HERE + 144);
  const at = along.place(size) - HERE;
  slot.fill(1, at, at + size);
  return { fd: 3, flags: 0x8000, size, may: ALONG.STEADY, whole: true, place: along.stat };
}

function addFile(fix: Fixture, size: number): boolean {
  if (!fix.foreseen.beginFile()) return false;
  return fix.foreseen.add(OPEN, put(fix, size));
}

const isWiped = ({ slot }: Fixture, from: number): boolean =>
  slot.subarray(from, SLOT.S_FILE_PLACE).every(byte => byte === 0);

test('nothing is foreseen before it is sent, nor after it is stopped', () => {
  const { foreseen, words } = fixture();
  foreseen.begin();
  assert.ok(foreseen.add(QUERY, null));
  assert.equal(words[SLOT.S_FORESEEN / 4], 0);
  foreseen.send();
  assert.equal(words[SLOT.S_FORESEEN / 4], 1);
  assert.equal(foreseen.stop(), true);
  assert.equal(words[SLOT.S_FORESEEN / 4], 0);
});

test('a thread that is at it may make one yet', () => {
  const { foreseen, words } = fixture();
  words[SLOT.S_FORESEEN_BUSY / 4] = 1;
  assert.equal(foreseen.stop(), false);
});

test('whatever a guest says it has made, it is no more than there is, and no less than none', () => {
  const { foreseen, words } = fixture();
  foreseen.begin();
  for (let i = 0; i < 3; i++) foreseen.add(QUERY, null);
  foreseen.send();
  for (const [says, made] of [
    [2, 2],
    [3, 3],
    [4, 3],
    [2 ** 31 - 1, 3],
    [-1, 0],
    [-(2 ** 31), 0],
  ] as const) {
    words[SLOT.S_FORESEEN_MADE / 4] = says;
    assert.equal(foreseen.made, made);
  }
});

test('there is room for so many calls, and for so many bytes', () => {
  const many = fixture();
  many.foreseen.begin();
  let calls = 0;
  while (many.foreseen.add(QUERY, null)) calls++;
  assert.equal(calls, FORESEEN.MOST_FORESEEN);
  assert.equal(many.foreseen.beginFile(), false);
  const large = fixture();
  large.foreseen.begin();
  let files = 0;
  while (addFile(large, Math.min(large.along.size, 20_000))) files++;
  assert.ok(files >= 2, `${files} files`);
  assert.ok(
    large.slot.subarray(SLOT.S_FILE_PLACE).every(byte => byte === 0),
    'nothing is written beyond',
  );
});

test('a name, or an answer, for which there is no room: the call is not foreseen, and nothing of it is left', () => {
  const fix = fixture();
  fix.foreseen.begin();
  const room = SLOT.S_FILE_PLACE - SLOT.S_FORESEEN_DATA;
  assert.equal(fix.foreseen.add({ ...OPEN, name: 'n'.repeat(room) }, null), false);
  assert.equal(
    fix.foreseen.add({ ...QUERY, written: new Uint8Array(room + 1).fill(1), out: 0 }, null),
    false,
  );
  fix.foreseen.beginFile();
  assert.equal(fix.foreseen.add({ ...OPEN, name: 'n'.repeat(room - 2000) }, put(fix, 3000)), false);
  assert.ok(isWiped(fix, SLOT.S_FORESEEN_DATA));
});

test('what is not made goes from the slot, what was made before it stays', () => {
  const fix = fixture();
  const { foreseen, slot } = fix;
  foreseen.begin();
  assert.ok(addFile(fix, 1000));
  assert.ok(foreseen.add({ ...QUERY, written: new Uint8Array(40).fill(2), out: 0 }, null));
  assert.ok(addFile(fix, 2000));
  foreseen.send();
  const first = slot.slice(SLOT.S_FORESEEN_DATA, SLOT.S_FORESEEN_DATA + SLOT.FILE_HEAD + 1000);
  foreseen.end(1);
  assert.deepEqual(slot.slice(SLOT.S_FORESEEN_DATA, SLOT.S_FORESEEN_DATA + first.length), first);
  assert.ok(isWiped(fix, SLOT.S_FORESEEN_DATA + first.length + 32));
  const second = SLOT.S_FORESEEN_CALLS + FORESEEN.FORESEEN_CALL;
  assert.ok(slot.subarray(second, SLOT.S_FORESEEN_DATA).every(byte => byte === 0));
});

test('a file that does not come along after all leaves nothing, though a call follows', () => {
  const fix = fixture();
  fix.foreseen.begin();
  fix.foreseen.beginFile();
  put(fix, 5000);
  fix.foreseen.cancelFile();
  assert.ok(isWiped(fix, SLOT.S_FORESEEN_DATA));
});

test('the next program finds nothing', () => {
  const fix = fixture();
  fix.foreseen.begin();
  for (let i = 0; i < 5; i++) addFile(fix, 3000);
  fix.foreseen.send();
  fix.foreseen.begin();
  fix.foreseen.add(QUERY, null);
  fix.foreseen.send();
  fix.words[SLOT.S_FORESEEN_BUSY / 4] = 1;
  fix.foreseen.wipe();
  assert.ok(isWiped(fix, SLOT.S_FORESEEN_CALLS));
  assert.equal(fix.words[SLOT.S_FORESEEN / 4], 0);
  assert.equal(fix.foreseen.stop(), true);
});

test('what the engine keeps to itself no thread unmaps', () => {
  const { foreseen } = fixture();
  foreseen.begin();
  const unmap = (at: number, len: number): boolean =>
    foreseen.add({ ...QUERY, nr: 11, args: [at, len], compared: 3, act: 'call' }, null);
  assert.equal(unmap(0x7e7000000000, 0x1000), true);
  for (const at of [0x7e500000, 0x7e8000000000]) assert.equal(unmap(at, 0x1000), false);
});
