/** What programs did when they began: a habit for each program and each who (rights and root) that runs it. */
import type { Inode } from '../../fs/inode.ts';
import type { Task } from '../task.ts';
import type { Step } from './step.ts';

/** More are not remembered of one program: users. */
const MOST_USERS = 16;

export class Habit {
  /** Never changed in place: others may be following it. */
  steps: readonly Step[] = [];
}

export class Habits {
  private readonly known: WeakMap<Inode, Map<string, Habit>> = new WeakMap();

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
      habit = new Habit();
      users.set(who, habit);
    }
    return habit;
  }
}
