/**
 * Semaphores (semget(2), semop(2)): sets whose values change together or not at all.
 *
 * Operations that cannot be done yet wait in line. After each change, the task that made it completes, in order, those
 * that can now be done. SEM_UNDO adjustments belong to a process and are applied when it ends.
 */
import type { Cred } from '../../core/cred.ts';
import { WaitQueue } from '../../core/wait.ts';
import { PAGE_SIZE, type Ram } from '../../mm/ram.ts';
import { EAGAIN, EIDRM, EINVAL, ENOMEM, ENOSPC, ERANGE } from '../../uapi/errno.ts';
import { IPC_NOWAIT, SEM_UNDO, SEMMNI, SEMMNS, SEMMSL, SEMOPM, SEMVMX } from '../../uapi/ipc.ts';
import { IpcObject, IpcTable } from './ids.ts';

/** What `attempt` answers when all was done: neither an index nor an errno. */
const DONE = -100000;

/** struct sembuf. */
export interface SemOp {
  readonly num: number;
  readonly op: number;
  readonly flags: number;
}

/** One semop(2) in line: `result` is set, and `waitq` woken, once it is done or can never be. */
export interface PendingOps {
  readonly ops: readonly SemOp[];
  readonly owner: SemOwner;
  readonly waitq: WaitQueue;
  /** Index of the operation that cannot be done yet. */
  blockedAt: number;
  result: number | null;
}

/** A process, compared by identity: the owner of SEM_UNDO adjustments. */
export interface SemOwner {
  readonly tgid: number;
}

export class SemaphoreSet extends IpcObject {
  readonly values: Int32Array;
  /** For each value, the pid of the process that operated on it last. */
  readonly pids: Int32Array;
  readonly pending: Set<PendingOps> = new Set();
  private readonly undo: Map<SemOwner, Int32Array> = new Map();
  otime = 0;

  constructor(key: number, flags: number, cred: Cred, now: number, count: number) {
    super(key, flags, cred, now);
    this.values = new Int32Array(count);
    this.pids = new Int32Array(count);
  }

  /** Does all operations: 0, -ERANGE, -EAGAIN with IPC_NOWAIT, or the place in line to wait at. */
  operate(ops: readonly SemOp[], owner: SemOwner, now: number): number | PendingOps {
    const blockedAt = this.attempt(ops, owner);
    if (blockedAt < 0) {
      if (blockedAt === DONE) this.changed(now);
      return blockedAt === DONE ? 0 : blockedAt;
    }
    if ((ops[blockedAt]!.flags & IPC_NOWAIT) !== 0) return -EAGAIN;
    const pending: PendingOps = { ops, owner, waitq: new WaitQueue(), blockedAt, result: null };
    this.pending.add(pending);
    return pending;
  }

  /** DONE, or with nothing changed -ERANGE or the index of the operation that has to wait. */
  private attempt(ops: readonly SemOp[], owner: SemOwner): number {
    const { values } = this;
    let error = DONE;
    let i = 0;
    for (; i < ops.length; i++) {
      const { num, op, flags } = ops[i]!;
      const value = values[num]!;
      if (op === 0 ? value !== 0 : value + op < 0) break;
      if (
        value + op > SEMVMX ||
        ((flags & SEM_UNDO) !== 0 && Math.abs(this.undoOf(owner, num) - op) > SEMVMX)
      ) {
        error = -ERANGE;
        break;
      }
      values[num] = value + op;
      if ((flags & SEM_UNDO) !== 0) this.noteUndo(owner, num, -op);
    }
    if (i === ops.length) {
      for (const { num } of ops) this.pids[num] = owner.tgid;
      return DONE;
    }
    for (let j = i - 1; j >= 0; j--) {
      const { num, op, flags } = ops[j]!;
      values[num]! -= op;
      if ((flags & SEM_UNDO) !== 0) this.noteUndo(owner, num, op);
    }
    return error === DONE ? i : error;
  }

  /** Whether `owner` has ever asked for SEM_UNDO here. */
  undoes(owner: SemOwner): boolean {
    return this.undo.has(owner);
  }

  private undoOf = (owner: SemOwner, num: number): number => this.undo.get(owner)?.[num] ?? 0;

  private noteUndo(owner: SemOwner, num: number, by: number): void {
    let adjust = this.undo.get(owner);
    if (adjust === undefined) {
      adjust = new Int32Array(this.values.length);
      this.undo.set(owner, adjust);
    }
    adjust[num]! += by;
  }

  /** Values have changed: completes the operations in line that can be done now. */
  private changed(now: number): void {
    this.otime = now;
    this.settle();
  }

  private settle(): void {
    let again = true;
    while (again) {
      again = false;
      for (const waiting of this.pending) {
        const blockedAt = this.attempt(waiting.ops, waiting.owner);
        const waits = blockedAt >= 0 && (waiting.ops[blockedAt]!.flags & IPC_NOWAIT) === 0;
        if (waits) {
          waiting.blockedAt = blockedAt;
          continue;
        }
        // Done, out of range, or now blocked at another operation, which has IPC_NOWAIT.
        this.finish(waiting, blockedAt === DONE ? 0 : Math.min(blockedAt, -EAGAIN));
        again = blockedAt === DONE && waiting.ops.some(({ op }) => op !== 0);
        if (again) break;
      }
    }
  }

  private finish(waiting: PendingOps, result: number): void {
    this.pending.delete(waiting);
    waiting.result = result;
    waiting.waitq.wake();
  }

  /** How many wait for the semaphore to grow, or with `zero` for it to be 0 (GETNCNT, GETZCNT). */
  waiting(num: number, zero: boolean): number {
    let count = 0;
    for (const { ops, blockedAt } of this.pending) {
      const op = ops[blockedAt]!;
      if (op.num === num && (op.op === 0) === zero) count++;
    }
    return count;
  }

  /** SETVAL and SETALL; they clear the SEM_UNDO adjustments. */
  setValues(first: number, values: readonly number[], pid: number, now: number): void {
    for (const [i, value] of values.entries()) {
      this.values[first + i] = value;
      this.pids[first + i] = pid;
      for (const adjust of this.undo.values()) adjust[first + i] = 0;
    }
    this.ctime = now;
    this.settle();
  }

  /** Applies the SEM_UNDO adjustments of a process that ends. */
  takeBack(owner: SemOwner, now: number): void {
    const adjust = this.undo.get(owner);
    if (adjust === undefined) return;
    this.undo.delete(owner);
    for (const [num, by] of adjust.entries()) {
      if (by === 0) continue;
      this.values[num] = Math.min(SEMVMX, Math.max(0, this.values[num]! + by));
      this.pids[num] = owner.tgid;
    }
    this.changed(now);
  }

  wakeRemoved(): void {
    for (const waiting of [...this.pending]) this.finish(waiting, -EIDRM);
  }
}

/** Pages of a set's values and pids: they outlive processes, so killing one does not free them. */
const pagesFor = (count: number): number => Math.ceil((count * 8) / PAGE_SIZE);

export class Semaphores extends IpcTable<SemaphoreSet> {
  /** Semaphores in all sets. */
  total = 0;
  /** The most semaphores in a set and in all sets, and operations of one call (semmsl, semmns, semopm). */
  maxInSet: number = SEMMSL;
  maxTotal: number = SEMMNS;
  maxOps: number = SEMOPM;

  private readonly ram: Ram;

  constructor(ram: Ram) {
    super(SEMMNI);
    this.ram = ram;
  }

  semget(key: number, count: number, flags: number, cred: Cred, now: number): number {
    if (count < 0 || count > this.maxInSet) return -EINVAL;
    return this.get(
      key,
      flags,
      cred,
      found => (count > found.values.length ? -EINVAL : 0),
      () => {
        if (count === 0) return -EINVAL;
        if (this.total + count > this.maxTotal) return -ENOSPC;
        if (!this.ram.charge(pagesFor(count), this.ram.spare)) return -ENOMEM;
        this.total += count;
        return new SemaphoreSet(key, flags, cred, now, count);
      },
    );
  }

  destroy(set: SemaphoreSet): void {
    this.remove(set);
    this.total -= set.values.length;
    this.ram.charge(-pagesFor(set.values.length));
    set.wakeRemoved();
  }

  /** Whether `owner` has SEM_UNDO adjustments in any set. */
  undoes(owner: SemOwner): boolean {
    for (const set of this) if (set.undoes(owner)) return true;
    return false;
  }

  ended(owner: SemOwner, now: number): void {
    if (this.count === 0) return;
    for (const set of this) set.takeBack(owner, now);
  }
}
