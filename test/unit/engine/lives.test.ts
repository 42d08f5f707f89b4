/** What notes do to spaces: those that are due, and those of strangers, late, forged, or once too often. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lives, type LivesOptions } from '../../../src/engine/native/lives.ts';
import { createMemoryFile } from '../../../src/engine/native/memory-file.ts';
import type { NativeEngine } from '../../../src/engine/native/native-engine.ts';
import type { NativeSpace } from '../../../src/engine/native/native-space.ts';
import type { NativeThread } from '../../../src/engine/native/native-thread.ts';
import type { Note } from '../../../src/engine/native/notes.ts';
import { NOTE } from '../../../src/engine/native/words.ts';
import { openLibc } from '../../../src/host/libc.ts';

const REAPER = 10;
const STRANGER = 4321;
const KILL = 62;

class World {
  readonly notes: Note[] = [];
  /** The host's processes that were killed, and the threads whose death was news. */
  readonly killed: number[] = [];
  readonly news: unknown[] = [];
  readonly freed: number[] = [];
  /** The slots of threads whose last words were heard, with how much was news by then. */
  readonly heard: [slot: number, news: number][] = [];
  readonly lives: Lives;

  constructor() {
    const memory = createMemoryFile(openLibc(), 1 << 20);
    assert.ok(typeof memory === 'object', String(memory));
    const slots = { free: (slot: number) => this.freed.push(slot) };
    const engine = { memory, slots, leaveRunning: () => {} } as unknown as NativeEngine;
    const options = {
      libc: { syscall: (nr: number, pid: number) => (nr === KILL ? this.killed.push(pid) : 0) },
      notes: { next: () => this.notes.shift() ?? null, wait: () => {} },
      reaper: { pid: REAPER },
      events: { died: (thread: unknown) => this.news.push(thread) },
    };
    this.lives = new Lives(engine, options as unknown as LivesOptions);
  }

  say(kind: number, value: number, pid: number): void {
    this.notes.push({ kind, value, pid });
    this.lives.readNotes();
  }

  /** A space with one thread, which has slot `slot`. */
  born(pid: number, slot = 0): NativeSpace {
    const space = this.lives.newSpace();
    space.threads.add(this.thread(slot));
    this.say(NOTE.NOTE_BORN, space.id, pid);
    return space;
  }

  thread(slot: number): NativeThread {
    const ended = (): unknown => this.heard.push([slot, this.news.length]);
    return { slot, endProcess: () => false, ended } as unknown as NativeThread;
  }

  /** Orders something, and a note of it. */
  order(space: NativeSpace): void {
    space.orders.post(1);
    space.orders.askForNote();
  }
}

test('a space has the process that was there first', () => {
  const world = new World();
  const space = world.born(100);
  assert.equal(space.pid, 100);
  world.say(NOTE.NOTE_BORN, space.id, STRANGER);
  world.say(NOTE.NOTE_BORN, 77, STRANGER);
  assert.equal(space.pid, 100);
  assert.deepEqual(world.lives.pids, [100]);
});

test('one that was not to live any more dies as it is born', () => {
  const world = new World();
  const space = world.lives.newSpace();
  world.lives.kill(space);
  assert.deepEqual(world.killed, []);
  world.say(NOTE.NOTE_BORN, space.id, 100);
  assert.deepEqual(world.killed, [100]);
});

test('orders count as done when the space’s own process says so, and as often as it was asked', () => {
  const world = new World();
  const [space, other] = [world.born(100), world.born(200)];
  world.order(space);
  world.say(NOTE.NOTE_DONE, space.id, STRANGER);
  world.say(NOTE.NOTE_DONE, space.id, other.pid);
  assert.deepEqual([space.orders.acknowledged, other.orders.acknowledged], [0, 0]);
  world.say(NOTE.NOTE_DONE, other.id, space.pid);
  const done = space.orders.acknowledged;
  assert.equal(done, 2, 'its number is the sender’s to say wrong');
  for (let i = 0; i < 5; i++) world.say(NOTE.NOTE_DONE, space.id, space.pid);
  world.order(space);
  assert.equal(space.orders.acknowledged, done);
  world.say(NOTE.NOTE_DONE, space.id, space.pid);
  assert.ok(space.orders.acknowledged > done && space.orders.acknowledged <= space.orders.posted);
});

test('deaths are the reaper’s to tell, and told once', () => {
  const world = new World();
  const space = world.born(100, 0x1000);
  for (const liar of [STRANGER, space.pid, 0]) world.say(NOTE.NOTE_DEAD, 100, liar);
  assert.equal(space.dead, false);
  world.say(NOTE.NOTE_DEAD, 555, REAPER);
  for (let i = 0; i < 3; i++) world.say(NOTE.NOTE_DEAD, 100, REAPER);
  assert.equal(space.dead, true);
  assert.deepEqual(world.news, [...space.threads]);
  assert.deepEqual(world.heard, [[0x1000, 0]], 'what it said last comes first');
  assert.deepEqual(world.freed, [0x1000]);
  const [next, nextButOne] = [world.lives.newSpace(), world.lives.newSpace()];
  assert.equal(next.id, space.id);
  assert.notEqual(nextButOne.id, space.id);
});

test('the death of one that was killed is no news', () => {
  const world = new World();
  const space = world.born(100, 0x1000);
  world.lives.kill(space);
  assert.deepEqual(world.killed, [100]);
  world.say(NOTE.NOTE_DEAD, 100, REAPER);
  assert.deepEqual([world.news, world.freed], [[], [0x1000]]);
});

test('what a former space’s process sent late is not about the space that has its number now', () => {
  const world = new World();
  const former = world.born(100);
  world.order(former);
  world.say(NOTE.NOTE_DEAD, 100, REAPER);
  const space = world.born(200);
  assert.equal(space.id, former.id);
  world.order(space);
  world.say(NOTE.NOTE_DONE, space.id, 100);
  world.say(NOTE.NOTE_BORN, space.id, 100);
  world.say(NOTE.NOTE_REFUSED, space.id, 100);
  assert.deepEqual([space.orders.acknowledged, space.pid, space.dead], [0, 200, false]);
  assert.deepEqual(world.killed, []);
});

/** Longer than what is known of deaths counts as known. */
function pause(): void {
  const end = performance.now() + 10;
  while (performance.now() < end);
}

test('the number of a process is not used once it may be another’s', () => {
  const world = new World();
  const [one, two, three] = [world.born(100), world.born(200), world.born(300)];
  for (const pid of [100, 200, 300]) world.notes.push({ kind: NOTE.NOTE_DEAD, value: pid, pid: REAPER });
  pause();
  assert.equal(world.lives.pidOf(one), 0);
  assert.deepEqual([one.dead, two.dead, three.dead], [true, true, true]);
  const [four, five] = [world.born(400), world.born(500)];
  for (const pid of [400, 500]) world.notes.push({ kind: NOTE.NOTE_DEAD, value: pid, pid: REAPER });
  pause();
  world.lives.kill(four);
  world.lives.end(five);
  assert.deepEqual(world.killed, []);
});

test('what the host refuses to make dies; strangers refuse nothing', () => {
  const world = new World();
  const parent = world.born(100);
  const unborn = world.lives.newSpace();
  const thread = world.thread(0x1000);
  unborn.threads.add(thread);
  world.say(NOTE.NOTE_REFUSED, unborn.id, STRANGER);
  assert.equal(unborn.dead, false);
  world.say(NOTE.NOTE_REFUSED, unborn.id, parent.pid);
  world.say(NOTE.NOTE_REFUSED, unborn.id, parent.pid);
  assert.equal(unborn.dead, true);
  assert.deepEqual([world.news, world.freed], [[thread], [0x1000]]);
  // A thread: its whole process.
  world.say(NOTE.NOTE_REFUSED, parent.id, parent.pid);
  assert.deepEqual(world.killed, [100]);
});

test('notes of no kind at all', () => {
  const world = new World();
  const space = world.born(100);
  for (const kind of [0, NOTE.NOTE_READY, NOTE.NOTE_FAILED, 7, 0xffffffff])
    for (const pid of [REAPER, STRANGER, space.pid])
      for (const value of [0, space.id, 100, 0xffffffff]) world.say(kind, value, pid);
  assert.deepEqual([space.pid, space.dead, space.orders.acknowledged], [100, false, 0]);
  assert.deepEqual([world.killed, world.news], [[], []]);
});
