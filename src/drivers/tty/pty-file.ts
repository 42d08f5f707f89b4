/** The master of a pseudo-terminal, as a terminal emulator, ssh or script holds it (pty(7), ptmx(4)). */
import type { UserMemory } from '../../core/user.ts';
import { putInt } from '../../core/user-values.ts';
import type { WaitQueue } from '../../core/wait.ts';
import { type Current, File } from '../../fs/file.ts';
import type { Inode } from '../../fs/inode.ts';
import { EAGAIN, EINVAL, EIO } from '../../uapi/errno.ts';
import * as T from '../../uapi/ioctl-tty.ts';
import { POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM } from '../../uapi/poll.ts';
import { SIGINT, SIGQUIT, SIGTSTP } from '../../uapi/signal.ts';
import { CTRL_Q, CTRL_S, type PtyPair } from './pty.ts';
import { ttyIoctl } from './tty-ioctl.ts';

/** What a master needs from its devpts instance. */
export interface PtyHome {
  /** Opens the slave without its name (TIOCGPTPEER); returns a descriptor, or -errno. */
  openPeer(pair: PtyPair, master: File, flags: number, current: Current): number;
  /** Frees the pair's number and name. */
  masterReleased(pair: PtyPair): void;
}

export class PtyMasterFile extends File {
  readonly pair: PtyPair;
  private readonly home: PtyHome;
  /** tcflow(3) on the master: writes are stopped. */
  private stopped = false;
  /** TIOCEXCL on the master: only stored, since a master cannot be reopened. */
  private exclusive = false;

  constructor(inode: Inode, flags: number, pair: PtyPair, home: PtyHome) {
    super(inode, flags);
    this.pair = pair;
    this.home = home;
  }

  override get seekable(): boolean {
    return false;
  }

  override get waitq(): WaitQueue {
    return this.pair.waitq;
  }

  override fdinfo(): string {
    return `tty-index:\t${this.pair.index}\n`;
  }

  override poll(): number {
    const { pair } = this;
    let events = 0;
    if (pair.output.length > 0) events |= POLLIN | POLLRDNORM;
    if (pair.packet && pair.status !== 0) events |= POLLPRI | POLLIN | POLLRDNORM;
    if (pair.slaveClosed) events |= POLLHUP;
    if (!this.stopped && pair.slave.inputRoom > 0) events |= POLLOUT | POLLWRNORM;
    return events;
  }

  override read(buf: Uint8Array, off: number, len: number): number {
    const { pair } = this;
    if (len === 0) return 0;
    if (pair.packet && pair.status !== 0) {
      buf[off] = pair.status;
      pair.status = 0;
      return 1;
    }
    if (pair.output.length === 0) return pair.slaveClosed ? -EIO : -EAGAIN;
    if (!pair.packet) return pair.take(buf, off, len);
    buf[off] = T.TIOCPKT_DATA;
    return 1 + pair.take(buf, off + 1, len - 1);
  }

  override write(buf: Uint8Array, off: number, len: number): number {
    if (len === 0) return 0;
    const count = this.stopped ? 0 : this.pair.type(buf, off, len);
    return count > 0 ? count : -EAGAIN;
  }

  override ioctl(cmd: number, arg: number, user: UserMemory, current: Current): number {
    const { pair } = this;
    switch (cmd) {
      case T.TIOCGPTN:
        return putInt(user, arg, pair.index);
      case T.TIOCSPTLCK:
        return withInt(user, arg, value => this.lock(value !== 0));
      case T.TIOCGPTLCK:
        return putInt(user, arg, pair.locked ? 1 : 0);
      case T.TIOCPKT:
        return withInt(user, arg, value => this.setPacket(value !== 0));
      case T.TIOCGPKT:
        return putInt(user, arg, pair.packet ? 1 : 0);
      case T.TIOCSIG:
        return this.signal(arg);
      case T.TIOCGPTPEER:
        return this.home.openPeer(pair, this, arg, current);
      case T.FIONREAD:
        return putInt(user, arg, pair.output.length);
      case T.TCFLSH:
        return this.flushQueues(arg);
      case T.TCXONC:
        return this.flow(arg);
      case T.TIOCEXCL:
      case T.TIOCNXCL:
        this.exclusive = cmd === T.TIOCEXCL;
        return 0;
      case T.TIOCGEXCL:
        return putInt(user, arg, this.exclusive ? 1 : 0);
      default:
        return ttyIoctl({ tty: pair.slave, file: this, fromMaster: true, user, current }, cmd, arg);
    }
  }

  override release(): void {
    this.pair.masterClosed();
    this.home.masterReleased(this.pair);
  }

  private lock(locked: boolean): number {
    this.pair.locked = locked;
    return 0;
  }

  private setPacket(packet: boolean): number {
    if (packet && !this.pair.packet) this.pair.status = 0;
    this.pair.packet = packet;
    return 0;
  }

  private signal(signal: number): number {
    if (signal !== SIGINT && signal !== SIGQUIT && signal !== SIGTSTP) return -EINVAL;
    this.pair.slave.signal(signal);
    return 0;
  }

  private flushQueues(queue: number): number {
    if (queue < T.TCIFLUSH || queue > T.TCIOFLUSH) return -EINVAL;
    if (queue !== T.TCOFLUSH) {
      this.pair.output.truncate(0);
      this.pair.slave.wakeWriters();
    }
    if (queue !== T.TCIFLUSH) this.pair.slave.dropPendingInput();
    return 0;
  }

  private flow(action: number): number {
    if (action < T.TCOOFF || action > T.TCION) return -EINVAL;
    if (action === T.TCOOFF) this.stopped = true;
    if (action === T.TCOON) {
      this.stopped = false;
      this.pair.unthrottle();
    }
    if (action === T.TCIOFF) this.pair.type(Uint8Array.of(CTRL_S), 0, 1);
    if (action === T.TCION) this.pair.type(Uint8Array.of(CTRL_Q), 0, 1);
    return 0;
  }
}

function withInt(user: UserMemory, arg: number, use: (value: number) => number): number {
  const at = user.in(arg, 4);
  return at < 0 ? at : use(user.view.getInt32(at, true));
}
