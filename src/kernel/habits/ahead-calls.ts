/** The calls made before a program asked for them: a piece of what it does by habit. */
import type { FileAlong, ForeseenCalls } from '../../engine/answers.ts';
import type { EngineThread } from '../../engine/engine.ts';
import { Ranges } from '../../lib/ranges.ts';
import { pageUp } from '../../mm/ram.ts';
import type { OpenedAlong } from '../along.ts';
import { isAlone } from '../along.ts';
import type { Task } from '../task.ts';
import { type Ahead, holdFile, makeAhead } from './ahead.ts';
import { type Bases, isFixed, type SavedBases } from './bases.ts';
import { type Act, type Foreseeable, LEFT, type Step } from './step.ts';

/** How many of the calls the program has made, and what became of the file that it then had open, if it had one. */
export interface Settled {
  readonly made: number;
  readonly file: 'open' | 'closed' | null;
}

/** Whether only the task's one thread can change what calls made ahead depend on. */
export const canForesee = (task: Task): boolean =>
  task.thread?.foreseen != null && task.mm?.users === 1 && isAlone(task);

/**
 * Makes as many of `steps` from `position` on as can be made; null if none can. The thread is in the kernel and about
 * to go on, from a call that has unmapped something or not.
 */
export function makeCalls(
  task: Task,
  steps: readonly Step[],
  position: number,
  bases: Bases,
  hasUnmapped: boolean,
): AheadCalls | null {
  const { openedAlong, thread } = task;
  // A file that came along with an earlier call would have to make room.
  if (openedAlong !== null && openedAlong.place !== thread!.along!.stat) return null;
  const calls = new AheadCalls(task, thread!, bases, hasUnmapped);
  for (let i = position; i < steps.length && calls.make(steps[i]!); i++);
  return calls.send();
}

export class AheadCalls {
  private readonly task: Task;
  private readonly foreseen: ForeseenCalls;
  private readonly along: FileAlong;
  private readonly bases: Bases;
  private readonly calls: Ahead[] = [];
  /** The state of `bases` before each of them. */
  private readonly before: SavedBases[] = [];
  /** The file that was open before the first of them, and the one that is open in the table now. */
  private readonly first: OpenedAlong | null;
  private opened: OpenedAlong | null;
  private committed = 0;
  /** Something goes only when the program comes to it, and frees its place only then. */
  private hasUnmapped: boolean;
  /** Places that loaders reserve for the pieces of what they load. */
  private readonly reserved = new Ranges();

  constructor(task: Task, thread: EngineThread, bases: Bases, hasUnmapped: boolean) {
    this.task = task;
    this.hasUnmapped = hasUnmapped;
    this.foreseen = thread.foreseen!;
    this.along = thread.along!;
    this.bases = bases;
    const { openedAlong } = task;
    // This goes along with the program's present answer.
    this.first = openedAlong === null ? null : holdFile(task, openedAlong);
    this.opened = this.first;
    // Nothing may settle it in between.
    task.openedAlong = null;
    this.foreseen.begin();
  }

  /** False: the program has to ask for this step. */
  make(step: Step): boolean {
    const { how } = step;
    if (how === null || !step.confirmed || (how.act === 'open' && !step.closes)) return false;
    const { opened } = this;
    if (step.afterClose) this.close();
    const call = this.makeCall(step, how);
    if (call !== null) this.note(call, how.act);
    else if (opened !== null && this.opened !== opened) this.reopen(opened);
    return call !== null;
  }

  /** Sends them with the next answer. */
  send(): this | null {
    if (this.calls.length === 0) {
      if (this.opened !== null) this.task.openedAlong = this.opened;
      this.drop();
      return null;
    }
    this.foreseen.send();
    return this;
  }

  /** Whether the descriptor table differs from what the program sees at this descriptor. */
  concerns(fd: number): boolean {
    return this.first?.fd === fd || this.calls.some(({ opened }) => opened?.fd === fd);
  }

  /** For a look at the program, which may be running: applies what the program itself has changed. */
  look(): void {
    const { made } = this.foreseen;
    for (; this.committed < made; this.committed++) this.calls[this.committed]!.commit(this.task);
  }

  /** Called when the program asks for another call. */
  settle(): Settled {
    const { calls, task } = this;
    this.foreseen.stop();
    this.look();
    const made = this.committed;
    this.foreseen.end(made);
    for (let i = calls.length - 1; i >= made; i--) calls[i]!.undo(task);
    if (made < calls.length) this.bases.restore(this.before[made]!);
    const file = this.settleFile(made);
    this.drop();
    return { made, file };
  }

  /** Keeps the program from making any more; false: it may be making one at this moment. */
  stop(): boolean {
    return this.foreseen.stop();
  }

  drop(): void {
    this.foreseen.stop();
    this.first?.file.put();
    for (const call of this.calls) call.drop();
  }

  private makeCall(step: Step, how: Foreseeable): Ahead | null {
    // With another file still open, it would get a different descriptor than after that was closed.
    if (how.act === 'open' && this.opened !== null) return null;
    const args = this.bases.numbersOf(step.args);
    if (args === null || !this.mayMap(how.act, args)) return null;
    const call = makeAhead(this.task, step, args);
    if (call === null || this.foresee(call, how)) return call;
    call.undo(this.task);
    if (call.opened !== null) this.task.files.close(call.opened.fd);
    call.drop();
    return null;
  }

  private foresee(
    { step, args, result, opened, written }: Ahead,
    { act, compared, out }: Foreseeable,
  ): boolean {
    const name = act === 'open' ? step.name : null;
    const { nr, afterClose } = step;
    const call = { nr, args, compared, name, result, written, out, act: LEFT[act], afterClose };
    return this.foreseen.add(call, opened);
  }

  private note(call: Ahead, act: Act): void {
    if (act === 'map') this.noteReserved(call);
    if (act === 'unmap') this.hasUnmapped = true;
    // What the thread will do there when it comes to it must not meet anything else.
    if (LEFT[act] === 'call') this.reserved.remove(call.args[0]!, call.args[0]! + pageUp(call.args[1]!));
    this.before.push(this.bases.save());
    this.calls.push(call);
    this.bases.made(act, call.args, call.result);
    if (call.opened !== null) this.opened = call.opened;
  }

  /**
   * A fixed mapping must not replace anything that the program could still use. Any other would get a place that
   * something has yet to leave.
   */
  private mayMap(act: Act, args: readonly number[]): boolean {
    if (act !== 'map') return true;
    if (!isFixed(args)) return !this.hasUnmapped;
    const [start, size] = [args[0]!, pageUp(args[1]!)];
    return this.reserved.covers(start, start + size) || this.task.mm!.isFree(start, size);
  }

  private noteReserved({ step, args, result: start }: Ahead): void {
    const end = start + pageUp(args[1]!);
    if (isFixed(args)) this.reserved.remove(start, end);
    else if (step.reserves) this.reserved.add(start, end);
  }

  private close(): void {
    if (this.opened !== null) this.task.files.close(this.opened.fd);
    this.opened = null;
  }

  /** Leaves the file that the program opened last open or closed, as the program left it. */
  private settleFile(made: number): Settled['file'] {
    const use = this.along.take();
    let last = this.first;
    for (const call of this.calls.slice(0, made)) {
      if (call.step.afterClose) last = null;
      if (call.opened !== null) last = call.opened;
    }
    if (last !== this.opened) this.close();
    if (last === null) return null;
    const closed = use?.closed === true;
    if (closed) this.close();
    else this.keepOpen(last, use?.position ?? last.file.pos);
    return closed ? 'closed' : 'open';
  }

  private keepOpen(opened: OpenedAlong, position: number): void {
    opened.file.pos = position;
    this.task.openedAlong = opened;
    if (this.opened !== opened) this.reopen(opened);
  }

  /** Puts the file back at its place in the table, which nothing else can have taken. */
  private reopen(opened: OpenedAlong): void {
    const { file, fd, cloexec } = opened;
    this.task.files.install(file.get(), cloexec, Number.MAX_SAFE_INTEGER, fd);
    this.opened = opened;
  }
}
