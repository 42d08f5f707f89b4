/** A break that its thread moves by itself: what the kernel takes over of it, and what not, whatever stands in the slot. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROT_READ, PROT_WRITE, type Space } from '../../../src/engine/engine.ts';
import { SIZE, SLOT } from '../../../src/engine/native/layout.ts';
import type { MemoryFile } from '../../../src/engine/native/memory-file.ts';
import { NativeThreadFacts } from '../../../src/engine/native/thread-facts.ts';
import { Mm } from '../../../src/mm/mm.ts';
import type { MmHost } from '../../../src/mm/mm-host.ts';
import { newHeap } from '../../../src/mm/own-break.ts';
import { PAGE_SIZE, pageUp } from '../../../src/mm/ram.ts';
import { VM_MAYWRITE, Vma } from '../../../src/mm/vma.ts';

const START = 0x555555560000;
const AHEAD = 64 * PAGE_SIZE;
const nothing = (): void => undefined;

class Program {
  promised = 0;
  readonly mm: Mm;
  readonly view: DataView;
  readonly facts: NativeThreadFacts;

  constructor(start = START, ahead = AHEAD) {
    const i32 = new Int32Array(SIZE.SLOT_STRIDE / 4);
    this.view = new DataView(i32.buffer);
    this.facts = new NativeThreadFacts({ i32, view: this.view } as unknown as MemoryFile, 0);
    const promise = (pages: number): void => {
      this.promised += pages;
    };
    const space = { reserved: [], mapAnonymous: nothing, unmap: nothing, protect: nothing };
    this.mm = new Mm(space as unknown as Space, { promise } as unknown as MmHost);
    this.mm.brkStart = start;
    this.mm.brk = start;
    this.tell(ahead);
  }

  tell(ahead = AHEAD): void {
    this.mm.tellBreak(this.facts, ahead);
  }

  word(field: number): number {
    return Number(this.view.getBigUint64(field, true));
  }

  /** As the stub does it (facts.c); false: it asks. */
  move(to: number): boolean {
    const { view } = this;
    if (view.getInt32(SLOT.S_BREAK_MOVES, true) === 0) return false;
    if (to < this.word(SLOT.S_BREAK_LOWEST) || to > this.word(SLOT.S_BREAK_HIGHEST)) return false;
    if (to > this.word(SLOT.S_BREAK_TOP)) view.setBigUint64(SLOT.S_BREAK_TOP, BigInt(to), true);
    view.setBigUint64(SLOT.S_BREAK, BigInt(to), true);
    return true;
  }

  /** All that is told of areas fits together. */
  check(brk: number): void {
    const { mm } = this;
    assert.equal(mm.brk, brk);
    const areas = [...mm.vmas];
    areas.forEach((vma, i) => {
      assert.ok(vma.start < vma.end && vma.start >= (areas[i - 1]?.end ?? 0));
    });
    const pages = areas.reduce((sum, vma) => sum + vma.length / PAGE_SIZE, 0);
    assert.deepEqual([mm.totalPages, this.promised], [pages, pages]);
  }
}

const heapOf = (mm: Mm): [number, number][] =>
  [...mm.vmas].filter(({ name }) => name === '[heap]').map(({ start, end }) => [start, end]);

test('the heap comes, grows and shrinks as the thread moves its break', () => {
  const program = new Program();
  const { mm } = program;
  for (const to of [1, 5000, 3 * PAGE_SIZE, 10 * PAGE_SIZE, 10 * PAGE_SIZE - 1, PAGE_SIZE, 7, AHEAD]) {
    assert.ok(program.move(START + to), String(to));
    assert.deepEqual(heapOf(mm), [[START, START + pageUp(to)]]);
    program.check(START + to);
  }
  assert.ok(!program.move(START + AHEAD + 1));
  assert.ok(!program.move(START), 'that the heap goes is to be asked for');
  assert.equal(mm.peakPages, AHEAD / PAGE_SIZE);
});

test('how large it was in between is known', () => {
  const program = new Program();
  program.move(START + 30 * PAGE_SIZE);
  program.move(START + PAGE_SIZE);
  assert.equal(program.mm.totalPages, 1);
  assert.equal(program.mm.peakPages, 30);
});

test('no further than a page below what is above, and within 4 GiB', () => {
  const program = new Program();
  const { mm } = program;
  mm.map(new Vma(START + 10 * PAGE_SIZE, START + 11 * PAGE_SIZE, PROT_READ, VM_MAYWRITE));
  assert.ok(!program.move(START + 1), 'areas have changed');
  program.tell();
  assert.ok(!program.move(START + 9 * PAGE_SIZE + 1));
  assert.ok(program.move(START + 9 * PAGE_SIZE));
  program.check(START + 9 * PAGE_SIZE);
  const edge = 2 ** 32 * 21845;
  const other = new Program(edge - 4 * PAGE_SIZE);
  assert.ok(!other.move(edge));
  assert.ok(other.move(edge - 1));
  other.check(edge - 1);
});

test('a heap that is not as brk has made it is to be asked for', () => {
  const changes: ((mm: Mm) => void)[] = [
    mm => mm.protect(START, PAGE_SIZE, PROT_READ),
    mm => mm.unmap(START + PAGE_SIZE, PAGE_SIZE),
    mm => mm.unmap(START, 4 * PAGE_SIZE),
    mm => mm.map(new Vma(START, START + PAGE_SIZE, PROT_READ | PROT_WRITE, VM_MAYWRITE)),
    mm => void mm.vmas.setFlags(START, START + PAGE_SIZE, 8, 0),
    mm => {
      mm.defFlags = 16;
    },
  ];
  for (const change of changes) {
    const program = new Program();
    program.move(START + 4 * PAGE_SIZE);
    change(program.mm);
    assert.ok(!program.move(START + 5 * PAGE_SIZE));
    program.tell();
    assert.ok(!program.move(START + 5 * PAGE_SIZE));
    program.check(START + 4 * PAGE_SIZE);
  }
});

test('what was begun when the thread was stopped is heard of still', () => {
  const program = new Program();
  const { mm } = program;
  const { view } = program;
  program.move(START + PAGE_SIZE);
  mm.changing();
  assert.ok(!program.move(START + 2 * PAGE_SIZE));
  view.setBigUint64(SLOT.S_BREAK, BigInt(START + 3 * PAGE_SIZE), true);
  program.check(START + 3 * PAGE_SIZE);
});

test('whatever a program writes there, its areas fit together', () => {
  let seed = 1;
  const dice = (sides: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * sides);
  };
  const program = new Program();
  const { mm, view } = program;
  const fields = [SLOT.S_BREAK, SLOT.S_BREAK, SLOT.S_BREAK_TOP, SLOT.S_BREAK_LOWEST, SLOT.S_BREAK_MOVES];
  for (let i = 0; i < 20_000; i++) {
    const near = START + (dice(96) - 16) * PAGE_SIZE + dice(2) * dice(PAGE_SIZE);
    view.setBigUint64(fields[dice(fields.length)]!, BigInt(dice(4) === 0 ? dice(2 ** 32) : near), true);
    const [at, len] = [START + dice(80) * PAGE_SIZE, (1 + dice(4)) * PAGE_SIZE];
    const what = dice(12);
    if (what === 0) mm.unmap(at, len);
    else if (what === 1) mm.map(new Vma(at, at + len, PROT_READ, VM_MAYWRITE));
    else if (what === 2) mm.map(newHeap(mm, at, at + len));
    else if (what === 3) mm.protect(at, len, dice(4));
    else if (what === 4) program.tell(dice(2) * AHEAD);
    else if (what === 5) mm.unmap(START, 128 * PAGE_SIZE);
    else if (what === 6) mm.brk = START;
    assert.ok(mm.brk >= START && mm.brk <= START + 8 * AHEAD);
    program.check(mm.brk);
  }
});
