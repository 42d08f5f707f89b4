import assert from 'node:assert/strict';
import test from 'node:test';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import { AnonSuper } from '../../../src/fs/anon.ts';
import { createPipe, openFifo, PipeFile } from '../../../src/ipc/pipe-file.ts';
import { PipeLimits } from '../../../src/ipc/pipe-limits.ts';
import { EAGAIN } from '../../../src/uapi/errno.ts';
import {
  F_GETFL,
  F_GETPIPE_SZ,
  F_SETFL,
  F_SETPIPE_SZ,
  O_DIRECT,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
} from '../../../src/uapi/fcntl.ts';
import { FIONREAD } from '../../../src/uapi/ioctls.ts';
import { POLLIN } from '../../../src/uapi/poll.ts';
import { dice } from '../dice.ts';
import { compare, FakeTime, type Op, type Script, Sim } from './sim.ts';

const STATE: readonly Op[] = [
  ['poll', 'r'],
  ['poll', 'w'],
  ['ioctl', 'r', FIONREAD],
];

test('a pipe through its life answers as the host does', () => {
  compare([
    [
      ['pipe2', O_NONBLOCK, 'r', 'w'],
      ['read', 'r', 10],
      ['read', 'r', 0],
      ['write', 'w', 0, 'x'],
      ['read', 'w', 1],
      ['write', 'r', 1, 'x'],
      ['fcntl', 'r', F_GETFL, 0],
      ['fcntl', 'w', F_GETPIPE_SZ, 0],
      ...STATE,
      ['write', 'w', 5, 'a'],
      ['write', 'w', 4096, 'b'],
      ...STATE,
      ['read', 'r', 7],
      ['write', 'w', 100000, 'c'],
      ...STATE,
      ['write', 'w', 1, 'd'],
      ['read', 'r', 4096],
      ['write', 'w', 5000, 'e'],
      ['write', 'w', 5000, 'f'],
      ['read', 'r', 200000],
      ['close', 'w'],
      ['poll', 'r'],
      ['read', 'r', 10],
    ],
    [
      ['pipe2', O_NONBLOCK, 'r', 'w'],
      ['close', 'r'],
      ['poll', 'w'],
      ['write', 'w', 1, 'a'],
      ['write', 'w', 0, 'a'],
    ],
  ]);
});

test('packet mode keeps the boundaries of writes', () => {
  compare([
    [
      ['pipe2', O_NONBLOCK | O_DIRECT, 'r', 'w'],
      ['fcntl', 'w', F_GETFL, 0],
      ['write', 'w', 10, 'a'],
      ['write', 'w', 10, 'b'],
      ['write', 'w', 10000, 'c'],
      ['read', 'r', 4],
      ['read', 'r', 100],
      ['read', 'r', 100],
      ['read', 'r', 100000],
      ['read', 'r', 100000],
      ['read', 'r', 100000],
      ['write', 'w', 3, 'a'],
      ['fcntl', 'w', F_SETFL, O_NONBLOCK],
      ['write', 'w', 3, 'b'],
      ['write', 'w', 3, 'c'],
      ['fcntl', 'w', F_SETFL, O_NONBLOCK | O_DIRECT],
      ['write', 'w', 3, 'd'],
      ['read', 'r', 100],
      ['read', 'r', 100],
      ['read', 'r', 100],
    ],
  ]);
});

test('the capacity changes as on the host', () => {
  const sizes = [1, 4096, 4097, 65536, 100000, 1048576, 0, 0x7fffffff];
  compare([
    [
      ['pipe2', O_NONBLOCK, 'r', 'w'],
      ...sizes.slice(0, 7).map((size): Op => ['fcntl', 'r', F_SETPIPE_SZ, size]),
      ['fcntl', 'w', F_SETPIPE_SZ, 65536],
      ['write', 'w', 20000, 'a'],
      ['fcntl', 'w', F_SETPIPE_SZ, 16384],
      ['fcntl', 'w', F_SETPIPE_SZ, 32768],
      ['write', 'w', 20000, 'b'],
      ['read', 'r', 100000],
    ],
  ]);
});

test('random reads and writes answer as on the host', () => {
  const scripts: Script[] = [];
  for (let seed = 1; seed <= 40; seed++) {
    const roll = dice(seed);
    const size = () => [1, 7, 100, 1000, 4095, 4096, 4097, 9000, 30000, 70000][roll(10)]! - (roll(2) && 1);
    const script: Op[] = [['pipe2', O_NONBLOCK | (roll(4) === 0 ? O_DIRECT : 0), 'r', 'w']];
    for (let i = 0; i < 60; i++) {
      const what = roll(10);
      if (what < 5) script.push(['write', 'w', size(), String.fromCharCode(97 + (i % 26))]);
      else if (what < 9) script.push(['read', 'r', size()]);
      else script.push(['fcntl', 'r', F_SETPIPE_SZ, 4096 << roll(6)]);
      script.push(...STATE);
    }
    scripts.push(script);
  }
  compare(scripts);
});

test('splice and tee move what the host moves', () => {
  compare([
    [
      ['pipe2', O_NONBLOCK, 'r', 'w'],
      ['pipe2', O_NONBLOCK, 'r2', 'w2'],
      ['tee', 'r', 'w2', 10, 2],
      ['write', 'w', 10, 'a'],
      ['tee', 'r', 'w2', 4, 2],
      ['tee', 'r', 'w2', 100, 2],
      ['read', 'r2', 100],
      ['splice', 'r', 'w2', 6, 2],
      ['write', 'w', 5, 'b'],
      ['write', 'w2', 5, 'c'],
      ['read', 'r2', 100],
      ['read', 'r', 100],
      ['splice', 'r', 'w2', 6, 2],
      ['splice', 'r', 'w', 6, 2],
      ['write', 'w', 9000, 'd'],
      ['splice', 'r', 'w2', 5000, 2],
      ['ioctl', 'r2', FIONREAD],
      ['ioctl', 'r', FIONREAD],
      ['close', 'w'],
      ['splice', 'r', 'w2', 100000, 2],
      ['splice', 'r', 'w2', 100000, 2],
    ],
  ]);
});

test('FIFOs open and hang up as on the host', () => {
  const NB = O_NONBLOCK;
  compare([
    [
      ['mkfifo', 'f'],
      ['open', 'f', O_WRONLY | NB, 'w'],
      ['open', 'f', O_RDONLY | NB, 'r'],
      ['poll', 'r'],
      ['read', 'r', 5],
      ['open', 'f', O_WRONLY | NB, 'w'],
      ['poll', 'r'],
      ['poll', 'w'],
      ['read', 'r', 5],
      ['write', 'w', 5, 'a'],
      ['close', 'w'],
      ['poll', 'r'],
      ['read', 'r', 9],
      ['poll', 'r'],
      ['read', 'r', 9],
      ['open', 'f', O_RDWR | NB, 'x'],
      ['poll', 'r'],
      ['poll', 'x'],
      ['close', 'r'],
      ['write', 'x', 5, 'z'],
      ['read', 'x', 3],
      ['open', 'f', O_WRONLY, 'w'],
      ['close', 'x'],
      ['poll', 'w'],
      ['open', 'f', O_RDONLY, 'r'],
      ['read', 'r', 9],
    ],
  ]);
});

test('a FIFO waits for its other end, and forgets its bytes with the last user', () => {
  const sim = new Sim();
  sim.mkfifo('f');
  const inode = sim.inodes.get('f')!;
  const reader = openFifo(inode, O_RDONLY, ROOT_CRED, sim.pipeLimits);
  assert.ok(reader instanceof PipeFile);
  assert.equal(reader.opened(), -EAGAIN);
  let woken = 0;
  reader.waitq.add({ woken: () => ++woken > 0 });
  const writer = openFifo(inode, O_WRONLY, ROOT_CRED, sim.pipeLimits);
  assert.ok(writer instanceof PipeFile);
  assert.equal(writer.opened(), 0);
  assert.ok(woken > 0);
  writer.put();
  assert.equal(reader.opened(), 0, 'a writer came, though it has gone again');
  reader.put();
  assert.equal(inode.endpoint, null);
});

test('a write wakes readers once there is something, and only those', () => {
  const sb = new AnonSuper('pipefs', 0, 1, new FakeTime());
  const pipe = createPipe(sb, 0, ROOT_CRED, new PipeLimits());
  assert.ok(typeof pipe === 'object');
  const seen: number[] = [];
  const waiter = { woken: (events: number) => seen.push(events) > 0 };
  pipe.read.waitq.add(waiter);
  pipe.write.write(new Uint8Array(8), 0, 8);
  assert.ok(seen.length === 1 && (seen[0]! & POLLIN) !== 0);
  pipe.read.read(new Uint8Array(8), 0, 8);
  assert.equal(seen.length, 1, 'nobody waits for room in a pipe that was not full');
  pipe.write.write(new Uint8Array(1 << 20), 0, 1 << 20);
  pipe.read.read(new Uint8Array(4096), 0, 4096);
  assert.equal(seen.length, 3);
});
