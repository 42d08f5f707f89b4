/**
 * Robust futexes (get_robust_list(2)): locks that an exiting thread still holds are marked, and one who waits is woken.
 * The list lies in the program's memory and is believed no further than that.
 */
import { getInt64 } from '../lib/int64.ts';
import { wakeFutex } from './futex.ts';
import type { Task } from './task.ts';

const FUTEX_WAITERS = 0x80000000 | 0;
const FUTEX_OWNER_DIED = 0x40000000;
const FUTEX_TID_MASK = 0x3fffffff;
/** Longer lists are circles. */
const LIMIT = 2048;

/** struct robust_list_head: list, futex offset, pending: a word each. */
export function exitRobustList(task: Task): void {
  // A lock that only this thread can see needs no mark.
  if (task.robustList === 0 || task.mm?.sharesMemory !== true) return;
  const head = task.robustList;
  const list = readWords(task, head, 3);
  if (list === null) return;
  const [first, signed, pending] = list as [number, number, number];
  let entry = first;
  for (let i = 0; i < LIMIT && clean(entry) !== head; i++) {
    const next = readWords(task, clean(entry), 1);
    if (entry !== pending) markDead(task, clean(entry) + signed);
    if (next === null) return;
    entry = next[0]!;
  }
  if (pending !== 0) markDead(task, clean(pending) + signed);
}

/** The lowest bit says that the lock inherits priorities. */
const clean = (entry: number): number => entry - (entry % 2);

function readWords(task: Task, address: number, count: number): number[] | null {
  const { thread, mm, kernel } = task;
  if (thread === null || mm === null) return null;
  const at = thread.stageIn(8 * count);
  if (at < 0 || mm.space.read(address, at, 8 * count) < 0) return null;
  return Array.from({ length: count }, (_, i) => getInt64(kernel.memory.view, at + 8 * i));
}

function markDead(task: Task, address: number): void {
  const { thread, mm, kernel } = task;
  const at = thread?.stageIn(4) ?? -1;
  if (at < 0 || mm === null || address % 4 !== 0 || mm.space.read(address, at, 4) < 0) return;
  const value = kernel.memory.view.getInt32(at, true);
  if ((value & FUTEX_TID_MASK) !== task.pid) return;
  kernel.memory.view.setInt32(at, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED, true);
  if (mm.space.write(address, at, 4) === 0 && (value & FUTEX_WAITERS) !== 0) wakeFutex(task, address, 1);
}
