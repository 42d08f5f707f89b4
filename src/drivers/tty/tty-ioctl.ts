/**
 * ioctl_tty(2): the requests that all terminals support. Through a pty's master they concern its slave (`fromMaster`);
 * the requests that only the master supports are in pty-file.ts.
 */

import { CAP_SYS_ADMIN, capable } from '../../core/cred.ts';
import type { Current } from '../../core/current.ts';
import type { UserMemory } from '../../core/user.ts';
import { putInt } from '../../core/user-values.ts';
import type { File } from '../../fs/file.ts';
import { EAGAIN, EFAULT, EINVAL, EIO, ENOTTY, EPERM } from '../../uapi/errno.ts';
import * as T from '../../uapi/ioctl-tty.ts';
import { SIGTTOU } from '../../uapi/signal.ts';
import {
  CLOCAL,
  copyTermios,
  DISABLED_CHAR,
  readWinSize,
  VSTART,
  VSTOP,
  WINSIZE_SIZE,
  writeWinSize,
} from '../../uapi/termios.ts';
import {
  checkChange,
  getForeground,
  getSession,
  giveUp,
  maySetForeground,
  setControlling,
  setForeground,
} from './job-control.ts';
import { termiosIoctl } from './termios-ioctl.ts';
import type { Tty } from './tty.ts';

/** One request: for which terminal, through which file, by which task. */
export interface TtyRequest {
  readonly tty: Tty;
  readonly file: File;
  readonly fromMaster: boolean;
  readonly user: UserMemory;
  readonly current: Current;
}

export function ttyIoctl(request: TtyRequest, cmd: number, arg: number): number {
  const done = termiosIoctl(request, cmd, arg);
  if (done !== -ENOTTY) return done;
  return (
    ownershipIoctl(request, cmd, arg) ??
    windowSizeIoctl(request, cmd, arg) ??
    queueIoctl(request, cmd, arg) ??
    breakIoctl(request, cmd) ??
    lineIoctl(request, cmd, arg) ??
    -ENOTTY
  );
}

// Each of the next functions answers null to a request that is not one of its own.

/** Sessions and their terminals. */
function ownershipIoctl(request: TtyRequest, cmd: number, arg: number): number | null {
  const { tty, file, fromMaster, user, current } = request;
  switch (cmd) {
    case T.TIOCSCTTY:
      return setControlling(tty, current, arg === 1, file.readable);
    case T.TIOCNOTTY:
      return fromMaster ? -ENOTTY : giveUp(tty, current);
    case T.TIOCGPGRP:
      return putResult(user, arg, getForeground(tty, current, fromMaster));
    case T.TIOCGSID:
      return putResult(user, arg, getSession(tty, current, fromMaster));
    case T.TIOCSPGRP: {
      const may = maySetForeground(tty, current);
      if (may < 0) return may;
      const at = user.in(arg, 4);
      return at < 0 ? at : setForeground(tty, current, user.view.getInt32(at, true));
    }
    case T.TIOCVHANGUP:
      if (!capable(current.cred, CAP_SYS_ADMIN)) return -EPERM;
      tty.hangup();
      return 0;
    default:
      return null;
  }
}

function windowSizeIoctl({ tty, user }: TtyRequest, cmd: number, arg: number): number | null {
  switch (cmd) {
    case T.TIOCGWINSZ: {
      const at = user.out(arg, WINSIZE_SIZE);
      tty.driver.sizeAsked();
      if (at >= 0) writeWinSize(user.view, at, tty.size);
      return Math.min(at, 0);
    }
    case T.TIOCSWINSZ: {
      const at = user.in(arg, WINSIZE_SIZE);
      if (at >= 0) tty.resize(readWinSize(user.view, at));
      return Math.min(at, 0);
    }
    default:
      return null;
  }
}

/** What lies in the input and output queues, and whether it flows. */
function queueIoctl(request: TtyRequest, cmd: number, arg: number): number | null {
  const { tty, user, current } = request;
  switch (cmd) {
    case T.FIONREAD:
      return putInt(user, arg, tty.ldisc.readable);
    case T.TIOCOUTQ:
      return putInt(user, arg, tty.driver.pending());
    case T.TCFLSH:
      return checkChange(tty, current, SIGTTOU) || flush(tty, arg);
    case T.TCXONC:
      return checkChange(tty, current, SIGTTOU) || flow(tty, arg);
    case T.TIOCSTI:
      return simulateInput(request, arg);
    default:
      return null;
  }
}

function breakIoctl({ tty, current }: TtyRequest, cmd: number): number | null {
  switch (cmd) {
    case T.TCSBRK:
    case T.TCSBRKP:
    case T.TIOCSBRK:
      // None of our lines can carry a break, and there is no output to wait for: it is sent as soon as it is written.
      return checkChange(tty, current, SIGTTOU);
    case T.TIOCCBRK:
      return 0;
    default:
      return null;
  }
}

/** The line's other settings. */
function lineIoctl(request: TtyRequest, cmd: number, arg: number): number | null {
  const { tty, user } = request;
  switch (cmd) {
    case T.TIOCEXCL:
    case T.TIOCNXCL:
      tty.exclusive = cmd === T.TIOCEXCL;
      return 0;
    case T.TIOCGEXCL:
      return putInt(user, arg, tty.exclusive ? 1 : 0);
    case T.TIOCGETD:
      return putInt(user, arg, T.N_TTY);
    case T.TIOCSETD:
      return setLineDiscipline(user, arg);
    case T.TIOCGDEV:
      return putInt(user, arg, tty.driver.rdev);
    case T.TIOCGSOFTCAR:
      return putInt(user, arg, (tty.termios.cflag & CLOCAL) !== 0 ? 1 : 0);
    case T.TIOCSSOFTCAR:
      return setSoftCarrier(request, arg);
    default:
      return null;
  }
}

const putResult = (user: UserMemory, arg: number, result: number): number =>
  result < 0 ? result : putInt(user, arg, result);

function flush(tty: Tty, queue: number): number {
  if (queue < T.TCIFLUSH || queue > T.TCIOFLUSH) return -EINVAL;
  if (queue !== T.TCOFLUSH) tty.flushInput();
  if (queue !== T.TCIFLUSH) tty.flushOutput();
  return 0;
}

function flow(tty: Tty, action: number): number {
  switch (action) {
    case T.TCOOFF:
    case T.TCOON:
      tty.stopByProgram(action === T.TCOOFF);
      return 0;
    case T.TCIOFF:
    case T.TCION:
      return sendChar(tty, tty.termios.cc[action === T.TCIOFF ? VSTOP : VSTART]!);
    default:
      return -EINVAL;
  }
}

/** Sends START or STOP to the other end, even while output is stopped, unless it was a program that stopped it. */
function sendChar(tty: Tty, c: number): number {
  if (c === DISABLED_CHAR || tty.stoppedByProgram) return 0;
  return tty.driver.write(Uint8Array.of(c), 0, 1) === 1 ? 0 : -EAGAIN;
}

function simulateInput({ tty, fromMaster, user, current }: TtyRequest, arg: number): number {
  if ((fromMaster || current.tty !== tty) && !capable(current.cred, CAP_SYS_ADMIN)) return -EPERM;
  const at = user.in(arg, 1);
  if (at < 0) return -EFAULT;
  return tty.receive(Uint8Array.of(user.ram[at]!), 0, 1) === 1 ? 0 : -EIO;
}

/** N_TTY is the only one that there is. */
function setLineDiscipline(user: UserMemory, arg: number): number {
  const at = user.in(arg, 4);
  if (at < 0) return at;
  return user.view.getInt32(at, true) === T.N_TTY ? 0 : -EINVAL;
}

function setSoftCarrier({ tty, user, current }: TtyRequest, arg: number): number {
  const refused = checkChange(tty, current, SIGTTOU);
  if (refused < 0) return refused;
  const at = user.in(arg, 4);
  if (at < 0) return at;
  const next = copyTermios(tty.termios);
  next.cflag = user.view.getInt32(at, true) !== 0 ? next.cflag | CLOCAL : next.cflag & ~CLOCAL;
  tty.setTermios(next);
  return 0;
}
