/**
 * Sockets (struct socket): files with addresses and messages.
 *
 * A family of protocols derives a class from `Socket`. As with all files **no operation waits**: `connect`,
 * `accept`, `send` and `receive` answer -EAGAIN, and the system call sleeps on `waitq` (unless the socket is
 * nonblocking, the call says MSG_DONTWAIT, or the time of SO_RCVTIMEO or SO_SNDTIMEO is over) and tries again.
 * A stream's `send` may take only the beginning: the system call sends the rest the same way.
 *
 * Addresses are strings of the bytes of a struct sockaddr, one character a byte, family included.
 */
import type { Timespec } from '../core/clock.ts';
import { ROOT_CRED } from '../core/cred.ts';
import type { UserMemory } from '../core/user.ts';
import { WaitQueue } from '../core/wait.ts';
import type { Current, File as OpenFile } from '../fs/file.ts';
import { File } from '../fs/file.ts';
import type { Inode } from '../fs/inode.ts';
import type { PidSubject } from '../ipc/pidfd.ts';
import type { Result } from '../lib/result.ts';
import { ENOTTY, EOPNOTSUPP } from '../uapi/errno.ts';
import { O_NONBLOCK, O_RDWR } from '../uapi/fcntl.ts';
import { AF_UNIX, SOCK_STREAM } from '../uapi/socket.ts';
import type { Sender, SocketCaller, SocketPaths } from './caller.ts';
import { SocketOptions } from './options.ts';

/** Who sent a message or made a connection (struct ucred). */
export interface Ucred {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** With the process itself, as another may have its number when it is asked for. */
export interface KnownCred extends Ucred {
  readonly process: PidSubject | null;
}

/** The sender reported for a message without credentials. */
export const NO_CRED: KnownCred = Object.freeze({ pid: 0, uid: -1, gid: -1, process: null });

export interface Destination {
  readonly address: string;
  readonly paths: SocketPaths;
}

export interface Outgoing {
  readonly buf: Uint8Array;
  readonly off: number;
  readonly len: number;
  readonly flags: number;
  readonly sender: Sender;
  /** The address given, and where to look it up, or null. */
  readonly to: Destination | null;
  /** SCM_RIGHTS: files whose references the caller holds; the socket takes its own if it queues the message. */
  readonly rights: readonly OpenFile[];
  /** SCM_CREDENTIALS, not yet checked. */
  readonly cred: Ucred | null;
}

/** A receive: the window to fill, and what came with the data. */
export class Incoming {
  readonly buf: Uint8Array;
  readonly off: number;
  readonly len: number;
  readonly flags: number;
  /** Only this many bytes at the start of the window can be filled: data beyond that is -EFAULT. */
  readonly room: number;
  /** Where the message came from; null: unknown. */
  from: string | null = null;
  /** Flags of the message: MSG_TRUNC, MSG_EOR and so on. */
  outFlags = 0;
  /** What comes next may not be joined, not even with MSG_WAITALL: an urgent byte, a mark, another sender's bytes. */
  ends = false;
  /** SCM_RIGHTS: files with a reference each, which the caller now owns. */
  rights: OpenFile[] = [];
  /** Who sent it; null if the socket does not pass that on. */
  sender: KnownCred | null = null;
  /** Which control messages about the sender to make: SCM_CREDENTIALS, SCM_PIDFD. */
  tellsCred = false;
  tellsPidfd = false;
  /** When it arrived, and the option that says how to report that; null: not reported. */
  time: Timespec | null = null;
  timestamps = 0;

  constructor(buf: Uint8Array, off: number, len: number, flags: number, room = len) {
    this.buf = buf;
    this.off = off;
    this.len = len;
    this.flags = flags;
    this.room = room;
  }
}

export abstract class Socket extends File {
  readonly family: number = AF_UNIX;
  readonly sockType: number;
  readonly protocol: number;
  readonly options: SocketOptions = new SocketOptions();
  protected readonly queue: WaitQueue = new WaitQueue();
  /** The process that writes, for write(2), which passes no credentials of its own. */
  private writer: Sender = NOBODY;

  constructor(inode: Inode, sockType: number, protocol: number, nonblocking: boolean) {
    super(inode, O_RDWR | (nonblocking ? O_NONBLOCK : 0));
    this.sockType = sockType;
    this.protocol = protocol;
  }

  override get breaksLoudly(): boolean {
    return this.sockType === SOCK_STREAM;
  }

  override get seekable(): boolean {
    return false;
  }

  override get waitq(): WaitQueue {
    return this.queue;
  }

  override get linkName(): string {
    return `socket:[${this.inode.ino}]`;
  }

  /** Whether it accepts connections (SO_ACCEPTCONN). */
  get listening(): boolean {
    return false;
  }

  abstract bind(address: string, caller: SocketCaller): number;

  abstract connect(address: string, caller: SocketCaller): number;

  listen(_backlog: number, _caller: SocketCaller): number {
    return -EOPNOTSUPP;
  }

  /** A new socket for the oldest waiting connection. */
  accept(_nonblocking: boolean): Result<Socket> {
    return -EOPNOTSUPP;
  }

  /** Bytes sent. For -EPIPE the system call raises SIGPIPE, unless MSG_NOSIGNAL. */
  abstract send(message: Outgoing): number;

  /** Bytes received, 0 at the end; with MSG_TRUNC the whole length of a message that was cut. */
  abstract receive(message: Incoming): number;

  abstract shutdown(how: number): number;

  abstract sockname(): string;

  abstract peername(): Result<string>;

  /** The receiver of what is sent with MSG_OOB: its owner gets SIGURG. */
  get hearsUrgent(): Socket | null {
    return null;
  }

  /** The process at the other end (SO_PEERPIDFD). */
  get peerProcess(): PidSubject | null {
    return null;
  }

  /** Bytes that the next `receive` would find (SIOCINQ). */
  abstract pending(): number;

  /** The value of an option as bytes. */
  getOption(level: number, name: number): Result<Uint8Array> {
    return this.options.get(this, level, name);
  }

  setOption(level: number, name: number, value: Uint8Array, caller: SocketCaller): number {
    return this.options.set(this, level, name, value, caller);
  }

  override mayTransfer(current: Current, write: boolean): number {
    const { tgid, cred } = current;
    const known = !write || (this.writer.pid === tgid && this.writer.cred === cred);
    if (!known) this.writer = { pid: tgid, cred, fileLimit: 0, processExists: () => false };
    return 0;
  }

  /** read(2): discards files that came with the data. */
  override read(buf: Uint8Array, off: number, len: number): number {
    if (len === 0) return 0;
    return this.receiveBytes(new Incoming(buf, off, len, 0));
  }

  override readShort(buf: Uint8Array, off: number, room: number, len: number): number {
    return this.receiveBytes(new Incoming(buf, off, len, 0, room));
  }

  private receiveBytes(into: Incoming): number {
    const got = this.receive(into);
    for (const file of into.rights) file.put();
    return got;
  }

  override write(buf: Uint8Array, off: number, len: number): number {
    return this.send({
      buf,
      off,
      len,
      flags: 0,
      sender: this.writer,
      to: null,
      rights: NO_FILES,
      cred: null,
    });
  }

  override ioctl(_cmd: number, _arg: number, _user: UserMemory, _current: Current): number {
    return -ENOTTY;
  }
}

/** The sender of what the kernel itself writes. */
const NOBODY: Sender = Object.freeze({ pid: 0, cred: ROOT_CRED, fileLimit: 0, processExists: () => false });

const NO_FILES: readonly OpenFile[] = Object.freeze([]);
