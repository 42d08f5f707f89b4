/** Calls that wait: what wakes them, what interrupts them, and what they hold meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendToTask } from '../../../src/kernel/signal.ts';
import type { Task } from '../../../src/kernel/task.ts';
import * as e from '../../../src/uapi/errno.ts';
import * as f from '../../../src/uapi/fcntl.ts';
import { killInfo } from '../../../src/uapi/siginfo.ts';
import { SI_USER, SIGPIPE, SIGUSR1 } from '../../../src/uapi/signal.ts';
import { S_IFIFO } from '../../../src/uapi/stat.ts';
import { BASE, CallMachine, syscall, TestMemory } from './machine.ts';

const MEMORY = 1 << 20;
const PATH = BASE + 16;
const BUF = BASE + 4096;

/** Two processes with the same files. */
function pair(): { machine: CallMachine; a: Task; b: Task } {
  const machine = new CallMachine();
  const a = machine.process(new TestMemory(MEMORY));
  const b = machine.process(new TestMemory(MEMORY));
  return { machine, a, b };
}

function put(task: Task, addr: number, data: string | Uint8Array): number {
  (task.user as unknown as TestMemory).ram.set(
    typeof data === 'string' ? Buffer.from(data, 'latin1') : data,
    addr - BASE,
  );
  return addr;
}

const get = (task: Task, addr: number, len: number): Buffer =>
  Buffer.from((task.user as unknown as TestMemory).ram.slice(addr - BASE, addr - BASE + len));

/** A pipe: 3 and 4 in both processes. */
function sharePipe(a: Task, b: Task, flags = 0): void {
  assert.equal(syscall(a, 'pipe2', BUF, flags), 0);
  for (const fd of [3, 4]) b.files.install(a.files.get(fd)!.get(), false, 100);
}

const signal = (task: Task): number => sendToTask(task, killInfo(SIGUSR1, SI_USER, 1, 0));

/** A call that must wait. */
function waiting(result: number | Promise<number>): Promise<number> {
  assert.notEqual(typeof result, 'number', `answered ${result} at once`);
  return result as Promise<number>;
}

test('a reader of an empty pipe waits for a writer, or for its end', async () => {
  const { a, b } = pair();
  sharePipe(a, b);
  const reading = waiting(syscall(a, 'read', 3, BUF, 100));
  put(b, BUF, 'hello');
  assert.equal(syscall(b, 'write', 4, BUF, 5), 5);
  assert.equal(await reading, 5);
  assert.equal(get(a, BUF, 5).toString(), 'hello');
  const end = waiting(syscall(a, 'read', 3, BUF, 100));
  syscall(a, 'close', 4);
  syscall(b, 'close', 4);
  assert.equal(await end, 0);
});

test('a blocking write is complete, however often the pipe fills up', async () => {
  const { a, b } = pair();
  sharePipe(a, b);
  const data = Uint8Array.from({ length: 300_000 }, (_, i) => i * 31 + (i >> 8));
  put(a, BUF, data);
  const writing = waiting(syscall(a, 'write', 4, BUF, data.length));
  const got: Buffer[] = [];
  for (let done = 0; done < data.length; ) {
    const n = await syscall(b, 'read', 3, BUF, 70_000);
    assert.ok(n > 0);
    got.push(get(b, BUF, n));
    done += n;
    await new Promise(setImmediate);
  }
  assert.equal(await writing, data.length);
  assert.ok(Buffer.concat(got).equals(data));
});

test('writev to a pipe is one write, and waits as a whole', async () => {
  const { a, b } = pair();
  sharePipe(a, b);
  const view = (a.user as unknown as TestMemory).view;
  const vector = [BUF, 60_000, BUF, 30_000, BUF, 40_000];
  for (const [i, word] of vector.entries()) view.setBigUint64(64 + 8 * i, BigInt(word), true);
  const writing = waiting(syscall(a, 'writev', 4, BASE + 64, 3));
  let done = 0;
  while (done < 130_000) {
    done += await syscall(b, 'read', 3, BUF, 65_536);
    await new Promise(setImmediate);
  }
  assert.equal(await writing, 130_000);
});

test('a signal ends a wait: restarted if nothing was moved, else a short count', async () => {
  const { a, b } = pair();
  sharePipe(a, b);
  const reading = waiting(syscall(a, 'read', 3, BUF, 1));
  signal(a);
  assert.equal(await reading, -e.ERESTARTSYS);
  const writing = waiting(syscall(b, 'write', 4, BUF, 100_000));
  signal(b);
  assert.equal(await writing, 65_536);
  // What is pending already does not let a wait begin.
  assert.equal(await waiting(syscall(b, 'write', 4, BUF, 1)), -e.ERESTARTSYS);
});

test('EPIPE comes with SIGPIPE, also in the middle of a wait', async () => {
  const { a, b } = pair();
  sharePipe(a, b);
  const writing = waiting(syscall(a, 'write', 4, BUF, 100_000));
  syscall(a, 'close', 3);
  syscall(b, 'close', 3);
  assert.equal(await writing, 65_536);
  assert.ok(a.signals.pending.has(SIGPIPE));
  assert.ok(!b.signals.pending.has(SIGPIPE));
  assert.equal(syscall(b, 'write', 4, BUF, 1), -e.EPIPE);
  assert.ok(b.signals.pending.has(SIGPIPE));
});

test('a file that is waited for outlives its descriptor', async () => {
  const { a, b } = pair();
  sharePipe(a, b);
  const file = a.files.get(3)!;
  syscall(b, 'close', 3);
  const reading = waiting(syscall(a, 'read', 3, BUF, 10));
  syscall(a, 'close', 3);
  assert.equal(file.refs, 1);
  put(b, BUF, 'x');
  assert.equal(syscall(b, 'write', 4, BUF, 1), 1);
  assert.equal(await reading, 1);
  assert.equal(file.refs, 0);
});

test('O_NONBLOCK does not wait', () => {
  const { a, b } = pair();
  sharePipe(a, b, f.O_NONBLOCK);
  assert.equal(syscall(a, 'read', 3, BUF, 1), -e.EAGAIN);
  assert.equal(syscall(a, 'write', 4, BUF, 100_000), 65_536);
  assert.equal(syscall(a, 'write', 4, BUF, 1), -e.EAGAIN);
});

test('poll waits for any of its files, until its deadline, or for a signal', async () => {
  const { machine, a, b } = pair();
  sharePipe(a, b);
  const fds = put(a, BUF, Buffer.from('03000000010000000400000004000000ffffffff01000000', 'hex'));
  assert.equal(syscall(a, 'poll', fds, 3, 1000), 1);
  put(a, fds + 8, Buffer.from('ffffffff04000000', 'hex'));
  const late = waiting(syscall(a, 'poll', fds, 3, 1000));
  machine.time.advance(999e6);
  machine.time.advance(1e6);
  assert.equal(await late, 0);
  const ready = waiting(syscall(a, 'poll', fds, 3, -1));
  syscall(b, 'write', 4, BUF, 1);
  assert.equal(await ready, 1);
  assert.equal(get(a, fds, 8).toString('hex'), '0300000001000100');
  assert.equal(a.files.get(3)!.refs, 2);
  syscall(a, 'read', 3, BUF + 512, 1);
  put(a, fds, Buffer.from('0300000001000000', 'hex'));
  const interrupted = waiting(syscall(a, 'poll', fds, 3, 1000));
  signal(a);
  assert.equal(await interrupted, -e.ERESTART_RESTARTBLOCK);
});

test('an interrupted poll goes on with the time that is left', async () => {
  const { machine, a, b } = pair();
  sharePipe(a, b);
  const fds = put(a, BUF, Buffer.from('0300000001000000', 'hex'));
  const first = waiting(syscall(a, 'poll', fds, 1, 1000));
  machine.time.advance(600e6);
  signal(a);
  assert.equal(await first, -e.ERESTART_RESTARTBLOCK);
  a.signals.pending.clear();
  const second = waiting(a.restart!());
  machine.time.advance(399e6);
  let over = false;
  void second.then(() => {
    over = true;
  });
  await new Promise(setImmediate);
  assert.equal(over, false);
  machine.time.advance(1e6);
  assert.equal(await second, 0);
});

test('ppoll holds another mask while it waits, and tells the time that was left', async () => {
  const { machine, a, b } = pair();
  sharePipe(a, b);
  const fds = put(a, BUF, Buffer.from('0300000001000000', 'hex'));
  const view = (a.user as unknown as TestMemory).view;
  const [time, mask] = [BUF + 64, BUF + 96];
  view.setBigUint64(time - BASE, 2n, true);
  view.setBigUint64(mask - BASE, 1n << BigInt(SIGUSR1 - 1), true);
  const polling = waiting(syscall(a, 'ppoll', fds, 1, time, mask, 8));
  assert.ok(a.signals.isBlocked(SIGUSR1));
  signal(a);
  machine.time.advance(500e6);
  syscall(b, 'write', 4, BUF, 1);
  assert.equal(await polling, 1);
  assert.ok(!a.signals.isBlocked(SIGUSR1));
  assert.equal(view.getBigUint64(time - BASE, true), 1n);
  assert.equal(view.getBigUint64(time + 8 - BASE, true), 500_000_000n);
});

test('select waits, and rewrites its sets and its timeout', async () => {
  const { machine, a, b } = pair();
  sharePipe(a, b);
  const view = (a.user as unknown as TestMemory).view;
  const [set, time] = [BUF, BUF + 64];
  const arm = (): Promise<number> => {
    view.setBigUint64(set - BASE, 8n, true);
    view.setBigUint64(time - BASE, 3n, true);
    view.setBigUint64(time + 8 - BASE, 0n, true);
    return waiting(syscall(a, 'select', 4, set, 0, 0, time));
  };
  const late = arm();
  machine.time.advance(3e9);
  assert.equal(await late, 0);
  assert.equal(view.getBigUint64(set - BASE, true), 0n);
  assert.equal(view.getBigUint64(time - BASE, true), 0n);
  const ready = arm();
  machine.time.advance(1e9);
  syscall(b, 'write', 4, BUF, 1);
  assert.equal(await ready, 1);
  assert.equal(view.getBigUint64(set - BASE, true), 8n);
  assert.equal(view.getBigUint64(time - BASE, true), 2n);
  syscall(a, 'read', 3, BUF + 512, 1);
  const interrupted = arm();
  signal(a);
  assert.equal(await interrupted, -e.ERESTARTNOHAND);
  assert.equal(view.getBigUint64(set - BASE, true), 8n);
});

test('epoll_wait waits, for events, its deadline, or a signal', async () => {
  const { machine, a, b } = pair();
  sharePipe(a, b);
  assert.equal(syscall(a, 'epoll_create1', 0), 5);
  assert.equal(
    syscall(a, 'epoll_ctl', 5, 1, 3, put(a, BUF, Buffer.from('0100000011223344556677ff', 'hex'))),
    0,
  );
  const ready = waiting(syscall(a, 'epoll_wait', 5, BUF + 64, 8, -1));
  syscall(b, 'write', 4, BUF, 1);
  assert.equal(await ready, 1);
  assert.equal(get(a, BUF + 64, 12).toString('hex'), '0100000011223344556677ff');
  syscall(a, 'read', 3, BUF + 512, 1);
  const late = waiting(syscall(a, 'epoll_wait', 5, BUF + 64, 8, 20));
  machine.time.advance(20e6);
  assert.equal(await late, 0);
  const interrupted = waiting(syscall(a, 'epoll_wait', 5, BUF + 64, 8, -1));
  signal(a);
  assert.equal(await interrupted, -e.EINTR);
});

test('opening a FIFO waits for the other end', async () => {
  const { a, b } = pair();
  for (const task of [a, b]) put(task, PATH, 'fifo\0');
  assert.equal(syscall(a, 'mknod', PATH, S_IFIFO | 0o644, 0), 0);
  const reader = waiting(syscall(a, 'open', PATH, f.O_RDONLY));
  assert.equal(syscall(b, 'open', PATH, f.O_WRONLY), 3);
  assert.equal(await reader, 3);
  syscall(b, 'close', 3);
  syscall(a, 'close', 3);
  const interrupted = waiting(syscall(a, 'open', PATH, f.O_WRONLY));
  signal(a);
  assert.equal(await interrupted, -e.ERESTARTSYS);
  assert.equal(a.files.get(3), null);
  assert.equal(syscall(b, 'open', PATH, f.O_WRONLY | f.O_NONBLOCK), -e.ENXIO);
});

test('flock and record locks wait for their turn; circles are refused', async () => {
  const { a, b } = pair();
  for (const task of [a, b]) {
    put(task, PATH, 'locked\0');
    assert.equal(syscall(task, 'open', PATH, f.O_RDWR | f.O_CREAT, 0o644), 3);
  }
  assert.equal(syscall(a, 'flock', 3, f.LOCK_EX), 0);
  const waits = waiting(syscall(b, 'flock', 3, f.LOCK_SH));
  assert.equal(syscall(a, 'flock', 3, f.LOCK_UN), 0);
  assert.equal(await waits, 0);
  const lock = (task: Task, type: number, start: number): number => {
    const view = (task.user as unknown as TestMemory).view;
    for (const [i, word] of [type, start, 10, 0].entries()) view.setBigInt64(64 + 8 * i, BigInt(word), true);
    return BASE + 64;
  };
  assert.equal(syscall(a, 'fcntl', 3, f.F_SETLKW, lock(a, f.F_WRLCK, 0)), 0);
  assert.equal(syscall(b, 'fcntl', 3, f.F_SETLKW, lock(b, f.F_WRLCK, 100)), 0);
  const blocked = waiting(syscall(b, 'fcntl', 3, f.F_SETLKW, lock(b, f.F_WRLCK, 5)));
  assert.equal(syscall(a, 'fcntl', 3, f.F_SETLKW, lock(a, f.F_WRLCK, 105)), -e.EDEADLK);
  assert.equal(syscall(a, 'fcntl', 3, f.F_SETLK, lock(a, f.F_UNLCK, 0)), 0);
  assert.equal(await blocked, 0);
  const again = waiting(syscall(a, 'fcntl', 3, f.F_SETLKW, lock(a, f.F_WRLCK, 0)));
  signal(a);
  assert.equal(await again, -e.ERESTARTSYS);
});

test('splice and sendfile wait for pipes', async () => {
  const { a, b } = pair();
  sharePipe(a, b);
  put(a, PATH, 'file\0');
  assert.equal(syscall(a, 'open', PATH, f.O_RDWR | f.O_CREAT, 0o644), 5);
  const splicing = waiting(syscall(a, 'splice', 3, 0, 5, 0, 100, 0));
  put(b, BUF, 'spliced');
  assert.equal(syscall(b, 'write', 4, BUF, 7), 7);
  assert.equal(await splicing, 7);
  assert.equal(syscall(a, 'ftruncate', 5, 200_000), 0);
  assert.equal(syscall(a, 'lseek', 5, 0, 0), 0);
  const sending = waiting(syscall(a, 'sendfile', 4, 5, 0, 200_000));
  let done = 0;
  while (done < 200_000) {
    done += await syscall(b, 'read', 3, BUF, 65_536);
    await new Promise(setImmediate);
  }
  assert.equal(await sending, 200_000);
  assert.equal(syscall(a, 'lseek', 5, 0, 1), 200_000);
});

test('O_ASYNC sends SIGIO to the owner', () => {
  const { a, b } = pair();
  sharePipe(a, b);
  assert.equal(syscall(a, 'fcntl', 3, f.F_SETOWN, a.tgid), 0);
  assert.equal(syscall(a, 'fcntl', 3, f.F_SETSIG, SIGUSR1), 0);
  assert.equal(syscall(a, 'fcntl', 3, f.F_SETFL, f.FASYNC), 0);
  syscall(b, 'write', 4, BUF, 1);
  const info = a.dequeueSignal(1 << (SIGUSR1 - 1), 0);
  assert.equal(info?.fd, 3);
  assert.equal(info?.code, 1);
  syscall(a, 'fcntl', 3, f.F_SETFL, 0);
  syscall(b, 'write', 4, BUF, 1);
  assert.equal(a.dequeueSignal(1 << (SIGUSR1 - 1), 0), null);
});
