/**
 * What eventfd, timerfd, signalfd and inotify share: a file with a wait queue that reads as small records, without
 * a name or positions.
 */
import { WaitQueue } from '../core/wait.ts';
import { File } from '../fs/file.ts';

export abstract class EventFile extends File {
  protected readonly queue: WaitQueue = new WaitQueue();
  protected abstract readonly kind: string;

  override get seekable(): boolean {
    return false;
  }

  override get sendsSignals(): boolean {
    return false;
  }

  override get splices(): boolean {
    return false;
  }

  override get takesSpliced(): boolean {
    return false;
  }

  /** lseek(2) succeeds and changes nothing. */
  override seek(_offset: number, _whence: number): number {
    return this.pos;
  }

  override get waitq(): WaitQueue {
    return this.queue;
  }

  override get linkName(): string {
    return `anon_inode:${this.kind}`;
  }
}

/** Stores an unsigned 64-bit value, given as its halves, little endian. */
export function put64(buf: Uint8Array, off: number, lo: number, hi: number): void {
  put32(buf, off, lo);
  put32(buf, off + 4, hi);
}

export function put32(buf: Uint8Array, off: number, value: number): void {
  buf[off] = value;
  buf[off + 1] = value >>> 8;
  buf[off + 2] = value >>> 16;
  buf[off + 3] = value >>> 24;
}

export const get32 = (buf: Uint8Array, off: number): number =>
  (buf[off]! | (buf[off + 1]! << 8) | (buf[off + 2]! << 16) | (buf[off + 3]! << 24)) >>> 0;
