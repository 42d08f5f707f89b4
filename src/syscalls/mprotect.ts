/** mprotect(2): the rules; mm/ does the work. */
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../engine/engine.ts';
import type { Task } from '../kernel/task.ts';
import { wrap64 } from '../lib/int64.ts';
import { faultIn, isFilled } from '../mm/advice.ts';
import type { Mm } from '../mm/mm.ts';
import { PAGE_SIZE, pageUp } from '../mm/ram.ts';
import { VM_GROWSDOWN, VM_MAYWRITE, VM_NOEXEC, VM_NORESERVE, VM_SEALED, type Vma } from '../mm/vma.ts';
import { EACCES, EINVAL, ENOMEM, EPERM } from '../uapi/errno.ts';
import { address, call, extent, flags, foreseeable, type Syscall } from './args.ts';
import { mayCut, overCommit, overData } from './mm-limits.ts';

export const PROT_NAMES = { PROT_NONE: 0, PROT_READ: 1, PROT_WRITE: 2, PROT_EXEC: 4 };
export const PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC;
/** Accepted without effect. */
const PROT_SEM = 8;
const PROT_GROWSDOWN = 0x01000000;
const PROT_GROWSUP = 0x02000000;

export function mprotect(task: Task, addr: number, len: number, prot: number): number {
  const { mm } = task;
  const grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
  if (mm === null || grows === (PROT_GROWSDOWN | PROT_GROWSUP) || addr % PAGE_SIZE !== 0) return -EINVAL;
  if (len === 0) return 0;
  const end = wrap64(addr + wrap64(pageUp(len)));
  if (end <= addr) return -ENOMEM;
  if ((prot & ~(PROT_ALL | PROT_SEM | grows)) !== 0) return -EINVAL;
  const first = mm.vmas.at(mm.vmas.indexAfter(addr));
  if (first === undefined || first.start >= end || (grows === 0 && first.start > addr)) return -ENOMEM;
  if (grows !== 0 && (grows === PROT_GROWSUP || (first.flags & VM_GROWSDOWN) === 0)) return -EINVAL;
  return protectAreas(task, mm, grows === 0 ? addr : first.start, end, prot & PROT_ALL);
}

/** Area by area: the areas before a hole, or before one that cannot be changed, change all the same. */
function protectAreas(task: Task, mm: Mm, start: number, end: number, prot: number): number {
  const covered = mm.vmas.coveredFrom(start, end);
  if (!mayCut(task, mm, start, covered)) return -ENOMEM;
  let stop = covered;
  let failed = covered < end ? -ENOMEM : 0;
  const own: [number, number][] = [];
  for (const vma of mm.vmas.within(start, covered)) {
    const [from, to] = [Math.max(start, vma.start), Math.min(covered, vma.end)];
    const denied = mayProtect(task, mm, vma, prot, to - from);
    if (denied < 0) {
      stop = from;
      failed = denied;
      break;
    }
    if (becomesOwn(vma, prot)) own.push([from, to]);
  }
  if (stop > start) mm.protect(start, stop - start, prot);
  for (const [from, to] of own) faultIn(mm, from, to);
  return failed;
}

/** Locked private pages are copied as soon as they may be written. */
const becomesOwn = (vma: Vma, prot: number): boolean =>
  isFilled(vma.flags) && !vma.shared && (vma.prot & PROT_WRITE) === 0 && (prot & PROT_WRITE) !== 0;

function mayProtect(task: Task, mm: Mm, vma: Vma, prot: number, size: number): number {
  const writes = (prot & PROT_WRITE) !== 0;
  if (writes && (vma.flags & VM_MAYWRITE) === 0) return -EACCES;
  if ((prot & PROT_EXEC) !== 0 && (vma.flags & VM_NOEXEC) !== 0) return -EACCES;
  if ((vma.flags & VM_SEALED) !== 0) return -EPERM;
  if (!writes || vma.shared || (vma.prot & PROT_WRITE) !== 0) return 0;
  if (overData(task, mm, size)) return -ENOMEM;
  return (vma.flags & VM_NORESERVE) === 0 && overCommit(task, size) ? -ENOMEM : 0;
}

export const mprotectCalls: readonly Syscall[] = [
  foreseeable(call('mprotect', [address('addr'), extent('len'), flags('prot', PROT_NAMES)], mprotect), {
    act: 'protect',
    args: ['place', 'word', 'int'],
    run: (task, [addr, len, prot]) => mprotect(task, addr!, len!, prot!),
  }),
];
