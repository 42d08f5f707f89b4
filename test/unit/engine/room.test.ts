/** Address space that is reserved early goes to the first memory file, and to no other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FILE, RAM_RANGE } from '../../../src/engine/native/layout.ts';
import { createMemoryFile } from '../../../src/engine/native/memory-file.ts';
import { reserveRoom, takeRoom } from '../../../src/engine/native/room.ts';
import { openLibc } from '../../../src/host/libc.ts';

const SIZE = FILE.FILE_RAM + RAM_RANGE;

test('a room is for a memory file of its size alone, once', () => {
  const libc = openLibc();
  assert.equal(takeRoom(SIZE), null);
  reserveRoom(libc);
  assert.equal(takeRoom(SIZE - 4096), null);
  const room = takeRoom(SIZE);
  assert.equal(room?.buffer.byteLength, SIZE);
  assert.equal(takeRoom(SIZE), null);
});

test('a memory file lies in the room', () => {
  const libc = openLibc();
  reserveRoom(libc);
  const first = createMemoryFile(libc, RAM_RANGE);
  const second = createMemoryFile(libc, RAM_RANGE);
  assert.ok(typeof first !== 'string' && typeof second !== 'string');
  first.bytes[FILE.FILE_RAM] = 1;
  second.bytes[FILE.FILE_RAM] = 2;
  assert.equal(first.bytes[FILE.FILE_RAM], 1);
  const got = new Uint8Array(1);
  libc.pread(first.fd, got, 1, FILE.FILE_RAM);
  assert.equal(got[0], 1);
  assert.equal(takeRoom(SIZE), null);
});
