/**
 * Arrays for the bytes of packets, used over and over: making one for each message costs more than the copy.
 *
 * Sizes are powers of two. Arrays given back beyond a bound go to the garbage collector.
 */
import { copyBytes } from '../../lib/bytes.ts';

const SMALLEST = 64;
const LARGEST = 1 << 16;
/** Bytes kept of each size. */
const KEPT = 1 << 18;

export class PacketPool {
  private readonly free: Uint8Array[][] = [];

  /** An array with buf[off, off + len) at its start. */
  copyOf(buf: Uint8Array, off: number, len: number): Uint8Array {
    if (len > LARGEST) return buf.slice(off, off + len);
    const shelf = shelfOf(len);
    const bytes = this.free[shelf]?.pop() ?? new Uint8Array(SMALLEST << shelf);
    copyBytes(buf, off, bytes, 0, len);
    return bytes;
  }

  giveBack(bytes: Uint8Array): void {
    if (bytes.length > LARGEST) return;
    const shelf = shelfOf(bytes.length);
    this.free[shelf] ??= [];
    if (this.free[shelf].length * bytes.length < KEPT) this.free[shelf].push(bytes);
  }
}

/** The least n for which SMALLEST << n bytes are enough. */
const shelfOf = (len: number): number => Math.max(0, 26 - Math.clz32(Math.max(len, 1) - 1));
