/**
 * Futexes (futex(2), futex(7)): sleeping on a word of memory.
 *
 * A word's identity is what it is, not where: private words by address space and address, shared ones by the file and
 * the position in it. The kernel is one thread, so no wake can come between comparing the word and joining the queue.
 */

import type { Mm } from '../mm/mm.ts';
import { pageUp } from '../mm/ram.ts';
import { VM_SHARED } from '../mm/vma.ts';
import { EAGAIN, EFAULT, EINVAL, ETIMEDOUT } from '../uapi/errno.ts';
import type { Task } from './task.ts';

export const FUTEX_BITSET_MATCH_ANY = -1;

/** A sleeping task. */
export interface FutexWaiter {
  readonly task: Task;
  readonly bitset: number;
  /** Where it sleeps now; a requeue changes it. */
  key: FutexKey;
  /** Ends the sleep. */
  wake(): void;
}

/** Identity of a word: an object (address space or page cache) and an offset. */
export interface FutexKey {
  readonly object: object;
  readonly offset: number;
}

/** One value for each word. */
export class FutexMap<T> {
  private readonly objects: Map<object, Map<number, T>> = new Map();

  get({ object, offset }: FutexKey): T | undefined {
    return this.objects.get(object)?.get(offset);
  }

  set({ object, offset }: FutexKey, value: T): void {
    const words = this.objects.get(object);
    if (words === undefined) this.objects.set(object, new Map([[offset, value]]));
    else words.set(offset, value);
  }

  delete({ object, offset }: FutexKey): void {
    const words = this.objects.get(object);
    words?.delete(offset);
    if (words?.size === 0) this.objects.delete(object);
  }
}

/** Higher realtime priorities come first; equal ones in order of arrival (sched(7)). */
export function insertByPriority<T extends { readonly task: Task }>(queue: T[], waiter: T): void {
  const priority = (of: T): number => of.task.attributes.sched.priority;
  let at = queue.length;
  while (at > 0 && priority(queue[at - 1]!) < priority(waiter)) at--;
  queue.splice(at, 0, waiter);
}

export class FutexTable {
  private readonly queues: FutexMap<FutexWaiter[]> = new FutexMap();

  /** Whether a task sleeps on the word. */
  has(key: FutexKey): boolean {
    return this.queues.get(key) !== undefined;
  }

  add(waiter: FutexWaiter): void {
    const queue = this.queues.get(waiter.key);
    if (queue === undefined) this.queues.set(waiter.key, [waiter]);
    else insertByPriority(queue, waiter);
  }

  remove(waiter: FutexWaiter): void {
    const queue = this.queues.get(waiter.key);
    const index = queue?.indexOf(waiter) ?? -1;
    if (queue === undefined || index < 0) return;
    queue.splice(index, 1);
    if (queue.length === 0) this.queues.delete(waiter.key);
  }

  /** Wakes up to `count` sleepers with a common bit; returns how many. */
  wake(key: FutexKey, count: number, bitset: number): number {
    const queue = this.queues.get(key);
    if (queue === undefined) return 0;
    let woken = 0;
    for (const waiter of [...queue]) {
      if (woken >= count) break;
      if ((waiter.bitset & bitset) === 0) continue;
      this.remove(waiter);
      waiter.wake();
      woken++;
    }
    return woken;
  }

  /** Moves up to `count` sleepers to another word; returns how many. */
  requeue(from: FutexKey, to: FutexKey, count: number): number {
    const queue = this.queues.get(from);
    if (queue === undefined) return 0;
    const moved = queue.slice(0, count);
    for (const waiter of moved) {
      this.remove(waiter);
      waiter.key = to;
      this.add(waiter);
    }
    return moved.length;
  }
}

/** Addresses from here on are never a program's. */
const USER_HALF = 2 ** 47;

/** A word's identity; -EINVAL if not aligned, -EFAULT if there is none. */
export function futexKey(mm: Mm, address: number, isPrivate: boolean): FutexKey | number {
  if (address % 4 !== 0) return -EINVAL;
  if (address >= USER_HALF) return -EFAULT;
  if (isPrivate) return { object: mm, offset: address };
  const vma = mm.vmas.find(address);
  if (vma === null || vma.prot === 0) return -EFAULT;
  // Beside the key of a private futex on the same word, which is another futex (futex(2), FUTEX_PRIVATE_FLAG).
  if (vma.backing === null || (vma.flags & VM_SHARED) === 0) return { object: mm, offset: address + 1 };
  const { cache } = vma.backing;
  const offset = vma.posOf(address);
  return offset < pageUp(cache.size) ? { object: cache, offset } : -EFAULT;
}

/** The word's value now, as an int32, in `out[0]`; 0 or -EFAULT. */
export function readWord(task: Task, address: number, out: Int32Array): number {
  const { thread, mm, kernel } = task;
  if (thread === null || mm === null) return -EFAULT;
  const offset = thread.stageIn(4);
  if (offset < 0 || mm.space.read(address, offset, 4) < 0) return -EFAULT;
  out[0] = kernel.memory.view.getInt32(offset, true);
  return 0;
}

/** Sets the word: 0 or -EFAULT. */
export function writeWord(task: Task, address: number, value: number): number {
  const { thread, mm, kernel } = task;
  const offset = thread?.stageIn(4) ?? -1;
  if (offset < 0 || mm === null) return -EFAULT;
  kernel.memory.view.setInt32(offset, value, true);
  return mm.space.write(address, offset, 4);
}

/** Sleeps on a word that holds `value`: 0 when woken, -EAGAIN if it holds another, -ETIMEDOUT, -ERESTARTSYS. */
export function futexWait(
  task: Task,
  address: number,
  isPrivate: boolean,
  value: number,
  bitset: number,
  deadline: number,
): number | Promise<number> {
  const { kernel, mm } = task;
  if (mm === null) return -EFAULT;
  const key = futexKey(mm, address, isPrivate);
  if (typeof key === 'number') return key;
  const word = new Int32Array(1);
  if (readWord(task, address, word) < 0) return -EFAULT;
  if (word[0] !== value) return -EAGAIN;
  if (deadline <= kernel.clock.monotonic()) return -ETIMEDOUT;
  return task.sleepUntil(deadline, end => {
    const waiter: FutexWaiter = { task, bitset, key, wake: () => end(0) };
    kernel.futexes.add(waiter);
    return () => kernel.futexes.remove(waiter);
  });
}

/** A word to sleep on while it holds `value`. */
export interface FutexWord {
  readonly address: number;
  readonly isPrivate: boolean;
  readonly value: number;
}

/** Sleeps on several words at once (futex_waitv): the index of the one that was woken, or as `futexWait`. */
export function futexWaitAny(
  task: Task,
  words: readonly FutexWord[],
  deadline: number,
): number | Promise<number> {
  const { kernel, mm } = task;
  if (mm === null) return -EFAULT;
  const keys: FutexKey[] = [];
  for (const { address, isPrivate } of words) {
    const key = futexKey(mm, address, isPrivate);
    if (typeof key === 'number') return key;
    keys.push(key);
  }
  const word = new Int32Array(1);
  for (const { address, value } of words) {
    if (readWord(task, address, word) < 0) return -EFAULT;
    if (word[0] !== value) return -EAGAIN;
  }
  if (deadline <= kernel.clock.monotonic()) return -ETIMEDOUT;
  return task.sleepUntil(deadline, end => {
    const waiters = keys.map(
      (key, i): FutexWaiter => ({ task, bitset: FUTEX_BITSET_MATCH_ANY, key, wake: () => end(i) }),
    );
    for (const waiter of waiters) kernel.futexes.add(waiter);
    return () => {
      for (const waiter of waiters) kernel.futexes.remove(waiter);
    };
  });
}

/** Wakes sleepers on a word, private and shared ones: for the kernel's own changes. */
export function wakeFutex(task: Task, address: number, count: number): void {
  if (task.mm === null) return;
  const { futexes } = task.kernel;
  const own = futexKey(task.mm, address, true);
  const shared = futexKey(task.mm, address, false);
  if (typeof own !== 'number') futexes.wake(own, count, FUTEX_BITSET_MATCH_ANY);
  if (typeof shared !== 'number') futexes.wake(shared, count, FUTEX_BITSET_MATCH_ANY);
}
