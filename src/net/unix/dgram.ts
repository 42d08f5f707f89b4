/**
 * SOCK_DGRAM of AF_UNIX: messages to any address, or to the peer that connect(2) set. Reliable and in order: a sender
 * waits while the receiver's queue is full.
 */
import type { Inode } from '../../fs/inode.ts';
import type { Result } from '../../lib/result.ts';
import {
  EAGAIN,
  ECONNREFUSED,
  ECONNRESET,
  EINVAL,
  EMSGSIZE,
  ENOTCONN,
  EOPNOTSUPP,
  EPERM,
  EPIPE,
} from '../../uapi/errno.ts';
import { AF_UNSPEC, MSG_DONTWAIT, MSG_OOB, SOCK_DGRAM } from '../../uapi/socket.ts';
import type { SocketCaller } from '../caller.ts';
import type { Incoming, Outgoing } from '../socket.ts';
import { checkAddress, familyOf } from './address.ts';
import type { UnixDomain } from './domain.ts';
import { MESSAGE_OVERHEAD, nextMessage } from './message.ts';
import { messageTruesize } from './packet.ts';
import { CLOSED, CONNECTED, RCV_SHUTDOWN, SEND_SHUTDOWN, UnixSocket, WRITABLE } from './socket.ts';

export class UnixDgram extends UnixSocket {
  constructor(domain: UnixDomain, inode: Inode, nonblocking: boolean) {
    super(domain, SOCK_DGRAM, inode, nonblocking);
  }

  /** Sets the peer, or removes it (AF_UNSPEC). */
  override connect(address: string, caller: SocketCaller): number {
    if (familyOf(address) === AF_UNSPEC) {
      this.setPeer(null);
      return 0;
    }
    const invalid = checkAddress(address);
    if (invalid < 0) return invalid;
    if (this.options.passesSender) this.autobind();
    const other = this.domain.find(address, SOCK_DGRAM, caller);
    if (typeof other === 'number') return other;
    if (!this.maySendTo(other)) return -EPERM;
    this.setPeer(other);
    return 0;
  }

  override send(message: Outgoing): number {
    if ((message.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    const refused = this.checkControl(message);
    if (refused < 0) return refused;
    if (message.to !== null && checkAddress(message.to.address) < 0) return -EINVAL;
    if (message.to === null && this.peer === null) return -ENOTCONN;
    if (this.options.passesSender) this.autobind();
    if (message.len > this.options.sendBuffer - MESSAGE_OVERHEAD) return -EMSGSIZE;
    const err = this.options.takeError();
    if (err < 0) return err;
    if ((this.shut & SEND_SHUTDOWN) !== 0) return -EPIPE;
    if (this.charged >= this.options.sendBuffer) return -EAGAIN;
    const other = this.target(message);
    return typeof other === 'number' ? other : this.sendTo(other, message);
  }

  override receive(into: Incoming): number {
    if ((into.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    const err = this.options.takeError();
    if (err < 0) return err;
    const next = nextMessage(this.packets, into, this.options.peekOffset);
    if (next === null) {
      const waits = !this.nonblocking && (into.flags & MSG_DONTWAIT) === 0;
      return waits && (this.shut & RCV_SHUTDOWN) !== 0 ? 0 : -EAGAIN;
    }
    return this.receiveMessage(next, into);
  }

  override pending(): number {
    return this.packets[0]?.left ?? 0;
  }

  override poll(): number {
    const events = this.pollCommon();
    if (!this.roomy) return events;
    const { peer } = this;
    if (peer !== null && !peer.dead && peer.peer !== this && peer.full) {
      this.awaitRoom(peer);
      return events;
    }
    return events | WRITABLE;
  }

  protected override leavePeer(): void {
    this.peer = null;
  }

  /** The receiver of a message: the socket at its address, or the peer. */
  private target(message: Outgoing): Result<UnixSocket> {
    if (message.to !== null) {
      const other = this.domain.find(message.to.address, SOCK_DGRAM, message.to.paths);
      return typeof other === 'number' || this.maySendTo(other) ? other : -EPERM;
    }
    const peer = this.peer!;
    if (!peer.dead) return this.maySendTo(peer) ? peer : -EPERM;
    this.setPeer(null);
    return -ECONNREFUSED;
  }

  private sendTo(other: UnixSocket, message: Outgoing): number {
    if ((other.shut & RCV_SHUTDOWN) !== 0) return -EPIPE;
    if (other.refusesRights(message)) return -EPERM;
    if (other !== this && other.peer !== this && other.full) {
      this.awaitRoom(other);
      return -EAGAIN;
    }
    const { len } = message;
    this.deliver(message, 0, len, messageTruesize(len), other);
    return len;
  }

  /** A socket with a peer receives from that one only. */
  private maySendTo(other: UnixSocket): boolean {
    return other.peer === null || other.peer === this;
  }

  /**
   * Changing the peer drops unreceived messages. If there were any and we were the old peer's peer, it gets an error.
   */
  private setPeer(peer: UnixSocket | null): void {
    const old = this.peer;
    this.peer = peer;
    this.state = peer === null ? CLOSED : CONNECTED;
    if (old === null || old === peer || this.packets.length === 0) return;
    this.flushPackets();
    if (!old.dead && old.peer === this) old.fail(ECONNRESET);
  }
}
