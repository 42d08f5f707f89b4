/** Where a program is in its habit, and what of that is to be changed for the next time. */
import type { Habit } from './habit.ts';
import { isSameStep, type Step } from './step.ts';

/** So many calls of a program's beginning are remembered. */
const MOST_STEPS = 256;
/** So far a program may leave things out and is still found again. */
const LOOK = 8;
/** After so many calls that it never made before it is on another course. */
const LOST = 6;

/** A call that a program has made. */
export interface CallMade {
  is(step: Step): boolean;
  asStep(): Step;
}

export class Course {
  private readonly habit: Habit;
  readonly steps: readonly Step[];
  /** How many of `steps` are behind it. */
  private position = 0;
  /** What it really did, from where it first differed; null: as ever. */
  private made: Step[] | null = null;
  /** How many of its latest calls were new. */
  private news = 0;

  constructor(habit: Habit) {
    this.habit = habit;
    this.steps = habit.steps;
  }

  /** Where in `steps` is what it should do now; -1 while it does things that it never did. */
  get next(): number {
    return this.news > 0 ? -1 : this.position;
  }

  get isOver(): boolean {
    return (this.made?.length ?? this.position) >= MOST_STEPS;
  }

  /** It made the next `count` steps. */
  advance(count: number): readonly Step[] {
    const steps = this.steps.slice(this.position, this.position + count);
    this.made?.push(...steps);
    this.position += count;
    return steps;
  }

  /** It made a call: that of a step near where it is, or a new one. That step. */
  take(call: CallMade): Step {
    const { steps, position } = this;
    const end = Math.min(steps.length, position + LOOK);
    for (let i = position; i < end; i++) if (call.is(steps[i]!)) return this.arriveAt(i);
    const step = call.asStep();
    this.differs().push(step);
    this.news++;
    return step;
  }

  /** For the next time. */
  keep(): void {
    if (this.made === null) return;
    // Others that began when this did have ended meanwhile.
    if (this.habit.steps !== this.steps) confirm(this.made, this.habit.steps);
    // A program that nobody has seen before is believed.
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

/** Confirms what others did as well. */
function confirm(made: readonly Step[], others: readonly Step[]): void {
  let at = 0;
  for (const step of made) {
    const near = others.slice(at, at + LOOK).findIndex(other => isSameStep(step, other));
    if (near < 0) continue;
    step.confirmed = true;
    at += near + 1;
  }
}
