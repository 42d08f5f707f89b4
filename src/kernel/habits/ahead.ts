/**
 * A call that was made before its program asked for it, and how it is undone if the program does something else: then all
 * is again as if it had not been made.
 */
import type { Mm } from '../../mm/mm.ts';
import { PAGE_SIZE, pageUp } from '../../mm/ram.ts';
import { VM_SEALED, Vma } from '../../mm/vma.ts';
import { MAP_FIXED } from '../../uapi/mman.ts';
import type { OpenedAlong } from '../along.ts';
import type { Task } from '../task.ts';
import type { Step } from './step.ts';

const PROT_READ = 1;

/** A file that was opened, which is held. */
export interface AheadFile extends OpenedAlong {
  readonly cloexec: boolean;
}

export interface Ahead {
  readonly step: Step;
  readonly result: number;
  readonly opened: AheadFile | null;
  /** What it writes to where an argument says. */
  readonly written: Uint8Array | null;
  /** The program has made it: what was left to it has happened. */
  commit(): void;
  undo(): void;
  /** It is neither to be done nor undone any more. */
  drop(): void;
}

/** So far below its first frame a program's stack may be written, as for what lies there. */
const SCRATCH = 0x1000;
const NOTHING = (): void => undefined;

/** Null if it cannot be made, or not so that it could be undone, or not with the result that it had. */
export function makeAhead(task: Task, step: Step, args: readonly number[]): Ahead | null {
  const { mm } = task;
  if (mm === null || step.how === null) return null;
  switch (step.how.act) {
    case 'map':
      return mapAhead(task, mm, step, args);
    case 'unmap':
      return unmapAhead(task, mm, step, args);
    case 'protect':
      return protectAhead(mm, step, args);
    case 'query':
      return queryAhead(task, mm, step, args);
    case 'break':
      return breakAhead(task, mm, step, args[0]!);
    case 'open':
      return openAhead(task, step, args);
  }
}

function mapAhead(task: Task, mm: Mm, step: Step, args: readonly number[]): Ahead | null {
  const len = pageUp(args[1]!);
  const replaced = (args[3]! & MAP_FIXED) !== 0 ? areasOf(mm, args[0]!, args[0]! + len) : [];
  const drop = (): void => {
    for (const { backing } of replaced.splice(0)) backing?.put();
  };
  const result = step.how!.run(task, args, '');
  if (typeof result !== 'number' || result < 0) {
    drop();
    return null;
  }
  const undo = (): void => {
    mm.unmap(result, len);
    for (const area of replaced.splice(0)) mm.map(area);
  };
  return { step, result, opened: null, written: null, commit: NOTHING, undo, drop };
}

/** Copies of the areas in [start, end), to be mapped again. */
function areasOf(mm: Mm, start: number, end: number): Vma[] {
  return [...mm.vmas.within(start, end)].map(vma => {
    const from = Math.max(start, vma.start);
    const copy = new Vma(from, Math.min(end, vma.end), vma.prot, vma.flags);
    copy.backing = vma.backing?.get() ?? null;
    copy.pos = vma.backing === null ? 0 : vma.posOf(from);
    copy.name = vma.name;
    return copy;
  });
}

/** The thread does it when it comes to it, and we hear of it afterwards. Only what takes rights away from private memory. */
function protectAhead(mm: Mm, step: Step, args: readonly number[]): Ahead | null {
  const [start, size, prot] = [args[0]!, pageUp(args[1]!), args[2]!];
  const end = start + size;
  if (prot !== PROT_READ || size === 0 || start % PAGE_SIZE !== 0) return null;
  if (!mm.vmas.covering(start, end) || mm.guards.touches(start, end)) return null;
  for (const vma of mm.vmas.within(start, end)) if (vma.shared || (vma.flags & VM_SEALED) !== 0) return null;
  const commit = (): void => {
    if (mm.vmas.covering(start, end)) mm.protectAreas(start, size, prot);
  };
  return { step, result: 0, opened: null, written: null, commit, undo: NOTHING, drop: NOTHING };
}

/** As above, but that we do it too, when we hear of it: what of a file's pages is gone must be certain. */
function unmapAhead(task: Task, mm: Mm, step: Step, args: readonly number[]): Ahead | null {
  const [start, size] = [args[0]!, pageUp(args[1]!)];
  const vma = mm.vmas.find(start);
  if (size === 0 || vma === null || vma.start !== start || vma.end !== start + size) return null;
  const commit = (): void => {
    step.how!.run(task, args, '');
  };
  return { step, result: 0, opened: null, written: null, commit, undo: NOTHING, drop: NOTHING };
}

/** What it writes is kept for the program. */
function queryAhead(task: Task, mm: Mm, step: Step, args: readonly number[]): Ahead | null {
  const { user } = task;
  const out = step.how!.args.indexOf('out');
  // Somewhere where it could write.
  const place = mm.startStack - SCRATCH;
  user.keepAt(task.kernel.scratch);
  const result = step.how!.run(task, out < 0 ? args : args.with(out, place), '');
  const at = out < 0 ? -1 : user.written(place);
  const written = at < 0 ? null : user.ram.slice(at, at + user.writtenLength);
  user.release();
  user.forget();
  const lasts = typeof result === 'number' && (step.how!.lasts?.(args, result) ?? result >= 0);
  if (!lasts || (out >= 0 && result > 0 && written === null)) return null;
  return { step, result, opened: null, written, commit: NOTHING, undo: NOTHING, drop: NOTHING };
}

/** It grows. */
function breakAhead(task: Task, mm: Mm, step: Step, address: number): Ahead | null {
  const old = mm.brk;
  if (address <= old || step.how!.run(task, [address], '') !== address) return null;
  const undo = (): void => {
    if (pageUp(address) > pageUp(old)) mm.unmap(pageUp(old), pageUp(address) - pageUp(old));
    mm.brk = old;
  };
  return { step, result: address, opened: null, written: null, commit: NOTHING, undo, drop: NOTHING };
}

function openAhead(task: Task, step: Step, args: readonly number[]): Ahead | null {
  const foreseen = task.thread?.foreseen;
  if (!foreseen?.beginFile()) return null;
  const fd = step.how!.run(task, args, step.name);
  const { openedAlong } = task;
  task.openedAlong = null;
  if (typeof fd !== 'number' || fd < 0 || openedAlong === null || isCutShort(task, openedAlong)) {
    if (typeof fd === 'number' && fd >= 0) task.files.close(fd);
    foreseen.cancelFile();
    return null;
  }
  const file = openedAlong.file.get();
  const opened = { ...openedAlong, cloexec: task.files.isCloexec(fd) };
  const drop = (): void => file.put();
  return { step, result: fd, opened, written: null, commit: NOTHING, undo: NOTHING, drop };
}

/** There is no room for all of a file of which all would come along if the program asked for it. */
const isCutShort = ({ thread }: Task, { file, whole }: OpenedAlong): boolean =>
  !whole && file.inode.wasRead === true && file.inode.size <= thread!.along!.most;
