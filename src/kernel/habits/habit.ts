/** What programs did when they began: a habit for each program and each who (rights and root) that runs it. */
import type { Inode } from '../../fs/inode.ts';
import type { Task } from '../task.ts';
import type { Follower } from './follower.ts';
import type { Step } from './step.ts';

/** More are not remembered of one program: users. */
const MOST_USERS = 16;

/** So many steps are remembered of all programs together. */
const MOST_KEPT = 1 << 16;

export class Habit {
  /** Never changed in place: others may be following it. */
  steps: readonly Step[] = [];
  private readonly habits: Habits;

  constructor(habits: Habits) {
    this.habits = habits;
  }

  keep(steps: readonly Step[]): void {
    this.habits.keeps(this, steps.length - this.steps.length);
    this.steps = steps;
  }
}

export class Habits {
  /** Those for whom calls were made that they have not asked for. */
  readonly ahead: Set<Follower> = new Set();
  /** Those that have steps, what was changed last last; and how many steps. */
  private readonly kept: Set<Habit> = new Set();
  private steps = 0;
  private readonly known: WeakMap<Inode, Map<string, Habit>> = new WeakMap();

  /** The habit is about to have so many steps more. Others, of long ago, are forgotten for it. */
  keeps(habit: Habit, more: number): void {
    this.steps += more;
    this.kept.delete(habit);
    for (const old of this.kept) {
      if (this.steps <= MOST_KEPT) break;
      this.kept.delete(old);
      this.steps -= old.steps.length;
      old.steps = [];
    }
    this.kept.add(habit);
  }

  /** Names, files or mounts have changed. Nothing else is done now: whoever changes them is in the middle of it. */
  stopAll(): void {
    for (const follower of this.ahead) follower.stop();
  }

  /**
   * That of a task that begins to run the program. Nobody sees in what a program did before him what others did: names
   * are not for everybody.
   */
  of(task: Task, program: Inode): Habit {
    const who = task.kernel.known?.whoIs(task) ?? '';
    let users = this.known.get(program);
    if (users === undefined || users.size > MOST_USERS) {
      users = new Map();
      this.known.set(program, users);
    }
    let habit = users.get(who);
    if (habit === undefined) {
      habit = new Habit(this);
      users.set(who, habit);
    }
    return habit;
  }
}
