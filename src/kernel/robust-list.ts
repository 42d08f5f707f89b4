/**
 * Robust futexes (get_robust_list(2)): locks that an exiting thread still holds are marked, and a waiter is woken. The
 * list lies in the program's memory and is not trusted.
 */
import { getInt64 } from '../lib/int64.ts';
import { wakeFutex } from './futex.ts';
import { FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS } from './pi-futex.ts';
import type { Task } from './task.ts';

/** A longer list must be a circle. */
const LIMIT = 2048;

/** Called when a thread ends or becomes another program: its locks are others' now. */
export function leaveLocks(task: Task): void {
  exitRobustList(task);
  task.kernel.piLocks.ownerDied(task);
}

/** struct robust_list_head: list, futex offset, pending: a word each. */
function exitRobustList(task: Task): void {
  // A lock that only this thread can see needs no mark.
  if (task.robustList === 0 || task.mm?.sharesMemory !== true) return;
  const head = task.robustList;
  const list = readWords(task, head, 3);
  if (list === null) return;
  const [first, signed, pending] = list as [number, number, number];
  let entry = first;
  for (let i = 0; i < LIMIT && clean(entry) !== head; i++) {
    const next = readWords(task, clean(entry), 1);
    if (entry !== pending) markDead(task, entry, signed, false);
    if (next === null) return;
    entry = next[0]!;
  }
  if (pending !== 0) markDead(task, pending, signed, true);
}

/** The lowest bit says that the lock inherits priorities; such a lock is passed on in another way. */
const inherits = (entry: number): boolean => entry % 2 !== 0;
const clean = (entry: number): number => entry - (entry % 2);

function readWords(task: Task, address: number, count: number): number[] | null {
  const { thread, mm, kernel } = task;
  if (thread === null || mm === null) return null;
  const at = thread.stageIn(8 * count);
  if (at < 0 || mm.space.read(address, at, 8 * count) < 0) return null;
  return Array.from({ length: count }, (_, i) => getInt64(kernel.memory.view, at + 8 * i));
}

function markDead(task: Task, entry: number, futexOffset: number, isPending: boolean): void {
  const { thread, mm, kernel } = task;
  const address = clean(entry) + futexOffset;
  const at = thread?.stageIn(4) ?? -1;
  if (at < 0 || mm === null || address % 4 !== 0 || mm.space.read(address, at, 4) < 0) return;
  const value = kernel.memory.view.getInt32(at, true);
  const owner = value & FUTEX_TID_MASK;
  // Released, or about to be taken: wake the next one, as the thread may have died before it woke it or took the lock.
  if (isPending && owner === 0 && !inherits(entry)) wakeFutex(task, address, 1);
  if (owner !== task.pid) return;
  kernel.memory.view.setInt32(at, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED, true);
  const marked = mm.space.write(address, at, 4) === 0;
  if (marked && (value & FUTEX_WAITERS) !== 0 && !inherits(entry)) wakeFutex(task, address, 1);
}
