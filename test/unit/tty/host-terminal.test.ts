/** Consoles, terminals and streams of the real host. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { HostStreamFile } from '../../../src/drivers/tty/host-stream.ts';
import type { Tty } from '../../../src/drivers/tty/tty.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { openChannel, parseChannel } from '../../../src/host/channel-spec.ts';
import { DescriptorCalls, HostDescriptor } from '../../../src/host/descriptors.ts';
import { openLibc } from '../../../src/host/libc.ts';
import { HostPoller } from '../../../src/host/poller.ts';
import { getAttributes, type HostPty, HostTerminal, openHostPty } from '../../../src/host/terminal.ts';
import { EAGAIN, EBADF, ENOTTY, EPIPE } from '../../../src/uapi/errno.ts';
import { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from '../../../src/uapi/fcntl.ts';
import { TIOCSWINSZ } from '../../../src/uapi/ioctl-tty.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from '../../../src/uapi/poll.ts';
import { SIGWINCH } from '../../../src/uapi/signal.ts';
import { defaultTermios, ECHO, ICANON, type Termios, writeWinSize } from '../../../src/uapi/termios.ts';
import { opened, readText, TtyMachine, writeText } from './machine.ts';

const libc = openLibc();
const calls = new DescriptorCalls(libc);
const poller = new HostPoller(libc);
const dir = mkdtempSync(join(tmpdir(), 'uml-tty-'));
after(() => {
  poller.close();
  rmSync(dir, { recursive: true });
});

/** A host pty whose slave is cooked again, as a user's terminal is. */
function userTerminal(): HostPty {
  const pty = openHostPty(calls);
  if (typeof pty === 'number') throw new Error(`no pty: ${pty}`);
  calls.view.setUint32(0, 0);
  const cooked = defaultTermios();
  const view = new DataView(new ArrayBuffer(36));
  view.setInt32(0, cooked.iflag, true);
  for (let i = 0; i < 4; i++)
    calls.view.setInt32(i * 4, [cooked.iflag, cooked.oflag, cooked.cflag, cooked.lflag][i]!, true);
  for (let i = 0; i < 20; i++) calls.view.setUint8(16 + i, i === 0 ? 0 : cooked.cc[i - 1]!);
  assert.equal(calls.ioctl(pty.slave, 0x5402), 0);
  resize(pty, 33, 99);
  return pty;
}

function resize(pty: HostPty, rows: number, cols: number): void {
  writeWinSize(calls.view, 0, { rows, cols, xpixel: 0, ypixel: 0 });
  assert.equal(calls.ioctl(pty.slave, TIOCSWINSZ), 0);
}

function closePty(pty: HostPty): void {
  closeSync(pty.slave);
  closeSync(pty.master);
}

/** What arrives at a descriptor, once there is something; the loop turns meanwhile. */
async function receive(fd: number): Promise<string> {
  const buf = Buffer.alloc(4096);
  for (let i = 0; i < 30_000; i++) {
    poller.dispatch();
    if ((calls.poll(fd, POLLIN) & POLLIN) !== 0) {
      const n = calls.read(fd, buf, 0, buf.length, false);
      return buf.toString('latin1', 0, Math.max(n, 0));
    }
    await new Promise(resolve => setTimeout(resolve, 2));
  }
  throw new Error('nothing arrived');
}

function channelOf(text: string): NonNullable<Exclude<ReturnType<typeof openChannel>, number>> {
  const spec = parseChannel(text);
  if (typeof spec === 'string') throw new Error(spec);
  const channel = openChannel(spec, calls, poller);
  if (channel === null || typeof channel === 'number') throw new Error(`${text}: ${channel}`);
  return channel;
}

test('channels are named as in UML', () => {
  const fd = (n: number): object => ({ kind: 'fd', fd: n });
  assert.deepEqual(parseChannel('fd:0,fd:1'), { input: fd(0), output: fd(1) });
  assert.deepEqual(parseChannel('fd:3'), { input: fd(3), output: fd(3) });
  assert.deepEqual(parseChannel('null,fd:2'), { input: { kind: 'null' }, output: fd(2) });
  assert.deepEqual(parseChannel('pts'), { input: { kind: 'pts' }, output: { kind: 'pts' } });
  for (const wrong of [
    '',
    'fd',
    'fd:',
    'fd:x',
    'fd:0,fd:1,fd:2',
    'xterm',
    'port:9000',
    'tty:/dev/tty3',
    'foo',
  ]) {
    assert.equal(typeof parseChannel(wrong), 'string', wrong);
  }
  assert.equal(openChannel({ input: { kind: 'none' }, output: { kind: 'none' } }, calls, poller), null);
  assert.equal(
    openChannel({ input: { kind: 'fd', fd: 999 }, output: { kind: 'null' } }, calls, poller),
    -EBADF,
  );
});

test('raw mode and back, any number of times', () => {
  const pty = userTerminal();
  const terminal = new HostTerminal(calls, pty.slave);
  const before = getAttributes(calls, pty.slave) as Termios;
  terminal.restore();
  assert.equal(terminal.setRaw(), 0);
  assert.equal(terminal.setRaw(), 0);
  assert.equal((getAttributes(calls, pty.slave) as Termios).lflag & (ECHO | ICANON), 0);
  terminal.restore();
  terminal.restore();
  assert.deepEqual(getAttributes(calls, pty.slave), before);
  closePty(pty);
  const pipe = openSync('/dev/null', 'r');
  assert.equal(new HostTerminal(calls, pipe).setRaw(), -ENOTTY);
  assert.equal(new HostTerminal(calls, pipe).isTerminal, false);
  closeSync(pipe);
});

for (const [how, code, signal] of [
  ['SIGTERM', null, 'SIGTERM'],
  ['SIGINT', null, 'SIGINT'],
  ['exit', 3, null],
  ['throw', 1, null],
] as const) {
  test(`the terminal is put back after ${how}`, async () => {
    const pty = userTerminal();
    const before = getAttributes(calls, pty.slave);
    const child = spawn(process.execPath, [join(import.meta.dirname, 'raw-child.ts'), how], {
      stdio: [pty.slave, 'pipe', 'ignore'],
    });
    const ended = once(child, 'exit');
    const [said] = await once(child.stdout!, 'data');
    assert.equal(String(said), 'raw 0\n');
    if (signal !== null) {
      assert.notDeepEqual(getAttributes(calls, pty.slave), before);
      child.kill(signal);
    }
    assert.deepEqual(await ended, [code, signal]);
    assert.deepEqual(getAttributes(calls, pty.slave), before);
    closePty(pty);
  });
}

test("a console on the user's terminal", async () => {
  const pty = userTerminal();
  const terminal = new HostTerminal(calls, pty.slave);
  terminal.setRaw();
  const machine = new TtyMachine();
  const init = machine.table.fork();
  const { channel } = channelOf(`fd:${pty.slave},fd:${pty.slave}`);
  const line = machine.terminals.addConsole(0, channel);
  assert.deepEqual([line.tty.size.rows, line.tty.size.cols], [33, 99]);
  assert.equal(
    calls.statusFlags(pty.slave) & O_NONBLOCK,
    0,
    'those who share the descriptor are not disturbed',
  );

  const viaConsole = opened(machine.openDevice(5, 1, init));
  assert.equal(init.tty, null);
  const tty0 = opened(machine.openDevice(4, 0, init));
  assert.equal(init.tty, line.tty);
  writeText(viaConsole, 'hello\n');
  assert.equal(await receive(pty.master), 'hello\r\n');
  writeSync(pty.master, 'lx\x7fs\r');
  assert.equal(await receive(pty.master), 'lx\b \bs\r\n');
  assert.equal(readText(tty0), 'ls\n');
  writeSync(pty.master, '\x03');
  assert.equal(await receive(pty.master), '^C');
  init.take();
  resize(pty, 20, 40);
  line.sizeAsked();
  line.sizeAsked();
  assert.deepEqual([line.tty.size.rows, line.tty.size.cols], [20, 40]);
  assert.deepEqual(init.take(), [SIGWINCH]);
  line.tty.resize({ rows: 1, cols: 2, xpixel: 0, ypixel: 0 });
  line.sizeAsked();
  assert.deepEqual([line.tty.size.rows, line.tty.size.cols], [1, 2]);
  assert.deepEqual(init.take(), [SIGWINCH]);
  line.print('log\n');
  assert.equal(await receive(pty.master), 'log\r\n');
  machine.terminals.shutdown();
  terminal.restore();
  closePty(pty);
});

test('a slow terminal gets everything, in order, even if the session ends meanwhile', async () => {
  const pty = userTerminal();
  const terminal = new HostTerminal(calls, pty.slave);
  terminal.setRaw();
  const machine = new TtyMachine();
  const init = machine.table.fork();
  machine.terminals.addConsole(0, channelOf(`fd:${pty.slave}`).channel);
  const file = opened(machine.openDevice(4, 0, init));
  const text = Array.from({ length: 9000 }, (_, i) => `${i}\n`).join('');
  let sent = 0;
  let got = '';
  while (got.length < text.length + 9000) {
    if (sent < text.length) {
      sent += Math.max(0, writeText(file, text.slice(sent)));
      if (sent === text.length) machine.terminals.sessionEnded(init.session);
    }
    got += await receive(pty.master);
  }
  assert.equal(got, text.replaceAll('\n', '\r\n'));
  machine.terminals.shutdown();
  closePty(pty);
});

test('a console on a pts of the host, to attach to', async () => {
  const machine = new TtyMachine();
  const init = machine.table.fork();
  const { channel, name } = channelOf('pts');
  machine.terminals.addConsole(1, channel);
  const file = opened(machine.openDevice(4, 1, init));
  const attached = openSync(name!, O_RDWR | O_NONBLOCK);
  writeText(file, 'login: ');
  assert.equal(await receive(attached), 'login: ');
  writeSync(attached, 'root\r');
  assert.equal(await receive(attached), 'root\r\n');
  assert.equal(readText(file), 'root\n');
  closeSync(attached);
  machine.terminals.shutdown();
});

/** What is read from a console whose input is a file with this text, until the reader would have to wait. */
async function readFrom(text: string, meanwhile: (tty: Tty) => void = () => {}): Promise<string[]> {
  const path = join(dir, 'input');
  writeFileSync(path, text);
  const fd = openSync(path, 'r');
  const machine = new TtyMachine();
  const { tty } = machine.terminals.addConsole(0, channelOf(`fd:${fd},null`).channel);
  const soon = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
  await soon();
  meanwhile(tty);
  await soon();
  const file = opened(machine.openDevice(5, 1, machine.table.fork()));
  const got: string[] = [];
  for (let one = readText(file); typeof one === 'string'; one = readText(file)) {
    got.push(one);
    await soon();
  }
  assert.equal(readText(file), -EAGAIN);
  machine.terminals.shutdown();
  closeSync(fd);
  return got;
}

test('the end of a file that is the input is an end of file, once', async () => {
  assert.deepEqual(await readFrom('one\ntwo\n'), ['one\n', 'two\n', '']);
  assert.deepEqual(await readFrom(''), ['']);
  assert.deepEqual(await readFrom('one\ntwo'), ['one\n', 'two', '']);
  assert.deepEqual(await readFrom('one\ntwo\x04'), ['one\n', 'two', '']);
  assert.deepEqual(await readFrom('one\r'), ['one\n', '']);
});

test('it comes however full the line is', async () => {
  const lines = Array.from({ length: 300 }, (_, i) => `${'x'.repeat(i)}\n`);
  const text = lines.join('');
  for (const length of [4094, 4095, 4096, 20478, 20479, 20480, 24575, 24576]) {
    for (const end of ['\n', 'y']) {
      const given = text.slice(0, length - 1) + end;
      const got = await readFrom(given);
      assert.equal(got.join(''), given);
      assert.equal(got.indexOf(''), got.length - 1, `${length}`);
    }
  }
});

test('what did not fit comes after a hang-up', async () => {
  const lines = 'line\n'.repeat(4096);
  const got = await readFrom(lines, tty => tty.hangup());
  assert.deepEqual([got.join('').length, got.at(-1)], [1, '']);
});

const stream = (fd: number, flags: number): HostStreamFile =>
  new HostStreamFile({} as Inode, flags, HostDescriptor.of(calls, fd) as HostDescriptor, poller);

function pipe(): [number, number] {
  const fds = new Int32Array(2);
  assert.equal(libc.syscall(293, libc.addressOf(new Uint8Array(fds.buffer)), 0), 0);
  return [fds[0]!, fds[1]!];
}

test('a stream that is a pipe', () => {
  const [from, to] = pipe();
  const reader = stream(from, O_RDONLY);
  const writer = stream(to, O_WRONLY);
  const woken: number[] = [];
  reader.waitq.add({ woken: events => woken.push(events) > 0 });
  assert.equal(reader.seekable, false);
  assert.equal(readText(reader), -EAGAIN);
  assert.equal(reader.poll() & POLLIN, 0);
  assert.equal(writeText(writer, 'abc'), 3);
  poller.dispatch();
  assert.equal(woken.length, 1);
  assert.equal(reader.poll() & POLLIN, POLLIN);
  assert.equal(readText(reader, 2), 'ab');
  assert.equal(readText(reader), 'c');
  let room = 0;
  for (let n = 1; n > 0; room += Math.max(n, 0)) n = writeText(writer, 'x'.repeat(4096));
  assert.equal(room, 65536);
  assert.equal(writer.poll() & POLLOUT, 0);
  writer.put();
  closeSync(to);
  while (readText(reader) !== '');
  assert.notEqual(reader.poll() & POLLHUP, 0);
  reader.put();
  closeSync(from);
});

test('a pipe without a reader is EPIPE', () => {
  const [from, to] = pipe();
  const writer = stream(to, O_WRONLY);
  closeSync(from);
  assert.equal(writeText(writer, 'x'), -EPIPE);
  assert.notEqual(writer.poll() & POLLERR, 0);
  writer.put();
  closeSync(to);
});
