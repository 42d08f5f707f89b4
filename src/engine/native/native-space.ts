/** A host process as an address space (engine.ts has the contract). */
import { EIO } from '../../uapi/errno.ts';
import type { FileWindow, HostFile, PagePresence, Pager, Space, SpaceUsage } from '../engine.ts';
import { FileWindows } from './file-windows.ts';
import { FORK_FLAGS, THREAD_FLAGS } from './filters.ts';
import { FD, OP, OWN_MAP_FLAGS, SIZE, SLOT, SPACE, VA } from './layout.ts';
import type { NativeEngine } from './native-engine.ts';
import { NativeThread } from './native-thread.ts';
import { Orders } from './orders.ts';
import { OwnMappings } from './own-mappings.ts';

const NR = {
  close: 3,
  mmap: 9,
  mprotect: 10,
  munmap: 11,
  mremap: 25,
  madvise: 28,
  recvmsg: 47,
  clone: 56,
  futex: 202,
  membarrier: 324,
} as const;
const PROT_READ = 1;
const PROT_READ_WRITE = 3;
const MAP_SHARED_FIXED = 0x11;
const MAP_PRIVATE_FIXED = 0x12;
const MAP_NORESERVE = 0x4000;
const MREMAP_MAYMOVE_FIXED = 3;
const MADV_DONTFORK = 10;
const MADV_DONTNEED = 4;
const MADV_FREE = 8;
const FUTEX_WAKE_OP_PRIVATE = 5 | 128;
/** FUTEX_OP_OR of 1 << 31; the comparison does not matter. */
const OR_HIGH_BIT = (8 | 2) * 2 ** 28 + (31 << 12);
const NONE = -1;
const PAGE = 4096;
/** When so many wait, a note is sent along with the next orders. */
const MANY_PENDING = 32;
/** There must be room for so many orders before one is posted. */
const ROOM = 4;

export class NativeSpace implements Space {
  readonly id: number;
  readonly orders: Orders;
  readonly threads: Set<NativeThread> = new Set();
  /** Threads without work, for the next `newThread`. */
  readonly parked: NativeThread[] = [];
  /** The host process; 0 until its first note comes. */
  pid = 0;
  dead = false;
  pager: Pager | null = null;
  /** Killed by us: its death is no news. */
  doomed = false;
  /** Its process never came to be. */
  stillborn = false;
  /** Set when a thread goes on. */
  ran = false;
  private readonly engine: NativeEngine;
  /** How many callbacks wait that no note covers, counted since order `waitsSince`. */
  private untold = 0;
  private waitsSince = 0;
  /** What to call, and after how many acknowledged orders. */
  private readonly pending: { upTo: number; done: () => void }[] = [];
  /** Mappings that the space's only thread makes itself. */
  readonly own: OwnMappings;
  private threadsMade = 0;
  private readonly windows: FileWindows;
  /** The file that the mapping thread has a descriptor of once all orders are done. */
  private borrowed: HostFile | null;
  /** The processor that the mapping thread is pinned to. */
  private cpu = NONE;

  constructor(engine: NativeEngine, id: number) {
    this.engine = engine;
    this.borrowed = null;
    this.id = id;
    this.orders = new Orders(engine.memory, id);
    this.own = new OwnMappings(engine.memory);
    this.windows = new FileWindows(engine.memory, this, this.orders.file);
  }

  /** The host process, as far as is known now; 0 before its first note and after its death. */
  get process(): number {
    return this.pid === 0 ? 0 : this.engine.lives.pidOf(this);
  }

  get hasLeft(): boolean {
    for (const thread of this.threads) if (thread.hasLeft) return true;
    return false;
  }

  /** Whether only one thread runs here, so that what it does itself is in the order in which it asks. */
  private get isSingle(): boolean {
    return this.threads.size - this.parked.length === 1;
  }

  get reserved(): readonly { readonly from: number; readonly to: number }[] {
    return this.engine.reserved;
  }

  mapAnonymous(address: number, len: number, prot: number, overShared: boolean): void {
    if (!overShared && this.own.take(NR.mmap, address, len, prot, this.isSingle)) return;
    this.order(NR.mmap, address, len, prot, OWN_MAP_FLAGS, NONE, 0);
  }

  mapMemory(
    address: number,
    len: number,
    prot: number,
    offset: number,
    shared: boolean,
    writable: boolean,
  ): void {
    const flags = (shared ? MAP_SHARED_FIXED : MAP_PRIVATE_FIXED) | MAP_NORESERVE;
    const fd = shared && writable ? FD.FD_MEMORY : FD.FD_MEMORY_RO;
    this.order(NR.mmap, address, len, prot, flags, fd, offset);
  }

  openWindow(offset: number, len: number, writable: boolean): FileWindow | null {
    return this.windows.make(offset, len, writable);
  }

  mapWindow(address: number, len: number, offset: number, writable: boolean): void {
    this.mapMemory(address, len, writable ? PROT_READ_WRITE : PROT_READ, offset, true, writable);
    this.order(NR.madvise, address, len, MADV_DONTFORK);
  }

  /** One descriptor serves all segments of a program: it is kept until the orders are published. */
  mapFile(address: number, len: number, prot: number, file: HostFile, pos: number): boolean {
    this.postOwn();
    // Descriptor and mapping must be ordered together.
    if (this.orders.room < 2 * ROOM) this.engine.lives.drain(this);
    if (this.borrowed !== file) {
      this.giveBack();
      const fd = file.descriptor();
      if (fd < 0 || !this.engine.loans.lend(this, fd)) return false;
      this.order(NR.recvmsg, FD.FD_NOTES, this.engine.loans.prepare(this.orders.file));
      this.borrowed = file;
    }
    this.order(NR.mmap, address, len, prot, MAP_PRIVATE_FIXED | MAP_NORESERVE, FD.FD_LENT, pos);
    return true;
  }

  /** Call it before anything is made that would inherit the descriptor. */
  private giveBack(): void {
    if (this.borrowed === null) return;
    this.borrowed = null;
    this.order(NR.close, FD.FD_LENT, 0);
  }

  unmap(address: number, len: number, shared: boolean): void {
    if (shared || !this.own.take(NR.munmap, address, len, 0, this.isSingle))
      this.order(NR.munmap, address, len);
  }

  protect(address: number, len: number, prot: number): void {
    if (!this.own.take(NR.mprotect, address, len, prot, this.isSingle))
      this.order(NR.mprotect, address, len, prot);
  }

  /** By its last page, as one area of the kernel's may be several of the host's, which grows only one. */
  grow(address: number, len: number, newLen: number): void {
    this.order(NR.mremap, address + len - PAGE, PAGE, PAGE + newLen - len, 0, 0);
  }

  /** In two steps, as the host (since Linux 6.17) moves several of its areas at once only if they keep their sizes. */
  move(from: number, len: number, newLen: number, to: number): void {
    this.order(NR.mremap, from, len, len, MREMAP_MAYMOVE_FIXED, to);
    if (newLen > len) this.grow(to, len, newLen);
  }

  advise(address: number, len: number, advice: number): void {
    const mayOwn = this.isSingle && (advice === MADV_DONTNEED || advice === MADV_FREE);
    if (this.own.take(NR.madvise, address, len, advice, mayOwn)) return;
    this.order(NR.madvise, address, len, advice);
  }

  settle(): void {
    this.engine.lives.drain(this);
  }

  flush(): void {
    this.publish();
    this.engine.wakeAddress(this.orders.file + SPACE.P_POSTED);
  }

  /**
   * Makes the orders visible to the mapping thread. Returns the count that a thread on processor `cpu` must wait for.
   * The mapping thread is moved there first: a hand-over takes 5 us on one processor, 40 or more across two.
   */
  publish(cpu = NONE): number {
    const { orders } = this;
    this.giveBack();
    this.postOwn();
    if (orders.unpublished) {
      const pid = cpu !== this.cpu && cpu >= 0 ? this.process : 0;
      if (pid > 0) {
        this.cpu = cpu;
        this.engine.processors.pin(pid, cpu);
      }
      orders.publish();
    }
    return orders.posted | 0;
  }

  whenDone(done: () => void): void {
    // A process that was told to end, or will be killed, keeps its mappings as long as it lives.
    if (this.dead || (!this.doomed && this.orders.acknowledged >= this.orders.posted)) {
      done();
      return;
    }
    this.pending.push({ upTo: this.doomed ? Number.POSITIVE_INFINITY : this.orders.posted, done });
    // The space's death covers all, and a note already under way may cover it.
    if (this.doomed || this.orders.posted <= this.orders.noted) return;
    if (this.waitsSince !== this.orders.noted) this.untold = 0;
    this.waitsSince = this.orders.noted;
    if (++this.untold >= MANY_PENDING) this.orders.noteAtPublish();
    else this.engine.chores.noteLater(this);
  }

  /** Sends the note that callbacks wait for, without waiting for more work for the space. */
  noteNow(): void {
    if (!this.dead && this.pending.length > 0) this.flushWithNote();
  }

  flushWithNote(): void {
    this.orders.noteAtPublish();
    this.flush();
  }

  /** A NOTE_DONE of this space came. */
  noteCame(): void {
    this.orders.noteCame();
    while (this.pending.length > 0 && this.pending[0]!.upTo <= this.orders.acknowledged)
      this.pending.shift()!.done();
  }

  read(address: number, offset: number, len: number): number {
    return this.engine.transfers.read(this, address, offset, len);
  }

  gather(words: Float64Array, count: number, offset: number, total: number): number {
    return this.engine.transfers.gather(this, words, count, offset, total);
  }

  write(address: number, offset: number, len: number): number {
    return this.engine.transfers.write(this, address, offset, len);
  }

  /** The host has a call that changes a word of the caller's memory. It also wakes sleepers there; there are none. */
  setHighBit(address: number): void {
    this.order(NR.futex, address, FUTEX_WAKE_OP_PRIVATE, 0, 0, address, OR_HIGH_BIT);
    this.settle();
  }

  /** The host copies the process while the kernel copies what it knows of it. */
  fork(thread: NativeThread): NativeThread {
    const child = this.engine.prepareSpace();
    const copy = child.addThread();
    copy.copyFrame(thread);
    this.orderFork(child);
    thread.prepare();
    return copy;
  }

  /** Orders a copy of this space's process. `child` already has its own first orders. */
  orderFork(child: NativeSpace): void {
    child.publish();
    this.giveBack();
    this.postOwn();
    this.makeRoom();
    const refusal = this.orders.placeRefusal(child.id);
    this.orders.post(NR.clone, FORK_FLAGS, 0, 0, 0, refusal, child.orders.file, OP.OP_KIND_FORK);
  }

  wipeTraces(): void {
    for (const thread of this.threads) thread.wipeTraces();
  }

  newThread(): NativeThread {
    const parked = this.parked.pop();
    parked?.account.start();
    return parked ?? this.addThread();
  }

  /** Orders a slot, and a thread that waits on it. */
  addThread(): NativeThread {
    const slot = this.engine.slots.alloc();
    if (slot < 0) throw new Error('out of thread slots');
    const index = this.threadsMade++;
    const thread = new NativeThread(this.engine, this, slot, index);
    thread.prepareFirst();
    this.threads.add(thread);
    if (!this.hasOneThread) for (const each of this.threads) each.bringsOwnUsage();
    this.order(
      NR.mmap,
      thread.address,
      SIZE.SLOT_STRIDE,
      PROT_READ_WRITE,
      MAP_SHARED_FIXED,
      FD.FD_MEMORY,
      slot,
    );
    this.order(NR.madvise, thread.address, SIZE.SLOT_STRIDE, MADV_DONTFORK);
    const refusal = this.orders.placeRefusal(this.id);
    const top = thread.address + SLOT.S_STACK_TOP;
    this.order(NR.clone, THREAD_FLAGS, top, 0, 0, refusal, 0, OP.OP_KIND_THREAD);
    return thread;
  }

  /** The first orders of every space but the very first: it says who it is, and children do not inherit its pages. */
  orderFirst(): void {
    this.orders.askForBirthNote();
    this.order(NR.madvise, VA.STUB_SPACE, SIZE.SPACE_SIZE, MADV_DONTFORK);
    this.order(NR.madvise, VA.STUB_ANSWERS, SIZE.ANSWERS_SIZE, MADV_DONTFORK);
  }

  usage(): SpaceUsage {
    return this.engine.accounts.memory(this.engine.lives.pidOf(this));
  }

  share(): number {
    return this.engine.accounts.share(this.engine.lives.pidOf(this));
  }

  hasRun(): boolean {
    const { ran } = this;
    this.ran = this.hasRunning;
    return ran || this.ran;
  }

  private get hasRunning(): boolean {
    for (const thread of this.threads) if (thread.runs) return true;
    return false;
  }

  presence(address: number, len: number): PagePresence {
    return this.engine.accounts.presence(this.engine.lives.pidOf(this), address, len);
  }

  present(address: number, out: Uint8Array): void {
    this.engine.accounts.present(this.engine.lives.pidOf(this), address, out);
  }

  copied(address: number, out: Uint8Array): void {
    this.settle();
    this.engine.accounts.copied(this.engine.lives.pidOf(this), address, out.fill(1));
  }

  barrier(command: number): void {
    this.order(NR.membarrier, command, 0);
  }

  peek(address: number, buf: Uint8Array): number {
    return this.access(address, buf, false);
  }

  poke(address: number, buf: Uint8Array): number {
    return this.access(address, buf, true);
  }

  /** Whether only one guest thread ever ran here, so that the process's clock is the thread's. */
  get hasOneThread(): boolean {
    return this.threadsMade === 1;
  }

  destroy(): void {
    this.engine.lives.kill(this);
  }

  /** The process is gone: nothing runs there any more. */
  died(): void {
    this.dead = true;
    this.windows.died();
    for (const thread of this.threads) this.engine.slots.free(thread.slot);
    for (const { done } of this.pending.splice(0)) done();
  }

  private access(address: number, buf: Uint8Array, writes: boolean): number {
    if (this.dead) return -EIO;
    if (this.orders.acknowledged < this.orders.posted) this.settle();
    const n = this.engine.accounts.access(this.engine.lives.pidOf(this), address, buf, writes);
    return n <= 0 && buf.length > 0 ? -EIO : n;
  }

  private order(
    nr: number,
    a: number,
    b: number,
    c = 0,
    d = 0,
    e = 0,
    f = 0,
    kind: number = OP.OP_KIND_CALL,
  ): void {
    if (this.own.count !== 0) this.postOwn();
    if (this.orders.room < ROOM) this.makeRoom();
    this.orders.post(nr, a, b, c, d, e, f, kind);
  }

  /** Mappings not yet given to the thread go the usual way, as something else follows or the thread does not come. */
  private postOwn(): void {
    if (this.own.count === 0) return;
    this.own.forEach((nr, address, len, value) => {
      const flags = nr === NR.mmap ? OWN_MAP_FLAGS : 0;
      this.makeRoom();
      this.orders.post(nr, address, len, value, flags, NONE, 0);
    });
  }

  private makeRoom(): void {
    if (this.orders.room < ROOM) this.engine.lives.drain(this);
  }
}
