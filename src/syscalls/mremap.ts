/** mremap(2) of Linux 6.17 and later: several areas may be moved together if they keep their size. */
import type { Task } from '../kernel/task.ts';
import { wrap64 } from '../lib/int64.ts';
import { faultIn, isFilled } from '../mm/advice.ts';
import type { Mm } from '../mm/mm.ts';
import { MMAP_MIN, TASK_SIZE } from '../mm/places.ts';
import { PAGE_SIZE, pageUp } from '../mm/ram.ts';
import { VM_LOCKED_MASK, VM_NORESERVE, VM_SEALED, type Vma } from '../mm/vma.ts';
import { EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM } from '../uapi/errno.ts';
import { MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from '../uapi/mman.ts';
import { address, call, extent, flags, type Syscall } from './args.ts';
import { hasRoom, lockFits, overCommit, overLimit } from './mm-limits.ts';

const FLAGS = { MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP };
const KNOWN = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;

/** The request, with lengths rounded up to whole pages. */
interface Move {
  readonly task: Task;
  readonly mm: Mm;
  readonly addr: number;
  readonly from: number;
  readonly to: number;
  readonly how: number;
  readonly wish: number;
}

function mremap(task: Task, addr: number, oldLen: number, newLen: number, how: number, wish: number): number {
  const { mm } = task;
  if (mm === null) return -EFAULT;
  const move: Move = { task, mm, addr, from: wrap64(pageUp(oldLen)), to: wrap64(pageUp(newLen)), how, wish };
  const wrong = checkRequest(move);
  if (wrong < 0) return wrong;
  const vma = mm.vmas.find(addr);
  if (vma === null) return -EFAULT;
  if ((vma.flags & VM_SEALED) !== 0) return -EPERM;
  if (move.from === 0 && !vma.shared) return -EINVAL;
  return resize(move, vma);
}

function checkRequest({ task, mm, addr, from, to, how, wish }: Move): number {
  if ((how & ~KNOWN) !== 0 || addr % PAGE_SIZE !== 0 || to === 0 || to > TASK_SIZE) return -EINVAL;
  if ((how & (MREMAP_FIXED | MREMAP_DONTUNMAP)) === 0) return 0;
  if ((how & MREMAP_MAYMOVE) === 0) return -EINVAL;
  if ((how & MREMAP_DONTUNMAP) !== 0 && from !== to) return -EINVAL;
  if (wish > TASK_SIZE - to || wish % PAGE_SIZE !== 0) return -EINVAL;
  if (wish < addr + from && addr < wish + to) return -EINVAL;
  return hasRoom(task, mm, 3) ? 0 : -ENOMEM;
}

function resize(move: Move, vma: Vma): number {
  const { mm, addr, from, to, how } = move;
  const moves = (how & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;
  const inside = addr + Math.min(from, to) <= vma.end;
  if (!moves && to === from) return addr;
  if (to < from && addr + from > TASK_SIZE) return -EINVAL;
  if (to < from && mm.vmas.isSealed(addr + to, addr + from)) return -EPERM;
  if (!moves && to < from) {
    mm.unmap(addr + to, from - to);
    return addr;
  }
  if (!inside) return (how & MREMAP_FIXED) !== 0 && to === from ? moveSeveral(move) : -EFAULT;
  const refused = to > from ? mayGrow(move, vma) : 0;
  if (refused < 0) return refused;
  if (!moves && from > 0 && addr + from === vma.end && mm.isFree(vma.end, to - from))
    return extend(move, vma);
  return moveOne(move, vma);
}

/** Checks the limits for a longer area: 0, -EAGAIN or -ENOMEM. */
function mayGrow({ task, mm, from, to }: Move, vma: Vma): number {
  const more = to - from;
  if (!lockFits(task, mm, more, vma.flags)) return -EAGAIN;
  if (overLimit(task, mm, more, vma.prot, vma.shared)) return -ENOMEM;
  const counts = !vma.shared && (vma.prot & 2) !== 0 && (vma.flags & VM_NORESERVE) === 0;
  return counts && overCommit(task, more) ? -ENOMEM : 0;
}

function extend({ mm, addr, from, to }: Move, vma: Vma): number {
  mm.extend(vma, to - from);
  if (isFilled(vma.flags)) faultIn(mm, addr + from, addr + to);
  return addr;
}

function moveOne(move: Move, vma: Vma): number {
  const { mm, addr, from, to, how } = move;
  if ((how & MREMAP_MAYMOVE) === 0) return -ENOMEM;
  const place = choosePlace(move);
  if (place < 0) return place;
  if ((how & MREMAP_FIXED) !== 0) mm.unmap(place, to);
  if (from === 0) return mm.duplicate(vma, place, to, vma.posOf(addr));
  if (to < from) mm.unmap(addr + to, from - to);
  transfer(mm, addr, Math.min(from, to), to, place, (how & MREMAP_DONTUNMAP) !== 0);
  if (to > from && isFilled(vma.flags)) faultIn(mm, place + from, place + to);
  return place;
}

function choosePlace({ mm, to, how, wish }: Move): number {
  if ((how & MREMAP_FIXED) !== 0) {
    if (wish < MMAP_MIN) return -EPERM;
    if (!mm.isAllowed(wish, to)) return -EINVAL;
    return mm.vmas.isSealed(wish, wish + to) ? -EPERM : wish;
  }
  const hint = pageUp(wish);
  const hinted = (how & MREMAP_DONTUNMAP) !== 0 && hint > 0 && mm.isFree(hint, to, true);
  return hinted ? hint : mm.findFree(to);
}

/** Moves all areas in the range and keeps the holes between them; the new place is untouched where a hole comes. */
function moveSeveral(move: Move): number {
  const { mm, addr, from, how, wish } = move;
  const keep = (how & MREMAP_DONTUNMAP) !== 0;
  const parts = [...mm.vmas.within(addr, addr + from)].map(({ start, end, flags }) => ({
    start: Math.max(start, addr),
    end: Math.min(end, addr + from),
    flags,
  }));
  for (const { start, end, flags } of parts) {
    const place = choosePlace({ ...move, to: end - start, wish: wish + (start - addr) });
    if (place < 0) return place;
    if ((flags & VM_SEALED) !== 0) return -EPERM;
    mm.unmap(place, end - start);
    transfer(mm, start, end - start, end - start, place, keep);
  }
  return wish;
}

/** `keep`: the pages move but an empty area stays, and the area it was part of is no longer locked. */
function transfer(mm: Mm, from: number, len: number, newLen: number, place: number, keep: boolean): void {
  const whole = mm.vmas.find(from)!;
  const [start, end] = [whole.start, whole.end];
  const [vma] = mm.vmas.isolate(from, from + len);
  const left = vma!.slice(from, from + len);
  const held = keep ? (left.backing?.get() ?? null) : null;
  mm.move(from, len, newLen, place);
  if (!keep) return;
  mm.duplicate(left, from, len, left.pos);
  mm.vmas.setFlags(start, end, 0, VM_LOCKED_MASK);
  held?.put();
}

export const mremapCalls: readonly Syscall[] = [
  call(
    'mremap',
    [
      address('old_address'),
      extent('old_size'),
      extent('new_size'),
      flags('flags', FLAGS),
      address('new_address'),
    ],
    mremap,
  ),
];
