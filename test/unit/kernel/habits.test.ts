/** Where a program is in its habit, what is kept of that, and how addresses are said that differ from run to run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bases } from '../../../src/kernel/habits/bases.ts';
import { Course } from '../../../src/kernel/habits/course.ts';
import { type Habit, Habits } from '../../../src/kernel/habits/habit.ts';
import type { Step } from '../../../src/kernel/habits/step.ts';
import type { Task } from '../../../src/kernel/task.ts';
import type { Mm } from '../../../src/mm/mm.ts';

const step = (nr: number): Step => ({
  nr,
  how: null,
  args: [],
  name: '',
  led: { path: null, root: null, epoch: 0 },
  afterClose: false,
  reserves: false,
  closes: false,
  confirmed: false,
});

const newHabit = (habits = new Habits()): Habit =>
  habits.of({ kernel: { known: null } } as unknown as Task, {} as never);

/** A program that makes these calls. */
function run(habit: Habit, calls: readonly number[]): Course {
  const course = new Course(habit);
  for (const nr of calls) course.take({ is: s => s.nr === nr, asStep: () => step(nr) });
  return course;
}

function runs(habit: Habit, ...programs: readonly (readonly number[])[]): Habit {
  for (const calls of programs) run(habit, calls).keep();
  return habit;
}

const numbers = ({ steps }: Habit): number[] => steps.map(({ nr }) => nr);
const confirmed = ({ steps }: Habit): number[] => steps.filter(s => s.confirmed).map(({ nr }) => nr);

test('a program has habits of sixteen users, who keep them until there is one more', () => {
  const [habits, program] = [new Habits(), {}];
  const of = (user: number): Habit =>
    habits.of({ kernel: { known: { whoIs: () => String(user) } } } as unknown as Task, program as never);
  const users = Array.from({ length: 16 }, (_, user) => user);
  const first = users.map(of);
  assert.deepEqual(users.map(of), first);
  const another = of(16);
  assert.notEqual(of(0), first[0]);
  assert.equal(of(16), another);
});

test('what came first is believed, what is new afterwards has to come twice', () => {
  const habit = runs(newHabit(), [1, 2, 3]);
  assert.deepEqual(confirmed(habit), [1, 2, 3]);
  runs(habit, [1, 2, 9, 3]);
  assert.deepEqual(
    [numbers(habit), confirmed(habit)],
    [
      [1, 2, 9, 3],
      [1, 2, 3],
    ],
  );
  runs(habit, [1, 2, 9, 3]);
  assert.deepEqual(confirmed(habit), [1, 2, 9, 3]);
});

test('nothing is sure after a call that never came, until one comes that did', () => {
  const habit = runs(newHabit(), [1, 2, 3], [1, 2, 3]);
  const course = run(habit, [1, 9]);
  assert.equal(course.next, -1);
  course.take({ is: s => s.nr === 2, asStep: () => step(2) });
  assert.equal(course.next, 2);
});

test('one that is left out is left out the next time; one that is new is not confirmed', () => {
  const habit = runs(newHabit(), [1, 2, 3, 4], [1, 2, 3, 4], [1, 3, 4]);
  assert.deepEqual(numbers(habit), [1, 3, 4]);
  runs(habit, [1, 3, 7, 4]);
  assert.deepEqual(
    [numbers(habit), confirmed(habit)],
    [
      [1, 3, 7, 4],
      [1, 3, 4],
    ],
  );
});

test('a program that ends early keeps what it mostly does then; one on another course does not', () => {
  const habit = runs(newHabit(), [1, 2, 3, 4], [1, 2, 8]);
  assert.deepEqual(numbers(habit), [1, 2, 8, 3, 4]);
  const others = runs(newHabit(), [1, 2, 3, 4], [1, 11, 12, 13, 14, 15, 16]);
  assert.deepEqual(numbers(others), [1, 11, 12, 13, 14, 15, 16]);
});

test('programs that run at the same time confirm each other', () => {
  const habit = newHabit();
  const [a, b] = [run(habit, [1, 2, 3]), run(habit, [1, 2, 4])];
  a.keep();
  b.keep();
  assert.deepEqual(confirmed(habit), [1, 2]);
});

test('what was made beforehand counts as made', () => {
  const habit = runs(newHabit(), [1, 2, 3, 4], [1, 2, 3, 4]);
  const course = new Course(habit);
  assert.deepEqual(
    course.advance(2).map(({ nr }) => nr),
    [1, 2],
  );
  course.take({ is: s => s.nr === 9, asStep: () => step(9) });
  course.keep();
  assert.deepEqual(numbers(habit), [1, 2, 9, 3, 4]);
});

test('a beginning has an end', () => {
  const many = Array.from({ length: 1000 }, (_, i) => i);
  const habit = runs(newHabit(), many, many);
  assert.equal(habit.steps.length, 256);
  assert.ok(run(habit, many.slice(0, 256)).isOver);
});

test('of many programs the latest are remembered', () => {
  const habits = new Habits();
  const calls = Array.from({ length: 256 }, (_, i) => i);
  const all = Array.from({ length: 300 }, () => runs(newHabit(habits), calls));
  assert.equal(all.at(-1)!.steps.length, 256);
  assert.equal(all[0]!.steps.length, 0);
  assert.equal(all.filter(({ steps }) => steps.length > 0).length, 256);
});

/** An address space whose interpreter, program and break are there. */
const space = (interpreter: number, entry: number, brkStart: number): Mm =>
  ({ auxv: [7, interpreter, 9, entry, 0, 0], brkStart }) as unknown as Mm;

test('addresses of one run are found again in another', () => {
  const first = new Bases(space(0x7f0000000000, 0x555500001000, 0x555500100000));
  const second = new Bases(space(0x7fa000000000, 0x562200001000, 0x562200700000));
  const any = [0, 0x3000, 3, 0x22, -1, 0];
  first.made('map', any, 0x7effff000000);
  second.made('map', any, 0x7f9fff123000);
  for (const [there, here] of [
    [0x7f0000034000, 0x7fa000034000],
    [0x555500003000, 0x562200003000],
    [0x555500121000, 0x562200721000],
    [0x7effff001000, 0x7f9fff124000],
    [0, 0],
    [0x10000, 0x10000],
  ] as const)
    assert.equal(second.numberOf(first.valueOf('place', there)), here);
});

test('a number is itself, a descriptor the one that was opened last', () => {
  const bases = new Bases(space(0, 0, 0x1000));
  bases.made('open', [], 3);
  const file = bases.valueOf('file', 3);
  const other = bases.valueOf('file', 5);
  bases.made('open', [], 4);
  assert.deepEqual([bases.numberOf(file), bases.numberOf(other)], [4, 5]);
  assert.equal(bases.numberOf(bases.valueOf('word', 0x1234)), 0x1234);
});

test('what is undone is no base any more', () => {
  const bases = new Bases(space(0x7f0000000000, 0x555500001000, 0x555500100000));
  const before = bases.save();
  bases.made('map', [0, 0x3000, 3, 0x22, -1, 0], 0x10000000);
  bases.made('open', [], 6);
  const value = bases.valueOf('place', 0x10001000);
  assert.equal(bases.numbersOf([value])?.[0], 0x10001000);
  bases.restore(before);
  assert.equal(bases.numbersOf([value]), null);
  assert.equal(bases.opened, -1);
});

test('what is mapped at a certain place is said by what it is in', () => {
  const bases = new Bases(space(0x7f0000000000, 0x555500001000, 0x555500100000));
  bases.made('map', [0, 0x8000, 1, 0x802, 3, 0], 0x7effff000000);
  bases.made('map', [0x7effff002000, 0x1000, 3, 0x812, 3, 0x1000], 0x7effff002000);
  const { base, offset } = bases.valueOf('place', 0x7effff002800);
  assert.deepEqual([base, offset], [3, 0x2800]);
});
