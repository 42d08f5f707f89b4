/**
 * Pipes (pipe(7)): a queue of bytes in page-sized slots, between writers and readers.
 *
 * Linux counts a pipe's capacity in slots, not in bytes, and programs can tell: a write that does not fit into
 * the last slot takes a new one, a packet (O_DIRECT) takes slots of its own, and a pipe is writable while a slot
 * is free. So a write of up to PIPE_BUF bytes happens whole or not at all.
 *
 * The slots live in an array of their own, which beats the machine's memory for the small transfers that pipes
 * are used for. It grows with use; the ring starts at its first slot again whenever it runs empty.
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

/** Bytes that are written at once or not at all (pipe(7)). */
export const PIPE_BUF = 4096;
const LARGEST_SIZE = 2 ** 31;

/** Two threads of different processes use the pipe by themselves, until somebody else has to do with it. */
export interface SharedPipe {
  readonly isOpen: boolean;
  /** What is left in it is in the pipe again. */
  close(): void;
}

/** Slot flags: the slot ends a packet; more bytes may be written behind those in it. */
const PACKET = 1;
const MERGE = 2;

export const WOKEN_BY_WRITE = POLLIN | POLLRDNORM;
export const WOKEN_BY_READ = POLLOUT | POLLWRNORM;
const WOKEN_BY_CLOSE = WOKEN_BY_READ | WOKEN_BY_WRITE | POLLERR | POLLHUP;

/** What a loan brings back has room in so many slots. */
const LOAN_SLOTS = 2;

export class Pipe implements Lender {
  readonly waitq = new WaitQueue();
  readers = 0;
  writers = 0;
  /** How often each end was ever opened: a FIFO's open waits for the other end's count to move. */
  readerOpens = 0;
  writerOpens = 0;
  /** Who has it together, or had: they may again. */
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

  /** Of so many slots, which count as the user's until it is freed. */
  constructor(user: PipeUser, slots: number) {
    this.shared = null;
    this.user = user;
    this.slots = slots;
    this.starts = new Uint16Array(slots);
    this.lengths = new Uint16Array(slots);
    this.kinds = new Uint8Array(slots);
    user.pages += slots;
  }

  /** Nobody has it open any more. */
  free(): void {
    this.user.pages -= this.slots;
  }

  /** Bytes in the pipe (FIONREAD). */
  get bytes(): number {
    this.recall();
    return this.count;
  }

  /**
   * Lets a thread read and write by itself, by what it has of `ends`. False: there is nothing that it could do.
   *
   * Who waits here is to hear of what happens. But to take a part of a slot's bytes is no news for anybody.
   */
  lend(along: PipeAlong, { read, write }: PipeEnds): boolean {
    if (this.isLent) return false;
    const isQuiet = this.waitq.empty;
    const whole = read >= 0 && isQuiet && this.count <= along.size && !this.hasPackets;
    const len = whole ? this.count : read >= 0 ? this.partOfSlot(along.size) : 0;
    const hasRoom = this.readers > 0 && this.slots - this.tail + this.head >= LOAN_SLOTS;
    // What is put there comes behind what is to be read, or that is not seen.
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
   * Whether two threads may use it by themselves, with room for `size` bytes, if there are `most` at first: nobody waits for what they
   * do, and what they leave fits into it again.
   */
  mayBeShared(size: number, most: number): boolean {
    const { readers, writers, count } = this;
    const isTheirs = readers === 1 && writers === 1 && this.waitq.empty && !this.isLent;
    return isTheirs && count <= most && size <= this.capacity && !this.hasPackets;
  }

  /** All its bytes go to `to[off...]`: there are `len`. */
  moveTo(to: Uint8Array, off: number, len: number): void {
    this.peek(to, off, len);
    this.drop(len);
  }

  /** How often somebody has used it by itself. */
  get uses(): number {
    return this.loan.uses;
  }

  /** Somebody else has to do with the pipe. */
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

  /** Bytes taken out, 0 at the end (no writer is left), or -EAGAIN. */
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

  /** As `read`, with room for the first `room` bytes only: what is taken of a slot fits there, or all of that stays. */
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

  /** Bytes put in: fewer than asked if the pipe filled up. -EAGAIN if it is full, -EPIPE without a reader. */
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

  /** An end came or went: whoever waits has news. */
  endsChanged(): void {
    this.recall();
    this.waitq.wake(WOKEN_BY_CLOSE);
  }

  /** F_SETPIPE_SZ: the new capacity, or -EINVAL, -EPERM (the caller may not have it so large) or -EBUSY (more is in use). */
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
   * Offers the bytes of each slot in turn to `take(data, off, n)` until `len` bytes or a shortage; what was taken
   * is gone from the pipe. Bytes moved, or take's error if nothing was moved.
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

  /** Lets `give(data, off, n)` fill free slots with up to `len` bytes. Bytes moved, or give's error if none were. */
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

  /** tee(2): copies up to `len` bytes into `to`, slot by slot, without taking them out. Bytes copied. */
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

  /** How many bytes may be taken from the first slot, `most` at most, without its becoming free. */
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

  /** Bytes put in: fewer than `len` if the pipe filled up. */
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

  /** How many of `len` bytes go behind those of the last slot: what is left over of whole pages, if that much fits there. */
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

  /** Takes a free slot for `n` bytes; where they go in `data`. */
  private push(n: number, kind: number): number {
    const i = this.tail++ & (this.slots - 1);
    if ((i + 1) * PAGE_SIZE > this.data.length) this.growData(i + 1);
    this.starts[i] = 0;
    this.lengths[i] = n;
    this.kinds[i] = kind;
    this.count += n;
    return i * PAGE_SIZE;
  }

  /** Corrects the last slot from `pushed` bytes to `n`; without any it is free again. */
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
