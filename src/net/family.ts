/** The families of sockets that a machine has (socket(2)): each registers itself under its AF_ number. */
import type { AnonSuper } from '../fs/anon.ts';
import type { PidSubject } from '../ipc/pidfd.ts';
import type { Result } from '../lib/result.ts';
import { EAFNOSUPPORT, EINVAL, EOPNOTSUPP } from '../uapi/errno.ts';
import { AF_MAX, SOCK_MAX } from '../uapi/socket.ts';
import type { Sender } from './caller.ts';
import type { Socket } from './socket.ts';

export interface SocketFamily {
  readonly family: number;
  /** A socket of a type; -ESOCKTNOSUPPORT, -EPROTONOSUPPORT. */
  create(type: number, protocol: number, nonblocking: boolean, caller: Sender): Result<Socket>;
  /** socketpair(2), for families that have it. */
  pair?(type: number, protocol: number, nonblocking: boolean, caller: Sender): Result<[Socket, Socket]>;
}

export interface Processes {
  get(pid: number): PidSubject | undefined;
}

export class Network {
  /** Where the inodes of sockets live. */
  readonly sockfs: AnonSuper;
  private readonly families = new Map<number, SocketFamily>();

  /** The existing processes, by number. */
  readonly processes: Processes;

  constructor(sockfs: AnonSuper, processes: Processes) {
    this.sockfs = sockfs;
    this.processes = processes;
  }

  register(family: SocketFamily): void {
    this.families.set(family.family, family);
  }

  /** socket(2). */
  socket(
    family: number,
    type: number,
    protocol: number,
    nonblocking: boolean,
    caller: Sender,
  ): Result<Socket> {
    const found = this.find(family, type);
    return typeof found === 'number' ? found : found.create(type, protocol, nonblocking, caller);
  }

  /** socketpair(2). */
  pair(
    family: number,
    type: number,
    protocol: number,
    nonblocking: boolean,
    caller: Sender,
  ): Result<[Socket, Socket]> {
    const found = this.find(family, type);
    if (typeof found === 'number') return found;
    return found.pair?.(type, protocol, nonblocking, caller) ?? -EOPNOTSUPP;
  }

  private find(family: number, type: number): Result<SocketFamily> {
    if (family < 0 || family >= AF_MAX) return -EAFNOSUPPORT;
    if (type < 0 || type >= SOCK_MAX) return -EINVAL;
    return this.families.get(family) ?? -EAFNOSUPPORT;
  }
}
