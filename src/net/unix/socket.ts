/**
 * What all AF_UNIX sockets share (unix(7)): a name, a peer, a queue of packets, an account of bytes sent.
 *
 * A sender is charged for what it has sent until it is received; `waitq` is woken for POLLOUT when it may send
 * again. A socket that waits for room at another one (a full queue, a full backlog) listens on that one's `room`
 * and passes the wake-up on to its own `waitq`, so that system calls need to sleep on one queue only.
 */
import { CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN, capable } from '../../core/cred.ts';
import type { UserMemory } from '../../core/user.ts';
import { putInt } from '../../core/user-values.ts';
import { QUIETLY, type Waiter, WaitQueue } from '../../core/wait.ts';
import type { Current } from '../../fs/file.ts';
import type { Inode } from '../../fs/inode.ts';
import type { PidSubject } from '../../ipc/pidfd.ts';
import type { Result } from '../../lib/result.ts';
import {
  EACCES,
  EADDRINUSE,
  EEXIST,
  EINVAL,
  ENODATA,
  ENOENT,
  ENOTCONN,
  ENOTTY,
  EPERM,
  ESRCH,
} from '../../uapi/errno.ts';
import { SIOCINQ, SIOCOUTQ } from '../../uapi/ioctls.ts';
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from '../../uapi/poll.ts';
import { SHUT_RD, SHUT_RDWR, SHUT_WR, SO_PEERCRED, SO_PEERGROUPS, SOL_SOCKET } from '../../uapi/socket.ts';
import type { Sender, SocketPaths } from '../caller.ts';
import { ints } from '../options.ts';
import { type Incoming, type KnownCred, NO_CRED, type Outgoing, Socket, type Ucred } from '../socket.ts';
import { checkAddress, isAbstract, nameKey, pathAddress, pathOf, UNNAMED } from './address.ts';
import type { UnixDomain } from './domain.ts';
import { copyMessage, isPeek, type Next } from './message.ts';
import { Packet } from './packet.ts';

export const CLOSED = 0;
export const CONNECTED = 1;
export const LISTENING = 2;

/** Bits of `shut`: no more receiving, no more sending. */
export const RCV_SHUTDOWN = 1;
export const SEND_SHUTDOWN = 2;
const BOTH = RCV_SHUTDOWN | SEND_SHUTDOWN;

export const READABLE = POLLIN | POLLRDNORM;
export const WRITABLE = POLLOUT | POLLWRNORM | POLLWRBAND;
const HUNG_UP = READABLE | WRITABLE | POLLHUP | POLLRDHUP | POLLERR;

/** Default limit on messages in a socket's queue from others than its peer (/proc/sys/net/unix/max_dgram_qlen). */
export const MAX_DGRAM_QLEN = 10;

/** What a socket reports of its peer. */
export interface PeerCred extends KnownCred {
  /** Supplementary groups; null: no peer. */
  readonly groups: readonly number[] | null;
}

const NO_PEER: PeerCred = Object.freeze({ ...NO_CRED, groups: null });

export abstract class UnixSocket extends Socket {
  readonly domain: UnixDomain;
  state: number = CLOSED;
  peer: UnixSocket | null = null;
  address: string = UNNAMED;
  shut = 0;
  dead = false;
  /** A connection that has not been accepted yet. */
  embryo = false;
  readonly packets: Packet[] = [];
  /** Memory charged for what was sent and is not received yet, in bytes (SIOCOUTQ). */
  charged = 0;
  /** How many may wait here: connections, or messages from others than the peer. */
  backlog: number = MAX_DGRAM_QLEN;
  /** Who connected or listened here, as the peer will see it; and what this socket sees of its peer. */
  ownCred: PeerCred = NO_PEER;
  peerCred: PeerCred = NO_PEER;
  /** Woken when there is room in the queue, or when the socket goes. */
  readonly room: WaitQueue = new WaitQueue();
  private boundInode: Inode | null = null;
  private readonly roomWaiter: Waiter;
  private waitsFor: UnixSocket | null = null;

  constructor(domain: UnixDomain, type: number, inode: Inode, nonblocking: boolean) {
    super(inode, type, 0, nonblocking);
    this.domain = domain;
    this.roomWaiter = { woken: () => this.roomAppeared() };
  }

  override get listening(): boolean {
    return this.state === LISTENING;
  }

  /** Whether there is room to send: more than three quarters of the buffer are not charged, as on Linux. */
  get roomy(): boolean {
    return (this.charged + 1) * 4 <= this.options.sendBuffer;
  }

  get full(): boolean {
    return this.packets.length > this.backlog;
  }

  // Names.

  override bind(address: string, caller: SocketPaths): number {
    if (address === UNNAMED) return this.autobind();
    const invalid = checkAddress(address);
    if (invalid < 0) return invalid;
    if (isAbstract(address)) return this.address === UNNAMED ? this.bindAbstract(address) : -EINVAL;
    const path = pathOf(address);
    return this.address === UNNAMED ? this.bindPath(path, caller) : rebindError(path, caller);
  }

  /** Takes a free abstract name, unless the socket has a name already. */
  autobind(): number {
    if (this.address !== UNNAMED) return 0;
    const address = this.domain.autoName(this.sockType);
    return typeof address === 'number' ? address : this.bindAbstract(address);
  }

  private bindAbstract(address: string): number {
    const key = nameKey(address, this.sockType);
    if (this.domain.names.has(key)) return -EADDRINUSE;
    this.domain.names.set(key, this);
    this.address = address;
    return 0;
  }

  private bindPath(path: string, caller: SocketPaths): number {
    const made = caller.makeSocket(path, this.inode.mode & 0o777);
    if (typeof made === 'number') return made === -EEXIST ? -EADDRINUSE : made;
    const inode = made.dentry.inode!;
    inode.refs++;
    inode.endpoint = this;
    this.boundInode = inode;
    this.address = pathAddress(path);
    return 0;
  }

  override sockname(): string {
    return this.address;
  }

  override peername(): Result<string> {
    return this.peer === null ? -ENOTCONN : this.peer.address;
  }

  // Peers.

  /** socketpair(2). */
  pairWith(other: UnixSocket, caller: Sender): void {
    const cred = this.peerCredOf(caller);
    for (const socket of [this, other]) {
      socket.state = CONNECTED;
      socket.peer = socket === this ? other : this;
      socket.ownCred = cred;
      socket.peerCred = cred;
    }
  }

  override shutdown(how: number): number {
    if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
    const mine = how === SHUT_RD ? RCV_SHUTDOWN : how === SHUT_WR ? SEND_SHUTDOWN : BOTH;
    this.shut |= mine;
    this.queue.wake(HUNG_UP | QUIETLY);
    const theirs =
      ((mine & RCV_SHUTDOWN) !== 0 ? SEND_SHUTDOWN : 0) | ((mine & SEND_SHUTDOWN) !== 0 ? RCV_SHUTDOWN : 0);
    this.peerShutDown(theirs);
    return 0;
  }

  /** This end was shut down, which means `theirs` for the peer. Datagram sockets ignore it. */
  protected peerShutDown(_theirs: number): void {}

  /** The peer has shut down one direction or both. */
  hangUp(shut: number): void {
    this.shut |= shut;
    this.queue.wake((shut & RCV_SHUTDOWN) !== 0 ? HUNG_UP : HUNG_UP | QUIETLY);
  }

  /** Sets an error for the next call to report (SO_ERROR). */
  fail(error: number): void {
    this.options.error = error;
    this.queue.wake(HUNG_UP);
  }

  // Packets.

  /**
   * Queues `len` bytes of a message, from its byte `skip` on, as a packet at `to`, and charges this socket for it.
   * Files that the message carries go with its beginning.
   */
  protected deliver(message: Outgoing, skip: number, len: number, truesize: number, to: UnixSocket): void {
    const { inFlight, pool } = this.domain;
    const carries = skip === 0 && message.rights.length > 0;
    const rights = carries ? inFlight.depart(message.rights, message.sender.cred.uid) : [];
    const data = pool.copyOf(message.buf, message.off + skip, len);
    const packet = new Packet(this, data, len, truesize, this.credFor(message, to), rights);
    if (to.options.timestamps !== 0) packet.time = this.inode.sb.clock.realtime();
    to.packets.push(packet);
    this.charged += truesize;
    to.queue.wake(READABLE);
  }

  /** What was delivered last is urgent; ignored by sockets without urgent data. */
  becameUrgent(): void {}

  /** Receives a whole message; returns the receive's result. */
  protected receiveMessage(next: Next, into: Incoming): number {
    const { packet, skip } = next;
    const { options } = this;
    const peek = isPeek(into);
    const got = copyMessage(next, into);
    if (got >= 0) {
      if (options.passesSender) this.tellSender(packet, into);
      if (options.timestamps !== 0) this.tellTime(packet, into);
      this.takeRights(packet, into, peek);
      options.movePeek(peek ? Math.min(into.len, packet.length - skip) : -packet.length);
    }
    if (peek) packet.peeked ||= packet.length === 0;
    else this.shiftPacket();
    return got;
  }

  /** A message that arrived when times were not wanted gets the time at which one is first asked for. */
  private tellTime(packet: Packet, into: Incoming): void {
    packet.time ??= this.inode.sb.clock.realtime();
    into.time = packet.time;
    into.timestamps = this.options.timestamps;
  }

  /** A packet that this socket sent has been received or dropped. */
  uncharge(packet: Packet): void {
    this.domain.pool.giveBack(packet.data);
    this.charged -= packet.truesize;
    if (!this.dead && this.roomy) this.queue.wake(WRITABLE);
  }

  /** Removes the first packet. */
  protected shiftPacket(): void {
    const packet = this.packets.shift()!;
    packet.sender.uncharge(packet);
    this.room.wake(WRITABLE);
  }

  /** Hands a packet's files to a receive: the packet's own references, or additional ones for MSG_PEEK. */
  protected takeRights(packet: Packet, into: Incoming, peek: boolean): void {
    const { rights } = packet;
    if (rights.length === 0) return;
    if (peek) {
      into.rights = rights.map(file => file.get());
      return;
    }
    packet.rights = [];
    this.domain.inFlight.arrive(rights);
    into.rights = [...rights];
  }

  /** Empties the queue, which will not be read. */
  protected flushPackets(): void {
    for (const packet of this.packets.splice(0)) {
      packet.sender.uncharge(packet);
      this.dropRightsOf(packet);
    }
    this.room.wake(WRITABLE);
  }

  /** Calls `visit` for each AF_UNIX socket that lies in the queue as a descriptor, once for each time it does. */
  eachInQueue(visit: (held: UnixSocket) => void): void {
    for (const packet of this.packets) {
      for (const file of packet.rights) if (file instanceof UnixSocket) visit(file);
    }
  }

  /** Drops the descriptors in the queue: see InFlight. */
  dropRights(): void {
    for (const packet of this.packets) this.dropRightsOf(packet);
  }

  private dropRightsOf(packet: Packet): void {
    const { rights } = packet;
    if (rights.length === 0) return;
    packet.rights = [];
    this.domain.inFlight.drop(rights);
  }

  // Credentials.

  /** Whether a message carries descriptors, and this socket takes none (SO_PASSRIGHTS). */
  refusesRights(message: Outgoing): boolean {
    return message.rights.length > 0 && !this.options.passRights;
  }

  /** Whether the sender may pass the credentials and files that it wants to pass: 0 or -errno. */
  protected checkControl(message: Outgoing): number {
    const { cred, sender } = message;
    if (cred !== null) {
      const wrong = checkCred(cred, sender);
      if (wrong < 0) return wrong;
    }
    return message.rights.length === 0 ? 0 : this.domain.inFlight.check(message.rights.length, sender);
  }

  /** The credentials that go with a message: those given, or the sender's own if either side wants any. */
  private credFor(message: Outgoing, to: UnixSocket): KnownCred | null {
    const { cred, pid } = message.sender;
    if (message.cred !== null) return this.known(message.cred);
    const told = this.options.passesSender || to.options.passesSender;
    return told ? this.known({ pid, uid: cred.uid, gid: cred.gid }) : null;
  }

  private known({ pid, uid, gid }: Ucred): KnownCred {
    return { pid, uid, gid, process: this.domain.net.processes.get(pid) ?? null };
  }

  /** A caller as the other end will see it (SO_PEERCRED, SO_PEERGROUPS). */
  protected peerCredOf({ pid, cred }: Sender): PeerCred {
    return { ...this.known({ pid, uid: cred.euid, gid: cred.egid }), groups: cred.groups };
  }

  /** Tells a receive what this socket reports of a packet's sender. */
  protected tellSender(packet: Packet, into: Incoming): void {
    const { passCred, passPidfd } = this.options;
    into.sender = packet.cred ?? NO_CRED;
    into.tellsCred = passCred;
    into.tellsPidfd = passPidfd;
  }

  override get peerProcess(): PidSubject | null {
    return this.peerCred.process;
  }

  override getOption(level: number, name: number): Result<Uint8Array> {
    const { pid, uid, gid, groups } = this.peerCred;
    if (level !== SOL_SOCKET) return super.getOption(level, name);
    if (name === SO_PEERCRED) return ints(pid, uid, gid);
    if (name === SO_PEERGROUPS) return groups === null ? -ENODATA : ints(...groups);
    return super.getOption(level, name);
  }

  // Readiness.

  /** Events that all types report in the same way. */
  protected pollCommon(): number {
    let events = this.options.error !== 0 ? POLLERR : 0;
    if (this.shut === BOTH) events |= POLLHUP;
    if ((this.shut & RCV_SHUTDOWN) !== 0) events |= POLLRDHUP | READABLE;
    if (this.packets.length > 0) events |= READABLE;
    return events;
  }

  /** Asks to be woken for POLLOUT once `other` has room. */
  protected awaitRoom(other: UnixSocket): void {
    if (this.waitsFor === other) return;
    this.waitsFor?.room.remove(this.roomWaiter);
    this.waitsFor = other;
    other.room.add(this.roomWaiter);
  }

  private roomAppeared(): boolean {
    this.waitsFor?.room.remove(this.roomWaiter);
    this.waitsFor = null;
    this.queue.wake(WRITABLE);
    return true;
  }

  override ioctl(cmd: number, arg: number, user: UserMemory, _current: Current): number {
    if (cmd === SIOCOUTQ) return putInt(user, arg, this.charged);
    if (cmd !== SIOCINQ) return -ENOTTY;
    return this.listening ? -EINVAL : putInt(user, arg, this.pending());
  }

  override release(): void {
    this.dead = true;
    this.state = CLOSED;
    this.shut = BOTH;
    const key = nameKey(this.address, this.sockType);
    if (this.domain.names.get(key) === this) this.domain.names.delete(key);
    this.waitsFor?.room.remove(this.roomWaiter);
    this.waitsFor = null;
    this.leavePeer();
    this.flushPackets();
    if (this.boundInode !== null) {
      this.boundInode.endpoint = null;
      this.boundInode.sb.iput(this.boundInode);
    }
    this.domain.inFlight.collect();
  }

  /** The socket goes: makes its peer notice. */
  protected abstract leavePeer(): void;
}

/** Why a socket cannot be bound to a second path; that the name is taken comes first. */
function rebindError(path: string, paths: SocketPaths): number {
  const found = paths.findSocket(path);
  if (typeof found === 'object' || found === -EACCES) return -EADDRINUSE;
  return found === -ENOENT ? -EINVAL : found;
}

/** Whether the caller may claim these credentials (unix(7), SCM_CREDENTIALS): 0, -EPERM, or -ESRCH. */
function checkCred(claim: Ucred, caller: Sender): number {
  const { cred } = caller;
  const pid = claim.pid === caller.pid || capable(cred, CAP_SYS_ADMIN);
  const uid = [cred.uid, cred.euid, cred.suid].includes(claim.uid) || capable(cred, CAP_SETUID);
  const gid = [cred.gid, cred.egid, cred.sgid].includes(claim.gid) || capable(cred, CAP_SETGID);
  if (!pid || !uid || !gid) return -EPERM;
  return caller.processExists(claim.pid) ? 0 : -ESRCH;
}
