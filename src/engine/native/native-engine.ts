/**
 * The native engine: guest code runs in host processes, one process per address space, one host thread per guest
 * thread. ARCHITECTURE.md tells how; stub/ is the other side; engine.ts has the contract.
 */
import type { Libc } from '../../host/libc.ts';
import { monotonicNow } from '../../host/monotonic.ts';
import type { HostPoller } from '../../host/poller.ts';
import type { Channel } from '../answers.ts';
import type { Engine, EngineEvents, Prefetch } from '../engine.ts';
import { Accounts } from './accounts.ts';
import { NativeCallSites } from './call-sites.ts';
import { NativeChannel } from './channel.ts';
import { Chores } from './chores.ts';
import { clearFirstSpace, type Range, readPlaces } from './first-space.ts';
import { NativeKnownAnswers } from './known-answers.ts';
import { CHANNEL, FILE, GLOBAL, KICK_SIGNAL, SLOT } from './layout.ts';
import { Lives } from './lives.ts';
import { Loans } from './loans.ts';
import { createMemoryFile, type MemoryFile } from './memory-file.ts';
import type { NativeSpace } from './native-space.ts';
import type { NativeThread } from './native-thread.ts';
import { Notes } from './notes.ts';
import { Processors } from './processors.ts';
import { Reaper } from './reaper.ts';
import { Slots } from './slots.ts';
import { Spare } from './spare.ts';
import { Transfers } from './transfers.ts';
import { MOST_WORDS, WaitVector } from './wait-vector.ts';
import { STATE } from './words.ts';

const NR = { futex: 202, tgkill: 234 } as const;
const FUTEX_WAKE = 1;
const EVERYBODY = 0x7fffffff;
/** How often a caller looks for its answer in a spin: about 30 us. */
const GUEST_SPIN = 1200;
/**
 * How often it yields after that, before it sleeps. Waking a sleeper costs the kernel 20 us or more on an idle
 * processor. A yield costs the caller half a microsecond if no other thread wants the processor.
 */
const GUEST_YIELDS = 200;
/** So many threads wait for one another, not only for their answers, so they sleep instead of yielding. */
const MANY_RUNNING = 8;
/** While guests run, the kernel checks at least this often (ns) whether one of their processes has died. */
const WATCH = 1e8;
/** The same while more threads run than can wake it. */
const UNSEEN = 1e6;
/** In so many looks for threads the kernel looks once for notes. */
const NOTES_EVERY = 1 << 16;
const PLAN_SMALL = 1 << 12;
const PLAN_KIND = { string: 1, buffer: 2, struct: 3, strings: 4, usage: 5 } as const;

export interface NativeEngineOptions {
  readonly libc: Libc;
  readonly poller: HostPoller;
  /** The stub's executable. */
  readonly stub: string;
  readonly ramSize: number;
  /** How many of the host's processors guests may run on. */
  readonly processors: number;
  /** Whether threads may be told answers before they ask. Not if someone wants to see each call. */
  readonly foresight: boolean;
  readonly events: EngineEvents;
}

export class NativeEngine implements Engine {
  readonly memory: MemoryFile;
  readonly slots: Slots;
  readonly plans: (readonly Prefetch[] | undefined)[] = [];
  readonly callSites: NativeCallSites;
  readonly known: NativeKnownAnswers | null;
  /** Whether threads are told what they have not asked for yet. */
  readonly foresight: boolean;
  readonly accounts: Accounts;
  readonly processors: Processors;
  readonly chores: Chores;
  readonly lives: Lives;
  readonly loans: Loans;
  readonly transfers: Transfers;
  vdso = 0;
  reserved: readonly Range[] = [];
  private readonly libc: Libc;
  private readonly events: EngineEvents;
  private readonly reaper: Reaper;
  private readonly waits: WaitVector;
  private readonly running: NativeThread[] = [];
  private readonly first: NativeSpace;
  private polls = 0;
  private readonly spare: Spare;

  private constructor({ libc, events, foresight }: NativeEngineOptions, memory: MemoryFile) {
    this.memory = memory;
    this.slots = new Slots(memory);
    this.libc = libc;
    this.events = events;
    this.callSites = new NativeCallSites(memory);
    this.foresight = foresight;
    this.known = foresight ? new NativeKnownAnswers(memory) : null;
    this.accounts = new Accounts(libc);
    this.processors = new Processors(libc, memory);
    this.waits = new WaitVector(libc, memory);
    const notes = new Notes(libc, memory);
    const ending = (): void => this.shutdown();
    this.reaper = new Reaper({ libc, memory, notes, ending, lost: () => events.lost() });
    this.lives = new Lives(this, { libc, notes, reaper: this.reaper, events });
    this.chores = new Chores(space => this.lives.end(space));
    this.loans = new Loans(libc, memory, notes, this.lives);
    this.transfers = new Transfers(libc, memory, this.lives);
    this.first = this.lives.newSpace();
    this.spare = new Spare({ make: () => this.makeSpace(), room: () => this.slots.room });
  }

  /** Starts the stub. Returns a sentence if this host cannot run it. */
  static start(options: NativeEngineOptions): NativeEngine | string {
    const memory = createMemoryFile(options.libc, options.ramSize);
    if (typeof memory === 'string') return memory;
    const engine = new NativeEngine(options, memory);
    const failed = engine.begin(options);
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
    for (const { cpu } of this.running) if (cpu !== kernel) count++;
    return count;
  }

  get busyCount(): number {
    let busy = 0;
    for (const { slot, space } of this.running) {
      const state = Atomics.load(this.memory.i32, slot >> 2);
      // An answered thread may be waiting for a processor: for ours. One whose process is still being made is not.
      if (state === STATE.ST_ANSWER && space.pid !== 0) busy++;
    }
    return busy;
  }

  setPrefetch(nr: number, plan: readonly Prefetch[]): void {
    this.plans[nr] = plan;
    plan.forEach((p, i) => {
      const small = i === 0 && p.small === true ? PLAN_SMALL : 0;
      const word =
        PLAN_KIND[p.kind] | (p.arg << 4) | ((p.lengthArg ?? 0) << 8) | small | ((p.size ?? 0) << 16);
      this.memory.view.setInt32(FILE.FILE_GLOBAL + GLOBAL.G_PLANS + 8 * nr + 4 * i, word, true);
    });
  }

  get channelSize(): number {
    return CHANNEL.CHANNEL_SIZE;
  }

  channel(offset: number): Channel {
    return new NativeChannel(this.memory, offset, () => {
      this.wakeAddress(offset + CHANNEL.C_TAIL);
      this.wakeAddress(offset + CHANNEL.C_HEAD);
    });
  }

  poll(): number {
    const { running } = this;
    const { i32 } = this.memory;
    let handled = 0;
    if (++this.polls % NOTES_EVERY === 0) {
      const now = monotonicNow();
      this.lives.readNotes();
      this.chores.run(now);
      this.processors.settle(now);
    }
    // The longest-running thread first, so that what another has set going since does not overtake it.
    for (let i = 0, left = running.length; left > 0; left--) {
      const thread = running[i];
      if (thread === undefined) break;
      // A plain load suffices, and is cheaper than Atomics.load, which V8 calls. What it misses, the next look sees.
      const state = i32[thread.slot >> 2]!;
      if (state !== STATE.ST_REQUEST && state !== STATE.ST_SLEEPING) {
        i++;
        continue;
      }
      this.leaveRunning(thread);
      thread.arrive();
      if (running.length === 0 && thread.cpu === this.processors.kernel) this.crowd(thread);
      this.events.trap(thread);
      handled++;
    }
    if (i32[GLOBAL.G_HOST_EVENTS / 4] !== 0) {
      this.hostEvents();
      handled++;
    }
    return handled;
  }

  private crowd(thread: NativeThread): void {
    if (!this.processors.isCrowded(thread)) return;
    const tid = this.memory.i32[(thread.slot + SLOT.S_TID) >> 2]!;
    if (tid > 0) this.processors.sendAway(this.lives.pidOf(thread.space), tid, monotonicNow());
  }

  sleep(timeout: number): void {
    const { running, waits } = this;
    const { i32 } = this.memory;
    const now = monotonicNow();
    // Those who waited for what the notes tell go on first.
    if (this.lives.lookForNotes(now)) return;
    const due = this.chores.run(now);
    this.processors.settle(now);
    this.slots.cleanUp();
    this.spare.keep();
    const count = Math.min(running.length, MOST_WORDS - 1);
    waits.put(0, GLOBAL.G_HOST_EVENTS, 0);
    for (let i = 0; i < count; i++) {
      const { slot } = running[i]!;
      const state = Atomics.load(i32, slot >> 2);
      if (state === STATE.ST_REQUEST || state === STATE.ST_SLEEPING) return;
      // A guest's word: 32 bits of whatever stands there.
      waits.put(i + 1, slot, state >>> 0);
    }
    const watch = running.length > count ? UNSEEN : WATCH;
    waits.wait(count + 1, Math.min(timeout, due, running.length > 0 ? watch : timeout));
  }

  newSpace(): NativeThread {
    return this.spare.take();
  }

  private makeSpace(): NativeThread {
    const space = this.prepareSpace();
    const thread = space.addThread();
    this.first.orderFork(space);
    this.first.flush();
    return thread;
  }

  /** A space that has its number, its pages and its first orders, but no process yet. */
  prepareSpace(): NativeSpace {
    const space = this.lives.newSpace();
    space.orderFirst();
    return space;
  }

  whenAllDone(done: () => void): void {
    let left = 1;
    const one = (): void => {
      if (--left === 0) done();
    };
    for (const space of this.lives.all) {
      left++;
      space.whenDone(one);
      space.noteNow();
    }
    one();
  }

  pause(still: boolean): void {
    this.reaper.pause(still);
  }

  shutdown(): void {
    if (this.reaper.pid === 0) return;
    this.processors.releaseKernel();
    this.reaper.end(this.lives.pids);
  }

  // For threads and spaces.

  nowRunning(thread: NativeThread): void {
    thread.runningIndex = this.running.length;
    if (this.running.push(thread) === MANY_RUNNING) this.memory.i32[GLOBAL.G_YIELDS / 4] = 0;
  }

  leaveRunning(thread: NativeThread): void {
    const { running } = this;
    if (thread.runningIndex < 0) return;
    for (let i = thread.runningIndex + 1; i < running.length; i++) {
      const later = running[i]!;
      running[i - 1] = later;
      later.runningIndex = i - 1;
    }
    running.pop();
    if (running.length === MANY_RUNNING - 1) this.memory.i32[GLOBAL.G_YIELDS / 4] = GUEST_YIELDS;
    thread.runningIndex = -1;
  }

  wake(thread: NativeThread): void {
    this.wakeAddress(thread.slot);
  }

  wakeAddress(offset: number): void {
    this.libc.syscall(NR.futex, this.memory.address + offset, FUTEX_WAKE, EVERYBODY);
  }

  kick(thread: NativeThread): void {
    const tid = this.memory.i32[(thread.slot + SLOT.S_TID) >> 2]!;
    const pid = this.lives.pidOf(thread.space);
    if (pid > 0 && tid > 0) this.libc.syscall(NR.tgkill, pid, tid, KICK_SIGNAL);
  }

  private begin({ stub, poller, processors }: NativeEngineOptions): string | null {
    this.memory.view.setInt32(GLOBAL.G_SPIN, GUEST_SPIN, true);
    this.memory.view.setInt32(GLOBAL.G_YIELDS, GUEST_YIELDS, true);
    this.processors.chooseForGuests(processors);
    const pid = this.reaper.start(stub, poller.fd);
    if (typeof pid === 'string') return pid;
    this.lives.born(this.first.id, pid);
    const { vdso, reserved } = readPlaces(this.memory);
    this.vdso = vdso;
    this.reserved = reserved;
    clearFirstSpace(this.first, reserved);
    this.processors.keepKernel();
    return null;
  }

  private hostEvents(): void {
    this.lives.readNotes();
    this.events.hostEvents();
    Atomics.store(this.memory.i32, GLOBAL.G_HOST_EVENTS / 4, 0);
    this.wakeAddress(GLOBAL.G_HOST_EVENTS);
  }
}
