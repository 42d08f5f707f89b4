/** Whose terminal it is and who may use it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAPS_NONE } from '../../../src/core/cred.ts';
import type { Tty } from '../../../src/drivers/tty/tty.ts';
import type { File } from '../../../src/fs/file.ts';
import { EIO, ENOTTY, ENXIO, EPERM, ERESTARTSYS, ESRCH } from '../../../src/uapi/errno.ts';
import { O_NOCTTY, O_RDWR, O_WRONLY } from '../../../src/uapi/fcntl.ts';
import {
  TCGETS,
  TCSETS,
  TIOCGPGRP,
  TIOCGSID,
  TIOCNOTTY,
  TIOCSCTTY,
  TIOCSPGRP,
  TIOCSPTLCK,
  TIOCSWINSZ,
  TIOCVHANGUP,
} from '../../../src/uapi/ioctl-tty.ts';
import { POLLHUP } from '../../../src/uapi/poll.ts';
import { SIGCONT, SIGHUP, SIGINT, SIGTTIN, SIGTTOU, SIGWINCH } from '../../../src/uapi/signal.ts';
import { TOSTOP } from '../../../src/uapi/termios.ts';
import { opened, readText, TtyMachine, writeText } from './machine.ts';
import type { FakeProcess } from './processes.ts';

interface Scene {
  readonly machine: TtyMachine;
  readonly emulator: FakeProcess;
  readonly shell: FakeProcess;
  readonly job: FakeProcess;
  readonly master: File;
  readonly slave: File;
  readonly tty: Tty;
}

/** An emulator, a shell that leads a session on its pty, and a job of the shell's in a group of its own. */
function scene(): Scene {
  const machine = new TtyMachine();
  const emulator = machine.table.fork();
  const master = opened(machine.openPts('ptmx', emulator));
  assert.equal(machine.ioctl(master, emulator, TIOCSPTLCK, 0), 0);
  const shell = machine.table.fork(emulator);
  shell.setsid();
  const slave = opened(machine.openPts('0', shell));
  const job = machine.table.fork(shell);
  job.pgid = job.pid;
  return { machine, emulator, shell, job, master, slave, tty: (slave as File & { tty: Tty }).tty };
}

test('a session leader gets the first terminal that it opens', () => {
  const { machine, shell, job, slave, master, emulator } = scene();
  assert.equal(machine.ask(slave, shell, TIOCGPGRP), shell.pid);
  assert.equal(machine.ask(slave, job, TIOCGSID), shell.pid);
  assert.equal(machine.ask(slave, emulator, TIOCGPGRP), -ENOTTY);
  assert.equal(machine.ask(master, emulator, TIOCGPGRP), shell.pid);
  assert.equal(machine.ask(master, emulator, TIOCGSID), shell.pid);
  assert.equal(writeText(opened(machine.openDevice(5, 0, job)), 'x'), 1);
  assert.equal(readText(master), 'x');
  assert.equal(machine.openDevice(5, 0, emulator), -ENXIO);
});

test('O_NOCTTY, writing only, and having one already: no controlling terminal', () => {
  const machine = new TtyMachine();
  const leader = machine.table.fork();
  machine.ioctl(opened(machine.openPts('ptmx', leader)), leader, TIOCSPTLCK, 0);
  machine.ioctl(opened(machine.openPts('ptmx', leader)), leader, TIOCSPTLCK, 0);
  assert.equal(leader.tty, null);
  opened(machine.openPts('0', leader, O_RDWR | O_NOCTTY));
  opened(machine.openPts('0', leader, O_WRONLY));
  assert.equal(leader.tty, null);
  const child = machine.table.fork(leader);
  opened(machine.openPts('0', child));
  assert.equal(child.tty, null);
  const first = opened(machine.openPts('0', leader));
  opened(machine.openPts('1', leader));
  assert.equal(machine.ask(first, leader, TIOCGPGRP), leader.pgid);
});

test('TIOCSCTTY', () => {
  const { machine, shell, job, slave, tty } = scene();
  assert.equal(slave.ioctl(TIOCSCTTY, 0, machine.user, shell), 0);
  assert.equal(slave.ioctl(TIOCSCTTY, 0, machine.user, job), -EPERM);
  const other = machine.table.fork();
  assert.equal(slave.ioctl(TIOCSCTTY, 0, machine.user, other), -EPERM);
  other.cred = { ...other.cred, effective: CAPS_NONE };
  assert.equal(slave.ioctl(TIOCSCTTY, 1, machine.user, other), -EPERM);
  const root = machine.table.fork();
  assert.equal(slave.ioctl(TIOCSCTTY, 1, machine.user, root), 0);
  assert.equal(tty.session, root.session);
  assert.equal(shell.tty, null);
});

test('the background is stopped when it reads, and when it changes settings', () => {
  const { machine, shell, job, slave } = scene();
  assert.equal(slave.mayTransfer(shell, false), 0);
  assert.equal(slave.mayTransfer(job, false), -ERESTARTSYS);
  assert.deepEqual(job.take(), [SIGTTIN]);
  job.blocked.add(SIGTTIN);
  assert.equal(slave.mayTransfer(job, false), -EIO);
  assert.deepEqual(job.take(), []);

  assert.equal(machine.ioctl(slave, job, TCGETS), 0);
  assert.equal(slave.ioctl(TCSETS, 64, machine.user, job), -ERESTARTSYS);
  assert.deepEqual(job.take(), [SIGTTOU]);
  job.blocked.add(SIGTTOU);
  assert.equal(slave.ioctl(TCSETS, 64, machine.user, job), 0);
});

test('writing is free, unless TOSTOP', () => {
  const { job, slave, tty } = scene();
  assert.equal(slave.mayTransfer(job, true), 0);
  tty.setTermios({ ...tty.termios, lflag: tty.termios.lflag | TOSTOP });
  assert.equal(slave.mayTransfer(job, true), -ERESTARTSYS);
  assert.deepEqual(job.take(), [SIGTTOU]);
  job.blocked.add(SIGTTOU);
  assert.equal(slave.mayTransfer(job, true), 0);
});

test('an orphaned group gets EIO', () => {
  const { machine, emulator, shell, slave } = scene();
  const orphan = machine.table.fork(emulator);
  orphan.session = shell.session;
  orphan.pgid = orphan.pid;
  assert.equal(slave.mayTransfer(orphan, false), -EIO);
  assert.deepEqual(orphan.take(), []);
  assert.equal(machine.ioctl(slave, orphan, TIOCSPGRP, orphan.pid), -ENOTTY);
});

test('TIOCSPGRP moves the foreground, and what is typed goes there', () => {
  const { machine, emulator, shell, job, master, slave } = scene();
  assert.equal(machine.ioctl(slave, shell, TIOCSPGRP, 4711), -ESRCH);
  assert.equal(machine.ioctl(slave, shell, TIOCSPGRP, emulator.pgid), -EPERM);
  assert.equal(machine.ioctl(slave, emulator, TIOCSPGRP, shell.pid), -ENOTTY);
  assert.equal(machine.ioctl(slave, shell, TIOCSPGRP, job.pid), 0);
  writeText(master, '\x03');
  assert.deepEqual([shell.take(), job.take()], [[], [SIGINT]]);
  machine.user.view.setUint16(64, 40, true);
  machine.user.view.setUint16(66, 100, true);
  for (const _ of [1, 2]) master.ioctl(TIOCSWINSZ, 64, machine.user, emulator);
  assert.deepEqual([shell.take(), job.take()], [[], [SIGWINCH]]);
  // In the background now, and orphaned: only a shell that blocks SIGTTOU gets its terminal back.
  assert.equal(machine.ioctl(slave, shell, TIOCSPGRP, shell.pid), -ENOTTY);
  shell.blocked.add(SIGTTOU);
  assert.equal(machine.ioctl(slave, shell, TIOCSPGRP, shell.pid), 0);
});

test('TIOCNOTTY: a leader for all, others for themselves', () => {
  const { machine, emulator, shell, job, slave } = scene();
  assert.equal(slave.ioctl(TIOCNOTTY, 0, machine.user, emulator), -ENOTTY);
  assert.equal(slave.ioctl(TIOCNOTTY, 0, machine.user, job), 0);
  assert.equal(job.tty, null);
  assert.notEqual(shell.tty, null);
  assert.equal(slave.ioctl(TIOCNOTTY, 0, machine.user, shell), 0);
  assert.equal(shell.tty, null);
  assert.deepEqual([shell.take(), job.take()], [[SIGHUP, SIGCONT], []]);
});

test("the leader's exit tells the foreground of a pty", () => {
  const { machine, shell, job, slave } = scene();
  machine.ioctl(slave, shell, TIOCSPGRP, job.pid);
  machine.terminals.sessionEnded(shell.session);
  assert.deepEqual([shell.take(), job.take()], [[], [SIGHUP]]);
  assert.equal(shell.session.tty, null);
  assert.equal(writeText(slave, 'still open'), 10);
});

test("closing the master hangs up; the leader's exit then tells the foreground", () => {
  const { machine, shell, job, master, slave } = scene();
  machine.ioctl(slave, shell, TIOCSPGRP, job.pid);
  writeText(master, 'unread\n');
  master.put();
  assert.deepEqual([shell.take(), job.take()], [[SIGHUP, SIGCONT], []]);
  assert.equal(readText(slave), '');
  assert.equal(writeText(slave, 'x'), -EIO);
  assert.equal(machine.ioctl(slave, shell, TCGETS), -EIO);
  assert.equal(machine.ioctl(slave, shell, TIOCSPGRP), -ENOTTY);
  assert.equal(slave.poll(), 0x15d);
  assert.notEqual(slave.poll() & POLLHUP, 0);
  machine.terminals.sessionEnded(shell.session);
  assert.deepEqual(job.take(), [SIGHUP, SIGCONT]);
});

test('TIOCVHANGUP spares the line: it can be opened again', () => {
  const { machine, shell, master, slave, tty } = scene();
  tty.setTermios({ ...tty.termios, lflag: 0 });
  assert.equal(slave.ioctl(TIOCVHANGUP, 0, machine.user, shell), 0);
  assert.equal(readText(slave), '');
  assert.equal(readText(master), -EIO);
  const again = opened(machine.openPts('0', shell));
  assert.equal(machine.ask(again, shell, TIOCGPGRP), shell.pid);
  writeText(master, 'hello\n');
  assert.equal(readText(again), 'hello\n');
  assert.equal(readText(master), 'hello\r\n');
});
