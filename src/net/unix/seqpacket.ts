/** SOCK_SEQPACKET of AF_UNIX: a connection that keeps messages whole. */
import type { Inode } from '../../fs/inode.ts';
import { EAGAIN, EMSGSIZE, ENOTCONN, EOPNOTSUPP, EPERM, EPIPE } from '../../uapi/errno.ts';
import { MSG_OOB, SOCK_SEQPACKET } from '../../uapi/socket.ts';
import type { Incoming, Outgoing } from '../socket.ts';
import { UnixConnection } from './connection.ts';
import type { UnixDomain } from './domain.ts';
import { MESSAGE_OVERHEAD, nextMessage } from './message.ts';
import { messageTruesize } from './packet.ts';
import { CONNECTED, RCV_SHUTDOWN, SEND_SHUTDOWN } from './socket.ts';

export class UnixSeqpacket extends UnixConnection {
  constructor(domain: UnixDomain, inode: Inode, nonblocking: boolean) {
    super(domain, SOCK_SEQPACKET, inode, nonblocking);
  }

  /** An address is ignored, as there is a connection. */
  override send(message: Outgoing): number {
    const err = this.options.takeError();
    if (err < 0) return err;
    const { peer } = this;
    if (this.state !== CONNECTED || peer === null) return -ENOTCONN;
    if ((message.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    const refused = this.checkControl(message);
    if (refused < 0) return refused;
    const { len } = message;
    if (len > this.options.sendBuffer - MESSAGE_OVERHEAD) return -EMSGSIZE;
    if ((this.shut & SEND_SHUTDOWN) !== 0 || peer.dead || (peer.shut & RCV_SHUTDOWN) !== 0) return -EPIPE;
    if (this.charged >= this.options.sendBuffer) return -EAGAIN;
    if (peer.refusesRights(message)) return -EPERM;
    this.deliver(message, 0, len, messageTruesize(len), peer);
    return len;
  }

  override receive(into: Incoming): number {
    if (this.state !== CONNECTED) return -ENOTCONN;
    if ((into.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    const err = this.options.takeError();
    if (err < 0) return err;
    const next = nextMessage(this.packets, into, this.options.peekOffset);
    if (next === null) return (this.shut & RCV_SHUTDOWN) !== 0 ? 0 : -EAGAIN;
    return this.receiveMessage(next, into);
  }

  override pending(): number {
    let bytes = 0;
    for (const packet of this.packets) bytes += packet.left;
    return bytes;
  }
}
