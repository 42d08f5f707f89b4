/**
 * Calls whose answers programs may be given without asking us: that a name does not exist, or is no symbolic link. They
 * are asked over and over (search paths, realpath(3)), change nothing, and depend on names only (fs/trail.ts) and on
 * who asks: rights, root and working directory. Each such who has a key (engine.ts); a task's is taken away as soon
 * as one of these changes, and found again with its next call of this kind.
 */
import type { Cred } from '../core/cred.ts';
import type { KnownAnswers as EngineAnswers, KnownCall, KnownKey } from '../engine/engine.ts';
import type { Path } from '../fs/dentry.ts';
import { Trail } from '../fs/trail.ts';
import type { Vfs } from '../fs/vfs.ts';
import { ENOENT } from '../uapi/errno.ts';
import { AT_FDCWD } from '../uapi/fcntl.ts';
import type { Task } from './task.ts';

/** How a call of the table may be answered beforehand. */
export interface Foregone extends KnownCall {
  /** With which errors: positive numbers. */
  readonly errors: readonly number[];
  /** The argument with the directory where relative names start; -1: it is the working directory. */
  readonly dirfd: number;
}

/** More than these are forgotten: threads keep the keys they have. */
const MOST_KEYS = 4096;

type FillRandom = (buf: Uint8Array, off: number, len: number) => void;

export class KnownAnswers {
  private readonly engine: EngineAnswers;
  private readonly fillRandom: FillRandom;
  private readonly vfs: Vfs;
  private readonly trail = new Trail();
  private readonly keys: Map<string, KnownKey> = new Map();
  private readonly numbers: WeakMap<object, number> = new WeakMap();
  private lastNumber = 0;
  private readonly rights: WeakMap<Cred, string> = new WeakMap();

  constructor(engine: EngineAnswers, vfs: Vfs, fillRandom: FillRandom) {
    this.engine = engine;
    this.fillRandom = fillRandom;
    this.vfs = vfs;
    vfs.dcache.relying = engine;
  }

  /** Before a call's handler runs. */
  begin(): void {
    this.trail.clear();
    this.vfs.walker.trail = this.trail;
  }

  /** After it, with what it answered. */
  end(task: Task, call: Foregone, result: unknown): void {
    this.vfs.walker.trail = null;
    if (typeof result !== 'number' || result >= 0 || !call.errors.includes(-result)) return;
    const { trail } = this;
    // One walk, and it is the walk that the error comes from.
    if (trail.walks !== 1 || trail.unsure || trail.missing !== (result === -ENOENT)) return;
    const absolute = trail.name.charCodeAt(0) === SLASH;
    if (!absolute && call.dirfd >= 0 && task.callArgs[call.dirfd] !== AT_FDCWD) return;
    const { thread } = task;
    if (thread === null) return;
    thread.knownBy ??= this.keyOf(task);
    const answer = this.engine.learn(thread.knownBy, call, task.callArgs, trail.name, -result);
    if (answer >= 0) this.vfs.dcache.rely(trail.passed, answer);
  }

  private keyOf({ cred, root, cwd }: Task): KnownKey {
    const who = `${this.rightsOf(cred)} ${this.placeOf(root)} ${this.placeOf(cwd)}`;
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
