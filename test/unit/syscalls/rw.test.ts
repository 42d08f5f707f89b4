/** read, write and their relatives, compared with the host's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TmpfsFile } from '../../../src/fs/tmpfs/regular.ts';
import {
  AT_FDCWD,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
} from '../../../src/uapi/fcntl.ts';
import { RLIMIT_FSIZE } from '../../../src/uapi/resource.ts';
import { RWF_DSYNC, RWF_SYNC } from '../../../src/uapi/rwf.ts';
import { BASE, CallMachine, syscall, TestMemory } from './machine.ts';
import { BAD, compare, Script } from './script.ts';

const NOWHERE = 99;

/** A script with file 'f' of `text` open for both as descriptor 3. */
function withFile(text: string, flags = O_RDWR): Script {
  const s = new Script();
  s.call('openat', AT_FDCWD, 'f', O_CREAT | flags, 0o644);
  if (text !== '') s.call('pwrite64', 3, text, text.length, 0);
  return s;
}

test('read and write move the position; pread and pwrite do not', () => {
  const s = withFile('hello, world');
  const buf = s.buf(64);
  s.call('read', 3, buf, 5).peek(buf, 8).call('lseek', 3, 0, 1);
  s.call('pread64', 3, buf, 5, 7).peek(buf, 8).call('lseek', 3, 0, 1);
  s.call('write', 3, 'XYZ', 3).call('lseek', 3, 0, 1).call('pread64', 3, buf, 64, 0).peek(buf, 64);
  s.call('pwrite64', 3, 'end', 3, 100).call('lseek', 3, 0, 2).call('pread64', 3, buf, 64, 50).peek(buf, 64);
  s.call('pread64', 3, buf, 64, 103).call('pread64', 3, buf, 64, 1000);
  compare(s);
});

test('large transfers take several windows and give the full count', () => {
  const s = withFile('');
  const big = s.bytes(Uint8Array.from({ length: 50_000 }, (_, i) => i * 7));
  const buf = s.buf(60_000);
  s.call('write', 3, big, 50_000).call('pread64', 3, buf, 60_000, 0).peek(buf, 60_000);
  s.call('pread64', 3, buf, 20_000, 45_000).peek(buf, 60_000);
  compare(s);
});

test('what is refused, and in which order', () => {
  const s = withFile('data');
  const buf = s.buf(16);
  for (const call of ['read', 'write'] as const) {
    s.call(call, NOWHERE, buf, 4).call(call, 3, BAD, 4).call(call, 3, buf, -1).call(call, NOWHERE, BAD, -1);
    s.call(call, -1, buf, 0).call(call, 3, BAD, 0).call(call, 3, -4096, 4);
  }
  for (const call of ['pread64', 'pwrite64'] as const) {
    s.call(call, NOWHERE, buf, 4, 0).call(call, NOWHERE, buf, 4, -1).call(call, 3, buf, 4, -1);
    s.call(call, 3, BAD, 4, 0).call(call, 3, buf, -1, 0);
  }
  s.call('openat', AT_FDCWD, 'f', O_RDONLY).call('write', 4, buf, 1).call('pwrite64', 4, buf, 1, 0);
  s.call('openat', AT_FDCWD, 'f', O_WRONLY).call('read', 5, buf, 1).call('pread64', 5, buf, 1, 0);
  s.call('openat', AT_FDCWD, '.', O_DIRECTORY).call('read', 6, buf, 1).call('write', 6, buf, 1);
  s.call('pread64', 6, buf, 1, 0).call('readv', 6, s.longs(0, 0), 1);
  s.call('openat', AT_FDCWD, 'f', O_PATH).call('read', 7, buf, 1).call('write', 7, buf, 1);
  s.call('lseek', 7, 0, 0).call('pread64', 7, buf, 1, 0).call('readv', 7, buf, 1);
  compare(s);
});

test('lseek', () => {
  const s = withFile('0123456789');
  for (const [offset, whence] of [
    [0, 0],
    [5, 0],
    [-1, 0],
    [2, 1],
    [-8, 1],
    [-7, 1],
    [0, 2],
    [-10, 2],
    [-11, 2],
    [100, 2],
    [3, 3],
    [10, 3],
    [3, 4],
    [10, 4],
    [-1, 3],
    [0, 5],
    [0, -1],
    [2 ** 50, 0],
  ]) {
    s.call('lseek', 3, offset!, whence!);
  }
  const fds = s.buf(8);
  s.call('pipe2', fds, 0).call('lseek', 4, 0, 0).call('lseek', NOWHERE, 0, 0).call('lseek', NOWHERE, 0, 9);
  s.call('lseek', 4, 0, 9);
  compare(s);
});

test('O_APPEND', () => {
  const s = withFile('start');
  const buf = s.buf(32);
  s.call('openat', AT_FDCWD, 'f', O_RDWR | O_APPEND)
    .call('write', 4, 'more', 4)
    .call('lseek', 4, 0, 1);
  s.call('pwrite64', 4, 'end', 3, 0).call('lseek', 4, 0, 1).call('pread64', 4, buf, 32, 0).peek(buf, 32);
  compare(s);
});

test('RLIMIT_FSIZE', () => {
  const s = withFile('');
  const data = s.bytes(new Uint8Array(20_000).fill(65));
  s.rlimit(RLIMIT_FSIZE, 10_000).call('write', 3, data, 20_000).call('write', 3, data, 1);
  s.call('pwrite64', 3, data, 100, 9_950)
    .call('pwrite64', 3, data, 100, 10_000)
    .call('pwrite64', 3, data, 0, 10_001);
  s.call('ftruncate', 3, 10_000)
    .call('ftruncate', 3, 10_001)
    .call('truncate', 'f', 20_000)
    .call('truncate', 'g', 20_000);
  s.call('fallocate', 3, 0, 0, 10_001).call('lseek', 3, 0, 2);
  compare(s);
});

test('vectors', () => {
  const s = withFile('');
  const a = s.str('first');
  const b = s.str('second');
  const buf = s.buf(64);
  const both = s.iov([a, 5], [b, 0], [b, 6]);
  s.call('writev', 3, both, 3).call('pwritev', 3, both, 3, 100).call('lseek', 3, 0, 1);
  s.call('pread64', 3, buf, 64, 0).peek(buf, 16).call('lseek', 3, 0, 0);
  const into = s.iov([buf, 3], [{ at: buf.at + 32 }, 20]);
  s.call('readv', 3, into, 2)
    .peek(buf, 64)
    .call('preadv', 3, into, 2, 101)
    .peek(buf, 64)
    .call('lseek', 3, 0, 1);
  s.call('preadv2', 3, into, 2, -1, 0, 0).call('lseek', 3, 0, 1).call('pwritev2', 3, both, 3, 0, 0, 16);
  s.call('lseek', 3, 0, 2).call('pwritev2', 3, both, 3, 0, 0, 0x4000);
  s.call('readv', 3, s.iov([buf, 3], [{ at: BAD }, 0]), 2);
  compare(s);
});

test('vectors that fail half-way', () => {
  const s = withFile('0123456789');
  const buf = s.buf(64);
  const half = s.iov([buf, 4], [buf, 4]);
  s.poke({ at: half.at + 16 }, '0800000000000000');
  s.call('readv', 3, half, 2).call('lseek', 3, 0, 1).call('writev', 3, half, 2).call('lseek', 3, 0, 1);
  compare(s);
});

test('what vectors are refused', () => {
  const s = withFile('');
  const buf = s.buf(64);
  s.call('writev', 3, s.longs(BAD, 0, BAD, 0), 2).call('writev', 3, s.longs(BAD, 4), 1);
  s.call('writev', 3, s.longs(BAD, -1), 1).call('writev', 3, s.longs(0, 0), 0).call('writev', 3, BAD, 0);
  s.call('writev', 3, BAD, 1).call('writev', 3, s.longs(0, 0), -1).call('writev', 3, buf, 1025);
  s.call('readv', 3, s.longs(BAD, -1), 1).call('readv', 3, BAD, 1).call('readv', 3, buf, 1025);
  s.call('readv', NOWHERE, BAD, 1).call('writev', NOWHERE, BAD, 5000);
  s.call('preadv', 3, buf, 1, -1).call('preadv', NOWHERE, buf, 1, -1).call('preadv', NOWHERE, buf, 1, 0);
  s.call('pwritev2', 3, s.longs(BAD, 0), 1, -1, 0, 0x4000).call('pwritev2', 3, s.longs(BAD, 0), 1, -2, 0, 0);
  s.call('preadv2', 3, s.longs(BAD, 0), 1, -1, 0, 0).call('preadv2', NOWHERE, BAD, 1, -1, 0, 0x4000);
  compare(s);
});

test('a bad address matters only if there is something to read', () => {
  const s = withFile('data');
  s.call('read', 3, BAD, 4).call('lseek', 3, 4, 0).call('read', 3, BAD, 4).call('pread64', 3, BAD, 4, 100);
  s.call('pipe2', s.buf(8), O_NONBLOCK)
    .call('read', 4, BAD, 1)
    .call('write', 5, 'x', 1)
    .call('read', 4, BAD, 1);
  compare(s);
});

test('pipes without waiting', () => {
  const s = new Script();
  const buf = s.buf(70_000);
  s.call('pipe2', s.buf(8), O_NONBLOCK);
  s.call('read', 3, buf, 10).call('write', 4, 'abcdef', 6).call('read', 3, buf, 4).peek(buf, 8);
  s.call('read', 3, buf, 10).peek(buf, 8).call('read', 3, buf, 0).call('write', 4, buf, 0);
  s.call('read', 4, buf, 1)
    .call('write', 3, buf, 1)
    .call('pread64', 3, buf, 1, 0)
    .call('pwrite64', 4, buf, 1, 0);
  s.call('write', 4, buf, 70_000)
    .call('write', 4, buf, 1)
    .call('read', 3, buf, 4096)
    .call('write', 4, buf, 5000);
  s.call('close', 3).call('write', 4, buf, 1).call('write', 4, buf, 0).call('close', 4).call('close', 4);
  s.call('pipe2', BAD, 0).call('pipe2', s.buf(8), 1);
  compare(s);
});

test('a write that gives way is synchronized, too', async () => {
  const machine = new CallMachine();
  const len = 3 << 20;
  const memory = new TestMemory(len + 4096, 1 << 20);
  const task = machine.process(memory);
  memory.ram[0] = 'f'.charCodeAt(0);
  assert.equal(syscall(task, 'openat', AT_FDCWD, BASE, O_CREAT | O_WRONLY, 0o644), 3);
  const file = task.files.get(3)!;
  const { inode } = file;
  assert.ok(inode instanceof TmpfsFile);
  const { write } = inode;
  inode.write = (...args) => {
    machine.time.now += 2e7;
    return write.apply(inode, args);
  };
  const log: string[] = [];
  file.fsync = dataOnly => {
    log.push(`${dataOnly ? 'data' : 'all'} of ${inode.size}`);
    return 0;
  };
  file.release = () => log.push('released');
  memory.view.setBigUint64(0, BigInt(BASE + 4096), true);
  memory.view.setBigUint64(8, BigInt(len), true);
  const finish = async (result: number | Promise<number>): Promise<number> => {
    let over = false;
    if (typeof result !== 'number') result.then(() => (over = true));
    for (let turns = 0; typeof result !== 'number' && !over && turns < 100; turns++) {
      machine.time.advance(1);
      await null;
    }
    return result;
  };
  assert.equal(await finish(syscall(task, 'pwritev2', 3, BASE, 1, 0, 0, RWF_DSYNC)), len);
  assert.equal(await finish(syscall(task, 'pwritev2', 3, BASE, 1, len, 0, 0)), len);
  const last = syscall(task, 'pwritev2', 3, BASE, 1, 2 * len, 0, RWF_SYNC);
  syscall(task, 'close', 3);
  assert.equal(await finish(last), len);
  assert.deepEqual(log, [`data of ${len}`, `all of ${3 * len}`, 'released']);
});
