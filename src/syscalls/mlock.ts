/** mlock(2), mlock2(2), munlock(2), mlockall(2), munlockall(2). */
import { CAP_IPC_LOCK, capable } from '../core/cred.ts';
import type { Task } from '../kernel/task.ts';
import { wrap64 } from '../lib/int64.ts';
import { faultIn } from '../mm/advice.ts';
import type { Mm } from '../mm/mm.ts';
import { TASK_SIZE } from '../mm/places.ts';
import { PAGE_SIZE, pageDown, pageUp } from '../mm/ram.ts';
import { lowestUsed, unusedStack } from '../mm/stack.ts';
import { VM_LOCKED, VM_LOCKED_MASK, VM_LOCKONFAULT } from '../mm/vma.ts';
import { EINVAL, ENOMEM, EPERM } from '../uapi/errno.ts';
import { MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT, MLOCK_ONFAULT } from '../uapi/mman.ts';
import { RLIMIT_MEMLOCK } from '../uapi/resource.ts';
import { address, call, extent, flags, type Syscall } from './args.ts';
import { canLock, lockedBytes, mayCut } from './mm-limits.ts';

function lockRange(task: Task, addr: number, len: number, lock: number): number {
  const { mm } = task;
  if (mm === null) return -ENOMEM;
  if (lock !== 0 && !canLock(task)) return -EPERM;
  const start = pageDown(addr);
  // Rounded separately: a sum near 2^64 would lose the bytes below a page.
  const size = wrap64(pageDown(len) + pageUp((len % PAGE_SIZE) + (addr - start)));
  if (lock !== 0 && !withinLimit(task, mm, start, size)) return -ENOMEM;
  const end = wrap64(start + size);
  if (end < start) return -EINVAL;
  if (end === start) return 0;
  if (!mayCut(task, mm, start, end)) return -ENOMEM;
  const failed = mm.vmas.setFlags(start, end, lock, VM_LOCKED_MASK);
  if (failed < 0 || lock === 0) return failed;
  return faultIn(mm, start, end) < 0 ? -ENOMEM : 0;
}

function withinLimit(task: Task, mm: Mm, start: number, size: number): boolean {
  if (capable(task.cred, CAP_IPC_LOCK)) return true;
  const fresh = size - mm.vmas.lockedPages(start, start + size) * PAGE_SIZE;
  return lockedBytes(mm) + fresh <= task.rlimit(RLIMIT_MEMLOCK);
}

const mlock = (task: Task, addr: number, len: number): number => lockRange(task, addr, len, VM_LOCKED);
const munlock = (task: Task, addr: number, len: number): number => lockRange(task, addr, len, 0);

function mlock2(task: Task, addr: number, len: number, how: number): number {
  if ((how & ~MLOCK_ONFAULT) !== 0) return -EINVAL;
  return lockRange(task, addr, len, how === 0 ? VM_LOCKED : VM_LOCKED_MASK);
}

function mlockall(task: Task, how: number): number {
  const { mm } = task;
  if (mm === null || how === 0 || (how & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) !== 0) return -EINVAL;
  if (how === MCL_ONFAULT) return -EINVAL;
  if (!canLock(task)) return -EPERM;
  const all = (how & MCL_CURRENT) !== 0;
  const free = !all || capable(task.cred, CAP_IPC_LOCK);
  if (!free && mm.totalPages * PAGE_SIZE - unusedStack(mm) > task.rlimit(RLIMIT_MEMLOCK)) return -ENOMEM;
  const lock = VM_LOCKED | ((how & MCL_ONFAULT) !== 0 ? VM_LOCKONFAULT : 0);
  mm.defFlags = (how & MCL_FUTURE) !== 0 ? lock : 0;
  if (all) lockAll(mm, lock);
  return 0;
}

function lockAll(mm: Mm, lock: number): void {
  for (const vma of mm.vmas) vma.flags = (vma.flags & ~VM_LOCKED_MASK) | lock;
  mm.vmas.join(0, TASK_SIZE);
  // Pages that cannot be filled in, such as those past a file's end, are no error.
  if (lock === VM_LOCKED) for (const vma of mm.vmas) faultIn(mm, lowestUsed(mm, vma), vma.end);
}

function munlockall(task: Task): number {
  if (task.mm === null) return 0;
  task.mm.defFlags = 0;
  lockAll(task.mm, 0);
  return 0;
}

const NOTE = 'the machine never swaps; locking brings pages in at once, and counts them';

export const mlockCalls: readonly Syscall[] = [
  call('mlock', [address('addr'), extent('len')], mlock, NOTE),
  call('mlock2', [address('addr'), extent('len'), flags('flags', { MLOCK_ONFAULT })], mlock2, NOTE),
  call('munlock', [address('addr'), extent('len')], munlock),
  call('mlockall', [flags('flags', { MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT })], mlockall, NOTE),
  call('munlockall', [], munlockall),
];
