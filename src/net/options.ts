/**
 * Options of level SOL_SOCKET that all sockets share (socket(7)).
 *
 * Buffer sizes count as Linux counts them: what is set is doubled, for the bookkeeping. Options that change
 * nothing for any family that we have are stored and answered.
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

/** Options that are on or off, and mean nothing to local sockets but those of PASSED. */
const FLAGS: ReadonlySet<number> = new Set([
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
]);

/** What messages bring along; accepted sockets have these as their listener had them when the other connected. */
const PASSED: readonly number[] = [SO_PASSCRED, SO_PASSPIDFD, SO_PASSRIGHTS, SO_PASSSEC];

/** How messages tell when they came: one of these, or none. */
const TIMESTAMPS: ReadonlySet<number> = new Set([
  SO_TIMESTAMP,
  SO_TIMESTAMPNS,
  SO_TIMESTAMP_NEW,
  SO_TIMESTAMPNS_NEW,
]);

export class SocketOptions {
  sendBuffer: number = DEFAULT_BUFFER;
  receiveBuffer: number = DEFAULT_BUFFER;
  /** Nanoseconds that a call may wait; Infinity: for ever. */
  sendTimeout: number = Number.POSITIVE_INFINITY;
  receiveTimeout: number = Number.POSITIVE_INFINITY;
  receiveLowWater = 1;
  priority = 0;
  /** The error that SO_ERROR, or the next call, answers and clears. */
  error = 0;
  private linger = { on: 0, seconds: 0 };
  /** The one of TIMESTAMPS that is on, or 0. */
  timestamps = 0;
  /** Where MSG_PEEK begins (SO_PEEK_OFF); -1: always at what comes next. */
  peekOffset = -1;
  private mark = 0;
  private busyPoll = 0;
  private incomingCpu = -1;
  private readonly flags = new Set<number>([SO_PASSRIGHTS]);

  get passCred(): boolean {
    return this.flags.has(SO_PASSCRED);
  }

  get passPidfd(): boolean {
    return this.flags.has(SO_PASSPIDFD);
  }

  /** Whether messages are to say who sent them. */
  get passesSender(): boolean {
    return this.passCred || this.passPidfd;
  }

  get urgentInline(): boolean {
    return this.flags.has(SO_OOBINLINE);
  }

  get passRights(): boolean {
    return this.flags.has(SO_PASSRIGHTS);
  }

  /** The socket comes of a listener. */
  inherit(from: SocketOptions): void {
    for (const name of PASSED) this.setFlag(name, from.flags.has(name));
  }

  /** So many bytes more lie before what the next peek is to see; fewer, if they were received. */
  movePeek(by: number): void {
    if (this.peekOffset >= 0) this.peekOffset = Math.max(0, this.peekOffset + by);
  }

  /** The pending error as a negative number, or 0. It is reported once. */
  takeError(): number {
    const { error } = this;
    this.error = 0;
    return -error;
  }

  get(socket: Socket, level: number, name: number): Result<Uint8Array> {
    if (level !== SOL_SOCKET) return -EOPNOTSUPP;
    if (FLAGS.has(name)) return ints(this.flags.has(name) ? 1 : 0);
    if (TIMESTAMPS.has(name)) return ints(this.stamps(name) ? 1 : 0);
    switch (name) {
      case SO_TYPE:
        return ints(socket.sockType);
      case SO_PROTOCOL:
        return ints(socket.protocol);
      case SO_DOMAIN:
        return ints(socket.family);
      case SO_ACCEPTCONN:
        return ints(socket.listening ? 1 : 0);
      case SO_ERROR:
        return ints(-this.takeError());
      case SO_SNDBUF:
        return ints(this.sendBuffer);
      case SO_RCVBUF:
        return ints(this.receiveBuffer);
      case SO_RCVLOWAT:
        return ints(this.receiveLowWater);
      case SO_SNDLOWAT:
        return ints(1);
      case SO_PRIORITY:
        return ints(this.priority);
      case SO_MARK:
        return ints(this.mark);
      case SO_BUSY_POLL:
        return ints(this.busyPoll);
      case SO_INCOMING_CPU:
        return ints(this.incomingCpu);
      case SO_PEEK_OFF:
        return ints(this.peekOffset);
      case SO_COOKIE:
        return ints(socket.inode.ino, 0);
      case SO_LINGER:
        return ints(this.linger.on, this.linger.seconds);
      case SO_RCVTIMEO:
      case SO_RCVTIMEO_NEW:
        return timeval(this.receiveTimeout);
      case SO_SNDTIMEO:
      case SO_SNDTIMEO_NEW:
        return timeval(this.sendTimeout);
    }
    return -ENOPROTOOPT;
  }

  set(_socket: Socket, level: number, name: number, value: Uint8Array, caller: Sender): number {
    if (level !== SOL_SOCKET) return -EOPNOTSUPP;
    if (value.length < 4) return -EINVAL;
    const view = new DataView(value.buffer, value.byteOffset, value.length);
    const n = view.getInt32(0, true);
    if (FLAGS.has(name)) return this.trySetFlag(name, n !== 0, caller);
    if (TIMESTAMPS.has(name)) {
      this.timestamps = n !== 0 ? name : 0;
      return 0;
    }
    switch (name) {
      case SO_SNDBUFFORCE:
      case SO_RCVBUFFORCE:
        if (!capable(caller.cred, CAP_NET_ADMIN)) return -EPERM;
        return this.setBuffer(name === SO_SNDBUFFORCE, Math.max(0, n));
      case SO_SNDBUF:
      case SO_RCVBUF:
        return this.setBuffer(name === SO_SNDBUF, Math.min(n >>> 0, MAX_BUFFER));
      case SO_RCVLOWAT:
        this.receiveLowWater = n < 0 ? INT_MAX : n || 1;
        return 0;
      case SO_PRIORITY:
        if ((n < 0 || n > 6) && !capable(caller.cred, CAP_NET_ADMIN)) return -EPERM;
        this.priority = n;
        return 0;
      case SO_MARK:
        if (!capable(caller.cred, CAP_NET_ADMIN) && !capable(caller.cred, CAP_NET_RAW)) return -EPERM;
        this.mark = n;
        return 0;
      case SO_BUSY_POLL:
        if (n < 0) return -EINVAL;
        this.busyPoll = n;
        return 0;
      case SO_INCOMING_CPU:
        this.incomingCpu = n;
        return 0;
      case SO_PEEK_OFF:
        this.peekOffset = n;
        return 0;
      case SO_LINGER:
        if (value.length < 8) return -EINVAL;
        this.linger = {
          on: n === 0 ? 0 : 1,
          seconds: n === 0 ? this.linger.seconds : view.getInt32(4, true),
        };
        return 0;
      case SO_RCVTIMEO:
      case SO_RCVTIMEO_NEW:
      case SO_SNDTIMEO:
      case SO_SNDTIMEO_NEW:
        return this.setTimeout(name === SO_RCVTIMEO || name === SO_RCVTIMEO_NEW, view);
    }
    return -ENOPROTOOPT;
  }

  /** Linux does not tell the second of the newer two from the first. */
  private stamps(name: number): boolean {
    const { timestamps } = this;
    return timestamps === name || (name === SO_TIMESTAMP_NEW && timestamps === SO_TIMESTAMPNS_NEW);
  }

  private trySetFlag(name: number, on: boolean, caller: Sender): number {
    if (on && name === SO_REUSEPORT) return -EOPNOTSUPP;
    if (on && name === SO_DEBUG && !capable(caller.cred, CAP_NET_ADMIN)) return -EACCES;
    this.setFlag(name, on);
    return 0;
  }

  private setFlag(name: number, on: boolean): void {
    if (on) this.flags.add(name);
    else this.flags.delete(name);
  }

  private setBuffer(send: boolean, bytes: number): number {
    const doubled = Math.min(bytes, INT_MAX / 2) * 2;
    if (send) this.sendBuffer = Math.floor(Math.max(doubled, MIN_SEND_BUFFER));
    else this.receiveBuffer = Math.floor(Math.max(doubled, MIN_RECEIVE_BUFFER));
    return 0;
  }

  private setTimeout(receive: boolean, view: DataView): number {
    if (view.byteLength < 16) return -EINVAL;
    const sec = getInt64(view, 0);
    const usec = getInt64(view, 8);
    if (usec < 0 || usec >= 1_000_000) return -EDOM;
    // A negative time means not to wait at all, none means for ever (socket(7)).
    const ns = sec < 0 ? 0 : sec * NSEC_PER_SEC + usec * 1000 || Number.POSITIVE_INFINITY;
    if (receive) this.receiveTimeout = ns;
    else this.sendTimeout = ns;
    return 0;
  }
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

function timeval(ns: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const time = Number.isFinite(ns) ? ns : 0;
  setInt64(view, 0, Math.floor(time / NSEC_PER_SEC));
  setInt64(view, 8, Math.floor((time % NSEC_PER_SEC) / 1000));
  return bytes;
}
