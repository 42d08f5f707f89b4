import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Look } from '../../../src/syscalls/args.ts';
import {
  arrayAt,
  bytesAt,
  flagWord,
  named,
  octal,
  quoted,
  signalName,
  signalSet,
} from '../../../src/syscalls/show.ts';
import { IOVEC } from '../../../src/syscalls/structs/messages.ts';
import { WAIT_STATUS, words } from '../../../src/syscalls/structs/process.ts';

/** A program's memory that begins at 4096. */
function look(bytes: Uint8Array, result = 0, ...args: number[]): Look {
  const memory = (at: number, len: number): DataView | null =>
    at < 4096 || at - 4096 + len > bytes.length ? null : new DataView(bytes.buffer, at - 4096, len);
  const string = (at: number): string | null =>
    at < 4096
      ? null
      : (Buffer.from(bytes)
          .toString('latin1', at - 4096)
          .split('\0')[0] ?? null);
  return { args, result, memory, string };
}

test('bytes are quoted as in C, as short as they can be told apart', () => {
  assert.equal(quoted('a"\\\n\t\0'), '"a\\"\\\\\\n\\t\\0"');
  assert.equal(quoted('\x011\x018\xff'), '"\\0011\\18\\377"');
});

test('flags, modes and signals by name', () => {
  const choice = { mask: 3, show: named({ READ: 0, WRITE: 1 }) };
  assert.equal(flagWord(5, { FOUR: 4 }, choice), 'WRITE|FOUR');
  assert.equal(flagWord(0, { FOUR: 4 }, choice), 'READ');
  assert.equal(flagWord(0, { NONE: 0, ONE: 1 }), 'NONE');
  assert.equal(flagWord(0x80000001 | 0, { ONE: 1 }), 'ONE|0x80000000');
  assert.deepEqual([0, 7, 0o22, 0o1777].map(octal), ['000', '007', '022', '01777']);
  assert.deepEqual([2, 32, 34, 0, 99].map(signalName), ['SIGINT', 'SIGRTMIN', 'SIGRT_2', '0', '99']);
  assert.equal(signalSet(0b110, 0), '[INT QUIT]');
  assert.equal(signalSet(~0b10, ~0), '~[INT]');
});

test('memory that is not there is an address, a long one is cut', () => {
  const bytes = new Uint8Array(64).fill(97);
  assert.equal(bytesAt(4096, 3, look(bytes)), '"aaa"');
  assert.equal(bytesAt(4096, 40, look(bytes)), `"${'a'.repeat(32)}"...`);
  assert.equal(bytesAt(4096, -1, look(bytes)), '""');
  assert.equal(bytesAt(8, 3, look(bytes)), '0x8');
  assert.equal(bytesAt(0, 3, look(bytes)), 'NULL');
});

test('arrays, and pointers in them', () => {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 4096 + 48, true);
  view.setUint32(8, 2, true);
  view.setUint32(16, 7, true);
  view.setInt32(24, -1, true);
  view.setInt32(28, -1, true);
  bytes.set(Buffer.from('hi\0'), 48);
  const show = arrayAt(IOVEC, ({ args }) => args[0]!);
  const shown = '[{iov_base="hi", iov_len=2}, {iov_base=0x7, iov_len=-1}]';
  assert.equal(show(4096, look(bytes, 0, 2)), shown);
  assert.equal(show(4096, look(bytes, 0, 0x7fffffff)), '0x1000');
  assert.equal(show(4096, look(bytes, 0, -1)), '0x1000');
  view.setUint32(8, 0, true);
  view.setUint32(16, 0, true);
  assert.equal(words(false)(4096 + 32, look(bytes)), '[]');
  assert.equal(words(true)(0, look(bytes)), 'NULL');
});

test('wait statuses in the macros of wait(2)', () => {
  const shown = [0x300, 9, 0x8b, 0x137f, 0xffff].map(status => {
    const view = new DataView(new ArrayBuffer(4));
    view.setInt32(0, status, true);
    return WAIT_STATUS.show(view, 0, look(new Uint8Array()));
  });
  assert.deepEqual(shown, [
    '[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]',
    '[{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}]',
    '[{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}]',
    '[{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}]',
    '[{WIFCONTINUED(s)}]',
  ]);
});
