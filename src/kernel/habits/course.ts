/** A program's position in its habit, and what of the habit changes for the next time. */
import type { Habit } from './habit.ts';
import { isSameStep, type Step } from './step.ts';

/** How many calls of a program's beginning are remembered. */
const MOST_STEPS = 256;
/** How many steps a program may leave out and still be found again. */
const LOOK = 8;
/** After this many calls that it never made before, it is on another course. */
const LOST = 6;

/** A call that a program has made. */
export interface CallMade {
  is(step: Step): boolean;
  asStep(): Step;
}

export class Course {
  private readonly habit: Habit;
  readonly steps: readonly Step[];
  /** How many of `steps` it has passed. */
  private position = 0;
  /** What it really did, if it differed from `steps` anywhere; else null. */
  private made: Step[] | null = null;
  /** How many of its latest calls were new. */
  private news = 0;

  constructor(habit: Habit) {
    this.habit = habit;
    this.steps = habit.steps;
  }

  /** The index in `steps` of what it should do now; -1 while it does what it never did. */
  get next(): number {
    return this.news > 0 ? -1 : this.position;
  }

  get isOver(): boolean {
    return (this.made?.length ?? this.position) >= MOST_STEPS;
  }

  /** The program made the next `count` steps. */
  advance(count: number): readonly Step[] {
    const steps = this.steps.slice(this.position, this.position + count);
    this.made?.push(...steps);
    this.position += count;
    return steps;
  }

  /** The program made a call: returns a step near its position, or a new one. */
  take(call: CallMade): Step {
    const { steps, position } = this;
    const end = Math.min(steps.length, position + LOOK);
    for (let i = position; i < end; i++) if (call.is(steps[i]!)) return this.arriveAt(i);
    const step = call.asStep();
    this.differs().push(step);
    this.news++;
    return step;
  }

  /** Keeps it for the next time. */
  keep(): void {
    if (this.made === null) return;
    // Other runs that began when this one did have ended meanwhile.
    if (this.habit.steps !== this.steps) confirm(this.made, this.habit.steps);
    // The first run of a program is believed.
    else if (this.steps.length === 0) for (const step of this.made) step.confirmed = true;
    const rest = this.news >= LOST ? [] : this.steps.slice(this.position);
    this.habit.keep([...this.made, ...rest].slice(0, MOST_STEPS));
    this.made = null;
  }

  private arriveAt(index: number): Step {
    if (index > this.position) this.differs();
    this.position = index;
    const [step] = this.advance(1);
    step!.confirmed = true;
    this.news = 0;
    return step!;
  }

  private differs(): Step[] {
    this.made ??= this.steps.slice(0, this.position);
    return this.made;
  }
}

/** Confirms steps that others made, too. */
function confirm(made: readonly Step[], others: readonly Step[]): void {
  let at = 0;
  for (const step of made) {
    const near = others.slice(at, at + LOOK).findIndex(other => isSameStep(step, other));
    if (near < 0) continue;
    step.confirmed = true;
    at += near + 1;
  }
}
