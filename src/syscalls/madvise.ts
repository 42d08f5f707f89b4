/** madvise(2), msync(2), mincore(2), mlock(2) and the like. */

import { CAP_IPC_LOCK, capable } from '../core/cred.ts';
import type { Task } from '../kernel/task.ts';
import { type Mm, TASK_SIZE } from '../mm/mm.ts';
import { PAGE_SIZE, pageUp } from '../mm/ram.ts';
import { VM_DONTFORK, VM_LOCKED, VM_WIPEONFORK } from '../mm/vma.ts';
import { EBUSY, EINVAL, ENOMEM, EPERM } from '../uapi/errno.ts';
import {
  MADV_COLD,
  MADV_DODUMP,
  MADV_DOFORK,
  MADV_DONTDUMP,
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_DONTNEED_LOCKED,
  MADV_FREE,
  MADV_HUGEPAGE,
  MADV_KEEPONFORK,
  MADV_NOHUGEPAGE,
  MADV_NORMAL,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MADV_RANDOM,
  MADV_REMOVE,
  MADV_SEQUENTIAL,
  MADV_WILLNEED,
  MADV_WIPEONFORK,
  MCL_CURRENT,
  MCL_FUTURE,
  MCL_ONFAULT,
  MS_ASYNC,
  MS_INVALIDATE,
  MS_SYNC,
} from '../uapi/mman.ts';
import { RLIMIT_MEMLOCK } from '../uapi/resource.ts';
import { call, flags, int, oneOf, pointer, type Syscall, ulong } from './args.ts';

/** Advice that changes nothing that a program could see. */
const HINTS: ReadonlySet<number> = new Set([
  MADV_NORMAL,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  MADV_WILLNEED,
  MADV_HUGEPAGE,
  MADV_NOHUGEPAGE,
  MADV_DONTDUMP,
  MADV_DODUMP,
  MADV_COLD,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
]);

function madvise(task: Task, addr: number, len: number, advice: number): number {
  const { mm } = task;
  if (mm === null || addr % PAGE_SIZE !== 0) return -EINVAL;
  const size = pageUp(len);
  if (!(size >= 0) || addr + size > TASK_SIZE) return -EINVAL;
  if (!isKnown(advice)) return -EINVAL;
  if (size === 0) return 0;
  const whole = mm.vmas.covering(addr, addr + size);
  const err = apply(task, addr, size, advice);
  return err < 0 ? err : whole ? 0 : -ENOMEM;
}

const isKnown = (advice: number): boolean =>
  HINTS.has(advice) ||
  [
    MADV_DONTNEED,
    MADV_FREE,
    MADV_REMOVE,
    MADV_DONTFORK,
    MADV_DOFORK,
    MADV_WIPEONFORK,
    MADV_KEEPONFORK,
  ].includes(advice) ||
  advice === MADV_DONTNEED_LOCKED;

function apply(task: Task, addr: number, size: number, advice: number): number {
  const mm = task.mm!;
  switch (advice) {
    case MADV_DONTNEED:
      return isLocked(mm, addr, size) ? -EINVAL : mm.dontNeed(addr, size, MADV_DONTNEED);
    case MADV_DONTNEED_LOCKED:
      return mm.dontNeed(addr, size, MADV_DONTNEED);
    case MADV_FREE:
      return mm.isAnonymous(addr, size) ? mm.dontNeed(addr, size, MADV_FREE) : -EINVAL;
    case MADV_REMOVE:
      return isLocked(mm, addr, size) ? -EINVAL : mm.punch(addr, size);
    case MADV_DONTFORK:
      mm.setForkFlags(addr, size, VM_DONTFORK, 0, advice);
      return 0;
    case MADV_DOFORK:
      mm.setForkFlags(addr, size, 0, VM_DONTFORK, advice);
      return 0;
    case MADV_WIPEONFORK:
      if (!mm.isAnonymous(addr, size)) return -EINVAL;
      mm.setForkFlags(addr, size, VM_WIPEONFORK, 0, advice);
      return 0;
    case MADV_KEEPONFORK:
      mm.setForkFlags(addr, size, 0, VM_WIPEONFORK, advice);
      return 0;
    default:
      return 0;
  }
}

function isLocked(mm: Mm, addr: number, size: number): boolean {
  for (const vma of mm.vmas)
    if (vma.end > addr && vma.start < addr + size && (vma.flags & VM_LOCKED) !== 0) return true;
  return false;
}

function msync(task: Task, addr: number, len: number, how: number): number {
  const { mm } = task;
  if (mm === null || addr % PAGE_SIZE !== 0) return -EINVAL;
  if ((how & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0) return -EINVAL;
  if ((how & MS_ASYNC) !== 0 && (how & MS_SYNC) !== 0) return -EINVAL;
  const size = pageUp(len);
  if (!(size >= 0) || addr + size > TASK_SIZE) return -ENOMEM;
  let locked = false;
  for (const vma of mm.vmas) {
    if (vma.end <= addr || vma.start >= addr + size) continue;
    locked ||= (vma.flags & VM_LOCKED) !== 0;
    if (vma.backing === null || !vma.shared) continue;
    const from = Math.max(addr, vma.start);
    const failed = vma.backing.sync(vma.posOf(from), Math.min(addr + size, vma.end) - from);
    if (failed < 0) return failed;
  }
  if (locked && (how & MS_INVALIDATE) !== 0) return -EBUSY;
  return mm.vmas.covering(addr, addr + size) ? 0 : -ENOMEM;
}

function mincore(task: Task, addr: number, len: number, vec: number): number {
  const { mm, user } = task;
  if (mm === null || addr % PAGE_SIZE !== 0) return -EINVAL;
  const size = pageUp(len);
  if (!(size >= 0) || addr + size > TASK_SIZE || !mm.vmas.covering(addr, addr + size)) return -ENOMEM;
  for (let done = 0; done < size / PAGE_SIZE; ) {
    const n = Math.min(size / PAGE_SIZE - done, user.maxWindow);
    const at = user.out(vec + done, n);
    if (at < 0) return at;
    for (let i = 0; i < n; i++) user.ram[at + i] = mm.isResident(addr + (done + i) * PAGE_SIZE) ? 1 : 0;
    done += n;
  }
  return 0;
}

function lockRange(task: Task, addr: number, len: number, lock: boolean): number {
  const { mm } = task;
  if (mm === null) return -ENOMEM;
  const start = Math.floor(addr / PAGE_SIZE) * PAGE_SIZE;
  const size = pageUp(len + (addr - start));
  if (!(size >= 0) || start + size > TASK_SIZE) return -EINVAL;
  if (lock && !capable(task.cred, CAP_IPC_LOCK)) {
    const limit = task.rlimit(RLIMIT_MEMLOCK);
    if (limit === 0) return -EPERM;
    if (mm.lockedPages() * PAGE_SIZE + size > limit) return -ENOMEM;
  }
  if (size === 0) return 0;
  if (!mm.vmas.covering(start, start + size)) return -ENOMEM;
  for (const vma of mm.vmas.isolate(start, start + size)) {
    vma.flags = lock ? vma.flags | VM_LOCKED : vma.flags & ~VM_LOCKED;
  }
  mm.vmas.join(start, start + size);
  return 0;
}

const mlock = (task: Task, addr: number, len: number): number => lockRange(task, addr, len, true);
const munlock = (task: Task, addr: number, len: number): number => lockRange(task, addr, len, false);

function mlock2(task: Task, addr: number, len: number, how: number): number {
  return (how & ~1) !== 0 ? -EINVAL : lockRange(task, addr, len, true);
}

function mlockall(task: Task, how: number): number {
  if (how === 0 || (how & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) !== 0 || how === MCL_ONFAULT)
    return -EINVAL;
  if (capable(task.cred, CAP_IPC_LOCK)) return 0;
  const limit = task.rlimit(RLIMIT_MEMLOCK);
  if (limit === 0) return -EPERM;
  return (task.mm?.totalPages ?? 0) * PAGE_SIZE > limit ? -ENOMEM : 0;
}

const NOTE_LOCK = 'memory is never written to a disk, so locking is a matter of limits and /proc alone';

export const madviseCalls: readonly Syscall[] = [
  call(
    'madvise',
    [
      pointer('addr'),
      ulong('length'),
      oneOf('advice', { MADV_NORMAL, MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE }),
    ],
    madvise,
  ),
  call(
    'msync',
    [pointer('addr'), ulong('length'), flags('flags', { MS_ASYNC, MS_SYNC, MS_INVALIDATE })],
    msync,
  ),
  call('mincore', [pointer('addr'), ulong('length'), pointer('vec')], mincore),
  call('mlock', [pointer('addr'), ulong('len')], mlock, NOTE_LOCK),
  call('mlock2', [pointer('addr'), ulong('len'), int('flags')], mlock2, NOTE_LOCK),
  call('munlock', [pointer('addr'), ulong('len')], munlock),
  call('mlockall', [flags('flags', { MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT })], mlockall, NOTE_LOCK),
  call('munlockall', [], () => 0),
];
