/**
 * Locks that inherit priorities (futex(2), FUTEX_LOCK_PI and the like): the word holds the number of the thread that
 * has the lock.
 *
 * While there are no waiters, programs take and release such a lock themselves, by exchanging 0 and their number
 * atomically. FUTEX_WAITERS in the word prevents that: then only the kernel, which is one thread, changes the word. So
 * only setting this bit has to be atomic, and the engine does that.
 *
 * Priorities decide which waiter gets the lock next. Its owner is not scheduled by them, so there is nothing to
 * inherit.
 */
import { PROT_WRITE } from '../engine/engine.ts';
import {
  EAGAIN,
  EDEADLK,
  EFAULT,
  EINVAL,
  EPERM,
  ERESTARTNOINTR,
  ERESTARTSYS,
  ESRCH,
  ETIMEDOUT,
} from '../uapi/errno.ts';
import { type FutexKey, FutexMap, futexKey, insertByPriority, readWord, writeWord } from './futex.ts';
import type { Task } from './task.ts';

export const FUTEX_WAITERS = 0x80000000 | 0;
export const FUTEX_OWNER_DIED = 0x40000000;
export const FUTEX_TID_MASK = 0x3fffffff;
/** Longer chains of threads that wait for one another are not followed. */
const LONGEST_CHAIN = 1024;

interface PiWaiter {
  readonly task: Task;
  readonly address: number;
  /** The waiter has the lock now. */
  wake(): void;
}

/** A lock with waiters. */
interface PiLock {
  readonly key: FutexKey;
  owner: Task;
  readonly waiters: PiWaiter[];
}

export class PiLocks {
  private readonly locks: FutexMap<PiLock> = new FutexMap();
  /** The lock that each task waits for. */
  private readonly waitsFor: Map<Task, PiLock> = new Map();

  get(key: FutexKey): PiLock | undefined {
    return this.locks.get(key);
  }

  /** Joins the waiters; returns how to leave them. */
  add(key: FutexKey, owner: Task, waiter: PiWaiter): () => void {
    let lock = this.locks.get(key);
    if (lock === undefined) {
      lock = { key, owner, waiters: [] };
      this.locks.set(key, lock);
    }
    insertByPriority(lock.waiters, waiter);
    this.waitsFor.set(waiter.task, lock);
    return () => this.remove(lock, waiter);
  }

  /** Whether `owner` waits, directly or not, for a lock of `task`. */
  wouldDeadlock(task: Task, owner: Task): boolean {
    let next: Task | undefined = owner;
    for (let i = 0; i < LONGEST_CHAIN && next !== undefined; i++) {
      if (next === task) return true;
      next = this.waitsFor.get(next)?.owner;
    }
    return false;
  }

  /**
   * Passes the lock to the waiter of the highest priority that has waited longest: 0, or -EFAULT if the word cannot be
   * written.
   */
  pass(lock: PiLock, flags: number): number {
    const next = lock.waiters[0]!;
    const written = writeWord(next.task, next.address, next.task.pid | FUTEX_WAITERS | flags);
    if (written < 0 && flags === 0) return written;
    lock.owner = next.task;
    this.remove(lock, next);
    next.wake();
    return 0;
  }

  /** A task ends, or becomes another program, while it has locks that others wait for. */
  ownerDied(task: Task): void {
    if (this.waitsFor.size === 0) return;
    const held = new Set([...this.waitsFor.values()].filter(({ owner }) => owner === task));
    for (const lock of held) this.pass(lock, FUTEX_OWNER_DIED);
  }

  private remove(lock: PiLock, waiter: PiWaiter): void {
    const index = lock.waiters.indexOf(waiter);
    if (index < 0) return;
    lock.waiters.splice(index, 1);
    this.waitsFor.delete(waiter.task);
    if (lock.waiters.length === 0) this.locks.delete(lock.key);
  }
}

/** Takes the lock, at once or when it is passed on: 0 or -errno. A signal does not end the wait. */
export function lockPi(
  task: Task,
  address: number,
  isPrivate: boolean,
  deadline: number,
  tries: boolean,
): number | Promise<number> {
  const key = keyOf(task, address, isPrivate);
  if (typeof key === 'number') return key;
  const word = new Int32Array(1);
  if (readWord(task, address, word) < 0) return -EFAULT;
  if ((word[0]! & FUTEX_TID_MASK) === task.pid) return -EDEADLK;
  if (task.kernel.futexes.has(key)) return -EINVAL;
  if ((word[0]! & FUTEX_WAITERS) === 0) {
    // Meanwhile the owner may release the lock, and others may take it: the bit stays.
    task.mm!.space.setHighBit(address);
    if (readWord(task, address, word) < 0 || (word[0]! & FUTEX_WAITERS) === 0) return -EFAULT;
  }
  return takeOrWait(task, address, key, word[0]!, deadline, tries);
}

/** `word` has FUTEX_WAITERS, so only the kernel changes it. */
function takeOrWait(
  task: Task,
  address: number,
  key: FutexKey,
  word: number,
  deadline: number,
  tries: boolean,
): number | Promise<number> {
  const { piLocks, tasks, clock } = task.kernel;
  const tid = word & FUTEX_TID_MASK;
  const lock = piLocks.get(key);
  if (lock === undefined && tid === 0) return writeWord(task, address, task.pid | (word & FUTEX_OWNER_DIED));
  const owner = lock?.owner ?? tasks.get(tid);
  if (lock !== undefined && lock.owner.pid !== tid) return -EINVAL;
  if (owner === undefined || owner.mm === null) return -ESRCH;
  if (tries) return -EAGAIN;
  if (piLocks.wouldDeadlock(task, owner)) return -EDEADLK;
  if (deadline <= clock.monotonic()) return -ETIMEDOUT;
  return task
    .sleepUntil(deadline, end => piLocks.add(key, owner, { task, address, wake: () => end(0) }))
    .then(r => (r === -ERESTARTSYS ? -ERESTARTNOINTR : r));
}

/** Passes the lock to a waiter, if there is one: 0 or -errno. */
export function unlockPi(task: Task, address: number, isPrivate: boolean): number {
  const { kernel } = task;
  const word = new Int32Array(1);
  if (readWord(task, address, word) < 0) return -EFAULT;
  if ((word[0]! & FUTEX_TID_MASK) !== task.pid) return -EPERM;
  const key = keyOf(task, address, isPrivate);
  if (typeof key === 'number') return key;
  const lock = kernel.piLocks.get(key);
  if (lock !== undefined) return lock.owner === task ? kernel.piLocks.pass(lock, 0) : -EINVAL;
  return kernel.futexes.has(key) ? -EINVAL : writeWord(task, address, 0);
}

/** The word's identity; -errno if it cannot be written. */
function keyOf({ mm }: Task, address: number, isPrivate: boolean): FutexKey | number {
  if (mm === null) return -EFAULT;
  const key = futexKey(mm, address, isPrivate);
  if (typeof key === 'number') return key;
  const vma = mm.vmas.find(address);
  return vma === null || (vma.prot & PROT_WRITE) === 0 ? -EFAULT : key;
}
