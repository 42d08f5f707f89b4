/**
 * SOCK_STREAM of AF_UNIX: bytes in order. Packets show only through the descriptors and credentials they carry.
 *
 * The last byte sent with MSG_OOB is a packet of its own. Until another is sent it is urgent: reads end before it, and
 * skip it unless SO_OOBINLINE is set; receives with MSG_OOB take it. After that it stays, empty, as a mark, where reads
 * end, too.
 */
import type { UserMemory } from '../../core/user.ts';
import { putInt } from '../../core/user-values.ts';
import type { Current } from '../../fs/file.ts';
import type { Inode } from '../../fs/inode.ts';
import { copyBytes } from '../../lib/bytes.ts';
import { EAGAIN, EFAULT, EINVAL, EISCONN, ENOTCONN, EOPNOTSUPP, EPERM, EPIPE } from '../../uapi/errno.ts';
import { SIOCATMARK } from '../../uapi/ioctls.ts';
import { POLLPRI } from '../../uapi/poll.ts';
import { MSG_OOB, MSG_PEEK, SOCK_STREAM } from '../../uapi/socket.ts';
import { type Incoming, type KnownCred, NO_CRED, type Outgoing, type Socket, type Ucred } from '../socket.ts';
import { UNNAMED } from './address.ts';
import { UnixConnection } from './connection.ts';
import type { UnixDomain } from './domain.ts';
import { type Packet, streamChunk, streamTruesize } from './packet.ts';
import { CONNECTED, RCV_SHUTDOWN, SEND_SHUTDOWN, type UnixSocket } from './socket.ts';

export class UnixStream extends UnixConnection {
  private urgent: Packet | null;

  constructor(domain: UnixDomain, inode: Inode, nonblocking: boolean) {
    super(domain, SOCK_STREAM, inode, nonblocking);
    this.urgent = null;
  }

  override send(message: Outgoing): number {
    const refused = this.checkControl(message);
    if (refused < 0) return refused;
    const urgent = (message.flags & MSG_OOB) !== 0;
    if (urgent && message.len === 0) return -EOPNOTSUPP;
    if (message.to !== null) return this.state === CONNECTED ? -EISCONN : -EOPNOTSUPP;
    const { peer } = this;
    if (peer === null) return -ENOTCONN;
    if ((this.shut & SEND_SHUTDOWN) !== 0) return -EPIPE;
    const plain = urgent ? message.len - 1 : message.len;
    let sent = 0;
    let err = 0;
    while (sent < message.len) {
      err = this.mayAdd(peer) || (sent === 0 && peer.refusesRights(message) ? -EPERM : 0);
      if (err < 0) break;
      const n = sent === plain ? 1 : streamChunk(plain - sent, this.options.sendBuffer);
      this.deliver(message, sent, n, streamTruesize(n), peer);
      if (sent === plain) peer.becameUrgent();
      sent += n;
    }
    return sent > 0 ? sent : err;
  }

  /** The packet that arrived last is urgent. */
  override becameUrgent(): void {
    this.urgent = this.packets[this.packets.length - 1]!;
    this.queue.wake(POLLPRI);
  }

  override get hearsUrgent(): Socket | null {
    return this.peer;
  }

  override receive(into: Incoming): number {
    if (this.state !== CONNECTED) return -EINVAL;
    if ((into.flags & MSG_OOB) !== 0) return this.receiveUrgent(into);
    if (this.packets.length === 0) return this.nothing(into);
    const peek = (into.flags & MSG_PEEK) !== 0;
    let skip = peek ? Math.max(0, this.options.peekOffset) : 0;
    let done = 0;
    for (let i = 0; i < this.packets.length; ) {
      const packet = this.packets[i]!;
      if (packet === this.urgent || packet.left === 0) {
        if (done > 0 && this.endsReads(packet)) {
          into.ends = true;
          break;
        }
        if (this.passes(packet, peek)) {
          if (peek) i++;
          continue;
        }
      }
      if (skip >= packet.left) {
        skip -= packet.left;
        i++;
        continue;
      }
      if (!this.noteSender(packet, into, done === 0)) {
        into.ends = true;
        break;
      }
      const carried = packet.rights.length > 0;
      const n = this.copyPart(packet, skip, into, done);
      if (n < 0) return done > 0 ? done : n;
      done += n;
      skip = 0;
      if (peek) i++;
      else if (this.consume(packet, n)) break;
      if (carried || done === into.len) break;
    }
    return done > 0 || into.len === 0 ? done : this.nothing(into);
  }

  /**
   * Copies the part of a packet, from its byte `skip` on, that goes to a receive with `done` bytes, and takes its
   * files.
   */
  private copyPart(packet: Packet, skip: number, into: Incoming, done: number): number {
    const peek = (into.flags & MSG_PEEK) !== 0;
    const n = Math.min(into.len - done, packet.left - skip);
    if (done + n > into.room) return -EFAULT;
    copyBytes(packet.data, packet.start + skip, into.buf, into.off + done, n);
    this.options.movePeek(peek ? n : -n);
    this.takeRights(packet, into, peek);
    return n;
  }

  /**
   * Whether a read that has some bytes ends before an urgent byte or a mark. Marks count only while no byte is urgent.
   */
  private endsReads(packet: Packet): boolean {
    return packet === this.urgent || this.urgent === null;
  }

  /**
   * A read without bytes so far has come to an urgent byte or a mark. Whether it skips that; a peek leaves it in the
   * queue.
   */
  private passes(packet: Packet, peek: boolean): boolean {
    const inline = packet.left > 0 && this.options.urgentInline;
    if (peek) return !inline;
    if (packet === this.urgent) this.urgent = null;
    if (!inline) this.shiftPacket();
    return !inline;
  }

  /** recv(2) with MSG_OOB: takes the urgent byte, which leaves a mark. */
  private receiveUrgent(into: Incoming): number {
    const { urgent } = this;
    if (urgent === null || this.options.urgentInline) return -EINVAL;
    if (into.room === 0) return -EFAULT;
    this.noteSender(urgent, into, true);
    into.buf[into.off] = urgent.data[urgent.start]!;
    into.outFlags |= MSG_OOB;
    if ((into.flags & MSG_PEEK) !== 0) return 1;
    urgent.start++;
    this.urgent = null;
    return 1;
  }

  /** Whether reads have reached an urgent byte, or the place where one was (sockatmark(3)). */
  private get isAtMark(): boolean {
    const { packets, urgent } = this;
    const first = packets[0];
    if (first === undefined) return false;
    return first === urgent || (first.left === 0 && (urgent === null || packets[1] === urgent));
  }

  override ioctl(cmd: number, arg: number, user: UserMemory, current: Current): number {
    if (cmd === SIOCATMARK) return putInt(user, arg, Number(this.isAtMark));
    return super.ioctl(cmd, arg, user, current);
  }

  override poll(): number {
    return this.urgent === null ? super.poll() : super.poll() | POLLPRI;
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

  /** The result of a receive when the queue is empty. */
  private nothing(into: Incoming): number {
    const err = this.options.takeError();
    if (err < 0) return err;
    if ((this.shut & RCV_SHUTDOWN) === 0) return -EAGAIN;
    // The end of the stream has a sender, too, as on Linux: process 0 of user 0.
    into.sender = NOT_SENT;
    into.tellsCred = this.options.passCred;
    return 0;
  }

  /** Takes `n` bytes out of the first packet; true if some are left in it. */
  private consume(packet: Packet, n: number): boolean {
    packet.start += n;
    if (packet.left > 0) return true;
    this.shiftPacket();
    return false;
  }

  /** Notes a packet's sender; false if it may not be read together with the packets before. */
  private noteSender(packet: Packet, into: Incoming, first: boolean): boolean {
    if (first && packet.sender.address !== UNNAMED) into.from = packet.sender.address;
    if (!this.options.passesSender) return true;
    if (into.sender !== null && !sameCred(into.sender, packet.cred ?? NO_CRED)) return false;
    this.tellSender(packet, into);
    return true;
  }
}

const NOT_SENT: KnownCred = Object.freeze({ pid: 0, uid: 0, gid: 0, process: null });

const sameCred = (a: Ucred, b: Ucred): boolean => a.pid === b.pid && a.uid === b.uid && a.gid === b.gid;
