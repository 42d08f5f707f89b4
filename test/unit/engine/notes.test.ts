/** Notes over a real socket: what the host says of their sender, and whatever a sender may do to it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { createMemoryFile } from '../../../src/engine/native/memory-file.ts';
import { type Note, Notes } from '../../../src/engine/native/notes.ts';
import { NOTE } from '../../../src/engine/native/words.ts';
import { openLibc } from '../../../src/host/libc.ts';

const WRITE = 1;
const libc = openLibc();

function newNotes(): Notes {
  const memory = createMemoryFile(libc, 1 << 20);
  assert.ok(typeof memory === 'object', String(memory));
  return new Notes(libc, memory);
}

function send(notes: Notes, ...words: readonly number[]): void {
  const bytes = new Uint8Array(Uint32Array.from(words).buffer);
  assert.equal(libc.syscall(WRITE, notes.peer, libc.addressOf(bytes), bytes.length), bytes.length);
}

function all(notes: Notes): Note[] {
  const came: Note[] = [];
  for (let note = notes.next(); note !== null; note = notes.next()) came.push(note);
  return came;
}

/** Another process, which has the engine's end as its descriptor 3. */
function stranger(notes: Notes, script: string): void {
  execFileSync('python3', ['-c', script], { stdio: ['ignore', 'inherit', 'inherit', notes.peer] });
}

const mine = (kind: number, value: number): Note => ({ kind, value, pid: process.pid });

test('a note says what was written, and who wrote it', () => {
  const notes = newNotes();
  assert.equal(notes.next(), null);
  send(notes, NOTE.NOTE_DONE, 7);
  stranger(notes, 'import os; os.write(3, bytes([5, 0, 0, 0, 1, 2, 3, 0x84])); print(end="")');
  const [first, second, ...rest] = all(notes);
  assert.deepEqual([first, rest], [mine(NOTE.NOTE_DONE, 7), []]);
  assert.deepEqual([second!.kind, second!.value], [5, 0x84030201]);
  assert.ok(second!.pid > 0 && second!.pid !== process.pid);
});

test('more than are read at once come all, in order', () => {
  const notes = newNotes();
  for (const count of [16, 100, 1, 17]) {
    const sent = Array.from({ length: count }, (_, i) => mine(NOTE.NOTE_DONE, i));
    for (const { kind, value } of sent) send(notes, kind, value);
    assert.deepEqual(all(notes), sent);
  }
});

test('those that are too short are none, whatever stood in their place before', () => {
  const notes = newNotes();
  for (let i = 0; i < 16; i++) send(notes, NOTE.NOTE_DEAD, 1000 + i);
  assert.equal(all(notes).length, 16);
  send(notes, NOTE.NOTE_DEAD);
  send(notes);
  stranger(notes, 'import os; os.write(3, b"1234567")');
  send(notes, NOTE.NOTE_DONE, 1);
  send(notes, NOTE.NOTE_DEAD);
  assert.deepEqual(all(notes), [mine(NOTE.NOTE_DONE, 1)]);
});

test('those that are too long count as far as notes go', () => {
  const notes = newNotes();
  send(notes, NOTE.NOTE_DONE, 3, NOTE.NOTE_DEAD, 4, 5, 6);
  send(notes, NOTE.NOTE_DONE, 4);
  assert.deepEqual(all(notes), [mine(NOTE.NOTE_DONE, 3), mine(NOTE.NOTE_DONE, 4)]);
});

test('descriptors that come with a note are not ours', () => {
  const notes = newNotes();
  const before = readdirSync('/proc/self/fd').length;
  stranger(
    notes,
    `import os, socket, struct
end = socket.socket(fileno=3)
files = struct.pack("5i", *[os.open("/dev/null", 0) for i in range(5)])
for i in range(20):
    end.sendmsg([struct.pack("II", 3, i)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
end.detach()`,
  );
  const came = all(notes);
  assert.deepEqual(
    came.map(({ kind, value }) => [kind, value]),
    Array.from({ length: 20 }, (_, i) => [3, i]),
  );
  assert.ok(came.every(({ pid }) => pid === came[0]!.pid && pid !== process.pid));
  assert.equal(readdirSync('/proc/self/fd').length, before);
});
