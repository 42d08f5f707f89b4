/**
 * AF_UNIX of one machine: its abstract names, the files in flight between its sockets, and how sockets are made.
 */
import type { Result } from '../../lib/result.ts';
import { ECONNREFUSED, ENOSPC, EPROTONOSUPPORT, EPROTOTYPE, ESOCKTNOSUPPORT } from '../../uapi/errno.ts';
import { AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM } from '../../uapi/socket.ts';
import { S_IFSOCK } from '../../uapi/stat.ts';
import type { Sender, SocketPaths } from '../caller.ts';
import type { Network, SocketFamily } from '../family.ts';
import type { Socket } from '../socket.ts';
import { autoAddress, isAbstract, nameKey, pathOf } from './address.ts';
import { UnixDgram } from './dgram.ts';
import { InFlight } from './in-flight.ts';
import { PacketPool } from './pool.ts';
import { UnixSeqpacket } from './seqpacket.ts';
import { UnixSocket } from './socket.ts';
import { UnixStream } from './stream.ts';

const AUTO_NAMES = 1 << 20;

export class UnixDomain implements SocketFamily {
  readonly family: number = AF_UNIX;
  readonly net: Network;
  readonly inFlight: InFlight = new InFlight();
  readonly pool: PacketPool = new PacketPool();
  /** Sockets bound to abstract names, by `nameKey`. */
  readonly names: Map<string, UnixSocket> = new Map();
  private lastAuto = 0;

  constructor(net: Network) {
    this.net = net;
  }

  create(type: number, protocol: number, nonblocking: boolean, caller: Sender): Result<Socket> {
    if (protocol !== 0 && protocol !== AF_UNIX) return -EPROTONOSUPPORT;
    return this.make(type === SOCK_RAW ? SOCK_DGRAM : type, nonblocking, caller);
  }

  pair(type: number, protocol: number, nonblocking: boolean, caller: Sender): Result<[Socket, Socket]> {
    if (protocol !== 0 && protocol !== AF_UNIX) return -EPROTONOSUPPORT;
    const kind = type === SOCK_RAW ? SOCK_DGRAM : type;
    const a = this.make(kind, nonblocking, caller);
    const b = this.make(kind, nonblocking, caller);
    if (typeof a === 'number' || typeof b === 'number') return -ESOCKTNOSUPPORT;
    a.pairWith(b, caller);
    return [a, b];
  }

  make(type: number, nonblocking: boolean, caller: Sender): Result<UnixSocket> {
    const kind =
      type === SOCK_STREAM
        ? UnixStream
        : type === SOCK_DGRAM
          ? UnixDgram
          : type === SOCK_SEQPACKET
            ? UnixSeqpacket
            : null;
    if (kind === null) return -ESOCKTNOSUPPORT;
    const inode = this.net.sockfs.newInode(S_IFSOCK | 0o777, caller.cred);
    inode.protocol = type === SOCK_STREAM ? 'UNIX-STREAM' : 'UNIX';
    return new kind(this, inode, nonblocking);
  }

  /**
   * The socket of a type bound to a (valid) address; -ECONNREFUSED if there is none, -EPROTOTYPE if of another type.
   */
  find(address: string, type: number, paths: SocketPaths): Result<UnixSocket> {
    const found = isAbstract(address)
      ? this.names.get(nameKey(address, type))
      : this.findPath(pathOf(address), paths);
    if (typeof found === 'number') return found;
    if (found === undefined) return -ECONNREFUSED;
    return found.sockType === type ? found : -EPROTOTYPE;
  }

  /** A free abstract name; -ENOSPC if all are taken. */
  autoName(type: number): Result<string> {
    for (let tries = 0; tries < AUTO_NAMES; tries++) {
      const address = autoAddress(++this.lastAuto);
      if (!this.names.has(nameKey(address, type))) return address;
    }
    return -ENOSPC;
  }

  private findPath(name: string, paths: SocketPaths): Result<UnixSocket> {
    const path = paths.findSocket(name);
    if (typeof path === 'number') return path;
    const bound = path.dentry.inode?.endpoint;
    return bound instanceof UnixSocket ? bound : -ECONNREFUSED;
  }
}
