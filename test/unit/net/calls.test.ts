import assert from 'node:assert/strict';
import test from 'node:test';
import { CMSGHDR_SIZE, writeCmsgHdr } from '../../../src/arch/x86_64/structs/msghdr.ts';
import { BufferMemory } from '../../../src/core/buffer-memory.ts';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import { FilesStruct } from '../../../src/fs/fd-table.ts';
import type { Task } from '../../../src/kernel/task.ts';
import { setInt64 } from '../../../src/lib/int64.ts';
import { netCalls } from '../../../src/syscalls/net.ts';
import { recvCalls } from '../../../src/syscalls/recv.ts';
import { sendCalls } from '../../../src/syscalls/send.ts';
import { EAGAIN, EBADF, EFAULT, EINVAL, ENOTSOCK, EPIPE } from '../../../src/uapi/errno.ts';
import {
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_PEEK,
  MSG_WAITALL,
  SCM_RIGHTS,
  SO_PASSCRED,
  SO_RCVTIMEO,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../../src/uapi/socket.ts';
import { rle } from '../ipc/sim.ts';
import { NetSim } from './net-sim.ts';

const SIZE = 1 << 16;
const SV = 8;
const HEADER = 64;
const IOV = 256;
const CONTROL = 512;
const OUT = 4096;
const IN = 8192;

/** A task with a memory of 64 KiB, whose sleeps end when `wakeUp` says so. */
class Caller {
  readonly memory = new BufferMemory(new Uint8Array(SIZE));
  readonly sim = new NetSim();
  readonly files = new FilesStruct();
  readonly view = this.memory.view;
  sleeps = 0;
  wakeUp: () => number = () => assert.fail('sleeps without need');
  readonly task = {
    tgid: 42,
    cred: ROOT_CRED,
    user: this.memory,
    files: this.files,
    clock: this.sim.time,
    kernel: { net: this.sim.net, groups: new Map([[42, {}]]) },
    rlimit: () => 64,
    sleepOn: async () => {
      this.sleeps++;
      return this.wakeUp();
    },
  } as unknown as Task;

  call(name: string, ...args: number[]): number | Promise<number> {
    const found = [...netCalls, ...sendCalls, ...recvCalls].find(row => row.name === name);
    assert.ok(found, name);
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args;
    return found.run(this.task, a, b, c, d, e, f);
  }

  pair(type: number): [number, number] {
    assert.equal(this.call('socketpair', 1, type, 0, SV), 0);
    return [this.view.getInt32(SV, true), this.view.getInt32(SV + 4, true)];
  }

  fill(text: string): number {
    for (let i = 0; i < text.length; i++) this.memory.ram[OUT + i] = text.charCodeAt(i);
    return text.length;
  }

  /** A struct msghdr over buffers [address, length] and a control buffer. */
  header(buffers: readonly (readonly [number, number])[], controlLen: number): void {
    this.memory.ram.fill(0, HEADER, HEADER + 56);
    setInt64(this.view, HEADER + 16, IOV);
    setInt64(this.view, HEADER + 24, buffers.length);
    setInt64(this.view, HEADER + 32, CONTROL);
    setInt64(this.view, HEADER + 40, controlLen);
    buffers.forEach(([addr, len], i) => {
      setInt64(this.view, IOV + 16 * i, addr);
      setInt64(this.view, IOV + 16 * i + 8, len);
    });
  }

  rights(...fds: readonly number[]): number {
    const len = CMSGHDR_SIZE + 4 * fds.length;
    writeCmsgHdr(this.view, CONTROL, len, SOL_SOCKET, SCM_RIGHTS);
    fds.forEach((fd, i) => {
      this.view.setInt32(CONTROL + CMSGHDR_SIZE + 4 * i, fd, true);
    });
    return len;
  }

  got(n: number | Promise<number>): string | number {
    assert.equal(typeof n, 'number');
    return (n as number) < 0 ? (n as number) : rle(this.memory.ram, IN, n as number);
  }
}

test('several buffers are one message; descriptors arrive under new numbers', () => {
  const c = new Caller();
  const [a, b] = c.pair(SOCK_SEQPACKET);
  c.fill('aaabbbbcc');
  c.header(
    [
      [OUT, 3],
      [OUT + 7, 2],
      [OUT + 3, 4],
    ],
    c.rights(a, b),
  );
  assert.equal(c.call('sendmsg', a, HEADER, 0), 9);
  c.header(
    [
      [IN, 4],
      [IN + 100, 50],
    ],
    64,
  );
  assert.equal(c.call('recvmsg', b, HEADER, 0), 9);
  assert.equal(rle(c.memory.ram, IN, 4) + rle(c.memory.ram, IN + 100, 5), 'a3c1c1b4');
  assert.equal(c.view.getInt32(HEADER + 40, true), 24);
  assert.equal(c.view.getInt32(HEADER + 48, true), 0);
  const fds = [16, 20].map(off => c.view.getInt32(CONTROL + off, true));
  assert.deepEqual(fds, [2, 3]);
  assert.equal(c.files.get(2), c.files.get(a));
});

test('a control buffer that is too small cuts the descriptors off and says so', () => {
  const c = new Caller();
  const [a, b] = c.pair(SOCK_STREAM);
  c.fill('x');
  c.header([[OUT, 1]], c.rights(a, a, b));
  assert.equal(c.call('sendmsg', a, HEADER, 0), 1);
  const before = c.files.get(a)!.refs;
  c.header([[IN, 9]], 20);
  assert.equal(c.call('recvmsg', b, HEADER, 0), 1);
  assert.equal(c.view.getInt32(HEADER + 48, true), MSG_CTRUNC);
  assert.equal(c.files.count, 3);
  assert.equal(c.files.get(a)!.refs, before - 1, 'of two references in flight one was installed');
});

test('bad descriptors, lengths and memory are refused, and nothing is left behind', () => {
  const c = new Caller();
  const [a] = c.pair(SOCK_STREAM);
  c.header([[OUT, 1]], c.rights(a, 77));
  assert.equal(c.call('sendmsg', a, HEADER, 0), -EBADF);
  assert.equal(c.files.get(a)!.refs, 1);
  c.header([[OUT, 1]], 8 + c.rights(a));
  setInt64(c.view, CONTROL, 3);
  assert.equal(c.call('sendmsg', a, HEADER, 0), -EINVAL);
  assert.equal(c.call('sendto', a, SIZE - 2, 10, 0, 0, 0), -EFAULT);
  assert.equal(c.call('bind', a, OUT, 500), -EINVAL);
  assert.equal(c.call('bind', a, OUT, -1), -EINVAL);
  assert.equal(c.call('listen', 9, 1), -EBADF);
  c.sim.pipe2(0, 'r', 'w');
  const fd = c.files.install(c.sim.file('r'), false, 64);
  assert.equal(c.call('listen', fd, 1), -ENOTSOCK);
  assert.equal(c.call('socket', 1, SOCK_STREAM | 0x100000, 0), -EINVAL);
});

test('a stream waits until all is sent, and for all when asked', async () => {
  const c = new Caller();
  const [a, b] = c.pair(SOCK_STREAM);
  const into = Array.from({ length: 20 }, (): [number, number] => [OUT, 32768]);
  c.header(into, 0);
  c.wakeUp = () => {
    assert.ok((c.call('recvfrom', b, IN, 40000, MSG_DONTWAIT, 0, 0) as number) > 0);
    return 0;
  };
  assert.equal(await c.call('sendmsg', a, HEADER, 0), 20 * 32768);
  assert.ok(c.sleeps > 5);
  while (c.call('recvfrom', b, IN, 40000, MSG_DONTWAIT, 0, 0) !== -EAGAIN);
  c.fill('hello');
  c.wakeUp = () => c.call('sendto', a, OUT, 5, 0, 0, 0) as number;
  c.memory.ram.fill(0, IN, IN + 20);
  assert.equal(await c.call('recvfrom', b, IN, 12, MSG_WAITALL, 0, 0), 12);
  assert.equal(Buffer.from(c.memory.ram.subarray(IN, IN + 12)).toString(), 'hellohellohe');
  assert.equal(c.got(c.call('recvfrom', b, IN, 12, MSG_PEEK, 0, 0)), 'l2o1');
});

test('timeouts and signals end a wait', async () => {
  const c = new Caller();
  const [a] = c.pair(SOCK_STREAM);
  c.wakeUp = () => -512;
  assert.equal(await c.call('recvfrom', a, IN, 9, 0, 0, 0), -512);
  setInt64(c.view, OUT, 2);
  setInt64(c.view, OUT + 8, 500_000);
  assert.equal(c.call('setsockopt', a, SOL_SOCKET, SO_RCVTIMEO, OUT, 16), 0);
  c.view.setInt32(IN, 16, true);
  assert.equal(c.call('getsockopt', a, SOL_SOCKET, SO_RCVTIMEO, IN + 8, IN), 0);
  assert.deepEqual([c.view.getInt32(IN + 8, true), c.view.getInt32(IN + 16, true)], [2, 500_000]);
  assert.equal(await c.call('recvfrom', a, IN, 9, 0, 0, 0), -4);
  c.wakeUp = () => -110;
  assert.equal(await c.call('recvfrom', a, IN, 9, 0, 0, 0), -EAGAIN);
});

test('connections are made through calls, with addresses and credentials', () => {
  const c = new Caller();
  const listener = c.call('socket', 1, SOCK_STREAM | SOCK_NONBLOCK, 0) as number;
  c.fill('\x01\0\0name');
  assert.equal(c.call('bind', listener, OUT, 7), 0);
  assert.equal(c.call('listen', listener, 3), 0);
  c.view.setInt32(SV, 100, true);
  assert.equal(c.call('accept4', listener, IN, SV, 0), -EAGAIN);
  const client = c.call('socket', 1, SOCK_STREAM, 0) as number;
  assert.equal(c.call('connect', client, OUT, 7), 0);
  c.view.setInt32(SV, 1, true);
  const server = c.call('accept4', listener, IN, SV, 0) as number;
  assert.ok(server > client);
  assert.equal(c.view.getInt32(SV, true), 2);
  c.view.setInt32(SV, 5, true);
  assert.equal(c.call('getpeername', client, IN, SV), 0);
  assert.equal(c.view.getInt32(SV, true), 7);
  assert.equal(rle(c.memory.ram, IN + 3, 2), 'n1a1');
  c.view.setInt32(IN, 1, true);
  assert.equal(c.call('setsockopt', server, SOL_SOCKET, SO_PASSCRED, IN, 4), 0);
  assert.equal(c.call('sendto', client, OUT, 3, 0, 0, 0), 3);
  c.header([[IN, 10]], 64);
  assert.equal(c.call('recvmsg', server, HEADER, 0), 3);
  assert.equal(c.view.getInt32(CONTROL + 16, true), 42);
  assert.equal(c.call('shutdown', server, 2), 0);
  assert.equal(c.call('sendto', client, OUT, 3, MSG_NOSIGNAL, 0, 0), -EPIPE);
});

test('batches send and receive several messages', async () => {
  const c = new Caller();
  const [a, b] = c.pair(SOCK_SEQPACKET);
  c.fill('xyyzzz');
  const vec = 1024;
  const batch = (at: number, lens: readonly number[]): void => {
    lens.forEach((len, i) => {
      const iov = IOV + 16 * i;
      setInt64(c.view, iov, at + (i * (i + 1)) / 2);
      setInt64(c.view, iov + 8, len);
      c.memory.ram.fill(0, vec + 64 * i, vec + 64 * i + 64);
      setInt64(c.view, vec + 64 * i + 16, iov);
      setInt64(c.view, vec + 64 * i + 24, 1);
    });
  };
  batch(OUT, [1, 2, 3]);
  assert.equal(await c.call('sendmmsg', a, vec, 3, 0), 3);
  batch(IN, [1, 2, 3]);
  assert.equal(await c.call('recvmmsg', b, vec, 5, MSG_DONTWAIT, 0), 3);
  assert.deepEqual(
    [0, 1, 2].map(i => c.view.getInt32(vec + 64 * i + 56, true)),
    [1, 2, 3],
  );
  assert.equal(rle(c.memory.ram, IN, 6), 'x1y2z3');
});
