/** What programs did when they began: a habit for each program and each user (rights and root) that runs it. */
import type { Inode } from '../../fs/inode.ts';
import type { Task } from '../task.ts';
import type { Follower } from './follower.ts';
import type { Step } from './step.ts';

/** The most users remembered for one program. */
const MOST_USERS = 16;

/** The most steps remembered for all programs together. */
const MOST_KEPT = 1 << 16;

export class Habit {
  /** Never changed in place: a follower may be using it. */
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
  /** Followers with calls made ahead that were not asked for yet. */
  readonly ahead: Set<Follower> = new Set();
  /** Habits with steps, the latest changed last; and the number of all their steps. */
  private readonly kept: Set<Habit> = new Set();
  private steps = 0;
  private readonly known: WeakMap<Inode, Map<string, Habit>> = new WeakMap();

  /** Called before the habit gets `more` further steps, for which habits unchanged for long are forgotten. */
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

  /** Called when names, files or mounts have changed. It does nothing else, as the change is still under way. */
  stopAll(): void {
    for (const follower of this.ahead) follower.stop();
  }

  /**
   * The habit of a task that begins to run the program. A task does not get what a program did for other users: names
   * are not for everyone to see.
   */
  of(task: Task, program: Inode): Habit {
    const who = task.kernel.known?.whoIs(task) ?? '';
    let users = this.known.get(program);
    const old = users?.get(who);
    if (old !== undefined) return old;
    if (users === undefined || users.size >= MOST_USERS) {
      users = new Map();
      this.known.set(program, users);
    }
    const habit = new Habit(this);
    users.set(who, habit);
    return habit;
  }
}
