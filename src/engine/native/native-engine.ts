/**
 * The native engine: guest code runs in host processes, one an address space, one host thread a guest thread.
 * ARCHITECTURE.md tells how; stub/ is the other side; engine.ts has the contract.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Libc } from '../../host/libc.ts';
import { monotonicNow } from '../../host/monotonic.ts';
import type { HostPoller } from '../../host/poller.ts';
import { EFAULT } from '../../uapi/errno.ts';
import type { Engine, EngineEvents, Prefetch } from '../engine.ts';
import { Accounts } from './accounts.ts';
import { NativeCallSites } from './call-sites.ts';
import { Chores } from './chores.ts';
import { atEnd, endProcesses } from './ending.ts';
import { FILE, GLOBAL, KICK_SIGNAL, NOTE, SIZE, SLOT, STATE, VA } from './layout.ts';
import { createMemoryFile, type MemoryFile } from './memory-file.ts';
import { NativeSpace } from './native-space.ts';
import type { NativeThread } from './native-thread.ts';
import { type Note, Notes } from './notes.ts';
import { Processors } from './processors.ts';
import { Slots } from './slots.ts';

const NR = {
  poll: 7,
  kill: 62,
  futex: 202,
  tgkill: 234,
  process_vm_readv: 310,
  process_vm_writev: 311,
  futex_waitv: 449,
} as const;
const FUTEX_WAKE = 1;
const EVERYBODY = 0x7fffffff;
const SIGKILL = 9;
const SIGCONT = 18;
const SIGSTOP = 19;
const POLLIN = 1;
/** futex_waitv(2): entries of {u64 value, u64 address, u32 flags, u32 reserved}, 32-bit words shared by processes. */
const FUTEX_SIZE_U32 = 2;
const WAITV_MAX = 127;
const WAITV = FILE.FILE_SCRATCH + 0x1000;
const TIMESPEC = FILE.FILE_SCRATCH + 0x900;
const IOVECS = FILE.FILE_SCRATCH + 0x800;
const POLLFD = FILE.FILE_SCRATCH + 0xa00;
const USER_END = 0x7ffffffff000;
/** How often a caller looks before it sleeps: about 30 us. */
const GUEST_SPIN = 1200;
/** While guests run, the kernel looks at least so often (ns) whether one of their processes has died. */
const WATCH = 5e7;
/** How long a space's process may take to be there, ns: it is waited for once. */
const BIRTH_LIMIT = 2e9;
const NOTES_EVERY = 1 << 16;
/** The same while more run than can wake it. */
const UNSEEN = 1e6;
/** How long the stub may take to start, ns. */
const START_LIMIT = 5e9;
const PLAN_KIND = { string: 1, buffer: 2, struct: 3, strings: 4 } as const;

export interface NativeEngineOptions {
  readonly libc: Libc;
  readonly poller: HostPoller;
  /** The stub's executable. */
  readonly stub: string;
  readonly ramSize: number;
  /** On how many of the host's processors guests may run. */
  readonly processors: number;
  readonly events: EngineEvents;
}

export class NativeEngine implements Engine {
  readonly memory: MemoryFile;
  readonly slots: Slots;
  readonly plans: (readonly Prefetch[] | undefined)[] = [];
  readonly callSites: NativeCallSites;
  readonly accounts: Accounts;
  readonly processors: Processors;
  readonly chores: Chores;
  vdso = 0;
  reserved: { from: number; to: number }[] = [];
  private readonly libc: Libc;
  private readonly events: EngineEvents;
  private readonly notes: Notes;
  private readonly running: NativeThread[] = [];
  private readonly spaces: Map<number, NativeSpace> = new Map();
  private readonly byPid: Map<number, NativeSpace> = new Map();
  private readonly freeIds: number[] = [];
  private nextId = 0;
  private polls = 0;
  private first: NativeSpace;
  private reaper: ChildProcess | null = null;
  private reaperPid = 0;
  private forgetEnd: () => void = () => {};

  private constructor(options: NativeEngineOptions, memory: MemoryFile) {
    this.memory = memory;
    this.slots = new Slots(memory);
    this.libc = options.libc;
    this.events = options.events;
    this.notes = new Notes(options.libc, memory);
    this.callSites = new NativeCallSites(memory);
    this.accounts = new Accounts(options.libc);
    this.processors = new Processors(options.libc, memory);
    this.chores = new Chores(space => this.endSpace(space));
    this.first = new NativeSpace(this, this.nextId++);
  }

  /** Starts the stub; answers a sentence when this host cannot run it. */
  static start(options: NativeEngineOptions): NativeEngine | string {
    const memory = createMemoryFile(options.libc, options.ramSize);
    if (typeof memory === 'string') return memory;
    const engine = new NativeEngine(options, memory);
    const failed = engine.startReaper(options);
    return failed ?? engine;
  }

  get threadRoom(): number {
    return this.slots.room;
  }

  get runningCount(): number {
    return this.running.length;
  }

  get elsewhereCount(): number {
    const { kernel } = this.processors;
    let count = 0;
    for (const { slot } of this.running) if (this.memory.i32[(slot + SLOT.S_CPU) >> 2] !== kernel) count++;
    return count;
  }

  get busyCount(): number {
    let busy = 0;
    for (const { slot } of this.running)
      if (Atomics.load(this.memory.i32, slot >> 2) === STATE.ST_RUNNING) busy++;
    return busy;
  }

  setPrefetch(nr: number, plan: readonly Prefetch[]): void {
    this.plans[nr] = plan;
    plan.forEach((p, i) => {
      const word = PLAN_KIND[p.kind] | (p.arg << 4) | ((p.lengthArg ?? 0) << 8) | ((p.size ?? 0) << 16);
      this.memory.view.setInt32(FILE.FILE_GLOBAL + GLOBAL.G_PLANS + 8 * nr + 4 * i, word, true);
    });
  }

  poll(): number {
    const { running } = this;
    const { i32 } = this.memory;
    let handled = 0;
    if (++this.polls % NOTES_EVERY === 0) {
      this.readNotes();
      this.chores.run(monotonicNow());
    }
    for (let i = running.length - 1; i >= 0; i--) {
      const thread = running[i];
      if (thread === undefined) continue;
      const state = Atomics.load(i32, thread.slot >> 2);
      if (state !== STATE.ST_REQUEST && state !== STATE.ST_SLEEPING) continue;
      this.leaveRunning(thread);
      thread.arrive();
      this.events.trap(thread);
      handled++;
    }
    if (i32[GLOBAL.G_HOST_EVENTS / 4] !== 0) {
      this.hostEvents();
      handled++;
    }
    return handled;
  }

  sleep(timeout: number): void {
    const { i32, view } = this.memory;
    this.readNotes();
    const due = this.chores.run(monotonicNow());
    this.slots.cleanUp();
    const count = Math.min(this.running.length, WAITV_MAX - 1);
    this.waitEntry(0, GLOBAL.G_HOST_EVENTS, 0);
    for (let i = 0; i < count; i++) {
      const { slot } = this.running[i]!;
      const state = Atomics.load(i32, slot >> 2);
      if (state === STATE.ST_REQUEST || state === STATE.ST_SLEEPING) return;
      this.waitEntry(i + 1, slot, state);
    }
    const watch = this.running.length > count ? UNSEEN : WATCH;
    const limit = Math.min(timeout, due, this.running.length > 0 ? watch : timeout);
    let until = 0;
    if (Number.isFinite(limit)) {
      const deadline = monotonicNow() + limit;
      const sec = Math.floor(deadline / 1e9);
      view.setUint32(TIMESPEC, sec, true);
      view.setUint32(TIMESPEC + 4, 0, true);
      view.setUint32(TIMESPEC + 8, deadline - sec * 1e9, true);
      view.setUint32(TIMESPEC + 12, 0, true);
      until = this.memory.address + TIMESPEC;
    }
    Atomics.store(i32, GLOBAL.G_DOORBELL / 4, 1);
    this.libc.syscall(NR.futex_waitv, this.memory.address + WAITV, count + 1, 0, until, 1);
    Atomics.store(i32, GLOBAL.G_DOORBELL / 4, 0);
  }

  newSpace(): NativeThread {
    const space = this.prepareSpace();
    const thread = space.addThread();
    this.first.orderFork(space);
    this.first.flush();
    return thread;
  }

  /** A space that has its number, its pages and its first orders, but no process yet. */
  prepareSpace(): NativeSpace {
    const space = new NativeSpace(this, this.freeIds.pop() ?? this.nextId++);
    this.spaces.set(space.id, space);
    space.orderFirst();
    return space;
  }

  whenAllDone(done: () => void): void {
    let left = 1;
    const one = (): void => {
      if (--left === 0) done();
    };
    for (const space of this.spaces.values()) {
      left++;
      space.whenDone(one);
      space.noteNow();
    }
    one();
  }

  /** The engine's processes are a session and a process group of their own: no terminal stops them. */
  pause(still: boolean): void {
    if (this.reaperPid !== 0) this.libc.syscall(NR.kill, -this.reaperPid, still ? SIGSTOP : SIGCONT);
  }

  shutdown(): void {
    const { libc, memory, notes, reaperPid: reaper } = this;
    if (reaper === 0) return;
    this.reaperPid = 0;
    this.forgetEnd();
    this.processors.releaseKernel();
    const waitForNotes = (milliseconds: number): void => this.waitForNotes(milliseconds);
    endProcesses({ libc, memory, notes, reaper, spaces: [...this.byPid.keys()], waitForNotes });
  }

  // For threads and spaces.

  nowRunning(thread: NativeThread): void {
    thread.runningIndex = this.running.length;
    this.running.push(thread);
  }

  wake(thread: NativeThread): void {
    this.wakeAddress(thread.slot);
  }

  wakeAddress(offset: number): void {
    this.libc.syscall(NR.futex, this.memory.address + offset, FUTEX_WAKE, EVERYBODY);
  }

  kick(thread: NativeThread): void {
    const tid = this.memory.i32[(thread.slot + SLOT.S_TID) >> 2]!;
    const pid = this.pidOf(thread.space);
    if (pid > 0 && tid > 0) this.libc.syscall(NR.tgkill, pid, tid, KICK_SIGNAL);
  }

  readGuest(space: NativeSpace, address: number, offset: number, len: number): number {
    return this.transfer(NR.process_vm_readv, space, address, offset, len);
  }

  writeGuest(space: NativeSpace, address: number, offset: number, len: number): number {
    return this.transfer(NR.process_vm_writev, space, address, offset, len);
  }

  /** Waits until the space has acknowledged all its orders. A space that does not is killed. */
  drain(space: NativeSpace): void {
    space.orders.askForNote();
    const upTo = space.orders.posted;
    space.flush();
    const deadline = monotonicNow() + 2e9;
    while (!space.dead && this.reaperPid !== 0 && space.orders.acknowledged < upTo) {
      this.waitForNotes(10);
      this.readNotes();
      if (monotonicNow() < deadline) continue;
      // Its threads are told by its death's note.
      this.endSpace(space);
      return;
    }
  }

  /** Ends a space whose threads do not obey: its death is news. */
  endSpace(space: NativeSpace): void {
    if (space.pid > 0 && !space.dead) this.libc.syscall(NR.kill, space.pid, SIGKILL);
  }

  /**
   * At once: the host takes the process apart while the kernel does what else there is to do. The thread that asked
   * for it ends the process, if there is one: to kill is to wake processors.
   */
  killSpace(space: NativeSpace): void {
    for (const thread of space.threads) this.leaveRunning(thread);
    if (space.dead || space.doomed) return;
    space.doomed = true;
    for (const thread of space.threads) {
      if (!thread.endProcess()) continue;
      this.chores.leaves(space, monotonicNow());
      return;
    }
    if (space.pid === 0) this.readNotes();
    else this.libc.syscall(NR.kill, space.pid, SIGKILL);
  }

  private startReaper(options: NativeEngineOptions): string | null {
    const { view } = this.memory;
    view.setInt32(GLOBAL.G_KERNEL, process.pid, true);
    view.setInt32(GLOBAL.G_SPIN, GUEST_SPIN, true);
    this.processors.chooseForGuests(options.processors);
    const stdio = [
      'ignore',
      'ignore',
      'ignore',
      this.memory.fd,
      this.memory.readOnlyFd,
      this.notes.peer,
      options.poller.fd,
    ];
    this.reaper = spawn(options.stub, [], { stdio: stdio as 'ignore'[], env: {}, cwd: '/' });
    this.reaper.on('error', () => {});
    this.reaper.on('exit', () => this.reaperGone());
    this.reaper.unref();
    const pid = this.reaper.pid;
    if (pid === undefined) return `the stub ${options.stub} cannot be started: run "npm run build"`;
    this.reaperPid = pid;
    this.forgetEnd = atEnd(() => this.shutdown());
    const note = this.firstNote();
    if (note === null || note.kind !== NOTE.NOTE_READY) return startFailure(note?.value ?? 0);
    this.first.pid = note.value;
    this.byPid.set(note.value, this.first);
    this.spaces.set(this.first.id, this.first);
    this.readPlaces();
    this.clearFirstSpace();
    this.processors.keepKernel();
    return null;
  }

  /** It ends with `shutdown`; if not, somebody has killed it. */
  private reaperGone(): void {
    if (this.reaperPid === 0) return;
    this.reaperPid = 0;
    this.forgetEnd();
    this.events.lost();
  }

  /** The reaper's answer to its start; a signal may interrupt the waiting. */
  private firstNote(): Note | null {
    const deadline = monotonicNow() + START_LIMIT;
    let note = this.notes.next();
    while (note === null && monotonicNow() < deadline) {
      this.waitForNotes(100);
      note = this.notes.next();
    }
    return note;
  }

  private readPlaces(): void {
    const { view } = this.memory;
    const word = (offset: number): number =>
      view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
    this.vdso = word(GLOBAL.G_VDSO);
    this.reserved = [
      { from: VA.STUB_TEXT, to: VA.STUB_END },
      { from: VA.SLOT_BASE, to: VA.SLOT_END },
      { from: word(GLOBAL.G_VDSO_FROM), to: word(GLOBAL.G_VDSO_TO) },
    ].sort((a, b) => a.from - b.from);
  }

  /** What the first process has of its own (its stack, the reaper's data) is unmapped. */
  private clearFirstSpace(): void {
    let at = 0x10000;
    for (const { from, to } of this.reserved) {
      if (from > at) this.first.unmap(at, from - at, true);
      at = to;
    }
    if (at < USER_END) this.first.unmap(at, USER_END - at, true);
    this.first.unmap(VA.STUB_TEXT + 0x80000, VA.STUB_GLOBAL - VA.STUB_TEXT - 0x80000, true);
    this.first.flush();
  }

  private leaveRunning(thread: NativeThread): void {
    const index = thread.runningIndex;
    if (index < 0) return;
    const last = this.running.pop()!;
    if (last !== thread) {
      this.running[index] = last;
      last.runningIndex = index;
    }
    thread.runningIndex = -1;
  }

  private hostEvents(): void {
    this.readNotes();
    this.events.hostEvents();
    Atomics.store(this.memory.i32, GLOBAL.G_HOST_EVENTS / 4, 0);
    this.wakeAddress(GLOBAL.G_HOST_EVENTS);
  }

  private readNotes(): void {
    for (let note = this.notes.next(); note !== null; note = this.notes.next()) {
      if (note.kind === NOTE.NOTE_DEAD && note.pid === this.reaperPid) this.spaceDied(note.value);
      else if (note.kind === NOTE.NOTE_BORN) this.spaceBorn(note.value, note.pid);
      else if (note.kind === NOTE.NOTE_DONE) this.byPid.get(note.pid)?.noteCame();
      else if (note.kind === NOTE.NOTE_REFUSED) this.refused(note.value, note.pid);
    }
  }

  /** The host makes no more processes or threads for us: what needs one dies. Said by the space or by its parent. */
  private refused(id: number, by: number): void {
    const space = this.spaces.get(id);
    if (space === undefined || space.dead || !this.byPid.has(by)) return;
    if (space.pid !== 0) this.endSpace(space);
    else this.forget(space);
  }

  private spaceBorn(id: number, pid: number): void {
    const space = this.spaces.get(id);
    if (space === undefined || space.pid !== 0) return;
    space.pid = pid;
    this.byPid.set(pid, space);
    if (space.doomed) this.libc.syscall(NR.kill, pid, SIGKILL);
  }

  private spaceDied(pid: number): void {
    const space = this.byPid.get(pid);
    if (space === undefined) return;
    this.byPid.delete(pid);
    this.forget(space);
  }

  private forget(space: NativeSpace): void {
    this.spaces.delete(space.id);
    for (const thread of space.threads) this.leaveRunning(thread);
    space.dead = true;
    if (!space.doomed) for (const thread of space.threads) this.events.died(thread);
    space.died();
    this.memory.wipe(space.orders.file, SIZE.SPACE_STRIDE);
    this.freeIds.push(space.id);
  }

  /** The host's process of a space; waits for its first note if that is still to come. */
  pidOf(space: NativeSpace): number {
    const deadline = monotonicNow() + BIRTH_LIMIT;
    while (space.pid === 0 && this.mayBeBorn(space)) {
      this.readNotes();
      if (space.pid === 0) this.waitForNotes(10);
      // Its parent's process was killed before it could make it, or the host refused.
      if (monotonicNow() > deadline) space.stillborn = true;
    }
    return space.pid;
  }

  private mayBeBorn(space: NativeSpace): boolean {
    return !space.dead && !space.stillborn && this.reaperPid !== 0;
  }

  private waitForNotes(milliseconds: number): void {
    const { view, address } = this.memory;
    view.setInt32(POLLFD, this.notes.fd, true);
    view.setInt32(POLLFD + 4, POLLIN, true);
    this.libc.syscall(NR.poll, address + POLLFD, 1, milliseconds);
  }

  private transfer(nr: number, space: NativeSpace, address: number, offset: number, len: number): number {
    if (len === 0) return 0;
    if (address < 0 || address + len > USER_END || space.dead) return -EFAULT;
    const { view } = this.memory;
    const base = this.memory.address;
    setWord64(view, IOVECS, base + offset);
    setWord64(view, IOVECS + 8, len);
    setWord64(view, IOVECS + 16, address);
    setWord64(view, IOVECS + 24, len);
    const pid = this.pidOf(space);
    if (this.libc.syscall(nr, pid, base + IOVECS, 1, base + IOVECS + 16, 1, 0) === len) return 0;
    if (space.orders.acknowledged >= space.orders.posted) return -EFAULT;
    // Perhaps the memory is ordered but not there yet.
    this.drain(space);
    setWord64(view, IOVECS, base + offset);
    return this.libc.syscall(nr, pid, base + IOVECS, 1, base + IOVECS + 16, 1, 0) === len ? 0 : -EFAULT;
  }

  private waitEntry(index: number, offset: number, value: number): void {
    const { view } = this.memory;
    const at = WAITV + 24 * index;
    setWord64(view, at, value);
    setWord64(view, at + 8, this.memory.address + offset);
    view.setUint32(at + 16, FUTEX_SIZE_U32, true);
    view.setUint32(at + 20, 0, true);
  }
}

function setWord64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % 2 ** 32, true);
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
}

function startFailure(value: number): string {
  if (value === 0)
    return 'the stub did not start: seccomp filters (Linux 3.17, CONFIG_SECCOMP_FILTER) are needed';
  return `the stub's step ${value >>> 16} failed with error ${value & 0xffff}: seccomp filters and futex_waitv (Linux 5.16) are needed`;
}
