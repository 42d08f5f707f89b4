/** The families of sockets that a machine has (socket(2)): each registers itself under its AF_ number. */
import type { AnonSuper } from '../fs/anon.ts';
import type { Result } from '../lib/result.ts';
import { EAFNOSUPPORT, EINVAL, EOPNOTSUPP } from '../uapi/errno.ts';
import { AF_MAX, SOCK_MAX } from '../uapi/socket.ts';
import type { SocketCaller } from './caller.ts';
import type { Socket } from './socket.ts';

export interface SocketFamily {
  readonly family: number;
  /** A socket of a type; -ESOCKTNOSUPPORT, -EPROTONOSUPPORT. */
  create(type: number, protocol: number, nonblocking: boolean, caller: SocketCaller): Result<Socket>;
  /** socketpair(2), for families that have it. */
  pair?(type: number, protocol: number, nonblocking: boolean, caller: SocketCaller): Result<[Socket, Socket]>;
}

export class Network {
  /** Where the inodes of sockets live. */
  readonly sockfs: AnonSuper;
  /** The task whose system call is being served. */
  readonly caller: () => SocketCaller;
  private readonly families = new Map<number, SocketFamily>();

  constructor(sockfs: AnonSuper, caller: () => SocketCaller) {
    this.sockfs = sockfs;
    this.caller = caller;
  }

  register(family: SocketFamily): void {
    this.families.set(family.family, family);
  }

  /** socket(2). */
  socket(family: number, type: number, protocol: number, nonblocking: boolean): Result<Socket> {
    const found = this.find(family, type);
    return typeof found === 'number' ? found : found.create(type, protocol, nonblocking, this.caller());
  }

  /** socketpair(2). */
  pair(family: number, type: number, protocol: number, nonblocking: boolean): Result<[Socket, Socket]> {
    const found = this.find(family, type);
    if (typeof found === 'number') return found;
    return found.pair?.(type, protocol, nonblocking, this.caller()) ?? -EOPNOTSUPP;
  }

  private find(family: number, type: number): Result<SocketFamily> {
    if (family < 0 || family >= AF_MAX) return -EAFNOSUPPORT;
    if (type < 0 || type >= SOCK_MAX) return -EINVAL;
    return this.families.get(family) ?? -EAFNOSUPPORT;
  }
}
