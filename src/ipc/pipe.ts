/**
 * Pipes (pipe(7)): a queue of bytes in page-sized slots, between writers and readers.
 *
 * Linux counts a pipe's capacity in slots, not in bytes, and programs can tell: a write that does not fit into
 * the last slot takes a new one, a packet (O_DIRECT) takes slots of its own, and a pipe is writable while a slot
 * is free. That makes writes of up to PIPE_BUF bytes atomic.
 *
 * The slots live in an array of their own, which is faster than the machine's memory for the small transfers that
 * pipes mostly see. It grows with use; the ring restarts at its first slot whenever it runs empty.
 */
import type { Cred } from '../core/cred.ts';
import { WaitQueue } from '../core/wait.ts';
import type { PipeAlong } from '../engine/answers.ts';
import { copyBytes } from '../lib/bytes.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { EAGAIN, EBUSY, EFAULT, EINVAL, EPIPE } from '../uapi/errno.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../uapi/poll.ts';
import type { PipeUser } from './pipe-limits.ts';
import { type Lender, type PipeEnds, PipeLoan } from './pipe-loan.ts';

/** Writes of up to this many bytes are atomic (pipe(7)). */
export const PIPE_BUF = 4096;
const LARGEST_SIZE = 2 ** 31;

/** Two threads of different processes use the pipe on their own until anything else uses it. */
export interface SharedPipe {
  readonly isOpen: boolean;
  /** Ends the sharing and puts the bytes that are left back into the pipe. */
  close(): void;
}

/** Slot flags: the slot ends a packet; later writes may append to the slot. */
const PACKET = 1;
const MERGE = 2;

export const WOKEN_BY_WRITE = POLLIN | POLLRDNORM;
export const WOKEN_BY_READ = POLLOUT | POLLWRNORM;
const WOKEN_BY_CLOSE = WOKEN_BY_READ | WOKEN_BY_WRITE | POLLERR | POLLHUP;

/** Free slots that a loan for writing needs: what it brings back fits into them. */
const LOAN_SLOTS = 2;

export class Pipe implements Lender {
  readonly waitq = new WaitQueue();
  readers = 0;
  writers = 0;
  /** How often each end was ever opened: a FIFO's open waits for the other end's count to move. */
  readerOpens = 0;
  writerOpens = 0;
  /** The two threads' shared form of the pipe; kept after it closes, for it may open again. */
  shared: SharedPipe | null;
  private count = 0;
  private slots: number;
  /** Slots [head, tail) are in use; both count on, and index the arrays modulo `slots` (a power of two). */
  private head = 0;
  private tail = 0;
  private data = new Uint8Array(PAGE_SIZE);
  private starts: Uint16Array<ArrayBuffer>;
  private lengths: Uint16Array<ArrayBuffer>;
  private kinds: Uint8Array<ArrayBuffer>;
  private readonly loan = new PipeLoan(this);
  private readonly user: PipeUser;

  /** A pipe of `slots` slots, which are charged to `user` until `free`. */
  constructor(user: PipeUser, slots: number) {
    this.shared = null;
    this.user = user;
    this.slots = slots;
    this.starts = new Uint16Array(slots);
    this.lengths = new Uint16Array(slots);
    this.kinds = new Uint8Array(slots);
    user.pages += slots;
  }

  /** The last open file of the pipe was released. */
  free(): void {
    this.user.pages -= this.slots;
  }

  /** Bytes in the pipe (FIONREAD). */
  get bytes(): number {
    this.recall();
    return this.count;
  }

  /**
   * Lets a thread read and write on its own through the ends that it has. False if there is nothing that it could do.
   *
   * Waiting tasks must be woken by what happens to the pipe. Only taking part of a slot's bytes wakes no task.
   */
  lend(along: PipeAlong, { read, write }: PipeEnds): boolean {
    if (this.isLent) return false;
    const isQuiet = this.waitq.empty;
    const whole = read >= 0 && isQuiet && this.count <= along.size && !this.hasPackets;
    const len = whole ? this.count : read >= 0 ? this.partOfSlot(along.size) : 0;
    const hasRoom = this.readers > 0 && this.slots - this.tail + this.head >= LOAN_SLOTS;
    // The thread writes behind the bytes lent to it, so it must have either all of the pipe's bytes or none.
    const mayWrite = write >= 0 && isQuiet && hasRoom && (whole || len === 0);
    if (len === 0 && !mayWrite) return false;
    const ends = { read: whole || len > 0 ? read : -1, write: mayWrite ? write : -1 };
    this.loan.begin(along, ends, len, whole);
    return true;
  }

  get isLent(): boolean {
    return this.loan.isOut || this.shared?.isOpen === true;
  }

  /**
   * Whether two threads may use it on their own, with room for `size` bytes, of which at most `most` are filled at
   * first: no task waits on the pipe, and what the threads leave fits into it again.
   */
  mayBeShared(size: number, most: number): boolean {
    const { readers, writers, count } = this;
    const isTheirs = readers === 1 && writers === 1 && this.waitq.empty && !this.isLent;
    return isTheirs && count <= most && size <= this.capacity && !this.hasPackets;
  }

  /** Moves all `len` bytes of the pipe to `to[off...]`. */
  moveTo(to: Uint8Array, off: number, len: number): void {
    this.peek(to, off, len);
    this.drop(len);
  }

  /** How many loans of the pipe were made use of. */
  get uses(): number {
    return this.loan.uses;
  }

  /** Takes the pipe back from the threads that use it on their own: something else needs it. */
  recall(): void {
    if (this.loan.isOut) this.loan.end();
    if (this.shared?.isOpen === true) this.shared.close();
  }

  peek(to: Uint8Array, off: number, len: number): void {
    let done = 0;
    for (let slot = this.head; done < len; slot++) {
      const i = slot & (this.slots - 1);
      const n = Math.min(len - done, this.lengths[i]!);
      copyBytes(this.data, i * PAGE_SIZE + this.starts[i]!, to, off + done, n);
      done += n;
    }
  }

  drop(n: number): void {
    for (let left = n; left > 0; ) {
      const some = Math.min(left, this.lengths[this.head & (this.slots - 1)]!);
      this.consume(some);
      left -= some;
    }
  }

  append(buf: Uint8Array, off: number, len: number): void {
    this.put(buf, off, len, MERGE);
  }

  get empty(): boolean {
    this.recall();
    return this.head === this.tail;
  }

  get full(): boolean {
    this.recall();
    return this.tail - this.head >= this.slots;
  }

  get capacity(): number {
    return this.slots * PAGE_SIZE;
  }

  /** Returns bytes taken out, 0 at the end (no writer is left), or -EAGAIN. */
  read(buf: Uint8Array, off: number, len: number): number {
    if (len === 0) return 0;
    this.recall();
    if (this.head === this.tail) return this.writers === 0 ? 0 : -EAGAIN;
    const wasFull = this.full;
    let done = 0;
    while (done < len && this.head !== this.tail) {
      const i = this.head & (this.slots - 1);
      const n = Math.min(len - done, this.lengths[i]!);
      copyBytes(this.data, i * PAGE_SIZE + this.starts[i]!, buf, off + done, n);
      done += n;
      const packet = (this.kinds[i]! & PACKET) !== 0;
      this.consume(packet ? this.lengths[i]! : n);
      if (packet) break;
    }
    if (wasFull && !this.full) this.waitq.wake(WOKEN_BY_READ);
    return done;
  }

  /** As `read`, with room for only `room` bytes: a slot whose share does not fit stays. -EFAULT if none fits. */
  readShort(buf: Uint8Array, off: number, room: number, len: number): number {
    if (this.empty) return this.read(buf, off, len);
    let fits = 0;
    for (let slot = this.head; slot < this.tail; slot++) {
      const n = Math.min(len - fits, this.lengths[slot & (this.slots - 1)]!);
      if (fits + n > room) break;
      fits += n;
    }
    return fits === 0 ? -EFAULT : this.read(buf, off, fits);
  }

  /** Returns bytes put in, fewer than `len` if the pipe filled up; -EAGAIN if it is full, -EPIPE without a reader. */
  write(buf: Uint8Array, off: number, len: number, packet: boolean): number {
    if (len === 0) return 0;
    if (this.readers === 0) return -EPIPE;
    this.recall();
    const done = this.put(buf, off, len, packet ? PACKET : MERGE);
    if (done === 0) return -EAGAIN;
    this.waitq.wake(WOKEN_BY_WRITE);
    return done;
  }

  pollRead(sinceWriter: number): number {
    this.recall();
    const ready = this.empty ? 0 : POLLIN | POLLRDNORM;
    return this.writers === 0 && this.writerOpens !== sinceWriter ? ready | POLLHUP : ready;
  }

  pollWrite(): number {
    this.recall();
    const ready = this.full ? 0 : POLLOUT | POLLWRNORM;
    return this.readers === 0 ? ready | POLLERR : ready;
  }

  /** An end came or went: wakes all waiters. */
  endsChanged(): void {
    this.recall();
    this.waitq.wake(WOKEN_BY_CLOSE);
  }

  /** F_SETPIPE_SZ: the new capacity, or -EINVAL, -EPERM (over the caller's limit) or -EBUSY (more slots are in use). */
  resize(size: number, cred: Cred): number {
    if (size < 0 || size > LARGEST_SIZE) return -EINVAL;
    this.recall();
    let slots = 1;
    while (slots * PAGE_SIZE < size) slots *= 2;
    const refused = slots > this.slots ? this.user.mayGrow(cred, this.slots, slots) : 0;
    if (refused < 0) return refused;
    if (this.tail - this.head > slots) return -EBUSY;
    const wasFull = this.full;
    this.user.pages += slots - this.slots;
    this.relocate(slots);
    if (wasFull && !this.full) this.waitq.wake(WOKEN_BY_READ);
    return this.capacity;
  }

  /**
   * Offers the bytes of each slot in turn to `take(data, off, n)` until `len` bytes are moved or `take` takes fewer
   * than offered; they leave the pipe. Returns bytes moved, or take's error if nothing was moved.
   */
  drain(len: number, take: (data: Uint8Array, off: number, n: number) => number): number {
    this.recall();
    const wasFull = this.full;
    let done = 0;
    while (done < len && this.head !== this.tail) {
      const i = this.head & (this.slots - 1);
      const n = Math.min(len - done, this.lengths[i]!);
      const moved = take(this.data, i * PAGE_SIZE + this.starts[i]!, n);
      if (moved <= 0) {
        if (done === 0) done = moved;
        break;
      }
      done += moved;
      this.consume(moved);
      if (moved < n) break;
    }
    if (wasFull && !this.full) this.waitq.wake(WOKEN_BY_READ);
    return done;
  }

  /** Lets `give(data, off, n)` fill free slots with up to `len` bytes. Returns bytes moved, or give's error if none. */
  fill(len: number, give: (data: Uint8Array, off: number, n: number) => number): number {
    this.recall();
    let done = 0;
    while (done < len && !this.full) {
      const n = Math.min(len - done, PAGE_SIZE);
      const at = this.push(n, 0);
      const moved = give(this.data, at, n);
      if (moved < n) this.unpush(n, Math.max(moved, 0));
      if (moved < 0 && done === 0) return moved;
      if (moved > 0) done += moved;
      if (moved < n) break;
    }
    if (done > 0) this.waitq.wake(WOKEN_BY_WRITE);
    return done;
  }

  /** tee(2): copies up to `len` bytes into `to`, slot by slot, without taking them out. Returns bytes copied. */
  copyTo(to: Pipe, len: number): number {
    this.recall();
    to.recall();
    let done = 0;
    for (let slot = this.head; slot < this.tail && done < len && !to.full; slot++) {
      const i = slot & (this.slots - 1);
      const n = Math.min(len - done, this.lengths[i]!);
      const at = to.push(n, this.kinds[i]! & PACKET);
      copyBytes(this.data, i * PAGE_SIZE + this.starts[i]!, to.data, at, n);
      done += n;
    }
    if (done > 0) to.waitq.wake(WOKEN_BY_WRITE);
    return done;
  }

  /** How many bytes, `most` at most, may be taken from the first slot without freeing it. */
  private partOfSlot(most: number): number {
    const i = this.head & (this.slots - 1);
    if (this.head === this.tail || (this.kinds[i]! & PACKET) !== 0) return 0;
    return Math.min(most, this.lengths[i]! - 1);
  }

  private get hasPackets(): boolean {
    for (let slot = this.head; slot < this.tail; slot++)
      if ((this.kinds[slot & (this.slots - 1)]! & PACKET) !== 0) return true;
    return false;
  }

  /** Returns bytes put in, fewer than `len` if the pipe filled up. */
  private put(buf: Uint8Array, off: number, len: number, kind: number): number {
    let done = this.merge(buf, off, len);
    while (done < len && !this.full) {
      const n = Math.min(len - done, PAGE_SIZE);
      const at = this.push(n, kind);
      copyBytes(buf, off + done, this.data, at, n);
      done += n;
    }
    return done;
  }

  /** How many of `len` bytes are appended to the last slot: `len` modulo the page size, if that fits there, else 0. */
  merges(len: number): number {
    const n = len % PAGE_SIZE;
    if (n === 0 || this.head === this.tail) return 0;
    const i = (this.tail - 1) & (this.slots - 1);
    const end = this.starts[i]! + this.lengths[i]!;
    return (this.kinds[i]! & MERGE) === 0 || end + n > PAGE_SIZE ? 0 : n;
  }

  private merge(buf: Uint8Array, off: number, len: number): number {
    const n = this.merges(len);
    if (n === 0) return 0;
    const i = (this.tail - 1) & (this.slots - 1);
    copyBytes(buf, off, this.data, i * PAGE_SIZE + this.starts[i]! + this.lengths[i]!, n);
    this.lengths[i] = this.lengths[i]! + n;
    this.count += n;
    return n;
  }

  /** Takes a free slot for `n` bytes; returns where they go in `data`. */
  private push(n: number, kind: number): number {
    const i = this.tail++ & (this.slots - 1);
    if ((i + 1) * PAGE_SIZE > this.data.length) this.growData(i + 1);
    this.starts[i] = 0;
    this.lengths[i] = n;
    this.kinds[i] = kind;
    this.count += n;
    return i * PAGE_SIZE;
  }

  /** Corrects the last slot from `pushed` bytes to `n`; at 0 it is free again. */
  private unpush(pushed: number, n: number): void {
    this.count -= pushed - n;
    if (n === 0) this.tail--;
    else this.lengths[(this.tail - 1) & (this.slots - 1)] = n;
  }

  /** Takes `n` bytes out of the first slot. */
  private consume(n: number): void {
    const i = this.head & (this.slots - 1);
    this.count -= n;
    this.starts[i] = this.starts[i]! + n;
    this.lengths[i] = this.lengths[i]! - n;
    if (this.lengths[i] === 0 && ++this.head === this.tail) this.head = this.tail = 0;
  }

  private growData(slots: number): void {
    let size = this.data.length;
    while (size < slots * PAGE_SIZE) size *= 2;
    const larger = new Uint8Array(size);
    larger.set(this.data);
    this.data = larger;
  }

  /** Moves the slots in use to the front of arrays for `slots` of them. */
  private relocate(slots: number): void {
    const used = this.tail - this.head;
    const data = new Uint8Array(Math.max(1, used) * PAGE_SIZE);
    const starts = new Uint16Array(slots);
    const lengths = new Uint16Array(slots);
    const kinds = new Uint8Array(slots);
    for (let to = 0; to < used; to++) {
      const i = (this.head + to) & (this.slots - 1);
      copyBytes(this.data, i * PAGE_SIZE, data, to * PAGE_SIZE, PAGE_SIZE);
      starts[to] = this.starts[i]!;
      lengths[to] = this.lengths[i]!;
      kinds[to] = this.kinds[i]!;
    }
    Object.assign(this, { slots, data, starts, lengths, kinds, head: 0, tail: used });
  }
}
