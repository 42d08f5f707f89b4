import assert from 'node:assert/strict';
import test from 'node:test';
import { CAPS_NONE, ROOT_CRED } from '../../../src/core/cred.ts';
import { EINVAL, ENOENT, ETOOMANYREFS } from '../../../src/uapi/errno.ts';
import { SOCK_DGRAM, SOCK_STREAM } from '../../../src/uapi/socket.ts';
import { NetSim } from './net-sim.ts';

/** The write end of a pipe hangs up its read end once the last reference to it is gone. */
const HUNG_UP = 0x10;

/** Garbage is looked for when a socket goes, whichever. */
function closeAnother(sim: NetSim): void {
  sim.socket(1, SOCK_DGRAM, 0, 'another');
  sim.close('another');
}

test('sockets that hold only each other are freed with what they hold', () => {
  for (const type of [SOCK_STREAM, SOCK_DGRAM]) {
    const sim = new NetSim();
    sim.socketpair(type, 'a', 'b');
    sim.socketpair(type, 'c', 'd');
    sim.pipe2(0, 'r', 'w');
    sim.sendmsg('a', 1, 'x', 0, ['c', 'w']);
    sim.sendmsg('c', 1, 'x', 0, ['b', 'd']);
    sim.sendmsg('d', 1, 'x', 0, ['a']);
    sim.close('w');
    sim.close('a');
    sim.close('b');
    sim.close('c');
    closeAnother(sim);
    assert.equal(sim.poll('r') & HUNG_UP, 0, 'd is open: the rest can be reached');
    sim.close('d');
    closeAnother(sim);
    assert.equal(sim.poll('r') & HUNG_UP, HUNG_UP);
  }
});

test('with many in flight it is looked for garbage less often, and still found', () => {
  const sim = new NetSim();
  sim.socketpair(SOCK_DGRAM, 'keeps', 'queue');
  for (let i = 0; i < 5; i++) {
    const names = Array.from({ length: 16 }, (_, k) => `s${i}-${k}`);
    for (const name of names) sim.socket(1, SOCK_DGRAM, 0, name);
    sim.sendmsg('keeps', 1, 'x', 0, names);
    for (const name of names) sim.close(name);
  }
  sim.socketpair(SOCK_DGRAM, 'a', 'b');
  sim.pipe2(0, 'r', 'w');
  sim.sendmsg('a', 1, 'x', 0, ['b', 'w']);
  for (const name of ['w', 'a', 'b']) sim.close(name);
  let closed = 0;
  for (; (sim.poll('r') & HUNG_UP) === 0 && closed < 100; closed++) closeAnother(sim);
  assert.ok(closed > 0 && closed <= 6, `after ${closed}`);
});

test('a socket sent to itself goes when it is closed', () => {
  const sim = new NetSim();
  sim.socketpair(SOCK_DGRAM, 'a', 'b');
  sim.pipe2(0, 'r', 'w');
  sim.sendmsg('a', 1, 'x', 0, ['b', 'w']);
  for (const name of ['w', 'a', 'b']) sim.close(name);
  closeAnother(sim);
  assert.equal(sim.poll('r') & HUNG_UP, HUNG_UP);
});

test('what lies in the queue of an open socket stays, and arrives', () => {
  const sim = new NetSim();
  sim.socketpair(SOCK_STREAM, 'a', 'b');
  sim.socketpair(SOCK_STREAM, 'c', 'd');
  sim.sendmsg('a', 1, 'x', 0, ['c']);
  sim.send('c', 4, 'q', 0);
  sim.close('c');
  sim.socketpair(SOCK_STREAM, 'e', 'f');
  sim.close('e');
  assert.equal(sim.recvmsg('b', 10, 100, 0, 'got'), 'x1 flags=0 fds=1');
  sim.send('got0', 2, 'z', 0);
  assert.equal(sim.recvfrom('d', 10, 0), '6 q4z2 from unnamed');
});

test('a listener that nobody can reach frees the connections that wait', () => {
  const sim = new NetSim();
  sim.pipe2(0, 'r', 'w');
  sim.socket(1, SOCK_STREAM, 0, 'l');
  sim.bind('l', '@l');
  sim.listen('l', 5);
  sim.socket(1, SOCK_STREAM, 0, 'c');
  sim.connect('c', '@l');
  sim.sendmsg('c', 1, 'x', 0, ['l', 'w']);
  for (const name of ['w', 'l', 'c']) sim.close(name);
  assert.equal(sim.poll('r') & HUNG_UP, HUNG_UP);
  sim.socket(1, SOCK_STREAM, 0, 'again');
  assert.equal(sim.bind('again', '@l'), 0);
});

test('a chain of sockets in each other unwinds without recursion', () => {
  const sim = new NetSim();
  sim.pipe2(0, 'r', 'w');
  let held = 'w';
  for (let i = 0; i < 20_000; i++) {
    sim.socketpair(SOCK_DGRAM, `a${i}`, `b${i}`);
    sim.sendmsg(`a${i}`, 0, 'x', 0, [held]);
    sim.files.get(held)!.file.refs--;
    sim.files.delete(held);
    held = `b${i}`;
    sim.files.get(`a${i}`)!.file.refs--;
  }
  sim.file(held).put();
  assert.equal(sim.poll('r') & HUNG_UP, HUNG_UP);
});

test('who may not has at most as many descriptors in flight as open, and 253 in a message', () => {
  const sim = new NetSim();
  sim.socketpair(SOCK_DGRAM, 'a', 'b');
  sim.pipe2(0, 'r', 'w');
  const rights = (n: number) => Array.from({ length: n }, () => 'r');
  assert.equal(sim.sendmsg('a', 1, 'x', 0, rights(254)), -EINVAL);
  sim.cred = { ...ROOT_CRED, uid: 5, effective: CAPS_NONE };
  for (let i = 0; i < 5; i++) assert.equal(sim.sendmsg('a', 1, 'x', 0, rights(253)), 1);
  assert.equal(sim.sendmsg('a', 1, 'x', 0, rights(1)), -ETOOMANYREFS);
  sim.recvmsg('b', 1, 100, 0, 'got');
  assert.equal(sim.sendmsg('a', 1, 'x', 0, rights(1)), 1);
});

test('a path names a socket while that is open, and refuses afterwards', () => {
  const sim = new NetSim();
  sim.socket(1, SOCK_DGRAM, 0, 's');
  sim.socket(1, SOCK_DGRAM, 0, 'c');
  assert.equal(sim.connect('c', 'gone'), -ENOENT);
  sim.bind('s', 'p');
  const inode = sim.inodes.get('p')!;
  assert.equal(inode.endpoint, sim.file('s'));
  assert.equal(inode.refs, 1);
  sim.close('s');
  assert.equal(inode.endpoint, null);
  assert.equal(inode.refs, 0);
});
