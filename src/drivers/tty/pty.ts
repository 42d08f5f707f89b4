/**
 * Pseudo-terminals (pty(7)): a terminal (the slave) whose driver is a program (at the master).
 *
 * The slave's output waits in `output` until the master reads it. A flush drops only what lies beyond the first
 * 4095 bytes: the master counts as having received those, as on Linux, where they are in its own input buffer.
 */
import { WaitQueue } from '../../core/wait.ts';
import {
  TIOCPKT_DOSTOP,
  TIOCPKT_FLUSHREAD,
  TIOCPKT_FLUSHWRITE,
  TIOCPKT_IOCTL,
  TIOCPKT_NOSTOP,
  TIOCPKT_START,
  TIOCPKT_STOP,
} from '../../uapi/ioctl-tty.ts';
import { POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM } from '../../uapi/poll.ts';
import { makedev } from '../../uapi/stat.ts';
import {
  CREAD,
  CS8,
  CSIZE,
  defaultTermios,
  EXTPROC,
  IXON,
  PARENB,
  type Termios,
  VSTART,
  VSTOP,
} from '../../uapi/termios.ts';
import { ByteQueue } from './byte-queue.ts';
import type { TtyDriver } from './driver.ts';
import { Tty, type TtyEnvironment } from './tty.ts';

export const UNIX98_PTY_SLAVE_MAJOR = 136;

const RECEIVED = 4095;
const IN_FLIGHT = 16384;
export const CTRL_Q = 0x11;
export const CTRL_S = 0x13;

export class PtyPair implements TtyDriver {
  readonly index: number;
  readonly slave: Tty;
  readonly output: ByteQueue = new ByteQueue(RECEIVED + IN_FLIGHT);
  /** Readers and writers of the master wait here. */
  readonly waitq: WaitQueue = new WaitQueue();
  /** The slave cannot be opened until unlockpt(3). */
  locked = true;
  /** TIOCPKT: the master learns what happens to the slave; `status` collects it (TIOCPKT_* bits). */
  packet = false;
  status = 0;
  /** The slave was opened, and all its files have been closed or hung up. */
  slaveClosed = false;
  readonly isPty = true;

  constructor(env: TtyEnvironment, index: number) {
    this.index = index;
    this.slave = new Tty(env, this, defaultTermios());
  }

  get rdev(): number {
    return makedev(UNIX98_PTY_SLAVE_MAJOR, this.index);
  }

  /** Takes what a program wrote to the master. */
  type(buf: Uint8Array, off: number, len: number): number {
    return this.slave.receive(buf, off, len);
  }

  /** Moves the slave's output to a program that reads the master. */
  take(buf: Uint8Array, off: number, len: number): number {
    const count = this.output.shift(buf, off, len);
    if (count > 0) this.slave.wakeWriters();
    return count;
  }

  slaveOpened(): void {
    this.slaveClosed = false;
  }

  /** The master is closed: hangs up the slave for good. */
  masterClosed(): void {
    this.packet = false;
    this.slave.otherClosed = true;
    this.slave.hangup();
  }

  // Called by the slave, as its driver.

  write(buf: Uint8Array, off: number, len: number): number {
    const count = this.output.push(buf, off, len);
    if (count > 0) this.waitq.wake(POLLIN | POLLRDNORM);
    return count;
  }

  room(): number {
    return this.output.room;
  }

  pending(): number {
    return 0;
  }

  flush(): void {
    this.output.truncate(RECEIVED);
    this.tell(TIOCPKT_FLUSHWRITE, 0);
  }

  sizeAsked(): void {}

  unthrottle(): void {
    this.waitq.wake(POLLOUT | POLLWRNORM);
  }

  stopped(): void {
    this.tell(TIOCPKT_STOP, TIOCPKT_START);
  }

  started(): void {
    this.tell(TIOCPKT_START, TIOCPKT_STOP);
  }

  inputFlushed(): void {
    this.tell(TIOCPKT_FLUSHREAD, 0);
  }

  settingsChanged(now: Termios, old: Termios): void {
    now.cflag = (now.cflag & ~(CSIZE | PARENB)) | CS8 | CREAD;
    const extproc = ((now.lflag | old.lflag) & EXTPROC) !== 0;
    const stops = stopsByCtrlS(now);
    if (stops !== stopsByCtrlS(old)) {
      this.tell(stops ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP, stops ? TIOCPKT_NOSTOP : TIOCPKT_DOSTOP);
    }
    if (extproc) this.tell(TIOCPKT_IOCTL, 0);
  }

  closed(): void {
    this.slaveClosed = true;
    this.waitq.wake();
  }

  private tell(set: number, clear: number): void {
    if (!this.packet) return;
    this.status = (this.status & ~clear) | set;
    this.waitq.wake(POLLPRI | POLLIN | POLLRDNORM);
  }
}

const stopsByCtrlS = (t: Termios): boolean =>
  (t.iflag & IXON) !== 0 && t.cc[VSTOP] === CTRL_S && t.cc[VSTART] === CTRL_Q;
