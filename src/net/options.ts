/**
 * The options of level SOL_SOCKET, which all sockets share (socket(7)): `OPTIONS` has a row for each.
 *
 * Buffer sizes are counted as Linux counts them: a size that is set is doubled, to allow for bookkeeping. Options
 * that have no effect in any of our families are stored and reported back.
 */

import { NSEC_PER_SEC } from '../core/clock.ts';
import { CAP_NET_ADMIN, CAP_NET_RAW, capable } from '../core/cred.ts';
import { getInt64, setInt64 } from '../lib/int64.ts';
import type { Result } from '../lib/result.ts';
import { EACCES, EDOM, EINVAL, ENOPROTOOPT, EOPNOTSUPP, EPERM } from '../uapi/errno.ts';
import {
  SO_ACCEPTCONN,
  SO_BROADCAST,
  SO_BUSY_POLL,
  SO_COOKIE,
  SO_DEBUG,
  SO_DOMAIN,
  SO_DONTROUTE,
  SO_ERROR,
  SO_INCOMING_CPU,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_MARK,
  SO_OOBINLINE,
  SO_PASSCRED,
  SO_PASSPIDFD,
  SO_PASSRIGHTS,
  SO_PASSSEC,
  SO_PEEK_OFF,
  SO_PRIORITY,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_RCVTIMEO_NEW,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SO_SNDLOWAT,
  SO_SNDTIMEO,
  SO_SNDTIMEO_NEW,
  SO_TIMESTAMP,
  SO_TIMESTAMP_NEW,
  SO_TIMESTAMPNS,
  SO_TIMESTAMPNS_NEW,
  SO_TYPE,
  SOL_SOCKET,
} from '../uapi/socket.ts';
import type { Sender } from './caller.ts';
import type { Socket } from './socket.ts';

/** /proc/sys/net/core/{r,w}mem_default and _max. */
const DEFAULT_BUFFER = 212992;
const MAX_BUFFER = 4 << 20;
const MIN_SEND_BUFFER = 4608;
const MIN_RECEIVE_BUFFER = 2304;
const INT_MAX = 0x7fffffff;

/** Options that are either on or off. Only those in PASSED have an effect on local sockets. */
const FLAGS: readonly number[] = [
  SO_DEBUG,
  SO_REUSEADDR,
  SO_DONTROUTE,
  SO_BROADCAST,
  SO_KEEPALIVE,
  SO_OOBINLINE,
  SO_REUSEPORT,
  SO_PASSCRED,
  SO_PASSPIDFD,
  SO_PASSRIGHTS,
  SO_PASSSEC,
];

/** What messages carry along. An accepted socket has these as its listener had them when the peer connected. */
const PASSED: readonly number[] = [SO_PASSCRED, SO_PASSPIDFD, SO_PASSRIGHTS, SO_PASSSEC];

/** How a message reports its time of arrival: at most one of these is on. */
const TIMESTAMPS: readonly number[] = [SO_TIMESTAMP, SO_TIMESTAMPNS, SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW];

export class SocketOptions {
  sendBuffer: number = DEFAULT_BUFFER;
  receiveBuffer: number = DEFAULT_BUFFER;
  /** How many nanoseconds a call may wait; Infinity: forever. */
  sendTimeout: number = Number.POSITIVE_INFINITY;
  receiveTimeout: number = Number.POSITIVE_INFINITY;
  receiveLowWater = 1;
  priority = 0;
  /** The pending error, which SO_ERROR or the next call reports and clears. */
  error = 0;
  linger: Readonly<Linger> = { on: 0, seconds: 0 };
  /** The one of TIMESTAMPS that is on, or 0. */
  timestamps = 0;
  /** The offset at which MSG_PEEK begins (SO_PEEK_OFF); -1: always at the next byte to be received. */
  peekOffset = -1;
  mark = 0;
  busyPoll = 0;
  incomingCpu = -1;
  private readonly flags = new Set<number>([SO_PASSRIGHTS]);

  get passCred(): boolean {
    return this.flags.has(SO_PASSCRED);
  }

  get passPidfd(): boolean {
    return this.flags.has(SO_PASSPIDFD);
  }

  /** Whether messages are to identify their sender. */
  get passesSender(): boolean {
    return this.passCred || this.passPidfd;
  }

  get urgentInline(): boolean {
    return this.flags.has(SO_OOBINLINE);
  }

  get passRights(): boolean {
    return this.flags.has(SO_PASSRIGHTS);
  }

  /** Takes over what an accepted socket inherits from its listener. */
  inherit(from: SocketOptions): void {
    for (const name of PASSED) this.setFlag(name, from.hasFlag(name));
  }

  /** `by` more bytes precede the place where the next peek begins; `by` is negative when bytes were received. */
  movePeek(by: number): void {
    if (this.peekOffset >= 0) this.peekOffset = Math.max(0, this.peekOffset + by);
  }

  /** The pending error as a negative number, or 0. It is reported once. */
  takeError(): number {
    const { error } = this;
    this.error = 0;
    return -error;
  }

  hasFlag(name: number): boolean {
    return this.flags.has(name);
  }

  setFlag(name: number, on: boolean): void {
    if (on) this.flags.add(name);
    else this.flags.delete(name);
  }

  get(socket: Socket, level: number, name: number): Result<Uint8Array> {
    if (level !== SOL_SOCKET) return -EOPNOTSUPP;
    return OPTIONS.get(name)?.get?.(this, socket) ?? -ENOPROTOOPT;
  }

  set(_socket: Socket, level: number, name: number, value: Uint8Array, caller: Sender): number {
    if (level !== SOL_SOCKET) return -EOPNOTSUPP;
    if (value.length < 4) return -EINVAL;
    const view = new DataView(value.buffer, value.byteOffset, value.length);
    return OPTIONS.get(name)?.set?.(this, view.getInt32(0, true), caller, view) ?? -ENOPROTOOPT;
  }
}

/** Struct linger. */
interface Linger {
  on: number;
  seconds: number;
}

/** One option. Without `get` or `set`, getsockopt(2) or setsockopt(2) does not know it. */
interface SocketOption {
  readonly get?: (options: SocketOptions, socket: Socket) => Uint8Array;
  /** `n` is the value's first integer, which is all that most options look at. 0 or -errno. */
  readonly set?: (options: SocketOptions, n: number, caller: Sender, value: DataView) => number;
}

const RECEIVE_TIMEOUT: SocketOption = {
  get: options => timeval(options.receiveTimeout),
  set: (options, _n, _caller, value) => {
    const ns = timeoutOf(value);
    if (ns < 0) return ns;
    options.receiveTimeout = ns;
    return 0;
  },
};

const SEND_TIMEOUT: SocketOption = {
  get: options => timeval(options.sendTimeout),
  set: (options, _n, _caller, value) => {
    const ns = timeoutOf(value);
    if (ns < 0) return ns;
    options.sendTimeout = ns;
    return 0;
  },
};

const OPTIONS: ReadonlyMap<number, SocketOption> = new Map<number, SocketOption>([
  ...FLAGS.map((name): [number, SocketOption] => [name, flagOption(name)]),
  ...TIMESTAMPS.map((name): [number, SocketOption] => [name, timestampOption(name)]),
  [SO_TYPE, { get: (_, socket) => ints(socket.sockType) }],
  [SO_PROTOCOL, { get: (_, socket) => ints(socket.protocol) }],
  [SO_DOMAIN, { get: (_, socket) => ints(socket.family) }],
  [SO_ACCEPTCONN, { get: (_, socket) => ints(socket.listening ? 1 : 0) }],
  [SO_ERROR, { get: options => ints(-options.takeError()) }],
  [SO_SNDBUF, { get: options => ints(options.sendBuffer), set: setSendBuffer }],
  [SO_RCVBUF, { get: options => ints(options.receiveBuffer), set: setReceiveBuffer }],
  [SO_SNDBUFFORCE, { set: forceSendBuffer }],
  [SO_RCVBUFFORCE, { set: forceReceiveBuffer }],
  [SO_RCVLOWAT, { get: options => ints(options.receiveLowWater), set: setReceiveLowWater }],
  [SO_SNDLOWAT, { get: () => ints(1) }],
  [SO_PRIORITY, { get: options => ints(options.priority), set: setPriority }],
  [SO_MARK, { get: options => ints(options.mark), set: setMark }],
  [SO_BUSY_POLL, { get: options => ints(options.busyPoll), set: setBusyPoll }],
  [SO_INCOMING_CPU, { get: options => ints(options.incomingCpu), set: setIncomingCpu }],
  [SO_PEEK_OFF, { get: options => ints(options.peekOffset), set: setPeekOffset }],
  [SO_COOKIE, { get: (_, socket) => ints(socket.inode.ino, 0) }],
  [SO_LINGER, { get: ({ linger }) => ints(linger.on, linger.seconds), set: setLinger }],
  [SO_RCVTIMEO, RECEIVE_TIMEOUT],
  [SO_RCVTIMEO_NEW, RECEIVE_TIMEOUT],
  [SO_SNDTIMEO, SEND_TIMEOUT],
  [SO_SNDTIMEO_NEW, SEND_TIMEOUT],
]);

function flagOption(name: number): SocketOption {
  return {
    get: options => ints(options.hasFlag(name) ? 1 : 0),
    set: (options, n, caller) => {
      const on = n !== 0;
      if (on && name === SO_REUSEPORT) return -EOPNOTSUPP;
      if (on && name === SO_DEBUG && !capable(caller.cred, CAP_NET_ADMIN)) return -EACCES;
      options.setFlag(name, on);
      return 0;
    },
  };
}

function timestampOption(name: number): SocketOption {
  return {
    get: ({ timestamps }) => {
      // As on Linux, SO_TIMESTAMP_NEW also reads as on while SO_TIMESTAMPNS_NEW is.
      const on = timestamps === name || (name === SO_TIMESTAMP_NEW && timestamps === SO_TIMESTAMPNS_NEW);
      return ints(on ? 1 : 0);
    },
    set: (options, n) => {
      options.timestamps = n !== 0 ? name : 0;
      return 0;
    },
  };
}

/** The number is read as unsigned, so that a negative one asks for the maximum. */
function setSendBuffer(options: SocketOptions, n: number): number {
  options.sendBuffer = Math.max(doubled(Math.min(n >>> 0, MAX_BUFFER)), MIN_SEND_BUFFER);
  return 0;
}

function setReceiveBuffer(options: SocketOptions, n: number): number {
  options.receiveBuffer = Math.max(doubled(Math.min(n >>> 0, MAX_BUFFER)), MIN_RECEIVE_BUFFER);
  return 0;
}

/** The maximum does not hold for those who may administer the network. */
function forceSendBuffer(options: SocketOptions, n: number, { cred }: Sender): number {
  if (!capable(cred, CAP_NET_ADMIN)) return -EPERM;
  options.sendBuffer = Math.max(doubled(n), MIN_SEND_BUFFER);
  return 0;
}

function forceReceiveBuffer(options: SocketOptions, n: number, { cred }: Sender): number {
  if (!capable(cred, CAP_NET_ADMIN)) return -EPERM;
  options.receiveBuffer = Math.max(doubled(n), MIN_RECEIVE_BUFFER);
  return 0;
}

const doubled = (bytes: number): number => Math.floor(Math.min(bytes, INT_MAX / 2) * 2);

function setReceiveLowWater(options: SocketOptions, n: number): number {
  options.receiveLowWater = n < 0 ? INT_MAX : n || 1;
  return 0;
}

function setPriority(options: SocketOptions, n: number, { cred }: Sender): number {
  if ((n < 0 || n > 6) && !capable(cred, CAP_NET_ADMIN)) return -EPERM;
  options.priority = n;
  return 0;
}

function setMark(options: SocketOptions, n: number, { cred }: Sender): number {
  if (!capable(cred, CAP_NET_ADMIN) && !capable(cred, CAP_NET_RAW)) return -EPERM;
  options.mark = n;
  return 0;
}

function setBusyPoll(options: SocketOptions, n: number): number {
  if (n < 0) return -EINVAL;
  options.busyPoll = n;
  return 0;
}

function setIncomingCpu(options: SocketOptions, n: number): number {
  options.incomingCpu = n;
  return 0;
}

function setPeekOffset(options: SocketOptions, n: number): number {
  options.peekOffset = n;
  return 0;
}

/** Switching it off keeps the time. */
function setLinger(options: SocketOptions, n: number, _caller: Sender, value: DataView): number {
  if (value.byteLength < 8) return -EINVAL;
  const seconds = n === 0 ? options.linger.seconds : value.getInt32(4, true);
  options.linger = { on: n === 0 ? 0 : 1, seconds };
  return 0;
}

/** Nanoseconds from a struct timeval, or -errno. */
function timeoutOf(value: DataView): number {
  if (value.byteLength < 16) return -EINVAL;
  const sec = getInt64(value, 0);
  const usec = getInt64(value, 8);
  if (usec < 0 || usec >= 1_000_000) return -EDOM;
  // A negative time means not to wait at all, zero means to wait forever (socket(7)).
  return sec < 0 ? 0 : sec * NSEC_PER_SEC + usec * 1000 || Number.POSITIVE_INFINITY;
}

/** Integers as bytes. */
export function ints(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setInt32(4 * i, value, true);
  });
  return bytes;
}

/** A struct timeval; zeros for a call that waits forever. */
function timeval(ns: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const time = Number.isFinite(ns) ? ns : 0;
  setInt64(view, 0, Math.floor(time / NSEC_PER_SEC));
  setInt64(view, 8, Math.floor((time % NSEC_PER_SEC) / 1000));
  return bytes;
}
