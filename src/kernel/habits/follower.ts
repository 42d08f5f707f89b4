/**
 * Follows a program that does what it did the last times. The next calls are made before it asks (`foresee`), if each
 * came at its place more than once. Whatever else it does is remembered for the next time.
 */

import type { Cred } from '../../core/cred.ts';
import { PROT_READ, PROT_WRITE } from '../../engine/engine.ts';
import type { Inode } from '../../fs/inode.ts';
import { PATH_MAX } from '../../fs/namei.ts';
import {
  FASYNC,
  O_ACCMODE,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_PATH,
  O_TMPFILE,
  O_TRUNC,
} from '../../uapi/fcntl.ts';
import { MAP_ANONYMOUS, MAP_DENYWRITE, MAP_PRIVATE } from '../../uapi/mman.ts';
import { isSteady, keepFromGoingAlong, type OpenedAlong } from '../along.ts';
import { type EntryCall, REGISTERS_SET } from '../entry.ts';
import type { Task } from '../task.ts';
import { type AheadCalls, canForesee, makeCalls } from './ahead-calls.ts';
import { Bases } from './bases.ts';
import { type CallMade, Course } from './course.ts';
import type { Habit } from './habit.ts';
import type { Foreseeable, Step } from './step.ts';

/** Longer names are not remembered. */
const MOST_NAME = 255;
const PRIVATE = MAP_ANONYMOUS | MAP_PRIVATE;
/** Flags of open(2) that do more than open a file for reading. */
const NEVER_AHEAD = O_CREAT | O_TRUNC | O_PATH | (O_TMPFILE & ~O_DIRECTORY) | O_ACCMODE | O_EXCL | FASYNC;

/** Whether descriptor `fd` is that of an unchanging file that came along. */
const cameAlong = (opened: OpenedAlong | null, fd: number): boolean =>
  opened !== null && isSteady(opened) && opened.fd === fd;

/** Called when a program begins. */
export function beginHabit(task: Task, program: Inode): void {
  task.follower?.leave();
  task.follower = null;
  if (task.mm === null || !canForesee(task)) return;
  task.follower = new Follower(task, task.kernel.habits.of(task, program));
  task.follower.foresee();
}

export class Follower implements CallMade {
  private readonly task: Task;
  private readonly course: Course;
  private readonly cred: Cred;
  private readonly bases: Bases;
  private ahead: AheadCalls | null;
  /** Whether the program has closed its file since the last step, and the step that opened that file. */
  private hasClosed = false;
  private opening: Step | null = null;
  /** Its latest call unmapped memory: touching that by mistake must be a fault. */
  private hasUnmapped = false;
  /** How the answered call could have been made ahead. */
  private how: Foreseeable | null = null;
  /** The present call has nothing to do with what is foreseen, which stays so. */
  private isApart = false;

  constructor(task: Task, habit: Habit) {
    this.task = task;
    this.course = new Course(habit);
    this.cred = task.cred;
    this.bases = new Bases(task.mm!);
    this.ahead = null;
  }

  /** Called when the file that came along was closed. */
  closed(): void {
    this.hasClosed = true;
    if (this.opening !== null) this.opening.closes = true;
    this.opening = null;
  }

  /** Called when the program asks for a call. */
  asked(call: EntryCall | undefined): void {
    this.isApart = call !== undefined && this.saysOfName(call);
    if (!this.isApart) this.settle();
  }

  /** Called with the result of a call that the program asked for. */
  answered(call: EntryCall | undefined, result: number): void {
    const { task, course } = this;
    if (call === undefined || result === REGISTERS_SET || this.isApart) return;
    // Programs mostly know already that a name does not exist (known-answers.ts).
    if (call.foregone !== null && result < 0) return;
    if (canForesee(task) && task.cred === this.cred) {
      this.how = this.isForeseeable(call, result) ? call.foreseeable : null;
      this.hasMade(course.take(this));
      if (this.how !== null) this.bases.made(this.how.act, task.callArgs, result);
      this.hasUnmapped = this.how?.act === 'unmap';
      this.hasClosed = false;
      if (!course.isOver) return;
    }
    course.keep();
    task.follower = null;
  }

  /** Makes the next calls, if they are known. The thread is about to go on. */
  foresee(): void {
    const { task, course } = this;
    if (this.ahead !== null || !canForesee(task)) return;
    const { steps, next } = course;
    const step = steps[next];
    if (step === undefined || step.how === null || !step.confirmed) return;
    // It would be in the way of files to come.
    if (task.openedAlong !== null && !isSteady(task.openedAlong)) keepFromGoingAlong(task);
    task.kernel.current = task;
    this.ahead = makeCalls(task, steps, next, this.bases, this.hasUnmapped);
    if (this.ahead !== null) task.kernel.habits.ahead.add(this);
  }

  /** The program asks for something else, or for more: undoes what it has not made. */
  settle(): void {
    const { ahead, task } = this;
    if (ahead === null) return;
    this.ahead = null;
    task.kernel.habits.ahead.delete(this);
    const { made, file } = ahead.settle();
    for (const step of this.course.advance(made)) this.hasMade(step);
    if (file === 'closed') this.closed();
  }

  /** Before a look at the program's memory. */
  look(): void {
    this.ahead?.look();
  }

  /** What was found for the program may be something else by now, so it has to ask. */
  stop(): void {
    this.ahead?.stop();
  }

  /** Called before the kernel looks at the program, which may be running, or changes what its calls would do. */
  recall(): void {
    const { ahead, task } = this;
    if (ahead === null) return;
    if (!ahead.stop()) {
      ahead.look();
      return;
    }
    this.settle();
    task.mm?.space.flush();
  }

  /** Called when the program ends or becomes another. */
  leave(): void {
    this.ahead?.drop();
    this.ahead = null;
    this.task.kernel.habits.ahead.delete(this);
    this.course.keep();
  }

  /** Whether the call is about a name, and not by a descriptor that was opened or closed ahead of the program. */
  private saysOfName({ foregone, foreseeable, needsFrame }: EntryCall): boolean {
    if (foregone === null || foreseeable !== null || needsFrame) return false;
    return foregone.dirfd < 0 || this.ahead?.concerns(this.task.callArgs[foregone.dirfd]!) !== true;
  }

  /** Whether the answered call could have been made ahead. */
  private isForeseeable({ foreseeable }: EntryCall, result: number): boolean {
    const { callArgs, openedAlong } = this.task;
    const [, , third, fourth, fifth] = callArgs as [number, number, number, number, number, number];
    switch (foreseeable?.act) {
      case 'map':
        return result >= 0 && ((fourth & PRIVATE) === PRIVATE || cameAlong(openedAlong, fifth));
      case 'unmap':
        return result === 0;
      case 'protect':
        return result === 0 && third === PROT_READ;
      case 'query':
        return foreseeable.lasts?.(callArgs, result) ?? result >= 0;
      case 'open': {
        const flags = callArgs[foreseeable.args.indexOf('int', 1)]!;
        const isShort = this.nameOf(foreseeable).length <= MOST_NAME;
        return isShort && cameAlong(openedAlong, result) && (flags & NEVER_AHEAD) === 0;
      }
      default:
        return false;
    }
  }

  /** Whether the answered call is that of the step. */
  is(step: Step): boolean {
    const { how } = this;
    if (step.nr !== this.task.callNumber || step.how !== how || step.afterClose !== this.hasClosed)
      return false;
    return how === null || (this.hasArguments(step, how) && step.name === this.nameOf(how));
  }

  asStep(): Step {
    const { how, hasClosed: afterClose } = this;
    const { callNumber: nr, callArgs } = this.task;
    const args = how?.args.map((sense, i) => this.bases.valueOf(sense, callArgs[i]!)) ?? [];
    const name = how === null ? '' : this.nameOf(how);
    const reserves = how?.act === 'map' && this.isReservation(callArgs);
    const led = { path: null, root: null, epoch: 0 };
    return { nr, how, args, name, led, afterClose, reserves, closes: false, confirmed: false };
  }

  /**
   * Dynamic loaders first map all of a file that way, then its parts over it. Others might look at the mapping before.
   */
  private isReservation([, , prot, flags]: readonly number[]): boolean {
    if ((flags! & MAP_DENYWRITE) === 0 || (prot! & PROT_WRITE) !== 0) return false;
    const { mm, thread } = this.task;
    const caller = mm!.vmas.find(thread!.programCounter)?.backing;
    const loader = mm!.vmas.find(this.bases.interpreter)?.backing;
    return caller != null && loader != null && caller.cache === loader.cache;
  }

  private hasArguments(step: Step, { compared }: Foreseeable): boolean {
    const { callArgs } = this.task;
    const any = compared | (compared >>> 8);
    for (let i = 0; i < step.args.length; i++)
      if (((any >>> i) & 1) !== 0 && this.bases.numberOf(step.args[i]!) !== callArgs[i]) return false;
    return true;
  }

  private hasMade(step: Step): void {
    if (step.afterClose) this.opening = null;
    if (step.how?.act === 'open') this.opening = step;
  }

  private nameOf({ name: index }: Foreseeable): string {
    const { user, callArgs } = this.task;
    const name = index < 0 ? '' : user.string(callArgs[index]!, PATH_MAX);
    return typeof name === 'string' ? name : '';
  }
}
