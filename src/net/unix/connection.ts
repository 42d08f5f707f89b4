/** Sockets that connect: listen(2), connect(2) and accept(2) for streams and sequenced packets. */
import type { Result } from '../../lib/result.ts';
import { EAGAIN, ECONNREFUSED, ECONNRESET, EINVAL, EISCONN } from '../../uapi/errno.ts';
import { O_NONBLOCK } from '../../uapi/fcntl.ts';
import { POLLHUP } from '../../uapi/poll.ts';
import { SOMAXCONN } from '../../uapi/socket.ts';
import type { SocketCaller } from '../caller.ts';
import type { Socket } from '../socket.ts';
import { checkAddress, UNNAMED } from './address.ts';
import {
  CLOSED,
  CONNECTED,
  LISTENING,
  RCV_SHUTDOWN,
  READABLE,
  SEND_SHUTDOWN,
  UnixSocket,
  WRITABLE,
} from './socket.ts';

export abstract class UnixConnection extends UnixSocket {
  /** Connections that wait to be accepted: our ends of them. */
  private readonly incoming: UnixSocket[] = [];

  override get full(): boolean {
    return this.incoming.length > this.backlog;
  }

  override listen(backlog: number, caller: SocketCaller): number {
    if (this.address === UNNAMED) return -EINVAL;
    if (this.state !== CLOSED && this.state !== LISTENING) return -EINVAL;
    const granted = Math.min(backlog >>> 0, SOMAXCONN);
    const grown = granted > this.backlog;
    this.backlog = granted;
    this.state = LISTENING;
    this.ownCred = this.peerCredOf(caller);
    if (grown) this.room.wake(WRITABLE);
    return 0;
  }

  override connect(address: string, caller: SocketCaller): number {
    const invalid = checkAddress(address);
    if (invalid < 0) return invalid;
    if (this.options.passesSender) this.autobind();
    const listener = this.domain.find(address, this.sockType, caller);
    if (typeof listener === 'number') return listener;
    if (!(listener instanceof UnixConnection) || !listener.listening) return -ECONNREFUSED;
    if ((listener.shut & RCV_SHUTDOWN) !== 0) return -ECONNREFUSED;
    if (listener.full) {
      this.awaitRoom(listener);
      return -EAGAIN;
    }
    if (this.state !== CLOSED) return this.state === CONNECTED ? -EISCONN : -EINVAL;
    return this.join(listener, caller);
  }

  override accept(nonblocking: boolean): Result<Socket> {
    if (this.state !== LISTENING) return -EINVAL;
    const socket = this.incoming.shift();
    if (socket === undefined)
      return (this.shut & RCV_SHUTDOWN) !== 0 && !this.nonblocking ? -EINVAL : -EAGAIN;
    this.room.wake(WRITABLE);
    socket.embryo = false;
    if (nonblocking) socket.flags |= O_NONBLOCK;
    return socket;
  }

  /** Makes the other end of our connection and leaves it for accept(2). */
  private join(listener: UnixConnection, caller: SocketCaller): number {
    const made = this.domain.make(this.sockType, false, caller);
    if (typeof made === 'number') return made;
    made.state = CONNECTED;
    made.peer = this;
    made.embryo = true;
    made.address = listener.address;
    made.options.inherit(listener.options);
    made.options.sendBuffer = listener.options.sendBuffer;
    this.ownCred = this.peerCredOf(caller);
    made.peerCred = this.ownCred;
    this.peerCred = listener.ownCred;
    this.state = CONNECTED;
    this.peer = made;
    listener.incoming.push(made);
    listener.queue.wake(READABLE);
    return 0;
  }

  override poll(): number {
    let events = this.pollCommon();
    if (this.incoming.length > 0) events |= READABLE;
    if (this.state === CLOSED) events |= POLLHUP;
    return this.state !== LISTENING && this.roomy ? events | WRITABLE : events;
  }

  protected override peerShutDown(theirs: number): void {
    this.peer?.hangUp(theirs);
  }

  protected override leavePeer(): void {
    const { peer } = this;
    this.peer = null;
    if (peer !== null && !peer.dead) {
      if (this.packets.length > 0 || this.embryo) peer.options.error = ECONNRESET;
      peer.hangUp(RCV_SHUTDOWN | SEND_SHUTDOWN);
    }
    for (const socket of this.incoming.splice(0)) socket.put();
  }

  /** A listener also holds the queues of its embryos. */
  override eachInQueue(visit: (held: UnixSocket) => void): void {
    super.eachInQueue(visit);
    for (const socket of this.incoming) socket.eachInQueue(visit);
  }

  override dropRights(): void {
    super.dropRights();
    for (const socket of this.incoming) socket.dropRights();
  }
}
