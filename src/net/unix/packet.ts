/**
 * What lies in a socket's receive queue: bytes, and the descriptors and credentials that came with them.
 *
 * A packet is charged to its sender's buffer with the memory that Linux would take for it, bookkeeping included:
 * programs can tell from how much a nonblocking socket takes, and from SIOCOUTQ.
 */
import type { Timespec } from '../../core/clock.ts';
import type { File } from '../../fs/file.ts';
import { PAGE_SIZE, pageUp } from '../../mm/ram.ts';
import type { KnownCred } from '../socket.ts';
import type { UnixSocket } from './socket.ts';

export class Packet {
  readonly sender: UnixSocket;
  /** The bytes, at the start of an array of the pool. */
  readonly data: Uint8Array;
  readonly length: number;
  /** Bytes of `data` that have been read. */
  start = 0;
  readonly truesize: number;
  readonly cred: KnownCred | null;
  /** Files in flight, with a reference each; empty once received. */
  rights: readonly File[];
  /** When it arrived; if the receiver did not want times then, when it was first asked for; or null. */
  time: Timespec | null;
  /** An empty message that was peeked at: SO_PEEK_OFF moves past it. */
  peeked: boolean;

  constructor(
    sender: UnixSocket,
    data: Uint8Array,
    length: number,
    size: number,
    cred: KnownCred | null,
    rights: readonly File[],
  ) {
    this.sender = sender;
    this.data = data;
    this.length = length;
    this.truesize = size;
    this.cred = cred;
    this.rights = rights;
    this.time = null;
    this.peeked = false;
  }

  get left(): number {
    return this.length - this.start;
  }
}

/** Sizes of Linux's struct sk_buff, and of what ends the data that it points to (struct skb_shared_info). */
const HEAD = 256;
const TRAILER = 320;
const SMALLEST_HEAD = 512;
/** The most that goes into the linear part of a stream's packet, and of a message. */
const STREAM_LINEAR = PAGE_SIZE - TRAILER;
const MESSAGE_LINEAR = 4 * PAGE_SIZE - TRAILER;
const STREAM_PAGES = 32768;
const MESSAGE_PAGES = 17 * PAGE_SIZE;

/** How many of `len` bytes the next packet of a stream takes. */
export const streamChunk = (len: number, sendBuffer: number): number =>
  Math.min(len, (sendBuffer >> 1) - 64, STREAM_LINEAR + STREAM_PAGES);

export function streamTruesize(len: number): number {
  const paged = Math.min(len, pageUp(Math.max(0, len - STREAM_LINEAR)));
  return linearSize(len - paged) + pageUp(paged);
}

export function messageTruesize(len: number): number {
  const paged = len > MESSAGE_LINEAR ? pageUp(Math.min(len - MESSAGE_LINEAR, MESSAGE_PAGES)) : 0;
  return linearSize(Math.max(0, len - paged)) + paged;
}

function linearSize(bytes: number): number {
  let room = SMALLEST_HEAD;
  while (room < bytes + TRAILER) room *= 2;
  return HEAD + room;
}
