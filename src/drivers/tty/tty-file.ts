/** A file open on a terminal: reads and writes through the line discipline, job control, hang-up. */
import type { UserMemory } from '../../core/user.ts';
import type { WaitQueue } from '../../core/wait.ts';
import { type Current, File } from '../../fs/file.ts';
import type { Inode } from '../../fs/inode.ts';
import { EAGAIN, EIO, ENOTTY } from '../../uapi/errno.ts';
import { TIOCSPGRP } from '../../uapi/ioctl-tty.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../uapi/poll.ts';
import { SIGTTIN, SIGTTOU } from '../../uapi/signal.ts';
import { TOSTOP, VMIN, VTIME } from '../../uapi/termios.ts';
import { checkChange } from './job-control.ts';
import { ReadTimer } from './read-timer.ts';
import type { HangsUp, Tty } from './tty.ts';
import { ttyIoctl } from './tty-ioctl.ts';

export class TtyFile extends File implements HangsUp {
  readonly tty: Tty;
  hungUp = false;
  /** False for /dev/console, which background groups may use. */
  private readonly jobControl: boolean;
  private readonly timer: ReadTimer;

  constructor(inode: Inode, flags: number, tty: Tty, jobControl = true) {
    super(inode, flags);
    this.tty = tty;
    this.jobControl = jobControl;
    this.timer = new ReadTimer(tty);
    tty.files.add(this);
  }

  override get seekable(): boolean {
    return false;
  }

  override get waitq(): WaitQueue {
    return this.tty.waitq;
  }

  override mayTransfer(current: Current, write: boolean): number {
    if (this.hungUp || !this.jobControl) return 0;
    if (!write) return checkChange(this.tty, current, SIGTTIN);
    return (this.tty.termios.lflag & TOSTOP) === 0 ? 0 : checkChange(this.tty, current, SIGTTOU);
  }

  override poll(): number {
    if (this.hungUp) return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
    return this.tty.poll();
  }

  override read(buf: Uint8Array, off: number, len: number): number {
    if (this.hungUp || len === 0) return 0;
    const { tty } = this;
    const refused = tty.ldisc.canonical ? this.awaitLine() : this.awaitChars(len);
    if (refused <= 0) return refused;
    this.timer.stop();
    const count = tty.ldisc.read(buf, off, len);
    tty.pump();
    return count;
  }

  override write(buf: Uint8Array, off: number, len: number): number {
    if (this.hungUp || this.tty.otherClosed) return -EIO;
    return this.tty.ldisc.write(buf, off, len);
  }

  override ioctl(cmd: number, arg: number, user: UserMemory, current: Current): number {
    if (this.hungUp) return cmd === TIOCSPGRP ? -ENOTTY : -EIO;
    return ttyIoctl({ tty: this.tty, file: this, fromMaster: false, user, current }, cmd, arg);
  }

  override release(): void {
    this.timer.stop();
    this.tty.fileReleased(this);
  }

  /** 1: there is a line to read; else what read(2) returns. */
  private awaitLine(): number {
    if (this.tty.ldisc.inputAvailable(false)) return 1;
    return this.tty.otherClosed ? -EIO : -EAGAIN;
  }

  /** The same for raw mode, by VMIN and VTIME. A nonblocking read takes what is there. */
  private awaitChars(len: number): number {
    const { ldisc, termios, otherClosed } = this.tty;
    const least = termios.cc[VMIN]!;
    const tenths = termios.cc[VTIME]!;
    const count = ldisc.readable;
    if (count >= Math.min(len, Math.max(1, least)) || (count > 0 && this.nonblocking)) return 1;
    if (otherClosed) return count > 0 ? 1 : -EIO;
    if (least === 0 && tenths === 0) return 0;
    if (this.nonblocking || tenths === 0 || (least > 0 && count === 0)) return -EAGAIN;
    if (!this.timer.isOver(count, tenths)) return -EAGAIN;
    this.timer.stop();
    return count > 0 ? 1 : 0;
  }
}
