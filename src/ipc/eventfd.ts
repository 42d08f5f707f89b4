/** eventfd(2): a 64-bit counter as a file. The halves are kept separately, so that every value is exact. */
import type { Inode } from '../fs/inode.ts';
import { EAGAIN, EINVAL } from '../uapi/errno.ts';
import { EFD_SEMAPHORE } from '../uapi/eventfd.ts';
import { O_NONBLOCK, O_RDWR } from '../uapi/fcntl.ts';
import { POLLERR, POLLIN, POLLOUT } from '../uapi/poll.ts';
import { EventFile, get32, put64 } from './event-file.ts';

const TWO32 = 2 ** 32;
const MAX32 = TWO32 - 1;

export class EventFd extends EventFile {
  protected override readonly kind = '[eventfd]';
  private readonly semaphore: boolean;
  private lo: number;
  private hi = 0;

  constructor(inode: Inode, initial: number, flags: number) {
    super(inode, O_RDWR | (flags & O_NONBLOCK));
    this.lo = initial >>> 0;
    this.semaphore = (flags & EFD_SEMAPHORE) !== 0;
  }

  override fdinfo(): string {
    const count =
      this.hi === 0 ? this.lo.toString(16) : this.hi.toString(16) + this.lo.toString(16).padStart(8, '0');
    return `eventfd-count: ${count.padStart(16)}\neventfd-semaphore: ${this.semaphore ? 1 : 0}\n`;
  }

  override read(buf: Uint8Array, off: number, len: number): number {
    if (len < 8) return -EINVAL;
    if (this.lo === 0 && this.hi === 0) return -EAGAIN;
    if (this.semaphore) {
      put64(buf, off, 1, 0);
      this.decrement();
    } else {
      put64(buf, off, this.lo, this.hi);
      this.lo = this.hi = 0;
    }
    this.queue.wake(POLLOUT);
    return 8;
  }

  override write(buf: Uint8Array, off: number, len: number): number {
    if (len !== 8) return -EINVAL;
    const addLo = get32(buf, off);
    const addHi = get32(buf, off + 4);
    if (addLo === MAX32 && addHi === MAX32) return -EINVAL;
    const lo = this.lo + addLo;
    const hi = this.hi + addHi + (lo > MAX32 ? 1 : 0);
    if (hi > MAX32 || (hi === MAX32 && lo % TWO32 === MAX32)) return -EAGAIN;
    this.lo = lo % TWO32;
    this.hi = hi;
    this.queue.wake(POLLIN);
    return 8;
  }

  /** Adds to the counter from within the kernel (asynchronous I/O's completions); stops at the largest value. */
  signal(n: number): void {
    const lo = this.lo + n;
    const hi = this.hi + Math.floor(lo / TWO32);
    this.lo = hi > MAX32 ? MAX32 : lo % TWO32;
    this.hi = Math.min(MAX32, hi);
    this.queue.wake(POLLIN);
  }

  override poll(): number {
    const full = this.hi === MAX32;
    let events = this.lo !== 0 || this.hi !== 0 ? POLLIN : 0;
    if (full && this.lo === MAX32) events |= POLLERR;
    if (!full || this.lo < MAX32 - 1) events |= POLLOUT;
    return events;
  }

  private decrement(): void {
    if (this.lo > 0) {
      this.lo--;
      return;
    }
    this.lo = MAX32;
    this.hi--;
  }
}
