/**
 * The lives of spaces: which there are, the host process of each from birth to death, and its end by force. Notes tell
 * what became of a process (notes.ts). They are read here, also while a caller waits for one.
 */
import type { Libc } from '../../host/libc.ts';
import { monotonicNow } from '../../host/monotonic.ts';
import { NumberTable } from '../../lib/number-table.ts';
import type { EngineEvents } from '../engine.ts';
import type { NativeEngine } from './native-engine.ts';
import { NativeSpace } from './native-space.ts';
import type { Notes } from './notes.ts';
import type { Reaper } from './reaper.ts';
import { NOTE } from './words.ts';

const NR = { kill: 62 } as const;
const SIGKILL = 9;
/** How long a space's process may take to appear, ns. It is waited for once. */
const BIRTH_LIMIT = 2e9;
/** How long a space may take to do its orders, ns. */
const ORDERS_LIMIT = 2e9;
/** In ns. Notes needed at once are read at once. A look for others takes the host 5 us, and the kernel sleeps often. */
const NOTES_PAUSE = 1e6;
/**
 * A process's number is used only if notes were read at most this long ago, ns. The death is noted before the host may
 * reuse the number (stub/reaper.c), and in so short a time the host does not come round to it.
 */
const FRESH = 5e6;
/** Notes are waited for in intervals of this length, milliseconds. */
const PIECE = 10;

export interface LivesOptions {
  readonly libc: Libc;
  readonly notes: Notes;
  readonly reaper: Reaper;
  readonly events: EngineEvents;
}

export class Lives {
  private readonly engine: NativeEngine;
  private readonly libc: Libc;
  private readonly notes: Notes;
  private readonly reaper: Reaper;
  private readonly events: EngineEvents;
  private readonly spaces: NumberTable<NativeSpace> = new NumberTable();
  private readonly byPid: NumberTable<NativeSpace> = new NumberTable();
  private readonly freeIds: number[] = [];
  private nextId = 0;
  /** Born, although they were doomed. */
  private readonly unwanted: NativeSpace[] = [];
  /** When notes were last looked for, and when all that had come were last read. */
  private looked = 0;
  private fresh = 0;

  constructor(engine: NativeEngine, { libc, notes, reaper, events }: LivesOptions) {
    this.engine = engine;
    this.libc = libc;
    this.notes = notes;
    this.reaper = reaper;
    this.events = events;
  }

  /** All spaces that are not dead, including those without a process yet. */
  get all(): Iterable<NativeSpace> {
    return this.spaces.values();
  }

  /** The processes of spaces, as far as they are known. */
  get pids(): readonly number[] {
    return [...this.byPid.values()].map(space => space.pid);
  }

  /** A space that has its number and its pages, but no process yet. */
  newSpace(): NativeSpace {
    const space = new NativeSpace(this.engine, this.freeIds.pop() ?? this.nextId++);
    this.spaces.set(space.id, space);
    return space;
  }

  /** Reads notes unless that was just done; whether there were any. Call it when the kernel is about to sleep. */
  lookForNotes(now: number): boolean {
    if (now - this.looked < NOTES_PAUSE) return false;
    this.looked = now;
    return this.readNotes();
  }

  readNotes(): boolean {
    let any = false;
    this.fresh = monotonicNow();
    for (let note = this.notes.next(); note !== null; note = this.notes.next()) {
      any = true;
      if (note.kind === NOTE.NOTE_DEAD && note.pid === this.reaper.pid) this.died(note.value);
      else if (note.kind === NOTE.NOTE_BORN) this.born(note.value, note.pid);
      else if (note.kind === NOTE.NOTE_DONE) this.byPid.get(note.pid)?.noteCame();
      else if (note.kind === NOTE.NOTE_REFUSED) this.refused(note.value, note.pid);
    }
    // Only now, as a later note may have said that the process is already dead.
    for (let space = this.unwanted.pop(); space !== undefined; space = this.unwanted.pop())
      if (!space.dead) this.libc.syscall(NR.kill, space.pid, SIGKILL);
    return any;
  }

  /** Space `id` has its process. If it is doomed, it will be killed. */
  born(id: number, pid: number): void {
    const space = this.spaces.get(id);
    if (space === undefined || space.pid !== 0) return;
    space.pid = pid;
    this.byPid.set(pid, space);
    if (space.doomed) this.unwanted.push(space);
  }

  /** The host process of a space, after waiting for its first note if necessary. 0: it never came to be, or is gone. */
  pidOf(space: NativeSpace): number {
    const deadline = this.freshen() + BIRTH_LIMIT;
    while (space.pid === 0 && this.mayBeBorn(space)) {
      this.readNotes();
      if (space.pid === 0) this.notes.wait(PIECE);
      // Its parent's process was killed before it could make it, or the host refused.
      if (monotonicNow() > deadline) space.stillborn = true;
    }
    return space.dead ? 0 : space.pid;
  }

  /** Makes sure that the knowledge of deaths is at most FRESH old. Returns the time. */
  private freshen(): number {
    const now = monotonicNow();
    if (now - this.fresh > FRESH) this.readNotes();
    return now;
  }

  /** Waits until the space has acknowledged all its orders. Kills a space that does not. */
  drain(space: NativeSpace): void {
    space.orders.askForNote();
    const upTo = space.orders.posted;
    space.flush();
    const deadline = monotonicNow() + ORDERS_LIMIT;
    while (!space.dead && this.reaper.pid !== 0 && space.orders.acknowledged < upTo) {
      this.notes.wait(PIECE);
      this.readNotes();
      if (monotonicNow() < deadline) continue;
      // The note of its death tells its threads.
      this.end(space);
      return;
    }
  }

  /** Ends a space whose threads do not obey. Its death is news. */
  end(space: NativeSpace): void {
    this.freshen();
    if (space.pid > 0 && !space.dead) this.libc.syscall(NR.kill, space.pid, SIGKILL);
  }

  /**
   * Ends a space whose death is no news. At once, so that the host takes the process apart while the kernel does the
   * rest. If a thread waits in the kernel, it ends the process itself, as killing wakes processors.
   */
  kill(space: NativeSpace): void {
    const { engine } = this;
    for (const thread of space.threads) engine.leaveRunning(thread);
    if (space.dead || space.doomed) return;
    space.doomed = true;
    for (const thread of space.threads) {
      if (!thread.endProcess()) continue;
      engine.chores.leaves(space, monotonicNow());
      return;
    }
    if (space.pid === 0) this.readNotes();
    else this.end(space);
  }

  private mayBeBorn(space: NativeSpace): boolean {
    return !space.dead && !space.stillborn && this.reaper.pid !== 0;
  }

  /** The host makes no more processes or threads for us, so what needs one dies. Sent by the space or its parent. */
  private refused(id: number, by: number): void {
    const space = this.spaces.get(id);
    if (space === undefined || space.dead || !this.byPid.has(by)) return;
    if (space.pid !== 0) this.end(space);
    else this.forget(space);
  }

  private died(pid: number): void {
    const space = this.byPid.get(pid);
    if (space === undefined) return;
    this.byPid.delete(pid);
    this.forget(space);
  }

  private forget(space: NativeSpace): void {
    this.spaces.delete(space.id);
    for (const thread of space.threads) {
      thread.ended();
      this.engine.leaveRunning(thread);
    }
    space.dead = true;
    if (!space.doomed) for (const thread of space.threads) this.events.died(thread);
    space.died();
    space.orders.wipe();
    this.freeIds.push(space.id);
  }
}
