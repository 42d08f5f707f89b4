/** Record locks against a model that knows each byte, and the rest by example. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FilesStruct } from '../../../src/fs/fd-table.ts';
import type { File } from '../../../src/fs/file.ts';
import { blockingLock, FileLocks, LockWaits, locksOf, type RecordLock } from '../../../src/fs/locks.ts';
import { EAGAIN, EDEADLK } from '../../../src/uapi/errno.ts';
import {
  F_RDLCK,
  F_UNLCK,
  F_WRLCK,
  LOCK_EX,
  LOCK_SH,
  LOCK_UN,
  O_CREAT,
  O_RDWR,
} from '../../../src/uapi/fcntl.ts';
import { dice } from '../dice.ts';
import { tmpfsMachine } from './machine.ts';
import { must } from './suite/check.ts';

const BYTES = 24;
const lock = (owner: object, type: number, start: number, end: number, pid = 1): RecordLock => ({
  owner,
  type,
  start,
  end,
  pid,
});

test('ranges split and join as if each byte were locked by itself', () => {
  const owners = [{}, {}, {}];
  const random = dice(12345);
  const locks = new FileLocks();
  const held = owners.map(() => new Array<number>(BYTES).fill(F_UNLCK));
  for (let step = 0; step < 20000; step++) {
    const who = random(3);
    const type = [F_RDLCK, F_WRLCK, F_UNLCK, F_UNLCK][random(4)]!;
    const start = random(BYTES);
    const end = start + 1 + random(BYTES - start);
    const range = Array.from({ length: end - start }, (_, i) => start + i);
    const clash = held.some(
      (bytes, other) =>
        other !== who &&
        type !== F_UNLCK &&
        range.some(at => bytes[at] === F_WRLCK || (bytes[at] === F_RDLCK && type === F_WRLCK)),
    );
    assert.equal(locks.set(lock(owners[who]!, type, start, end)), clash ? -EAGAIN : 0);
    if (!clash) for (const at of range) held[who]![at] = type;
    for (const [other, bytes] of held.entries()) {
      for (let at = 0; at < BYTES; at++) {
        const probe = locks.conflict(lock({}, F_WRLCK, at, at + 1));
        if (probe !== null && probe.owner === owners[other]) assert.notEqual(bytes[at], F_UNLCK);
        if (bytes[at] !== F_UNLCK) assert.notEqual(probe, null);
      }
    }
    const runs = held.map(
      bytes => bytes.filter((type, at) => type !== F_UNLCK && type !== bytes[at - 1]).length,
    );
    assert.equal(
      locks.held.length,
      runs.reduce((a, b) => a + b),
    );
  }
});

test('a wait that would close a circle is refused', () => {
  const { sys } = tmpfsMachine();
  sys.put('a', '');
  sys.put('b', '');
  const [fileA, fileB] = [must<File>(sys.open('a', O_RDWR)), must<File>(sys.open('b', O_RDWR))];
  const [one, two, three] = [{}, {}, {}];
  const waits = new LockWaits();
  assert.equal(waits.set(fileA.inode, lock(one, F_WRLCK, 0, 1), true), 0);
  assert.equal(waits.set(fileB.inode, lock(two, F_WRLCK, 0, 1), true), 0);
  assert.equal(waits.set(fileA.inode, lock(three, F_WRLCK, 5, 6), true), 0);
  const wait = lock(one, F_WRLCK, 0, 1);
  assert.equal(waits.set(fileB.inode, wait, true), -EAGAIN);
  assert.equal(waits.set(fileA.inode, lock(two, F_RDLCK, 0, 1), false), -EAGAIN);
  assert.equal(waits.set(fileA.inode, lock(two, F_RDLCK, 0, 1), true), -EDEADLK);
  waits.cancel(wait);
  assert.equal(waits.set(fileA.inode, lock(two, F_RDLCK, 0, 1), true), -EAGAIN);
});

test('each thread of a process may be what closes a circle', () => {
  const { sys } = tmpfsMachine();
  const [a, b, c] = ['a', 'b', 'c'].map(name => must<File>(sys.open(name, O_CREAT | O_RDWR)).inode);
  const [one, two, three] = [{}, {}, {}];
  const waits = new LockWaits();
  assert.equal(waits.set(a!, lock(one, F_WRLCK, 0, 1), true), 0);
  assert.equal(waits.set(b!, lock(two, F_WRLCK, 0, 1), true), 0);
  assert.equal(waits.set(c!, lock(three, F_WRLCK, 0, 1), true), 0);
  const other = lock(one, F_WRLCK, 0, 1);
  assert.equal(waits.set(b!, lock(one, F_WRLCK, 0, 1), true), -EAGAIN);
  assert.equal(waits.set(c!, other, true), -EAGAIN);
  assert.equal(waits.set(a!, lock(two, F_WRLCK, 0, 1), true), -EDEADLK);
  assert.equal(waits.set(c!, lock(three, F_UNLCK, 0, 1), false), 0);
  assert.equal(waits.set(c!, other, true), 0);
  assert.equal(waits.set(a!, lock(two, F_WRLCK, 0, 1), true), -EDEADLK, 'the first still waits');
});

test("closing any descriptor of a file ends its process's locks on it", () => {
  const { sys } = tmpfsMachine();
  const table = new FilesStruct();
  const first = table.install(must<File>(sys.open('f', O_CREAT | O_RDWR)), false, 10);
  const second = table.install(must<File>(sys.open('f', O_RDWR)), false, 10);
  const { inode } = table.get(first)!;
  assert.equal(locksOf(inode).set(lock(table, F_WRLCK, 0, Number.POSITIVE_INFINITY)), 0);
  const other = lock({}, F_RDLCK, 100, 200, 2);
  assert.equal(blockingLock(inode, other)?.end, Number.POSITIVE_INFINITY);
  let woken = 0;
  locksOf(inode).waitq.add({ woken: () => ++woken > 0 });
  table.close(second);
  assert.equal(blockingLock(inode, other), null);
  assert.equal(woken, 1);
});

test('flock belongs to the open file, and goes with its last reference', () => {
  const { sys } = tmpfsMachine();
  const a = must<File>(sys.open('f', O_CREAT | O_RDWR));
  const b = must<File>(sys.open('f', O_RDWR));
  const locks = locksOf(a.inode);
  assert.equal(locks.flock(a, LOCK_SH), 0);
  assert.equal(locks.flock(b, LOCK_SH), 0);
  assert.equal(locks.flock(b, LOCK_EX), -EAGAIN);
  assert.equal(locks.flock(a, LOCK_EX), 0, 'the failed conversion gave the old lock up');
  assert.equal(locks.flock(b, LOCK_SH), -EAGAIN);
  a.get();
  a.put();
  assert.equal(locks.flock(b, LOCK_SH), -EAGAIN);
  a.put();
  assert.equal(locks.flock(b, LOCK_EX), 0);
  assert.equal(locks.flock(b, LOCK_UN), 0);
});
