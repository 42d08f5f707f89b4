/** The allocator of the machine's memory, over a memory that only notes what is given back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineMemory } from '../../../src/engine/engine.ts';
import { PhysicalMemory } from '../../../src/mm/physical.ts';
import { PAGE_SIZE } from '../../../src/mm/ram.ts';
import { dice } from '../dice.ts';

const BASE = 16 * PAGE_SIZE;
const SIZE = 1024 * PAGE_SIZE;

interface Range {
  readonly offset: number;
  readonly size: number;
}

function machine(): { ram: PhysicalMemory; settle: () => void } {
  const memory = { base: BASE, size: SIZE, discard: () => {} } as unknown as EngineMemory;
  let waiting: (() => void)[] = [];
  const ram = new PhysicalMemory(memory, SIZE, done => waiting.push(done));
  const settle = (): void => {
    const now = waiting;
    waiting = [];
    for (const done of now) done();
  };
  return { ram, settle };
}

test('ranges do not overlap, and what was given back is enough for a large one again', () => {
  const { ram, settle } = machine();
  const roll = dice(1);
  const held: Range[] = [];
  const give = (index: number): void => {
    const [range] = held.splice(index, 1);
    ram.free(range!.offset, range!.size);
  };
  for (let round = 0; round < 20_000; round++) {
    const size = PAGE_SIZE * 2 ** roll(8);
    const offset = held.length > 0 && roll(2) === 0 ? -1 : ram.alloc(size);
    if (offset < 0) give(roll(held.length));
    else {
      assert.ok(offset >= BASE && offset + size <= BASE + SIZE && offset % PAGE_SIZE === 0);
      for (const other of held)
        assert.ok(offset >= other.offset + other.size || other.offset >= offset + size);
      held.push({ offset, size });
    }
    if (roll(4) === 0) settle();
  }
  while (held.length > 0) give(0);
  // What waits because it is little goes with what is much.
  for (let left = 300; left > 0; left--) {
    settle();
    const offset = ram.alloc(PAGE_SIZE);
    if (offset >= 0) ram.free(offset, PAGE_SIZE);
  }
  settle();
  assert.ok(ram.alloc(SIZE / 2) >= 0);
});

test("what was given back is nobody's until every space is done with it", () => {
  const { ram, settle } = machine();
  const all = ram.alloc(SIZE);
  assert.equal(all, BASE);
  assert.ok(ram.alloc(PAGE_SIZE) < 0);
  ram.free(all, SIZE);
  assert.ok(ram.alloc(PAGE_SIZE) < 0);
  settle();
  assert.ok(ram.alloc(PAGE_SIZE) >= 0);
  assert.ok(ram.alloc(SIZE / 2) >= 0);
});

test('who leaves some to others gets less', () => {
  const { ram } = machine();
  assert.ok(ram.alloc(SIZE, PAGE_SIZE) < 0);
  assert.ok(ram.alloc(SIZE / 2, SIZE / 2 + PAGE_SIZE) < 0);
  assert.ok(ram.alloc(SIZE / 2, SIZE / 2) >= 0);
});
