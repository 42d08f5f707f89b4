/**
 * A call made before its program asked for it, and how to undo it if the program does something else: then everything
 * is as if the call had not been made.
 */
import type { Mm } from '../../mm/mm.ts';
import { PAGE_SIZE, pageUp } from '../../mm/ram.ts';
import { VM_SEALED, Vma } from '../../mm/vma.ts';
import { MAP_FIXED } from '../../uapi/mman.ts';
import type { OpenedAlong } from '../along.ts';
import type { Task } from '../task.ts';
import type { Step } from './step.ts';

const PROT_READ = 1;
const NO_AREAS: readonly Vma[] = [];
/** How far below its first frame a program's stack may be written without regard to what is there. */
const SCRATCH = 0x1000;

export class Ahead {
  readonly step: Step;
  readonly args: readonly number[];
  readonly result: number;
  /** The file that the call opened. */
  opened: OpenedAlong | null = null;
  /** What it writes where an argument points. */
  written: Uint8Array | null;
  /** The areas that its mapping replaced. */
  replaced: readonly Vma[] = NO_AREAS;

  constructor(step: Step, args: readonly number[], result: number) {
    this.step = step;
    this.args = args;
    this.result = result;
    this.written = null;
  }

  /** The program has made the call, so what was left to it has happened. */
  commit(task: Task): void {
    const { mm } = task;
    if (mm === null) return;
    const { how } = this.step;
    if (how?.act === 'unmap') how.run(task, this.args, this.step);
    else if (how?.act === 'protect') protect(mm, this.args);
  }

  undo(task: Task): void {
    const { mm } = task;
    if (mm === null || this.step.how?.act !== 'map') return;
    mm.unmap(this.result, pageUp(this.args[1]!));
    for (const area of this.replaced) mm.map(area);
    this.replaced = NO_AREAS;
  }

  /** The call is neither to be done nor undone any more. */
  drop(): void {
    for (const { backing } of this.replaced) backing?.put();
    this.replaced = NO_AREAS;
    this.opened?.file.put();
    this.opened = null;
  }
}

/** Null if the call cannot be made, or could not be undone, or has another result than it had. */
export function makeAhead(task: Task, step: Step, args: readonly number[]): Ahead | null {
  const { mm } = task;
  if (mm === null || step.how === null) return null;
  switch (step.how.act) {
    case 'map':
      return mapAhead(task, mm, step, args);
    case 'unmap':
      return unmapAhead(mm, step, args);
    case 'protect':
      return protectAhead(mm, step, args);
    case 'query':
      return queryAhead(task, mm, step, args);
    case 'open':
      return openAhead(task, step, args);
  }
}

/** A fixed mapping replaces nothing that the program could still use (`AheadCalls`). */
function mapAhead(task: Task, mm: Mm, step: Step, args: readonly number[]): Ahead | null {
  const replaced =
    (args[3]! & MAP_FIXED) !== 0 ? areasOf(mm, args[0]!, args[0]! + pageUp(args[1]!)) : NO_AREAS;
  const result = step.how!.run(task, args, step);
  const call = new Ahead(step, args, typeof result === 'number' ? result : -1);
  call.replaced = replaced;
  if (call.result >= 0) return call;
  call.drop();
  return null;
}

/** Copies of the areas in [start, end), to map them again. */
function areasOf(mm: Mm, start: number, end: number): Vma[] {
  const areas: Vma[] = [];
  for (const vma of mm.vmas.within(start, end)) {
    const from = Math.max(start, vma.start);
    const copy = new Vma(from, Math.min(end, vma.end), vma.prot, vma.flags);
    copy.backing = vma.backing?.get() ?? null;
    copy.pos = vma.backing === null ? 0 : vma.posOf(from);
    copy.name = vma.name;
    areas.push(copy);
  }
  return areas;
}

/** The area whose end the thread may move on its own (mm/own-break.ts). */
const isHeap = ({ name }: Vma): boolean => name === '[heap]';

/**
 * The thread does this when it comes to it, and we learn of it afterwards. Only for calls that take rights away from
 * private memory.
 */
function protectAhead(mm: Mm, step: Step, args: readonly number[]): Ahead | null {
  const [start, size, prot] = [args[0]!, pageUp(args[1]!), args[2]!];
  const end = start + size;
  if (prot !== PROT_READ || size === 0 || start % PAGE_SIZE !== 0) return null;
  if (!mm.vmas.covering(start, end) || mm.guards.touches(start, end)) return null;
  for (const vma of mm.vmas.within(start, end))
    if (vma.shared || (vma.flags & VM_SEALED) !== 0 || isHeap(vma)) return null;
  return new Ahead(step, args, 0);
}

function protect(mm: Mm, [start, len, prot]: readonly number[]): void {
  const size = pageUp(len!);
  if (mm.vmas.covering(start!, start! + size)) mm.protectAreas(start!, size, prot!);
}

/** As above, but we do it, too, when we learn of it: it must be certain that a file's pages are gone. */
function unmapAhead(mm: Mm, step: Step, args: readonly number[]): Ahead | null {
  const [start, size] = [args[0]!, pageUp(args[1]!)];
  const vma = mm.vmas.find(start);
  const isAll = size > 0 && vma !== null && vma.start === start && vma.end === start + size;
  return isAll && !isHeap(vma) ? new Ahead(step, args, 0) : null;
}

/** What the call writes is kept for the program. */
function queryAhead(task: Task, mm: Mm, step: Step, args: readonly number[]): Ahead | null {
  const { user } = task;
  const { out, lasts, run } = step.how!;
  // Any place where it could write.
  const place = mm.startStack - SCRATCH;
  user.keepAt(task.kernel.scratch);
  const result = run(task, out < 0 ? args : args.with(out, place), step);
  const at = out < 0 ? -1 : user.written(place);
  const written = at < 0 ? null : user.ram.slice(at, at + user.writtenLength);
  user.release();
  user.forget();
  const isSuch = typeof result === 'number' && (lasts?.(args, result) ?? result >= 0);
  if (!isSuch || (out >= 0 && result > 0 && written === null)) return null;
  const call = new Ahead(step, args, result);
  call.written = written;
  return call;
}

function openAhead(task: Task, step: Step, args: readonly number[]): Ahead | null {
  const foreseen = task.thread?.foreseen;
  if (!foreseen?.beginFile()) return null;
  const fd = step.how!.run(task, args, step);
  const { openedAlong } = task;
  task.openedAlong = null;
  if (typeof fd === 'number' && fd >= 0 && openedAlong !== null && !isCutShort(task, openedAlong)) {
    const call = new Ahead(step, args, fd);
    call.opened = holdFile(task, openedAlong);
    return call;
  }
  if (typeof fd === 'number' && fd >= 0) task.files.close(fd);
  foreseen.cancelFile();
  return null;
}

export function holdFile({ files }: Task, opened: OpenedAlong): OpenedAlong {
  const { file, fd, flags, may, size, whole, place, left } = opened;
  file.get();
  return { file, fd, flags, may, size, whole, place, cloexec: files.isCloexec(fd), left };
}

/** There is no room for all of a file that would come along whole if the program asked for it. */
const isCutShort = ({ thread }: Task, { file, whole }: OpenedAlong): boolean =>
  !whole && file.inode.wasRead === true && file.inode.size <= thread!.along!.most;
