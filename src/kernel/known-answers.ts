/**
 * Calls whose answers programs may get without asking us: that a name does not exist or is no symbolic link, and what a
 * file is that does not change (`Inode.isSteady`). Programs make them over and over (search paths, realpath(3)). They
 * change nothing, and depend only on names (fs/trail.ts), on the file, and on the asker's rights, root and working
 * directory. Each such asker has a key (engine/answers.ts). A task loses its key when one of these changes, and gets
 * one again with its next call of this kind.
 */
import type { Cred } from '../core/cred.ts';
import type { KnownAnswers as EngineAnswers, KnownAnswer, KnownCall, KnownKey } from '../engine/answers.ts';
import type { Dentry, Path } from '../fs/dentry.ts';
import { Trail } from '../fs/trail.ts';
import type { Vfs } from '../fs/vfs.ts';
import { ENOENT } from '../uapi/errno.ts';
import { AT_FDCWD } from '../uapi/fcntl.ts';
import type { Task } from './task.ts';

/** How a call of the table may be answered in advance. */
export interface Foregone extends KnownCall {
  /** Its errors that may be known, as positive numbers. */
  readonly errors: readonly number[];
  /** Whether what the call says of a steady file may be known, too. */
  readonly ofSteady: boolean;
  /** The argument that holds the directory where relative names start; -1: the working directory. */
  readonly dirfd: number;
}

/** At this many all keys are forgotten; threads keep the keys they have. */
const MOST_KEYS = 4096;

type FillRandom = (buf: Uint8Array, off: number, len: number) => void;

export class KnownAnswers {
  private readonly engine: EngineAnswers;
  private readonly fillRandom: FillRandom;
  private readonly vfs: Vfs;
  private readonly page: number;
  private readonly trail = new Trail();
  private readonly keys: Map<string, KnownKey> = new Map();
  private readonly numbers: WeakMap<object, number> = new WeakMap();
  private lastNumber = 0;
  private readonly rights: WeakMap<Cred, string> = new WeakMap();
  /** A file that was said not to change is about to change. */
  private readonly forgetAll = (): void => this.vfs.dcache.forgetAnswers();

  /** `page`: an offset in memory that no program can reach. */
  constructor(engine: EngineAnswers, vfs: Vfs, page: number, fillRandom: FillRandom) {
    this.engine = engine;
    this.page = page;
    this.fillRandom = fillRandom;
    this.vfs = vfs;
    vfs.dcache.relying = engine;
  }

  /** Called before a call's handler runs. */
  begin(task: Task, call: Foregone): void {
    this.trail.clear();
    this.vfs.walker.trail = this.trail;
    // Other programs will get this answer, so it must not pass through this program's hands.
    if (call.ofSteady && call.out >= 0) task.user.keepAt(this.page);
  }

  /** Called after the handler, with its result. */
  end(task: Task, call: Foregone, result: unknown): void {
    const { walker } = this.vfs;
    walker.trail = null;
    if (typeof result === 'number' && this.holds(task, call, result)) {
      if (result < 0) this.learn(task, call, { result, offset: 0, length: 0 }, null);
      else if (call.ofSteady) this.learnOf(walker.dentry, task, call, result);
    }
    task.user.release();
  }

  /** Whether the answer comes from one walk, over names that stay as they are, from a place that the key covers. */
  private holds(task: Task, call: Foregone, result: number): boolean {
    const { trail } = this;
    if (trail.walks !== 1 || trail.unsure || trail.missing !== (result === -ENOENT)) return false;
    if (result < 0 && !call.errors.includes(-result)) return false;
    const absolute = trail.name.charCodeAt(0) === SLASH;
    return absolute || call.dirfd < 0 || task.callArgs[call.dirfd] === AT_FDCWD;
  }

  private learnOf(dentry: Dentry, task: Task, call: Foregone, result: number): void {
    const { inode } = dentry;
    if (inode === null || !inode.isSteady) return;
    const { user, callArgs } = task;
    const offset = call.out < 0 ? 0 : user.written(callArgs[call.out]!);
    if (offset < 0) return;
    const length = call.out < 0 ? 0 : user.writtenLength;
    if (this.learn(task, call, { result, offset, length }, dentry)) inode.relied = this.forgetAll;
  }

  /** Stores an answer about `dentry`, or if null about the last name of the trail; false if it could not. */
  private learn(task: Task, call: Foregone, answer: KnownAnswer, dentry: Dentry | null): boolean {
    const { thread } = task;
    if (thread === null) return false;
    thread.knownBy ??= this.keyOf(task);
    const known = this.engine.learn(thread.knownBy, call, task.callArgs, this.trail.name, answer);
    if (known < 0) return false;
    const { passed } = this.trail;
    if (dentry !== null && passed.at(-1) !== dentry) passed.push(dentry);
    this.vfs.dcache.rely(passed, known);
    return true;
  }

  /** A task's rights and root, as a string. */
  whoIs({ cred, root }: Task): string {
    return `${this.rightsOf(cred)} ${this.placeOf(root)}`;
  }

  private keyOf(task: Task): KnownKey {
    const who = `${this.whoIs(task)} ${this.placeOf(task.cwd)}`;
    let key = this.keys.get(who);
    if (key === undefined) {
      if (this.keys.size >= MOST_KEYS) this.keys.clear();
      key = this.newKey();
      this.keys.set(who, key);
    }
    return key;
  }

  private newKey(): KnownKey {
    const bytes = new Uint8Array(8);
    this.fillRandom(bytes, 0, bytes.length);
    const view = new DataView(bytes.buffer);
    const [low, high] = [view.getInt32(0), view.getInt32(4)];
    return (low | high) === 0 ? { low: 1, high } : { low, high };
  }

  private rightsOf(cred: Cred): string {
    let text = this.rights.get(cred);
    if (text === undefined) {
      text = JSON.stringify(Object.entries(cred).sort());
      this.rights.set(cred, text);
    }
    return text;
  }

  private placeOf({ mount, dentry }: Path): string {
    return `${this.numberOf(mount)}:${this.numberOf(dentry)}`;
  }

  private numberOf(object: object): number {
    let number = this.numbers.get(object);
    if (number === undefined) {
      number = ++this.lastNumber;
      this.numbers.set(object, number);
    }
    return number;
  }
}

const SLASH = 47;
