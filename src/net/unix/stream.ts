/** SOCK_STREAM of AF_UNIX: bytes in order. Packets show only through the descriptors and credentials they carry. */
import type { Inode } from '../../fs/inode.ts';
import { copyBytes } from '../../lib/bytes.ts';
import { EAGAIN, EFAULT, EINVAL, EISCONN, ENOTCONN, EOPNOTSUPP, EPERM, EPIPE } from '../../uapi/errno.ts';
import { MSG_OOB, MSG_PEEK, SOCK_STREAM } from '../../uapi/socket.ts';
import { type Incoming, NO_CRED, type Outgoing, type Ucred } from '../socket.ts';
import { UNNAMED } from './address.ts';
import { UnixConnection } from './connection.ts';
import type { UnixDomain } from './domain.ts';
import { type Packet, streamChunk, streamTruesize } from './packet.ts';
import { CONNECTED, RCV_SHUTDOWN, SEND_SHUTDOWN, type UnixSocket } from './socket.ts';

export class UnixStream extends UnixConnection {
  constructor(domain: UnixDomain, inode: Inode, nonblocking: boolean) {
    super(domain, SOCK_STREAM, inode, nonblocking);
  }

  override send(message: Outgoing): number {
    if ((message.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    const refused = this.checkControl(message);
    if (refused < 0) return refused;
    if (message.to !== null) return this.state === CONNECTED ? -EISCONN : -EOPNOTSUPP;
    const { peer } = this;
    if (peer === null) return -ENOTCONN;
    if ((this.shut & SEND_SHUTDOWN) !== 0) return -EPIPE;
    let sent = 0;
    let err = 0;
    while (sent < message.len) {
      err = this.mayAdd(peer) || (sent === 0 && peer.refusesRights(message) ? -EPERM : 0);
      if (err < 0) break;
      const n = streamChunk(message.len - sent, this.options.sendBuffer);
      this.deliver(message, sent, n, streamTruesize(n), peer);
      sent += n;
    }
    return sent > 0 ? sent : err;
  }

  override receive(into: Incoming): number {
    if ((into.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    if (this.state !== CONNECTED) return -EINVAL;
    if (this.packets.length === 0) return this.nothing();
    const peek = (into.flags & MSG_PEEK) !== 0;
    let skip = peek ? Math.max(0, this.options.peekOffset) : 0;
    let done = 0;
    for (let i = 0; i < this.packets.length; ) {
      const packet = this.packets[i]!;
      if (skip >= packet.left) {
        skip -= packet.left;
        if (++i === this.packets.length) return this.nothing();
        continue;
      }
      if (!this.noteSender(packet, into, done === 0)) break;
      const n = Math.min(into.len - done, packet.left - skip);
      if (done + n > into.room) return done > 0 ? done : -EFAULT;
      copyBytes(packet.data, packet.start + skip, into.buf, into.off + done, n);
      done += n;
      skip = 0;
      this.options.movePeek(peek ? n : -n);
      const carried = packet.rights.length > 0;
      this.takeRights(packet, into, peek);
      if (peek) i++;
      else if (this.consume(packet, n)) break;
      if (carried || done === into.len) break;
    }
    return done;
  }

  override pending(): number {
    let bytes = 0;
    for (const packet of this.packets) bytes += packet.left;
    return bytes;
  }

  /** Whether another packet may go to the peer now: 0 or -errno. */
  private mayAdd(peer: UnixSocket): number {
    const err = this.options.takeError();
    if (err < 0) return err;
    if (this.charged >= this.options.sendBuffer) return -EAGAIN;
    return peer.dead || (peer.shut & RCV_SHUTDOWN) !== 0 ? -EPIPE : 0;
  }

  /** What a receive answers when the queue is empty. */
  private nothing(): number {
    const err = this.options.takeError();
    if (err < 0) return err;
    return (this.shut & RCV_SHUTDOWN) !== 0 ? 0 : -EAGAIN;
  }

  /** Takes `n` bytes out of the first packet; true if some are left in it. */
  private consume(packet: Packet, n: number): boolean {
    packet.start += n;
    if (packet.left > 0) return true;
    this.shiftPacket();
    return false;
  }

  /** Notes who sent a packet; false if it may not be read together with those before. */
  private noteSender(packet: Packet, into: Incoming, first: boolean): boolean {
    if (first && packet.sender.address !== UNNAMED) into.from = packet.sender.address;
    if (!this.options.passesSender) return true;
    if (into.sender !== null && !sameCred(into.sender, packet.cred ?? NO_CRED)) return false;
    this.tellSender(packet, into);
    return true;
  }
}

const sameCred = (a: Ucred, b: Ucred): boolean => a.pid === b.pid && a.uid === b.uid && a.gid === b.gid;
