/** Messages that stay whole: what datagram and sequenced-packet sockets do alike. */
import { copyBytes } from '../../lib/bytes.ts';
import { EFAULT } from '../../uapi/errno.ts';
import { MSG_PEEK, MSG_TRUNC } from '../../uapi/socket.ts';
import { type Incoming, NO_CRED } from '../socket.ts';
import { UNNAMED } from './address.ts';
import type { Packet } from './packet.ts';

/** What a message costs of the sender's buffer besides its bytes, for the question whether it is too long. */
export const MESSAGE_OVERHEAD = 32;

/** Copies a message into a receive's window; what the receive answers. One that has no room there is lost, as on Linux. */
export function copyMessage(packet: Packet, into: Incoming, passCred: boolean): number {
  const n = Math.min(into.len, packet.length);
  if (n > into.room) return -EFAULT;
  copyBytes(packet.data, 0, into.buf, into.off, n);
  if (packet.sender.address !== UNNAMED) into.from = packet.sender.address;
  if (passCred) into.cred = packet.cred ?? NO_CRED;
  if (n < packet.length) into.outFlags |= MSG_TRUNC;
  return (into.flags & MSG_TRUNC) !== 0 ? packet.length : n;
}

export const isPeek = (into: Incoming): boolean => (into.flags & MSG_PEEK) !== 0;
