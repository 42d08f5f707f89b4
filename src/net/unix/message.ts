/** Messages that stay whole: what datagram and sequenced-packet sockets have in common. */
import { copyBytes } from '../../lib/bytes.ts';
import { EFAULT } from '../../uapi/errno.ts';
import { MSG_PEEK, MSG_TRUNC } from '../../uapi/socket.ts';
import type { Incoming } from '../socket.ts';
import { UNNAMED } from './address.ts';
import type { Packet } from './packet.ts';

/** What a message takes of the sender's buffer in addition to its bytes, when checking whether it is too long. */
export const MESSAGE_OVERHEAD = 32;

/** The message for a receive: the first, or the one where a peek begins. `skip`: bytes of it before that. */
export interface Next {
  readonly packet: Packet;
  readonly skip: number;
}

export function nextMessage(packets: readonly Packet[], into: Incoming, peekOffset: number): Next | null {
  let skip = isPeek(into) ? Math.max(0, peekOffset) : 0;
  const isMoving = isPeek(into) && peekOffset >= 0;
  for (const packet of packets) {
    const isPast = isMoving && skip >= packet.length && (skip > 0 || packet.peeked);
    if (!isPast) return { packet, skip };
    skip -= packet.length;
  }
  return null;
}

/**
 * Copies a message into a receive's window; returns the receive's result. A message without room there is lost, as on
 * Linux.
 */
export function copyMessage({ packet, skip }: Next, into: Incoming): number {
  const left = packet.length - skip;
  const n = Math.min(into.len, left);
  if (n > into.room) return -EFAULT;
  copyBytes(packet.data, skip, into.buf, into.off, n);
  if (packet.sender.address !== UNNAMED) into.from = packet.sender.address;
  if (n < left) into.outFlags |= MSG_TRUNC;
  return (into.flags & MSG_TRUNC) !== 0 ? left : n;
}

export const isPeek = (into: Incoming): boolean => (into.flags & MSG_PEEK) !== 0;
