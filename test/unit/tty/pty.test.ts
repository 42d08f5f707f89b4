/** Pseudo-terminals and devpts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAPS_NONE, ROOT_CRED } from '../../../src/core/cred.ts';
import type { TtyFile } from '../../../src/drivers/tty/tty-file.ts';
import type { File } from '../../../src/fs/file.ts';
import { NullChannel } from '../../../src/host/channel.ts';
import { EAGAIN, EBUSY, EINVAL, EIO, ENODEV, ENOENT, ENOSPC, ENOTTY } from '../../../src/uapi/errno.ts';
import { O_NOCTTY, O_NONBLOCK, O_RDWR } from '../../../src/uapi/fcntl.ts';
import * as T from '../../../src/uapi/ioctl-tty.ts';
import { POLLHUP, POLLIN, POLLOUT } from '../../../src/uapi/poll.ts';
import { copyTermios, ECHO, VMIN, VTIME } from '../../../src/uapi/termios.ts';
import { opened, readText, TtyMachine, writeText } from './machine.ts';
import type { FakeProcess } from './processes.ts';

function pair(
  machine: TtyMachine,
  who: FakeProcess,
  flags = O_RDWR | O_NOCTTY,
): { master: File; slave: TtyFile } {
  const master = opened(machine.openPts('ptmx', who));
  machine.ioctl(master, who, T.TIOCSPTLCK, 0);
  const slave = opened(machine.openPts(String(machine.ask(master, who, T.TIOCGPTN)), who, flags));
  return { master, slave: slave as TtyFile };
}

/** Writes until nothing more is taken; how much that was. */
function fill(file: File, c: string): number {
  for (let sent = 0; ; ) {
    const n = writeText(file, c.repeat(1000));
    if (n <= 0) return sent;
    sent += n;
  }
}

const names = (machine: TtyMachine): string[] => {
  const found: string[] = [];
  const dir = opened(machine.pts.root.open(0));
  dir.readdir(0, name => found.push(name) > 0);
  return found;
};

test('numbers are the lowest free ones, and go with the master', () => {
  const machine = new TtyMachine('mode=620,gid=5');
  const who = machine.table.fork();
  const masters = [0, 1, 2].map(() => opened(machine.openPts('ptmx', who)));
  assert.deepEqual(names(machine), ['.', '..', 'ptmx', '0', '1', '2']);
  const node = machine.pts.node('1')!;
  assert.deepEqual([node.mode & 0o777, node.gid, node.uid, node.rdev], [0o620, 5, 0, 0x8801]);
  masters[1]!.put();
  assert.equal(machine.pts.root.lookup('1'), -ENOENT);
  assert.equal(machine.ask(opened(machine.openDevice(5, 2, who)), who, T.TIOCGPTN), 1);
  assert.equal(machine.pts.showOptions(), ',gid=5,mode=620,ptmxmode=000');
});

test('limits and bad options', () => {
  const machine = new TtyMachine('max=2');
  const who = machine.table.fork();
  opened(machine.openPts('ptmx', who));
  opened(machine.openPts('ptmx', who)).put();
  opened(machine.openPts('ptmx', who));
  assert.equal(machine.openPts('ptmx', who), -ENOSPC);
  const env = { clock: machine.time, newDev: () => 9 } as never;
  for (const data of ['mode=8', 'uid=x', 'max=9999999', 'what']) {
    assert.equal(machine.devpts.mount({ source: '', data, readOnly: false }, env), -EINVAL, data);
  }
});

test('a slave opens only unlocked, and only through devpts', () => {
  const machine = new TtyMachine();
  const who = machine.table.fork();
  const master = opened(machine.openPts('ptmx', who));
  assert.equal(machine.ask(master, who, T.TIOCGPTLCK), 1);
  assert.equal(machine.openPts('0', who), -EIO);
  machine.ioctl(master, who, T.TIOCSPTLCK, 0);
  opened(machine.openPts('0', who));
  assert.equal(machine.openDevice(136, 0, who), -EIO);
  assert.equal(machine.openDevice(4, 1, who), -ENODEV);
});

test('TIOCGPTPEER gives a descriptor', () => {
  const machine = new TtyMachine();
  const who = machine.table.fork();
  const master = opened(machine.openPts('ptmx', who));
  assert.equal(master.ioctl(T.TIOCGPTPEER, O_RDWR | O_NOCTTY, machine.user, who), -EIO);
  machine.ioctl(master, who, T.TIOCSPTLCK, 0);
  assert.equal(master.ioctl(T.TIOCGPTPEER, O_RDWR | O_NOCTTY, machine.user, who), 0);
  assert.equal(writeText(machine.installed[0]!, 'peer'), 4);
  assert.equal(readText(master), 'peer');
});

test('the master sees the last slave close, and one open again', () => {
  const machine = new TtyMachine();
  const who = machine.table.fork();
  const { master, slave } = pair(machine, who);
  const second = opened(machine.openPts('0', who, O_RDWR | O_NOCTTY));
  slave.put();
  assert.equal(readText(master), -EAGAIN);
  writeText(second, 'bye');
  second.put();
  assert.equal(master.poll() & (POLLIN | POLLOUT | POLLHUP), POLLIN | POLLOUT | POLLHUP);
  assert.equal(readText(master), 'bye');
  assert.equal(readText(master), -EIO);
  assert.equal(writeText(master, 'zz\n'), 3);
  const again = opened(machine.openPts('0', who, O_RDWR | O_NOCTTY));
  assert.equal(readText(again), 'zz\n');
  assert.equal(master.poll() & POLLHUP, 0);
});

test('what nobody reads fills the line, and room wakes the writer', () => {
  const machine = new TtyMachine();
  const { master, slave } = pair(machine, machine.table.fork());
  const wakes: number[] = [];
  slave.waitq.add({ woken: events => wakes.push(events) > 0 });
  const sent = fill(slave, 'x');
  assert.equal(writeText(slave, 'x'), -EAGAIN);
  assert.equal(slave.poll() & POLLOUT, 0);
  // Echo waits, too, and comes first when there is room.
  writeText(master, 'typed');
  assert.equal(readText(master, 100_000), 'x'.repeat(sent));
  assert.equal(readText(master), 'typed');
  assert.ok(wakes.some(events => (events & POLLOUT) !== 0));
});

test('a full input holds back the master', () => {
  const machine = new TtyMachine();
  const { master, slave } = pair(machine, machine.table.fork());
  slave.tty.setTermios({ ...copyTermios(slave.tty.termios), lflag: 0 });
  const sent = fill(master, 'y');
  assert.equal(master.poll() & POLLOUT, 0);
  let got = 0;
  for (let text = readText(slave, 999); typeof text === 'string'; text = readText(slave, 999))
    got += text.length;
  assert.equal(got, sent);
  assert.equal(master.poll() & POLLOUT, POLLOUT);
});

test('TIOCEXCL keeps others out, root excepted', () => {
  const machine = new TtyMachine();
  const who = machine.table.fork();
  const { slave } = pair(machine, who);
  slave.ioctl(T.TIOCEXCL, 0, machine.user, who);
  opened(machine.openPts('0', who)).put();
  who.cred = { ...ROOT_CRED, effective: CAPS_NONE };
  assert.equal(machine.openPts('0', who), -EBUSY);
  slave.ioctl(T.TIOCNXCL, 0, machine.user, who);
  opened(machine.openPts('0', who));
});

/** Whether a terminal that a program has closed, or that was hung up, is exclusive, stopped, and its ECHO locked. */
function lastsAfterClose(reopen: (m: TtyMachine) => () => File, leave: (file: TtyFile) => void): boolean[] {
  const machine = new TtyMachine();
  const who = machine.table.fork();
  const open = reopen(machine);
  const file = open() as TtyFile;
  file.ioctl(T.TIOCEXCL, 0, machine.user, who);
  file.ioctl(T.TCXONC, T.TCOOFF, machine.user, who);
  machine.user.view.setUint32(64 + 12, ECHO, true);
  assert.equal(machine.ioctl(file, who, T.TIOCSLCKTRMIOS), 0);
  assert.equal(writeText(file, 'x'), -EAGAIN);
  leave(file);
  const next = open();
  assert.equal(machine.ioctl(next, who, T.TIOCGLCKTRMIOS), 0);
  const isLocked = machine.user.view.getUint32(64 + 12, true) === ECHO;
  return [machine.ask(next, who, T.TIOCGEXCL) === 1, writeText(next, 'x') !== 1, isLocked];
}

test('what keeps others from a terminal goes when it is closed or hung up, of a pty not while its master is there', () => {
  const ofPty = (machine: TtyMachine) => {
    const who = machine.table.fork();
    pair(machine, who).slave.put();
    return () => opened(machine.openPts('0', who, O_RDWR | O_NOCTTY));
  };
  const ofConsole = (machine: TtyMachine) => {
    machine.terminals.addConsole(1, new NullChannel());
    return () => opened(machine.openDevice(4, 1, machine.table.fork(), O_RDWR | O_NOCTTY));
  };
  const close = (file: TtyFile): void => file.put();
  assert.deepEqual(lastsAfterClose(ofConsole, close), [false, false, false]);
  assert.deepEqual(
    lastsAfterClose(ofConsole, file => file.tty.hangup()),
    [false, false, false],
  );
  assert.deepEqual(lastsAfterClose(ofPty, close), [true, true, true]);
});

test('VTIME with VMIN 0 ends a read, between characters with VMIN', () => {
  const machine = new TtyMachine();
  const { master, slave } = pair(machine, machine.table.fork());
  const raw = (least: number, tenths: number): void => {
    const next = copyTermios(slave.tty.termios);
    next.lflag = 0;
    next.cc[VMIN] = least;
    next.cc[VTIME] = tenths;
    slave.tty.setTermios(next);
  };
  slave.waitq.add({ woken: () => true });
  raw(0, 5);
  assert.equal(readText(slave), -EAGAIN);
  machine.time.advance(499e6);
  assert.equal(readText(slave), -EAGAIN);
  machine.time.advance(1e6);
  assert.equal(readText(slave), '');
  assert.equal(readText(slave), -EAGAIN);
  raw(4, 2);
  assert.equal(readText(slave), -EAGAIN);
  machine.time.advance(1e10);
  assert.equal(readText(slave), -EAGAIN, 'no timer before the first character');
  writeText(master, 'ab');
  assert.equal(readText(slave), -EAGAIN);
  machine.time.advance(150e6);
  writeText(master, 'c');
  assert.equal(readText(slave), -EAGAIN);
  machine.time.advance(150e6);
  assert.equal(readText(slave), -EAGAIN, 'each character starts it anew');
  machine.time.advance(50e6);
  assert.equal(readText(slave), 'abc');
  writeText(master, 'abcdef');
  assert.equal(readText(slave, 5), 'abcde');
  assert.equal(readText(slave, 1), 'f');
});

test('requests answer as the host does', () => {
  const machine = new TtyMachine();
  const who = machine.table.fork();
  const { master, slave } = pair(machine, who, O_RDWR | O_NOCTTY | O_NONBLOCK);
  const both = (cmd: number): number[] => [machine.ask(slave, who, cmd), machine.ask(master, who, cmd)];
  assert.deepEqual(both(T.TIOCGSID), [-ENOTTY, -ENOTTY]);
  assert.deepEqual(both(T.TIOCGPGRP), [-ENOTTY, 0]);
  assert.deepEqual(both(T.TIOCGPTN), [-ENOTTY, 0]);
  assert.deepEqual(both(T.TIOCGDEV), [0x8800, 0x8800]);
  assert.deepEqual(both(T.TIOCGSOFTCAR), [0, 0]);
  assert.deepEqual(both(T.TIOCNOTTY), [-ENOTTY, -ENOTTY]);
  assert.deepEqual(both(T.TIOCGPKT), [-ENOTTY, 0]);
  assert.deepEqual(both(T.TIOCGETD), [0, 0]);
  assert.deepEqual(both(0x4b3b), [-ENOTTY, -ENOTTY]);
  assert.equal(machine.ioctl(slave, who, T.TIOCSETD, 5), -EINVAL);
  assert.equal(slave.ioctl(T.TCFLSH, 3, machine.user, who), -EINVAL);
  assert.equal(slave.ioctl(T.TCXONC, 4, machine.user, who), -EINVAL);
  assert.equal(slave.ioctl(T.TCGETS, 2 ** 40, machine.user, who), -14);
});

test('settings go in and out unchanged, in all three layouts', () => {
  const machine = new TtyMachine();
  const who = machine.table.fork();
  const { slave } = pair(machine, who);
  for (const [get, set, size] of [
    [T.TCGETS, T.TCSETS, 36],
    [T.TCGETS2, T.TCSETSF2, 44],
    [T.TCGETA, T.TCSETAW, 18],
  ] as const) {
    assert.equal(slave.ioctl(get, 0, machine.user, who), 0);
    machine.user.ram[12] = machine.user.ram[12]! ^ 0x08;
    const before = machine.user.ram.slice(0, size);
    assert.equal(slave.ioctl(set, 0, machine.user, who), 0);
    machine.user.ram.fill(0xee, 0, size);
    assert.equal(slave.ioctl(get, 0, machine.user, who), 0);
    assert.deepEqual(machine.user.ram.slice(0, size), before);
  }
});

test('TIOCSTI types', () => {
  const machine = new TtyMachine();
  const who = machine.table.fork();
  const { slave } = pair(machine, who);
  for (const c of 'hi\n') assert.equal(machine.ioctl(slave, who, T.TIOCSTI, c.charCodeAt(0)), 0);
  assert.equal(readText(slave), 'hi\n');
});
