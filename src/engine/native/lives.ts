/**
 * The lives of spaces: which there are, the host process of each from its birth to its death, and its end by force.
 * What became of a process is told in notes (notes.ts); they are read here, whenever somebody waits for one too.
 */
import type { Libc } from '../../host/libc.ts';
import { monotonicNow } from '../../host/monotonic.ts';
import { NumberTable } from '../../lib/number-table.ts';
import type { EngineEvents } from '../engine.ts';
import { NOTE } from './layout.ts';
import type { NativeEngine } from './native-engine.ts';
import { NativeSpace } from './native-space.ts';
import type { Notes } from './notes.ts';
import type { Reaper } from './reaper.ts';

const NR = { kill: 62 } as const;
const SIGKILL = 9;
/** How long a space's process may take to be there, ns: it is waited for once. */
const BIRTH_LIMIT = 2e9;
/** How long a space may take to do its orders, ns. */
const ORDERS_LIMIT = 2e9;
/** Whoever needs a note at once reads it; to look for others takes the host 5 us, and the kernel sleeps often. */
const NOTES_PAUSE = 1e6;
/**
 * A process's number is used only if notes were read no longer ago, ns. Its death is noted before the host may give the number to
 * another (stub/reaper.c), and in so short a time it does not come round to that.
 */
const FRESH = 5e6;
/** Notes are waited for in such pieces, milliseconds. */
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
  /** Born, although they were not to live any more. */
  private readonly unwanted: NativeSpace[] = [];
  /** When notes were looked for last, and when all that had come by then were read. */
  private looked = 0;
  private fresh = 0;

  constructor(engine: NativeEngine, { libc, notes, reaper, events }: LivesOptions) {
    this.engine = engine;
    this.libc = libc;
    this.notes = notes;
    this.reaper = reaper;
    this.events = events;
  }

  /** All spaces that are not dead, those without a process yet included. */
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

  /** Reads notes, if that was not done just now: to be called whenever the kernel is about to sleep. Whether there were any. */
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
    // Only now: a later note may have said that its process is dead already.
    for (let space = this.unwanted.pop(); space !== undefined; space = this.unwanted.pop())
      if (!space.dead) this.libc.syscall(NR.kill, space.pid, SIGKILL);
    return any;
  }

  /** Space `id` has its process. One that was not to live any more is about to die. */
  born(id: number, pid: number): void {
    const space = this.spaces.get(id);
    if (space === undefined || space.pid !== 0) return;
    space.pid = pid;
    this.byPid.set(pid, space);
    if (space.doomed) this.unwanted.push(space);
  }

  /** The host's process of a space; waits for its first note if that is still to come. 0: it never came to be, or is gone. */
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

  /** What is known of deaths is so as of now, or was just now. */
  private freshen(): number {
    const now = monotonicNow();
    if (now - this.fresh > FRESH) this.readNotes();
    return now;
  }

  /** Waits until the space has acknowledged all its orders. A space that does not is killed. */
  drain(space: NativeSpace): void {
    space.orders.askForNote();
    const upTo = space.orders.posted;
    space.flush();
    const deadline = monotonicNow() + ORDERS_LIMIT;
    while (!space.dead && this.reaper.pid !== 0 && space.orders.acknowledged < upTo) {
      this.notes.wait(PIECE);
      this.readNotes();
      if (monotonicNow() < deadline) continue;
      // Its threads are told by its death's note.
      this.end(space);
      return;
    }
  }

  /** Ends a space whose threads do not obey: its death is news. */
  end(space: NativeSpace): void {
    this.freshen();
    if (space.pid > 0 && !space.dead) this.libc.syscall(NR.kill, space.pid, SIGKILL);
  }

  /**
   * Its death is no news. At once: the host takes the process apart while the kernel does what else there is to do.
   * The thread that asked for it ends the process, if there is one: to kill is to wake processors.
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

  /** The host makes no more processes or threads for us: what needs one dies. Said by the space or by its parent. */
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
