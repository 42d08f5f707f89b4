/** Limits of address spaces: RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, vm.max_map_count, vm.overcommit_memory. */
import { CAP_IPC_LOCK, capable } from '../core/cred.ts';
import { PROT_WRITE } from '../engine/engine.ts';
import type { Task } from '../kernel/task.ts';
import type { Mm } from '../mm/mm.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { unusedStack } from '../mm/stack.ts';
import { VM_LOCKED } from '../mm/vma.ts';
import { RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK } from '../uapi/resource.ts';

/** Whether the address space may have `more` areas more (vm.max_map_count). */
export const hasRoom = (task: Task, mm: Mm, more = 1): boolean => task.kernel.memoryRules.hasRoom(mm, more);

/** Whether there may be a new mapping; as on Linux, this lets one more than the limit pass. */
export const mayAdd = (task: Task, mm: Mm): boolean => hasRoom(task, mm, 0);

/** Whether there may be as many more areas as cutting those at the edges of [from, to) makes. */
export const mayCut = (task: Task, mm: Mm, from: number, to: number): boolean =>
  hasRoom(task, mm, mm.vmas.cuts(from, to));

export function overLimit(task: Task, mm: Mm, size: number, prot: number, shared: boolean): boolean {
  if (overSpace(task, mm, size)) return true;
  return !shared && (prot & PROT_WRITE) !== 0 && overData(task, mm, size);
}

/** Of a stack, RLIMIT_AS counts only the used part: as far as Linux would have let it grow. */
export function overSpace(task: Task, mm: Mm, size: number): boolean {
  const over = mm.totalPages * PAGE_SIZE + size - task.rlimit(RLIMIT_AS);
  return over > 0 && over > unusedStack(mm);
}

/** RLIMIT_DATA counts private memory that may be written. */
export function overData(task: Task, mm: Mm, size: number): boolean {
  const limit = task.rlimit(RLIMIT_DATA);
  return Number.isFinite(limit) && mm.vmas.dataPages() * PAGE_SIZE + size > limit;
}

/** Whether `size` bytes exceed what may be committed (vm.overcommit_memory). */
export const overCommit = (task: Task, size: number): boolean =>
  task.kernel.memoryRules.refuses(size / PAGE_SIZE);

/** Whether the task may lock memory at all. */
export const canLock = (task: Task): boolean =>
  task.rlimit(RLIMIT_MEMLOCK) !== 0 || capable(task.cred, CAP_IPC_LOCK);

/** Whether `size` more bytes with these flags fit into RLIMIT_MEMLOCK. */
export function lockFits(task: Task, mm: Mm, size: number, flags: number): boolean {
  if ((flags & VM_LOCKED) === 0 || capable(task.cred, CAP_IPC_LOCK)) return true;
  return lockedBytes(mm) + size <= task.rlimit(RLIMIT_MEMLOCK);
}

/** Bytes that count against RLIMIT_MEMLOCK. */
export const lockedBytes = (mm: Mm): number => mm.vmas.lockedPages() * PAGE_SIZE - unusedStack(mm, VM_LOCKED);
