/** madvise(2), process_madvise(2), mseal(2). */
import { CAP_SYS_NICE, capable } from '../core/cred.ts';
import { PROT_READ, PROT_WRITE } from '../engine/engine.ts';
import { mayRead } from '../kernel/ptrace-access.ts';
import type { Task } from '../kernel/task.ts';
import { wrap64 } from '../lib/int64.ts';
import { dropPages, faultInArea, punch, setForkFlag } from '../mm/advice.ts';
import { installGuards, removeGuards } from '../mm/guards.ts';
import type { Mm } from '../mm/mm.ts';
import { PAGE_SIZE, pageUp } from '../mm/ram.ts';
import {
  VM_DONTDUMP,
  VM_DONTFORK,
  VM_DROPPABLE,
  VM_LOCKED,
  VM_SEALED,
  VM_WIPEONFORK,
  type Vma,
} from '../mm/vma.ts';
import { EACCES, EINVAL, ENOMEM, EPERM, ESRCH } from '../uapi/errno.ts';
import * as mman from '../uapi/mman.ts';
import { address, call, extent, fd, int, oneOf, pointer, type Syscall, uint, ulong } from './args.ts';
import { processOfFd } from './kill.ts';
import { hasRoom, mayCut } from './mm-limits.ts';
import { mprotect } from './mprotect.ts';
import { type IoVector, readVector } from './vector.ts';

/** Advice for a part [from, to) of one area: 0 or -errno. */
type Advise = (mm: Mm, vma: Vma, from: number, to: number) => number;

/** Advice without an effect that a program could see. */
const hint: Advise = () => 0;
/** The same for advice to evict pages, which locked ones refuse. */
const cold: Advise = (_mm, vma) => ((vma.flags & VM_LOCKED) !== 0 ? -EINVAL : 0);

const drop =
  (advice: number, alsoLocked = false): Advise =>
  (mm, vma, from, to) =>
    !alsoLocked && (vma.flags & VM_LOCKED) !== 0 ? -EINVAL : dropPages(mm, vma, from, to, advice);

const forkFlag =
  (flag: number, on: boolean, advice: number): Advise =>
  (mm, vma, from, to) => {
    if (advice === mman.MADV_WIPEONFORK && (vma.backing !== null || vma.shared)) return -EINVAL;
    if (advice === mman.MADV_KEEPONFORK && (vma.flags & VM_DROPPABLE) !== 0) return -EINVAL;
    setForkFlag(mm, from, to, flag, on, advice);
    return 0;
  };

/** Sets and clears flags of areas. */
const flag =
  (set: number, clear: number): Advise =>
  (mm, _vma, from, to) =>
    mm.vmas.setFlags(from, to, set, clear);

const populate =
  (right: number, writes: boolean): Advise =>
  (mm, vma, from, to) =>
    (vma.prot & right) === 0 ? -EINVAL : faultInArea(mm, vma, from, to, writes);

const remove: Advise = (_mm, vma, from, to) =>
  (vma.flags & VM_LOCKED) !== 0 ? -EINVAL : punch(vma, from, to);

const guard: Advise = (mm, vma, from, to) => {
  if ((vma.flags & VM_LOCKED) !== 0) return -EINVAL;
  installGuards(mm, from, to);
  return 0;
};

const unguard: Advise = (mm, vma, from, to) => {
  removeGuards(mm, vma, from, to);
  return 0;
};

const ADVICE: ReadonlyMap<number, Advise> = new Map([
  [mman.MADV_NORMAL, hint],
  [mman.MADV_RANDOM, hint],
  [mman.MADV_SEQUENTIAL, hint],
  [mman.MADV_WILLNEED, hint],
  [mman.MADV_DONTNEED, drop(mman.MADV_DONTNEED)],
  [mman.MADV_FREE, drop(mman.MADV_FREE)],
  [mman.MADV_REMOVE, remove],
  [mman.MADV_DONTFORK, forkFlag(VM_DONTFORK, true, mman.MADV_DONTFORK)],
  [mman.MADV_DOFORK, forkFlag(VM_DONTFORK, false, mman.MADV_DOFORK)],
  [mman.MADV_HUGEPAGE, hint],
  [mman.MADV_NOHUGEPAGE, hint],
  [mman.MADV_DONTDUMP, flag(VM_DONTDUMP, 0)],
  [mman.MADV_DODUMP, flag(0, VM_DONTDUMP)],
  [mman.MADV_WIPEONFORK, forkFlag(VM_WIPEONFORK, true, mman.MADV_WIPEONFORK)],
  [mman.MADV_KEEPONFORK, forkFlag(VM_WIPEONFORK, false, mman.MADV_KEEPONFORK)],
  [mman.MADV_COLD, cold],
  [mman.MADV_PAGEOUT, cold],
  [mman.MADV_POPULATE_READ, populate(PROT_READ, false)],
  [mman.MADV_POPULATE_WRITE, populate(PROT_WRITE, true)],
  [mman.MADV_DONTNEED_LOCKED, drop(mman.MADV_DONTNEED, true)],
  [mman.MADV_GUARD_INSTALL, guard],
  [mman.MADV_GUARD_REMOVE, unguard],
]);

/** Advice that discards memory: refused for sealed anonymous areas that cannot be written. */
const LOSES: ReadonlySet<number> = new Set([
  mman.MADV_DONTNEED,
  mman.MADV_FREE,
  mman.MADV_REMOVE,
  mman.MADV_DONTFORK,
  mman.MADV_WIPEONFORK,
  mman.MADV_DONTNEED_LOCKED,
  mman.MADV_GUARD_INSTALL,
]);

/** Advice that areas remember; it may have to cut them. */
const CUTS: ReadonlySet<number> = new Set([
  mman.MADV_DONTFORK,
  mman.MADV_DOFORK,
  mman.MADV_WIPEONFORK,
  mman.MADV_KEEPONFORK,
  mman.MADV_DONTDUMP,
  mman.MADV_DODUMP,
]);

const madvise = (task: Task, addr: number, len: number, advice: number): number =>
  task.mm === null ? -EINVAL : adviseRange(task, task.mm, addr, len, advice);

function adviseRange(task: Task, mm: Mm, addr: number, len: number, advice: number): number {
  const advise = ADVICE.get(advice);
  if (advise === undefined || addr % PAGE_SIZE !== 0) return -EINVAL;
  const size = wrap64(pageUp(len));
  const end = wrap64(addr + size);
  if ((len !== 0 && size === 0) || end < addr) return -EINVAL;
  if (CUTS.has(advice) && !mayCut(task, mm, addr, end)) return -ENOMEM;
  // Each run of guard pages costs the host two more areas.
  if (advise === guard && !hasRoom(task, mm, 2)) return -ENOMEM;
  return adviseAreas(mm, addr, end, advice, advise);
}

/** Area by area. Holes are skipped, and -ENOMEM is the result in the end; but advice to populate stops at a hole. */
function adviseAreas(mm: Mm, start: number, end: number, advice: number, advise: Advise): number {
  const fills = advice === mman.MADV_POPULATE_READ || advice === mman.MADV_POPULATE_WRITE;
  const covered = mm.vmas.coveredFrom(start, end);
  for (let at = start; ; ) {
    const vma = mm.vmas.at(mm.vmas.indexAfter(at));
    if (vma === undefined || vma.start >= end || (fills && vma.start > at)) break;
    const from = Math.max(at, vma.start);
    at = Math.min(end, vma.end);
    const failed = isKept(vma, advice) ? -EPERM : advise(mm, vma, from, at);
    if (failed < 0) return failed;
    if (at >= end) break;
  }
  return covered < end ? -ENOMEM : 0;
}

const isKept = (vma: Vma, advice: number): boolean =>
  (vma.flags & VM_SEALED) !== 0 && LOSES.has(advice) && vma.backing === null && (vma.prot & PROT_WRITE) === 0;

/** What a process may advise another; for itself it may use any advice. */
const FOR_OTHERS: ReadonlySet<number> = new Set([mman.MADV_COLD, mman.MADV_PAGEOUT, mman.MADV_WILLNEED]);

function processMadvise(
  task: Task,
  pidfd: number,
  vec: number,
  count: number,
  advice: number,
  how: number,
): number {
  if (how !== 0) return -EINVAL;
  const vector = readVector(task.user, vec, count);
  if (typeof vector === 'number') return vector;
  const group = processOfFd(task, pidfd);
  if (typeof group === 'number') return group;
  const mm = group.leader.mm;
  if (mm === null) return -ESRCH;
  if (mm !== task.mm) {
    if (!mayRead(task, group.leader)) return -EACCES;
    if (!FOR_OTHERS.has(advice)) return -EINVAL;
    if (!capable(task.cred, CAP_SYS_NICE)) return -EPERM;
  }
  return adviseVector(task, mm, vector, advice);
}

/** Returns bytes advised; a failure is the result only if nothing was done before it. */
function adviseVector(task: Task, mm: Mm, { words, count }: IoVector, advice: number): number {
  let done = 0;
  for (let i = 0; i < count; i++) {
    const failed = adviseRange(task, mm, words[2 * i]!, words[2 * i + 1]!, advice);
    if (failed < 0) return done > 0 ? done : failed;
    done += words[2 * i + 1]!;
  }
  return done;
}

/** mseal(2): areas stay mapped as they are until the program ends. */
function mseal(task: Task, addr: number, len: number, how: number): number {
  const { mm } = task;
  if (mm === null || how !== 0 || addr % PAGE_SIZE !== 0) return -EINVAL;
  const size = wrap64(pageUp(len));
  const end = wrap64(addr + size);
  if ((len !== 0 && size === 0) || end < addr) return -EINVAL;
  if (!mm.vmas.covering(addr, end) || !mayCut(task, mm, addr, end)) return -ENOMEM;
  return mm.vmas.setFlags(addr, end, VM_SEALED, 0);
}

/** As on a processor without protection keys: no key is valid, not even 0. */
function pkeyMprotect(task: Task, addr: number, len: number, prot: number, key: number): number {
  return key === -1 ? mprotect(task, addr, len, prot) : -EINVAL;
}

const NOTE_KEYS = 'no protection keys, as on a processor without them';
const { MADV_NORMAL, MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE } = mman;
const NAMES = { MADV_NORMAL, MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE };

export const madviseCalls: readonly Syscall[] = [
  call(
    'madvise',
    [address('addr'), extent('length'), oneOf('advice', NAMES)],
    madvise,
    'no MADV_MERGEABLE, MADV_COLLAPSE',
  ),
  call(
    'process_madvise',
    [fd('pidfd'), pointer('iovec'), ulong('vlen'), oneOf('advice', NAMES), uint('flags')],
    processMadvise,
  ),
  call('mseal', [address('addr'), extent('len'), ulong('flags')], mseal),
  call('pkey_mprotect', [address('addr'), extent('len'), int('prot'), int('pkey')], pkeyMprotect, NOTE_KEYS),
  call('pkey_alloc', [ulong('flags'), ulong('access_rights')], () => -EINVAL, NOTE_KEYS),
  call('pkey_free', [int('pkey')], () => -EINVAL, NOTE_KEYS),
];
