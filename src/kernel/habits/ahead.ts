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
  /** The program has made it: what was left to it has happened. */
  commit(): void;
  undo(): void;
  /** It is neither to be done nor undone any more. */
  drop(): void;
}

const NOTHING = (): void => undefined;

/** Null if it cannot be made, or not so that it could be undone, or not with the result that it had. */
export function makeAhead(task: Task, step: Step, args: readonly number[]): Ahead | null {
  const { mm } = task;
  if (mm === null || step.how === null) return null;
  switch (step.how.act) {
    case 'map':
      return mapAhead(task, mm, step, args);
    case 'protect':
      return protectAhead(mm, step, args);
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
    for (const { backing } of replaced) backing?.put();
  };
  const result = step.how!.run(task, args, '');
  if (typeof result !== 'number' || result < 0) {
    drop();
    return null;
  }
  const undo = (): void => {
    mm.unmap(result, len);
    for (const area of replaced) mm.map(area);
  };
  return { step, result, opened: null, commit: NOTHING, undo, drop };
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
  return { step, result: 0, opened: null, commit, undo: NOTHING, drop: NOTHING };
}

/** It grows. */
function breakAhead(task: Task, mm: Mm, step: Step, address: number): Ahead | null {
  const old = mm.brk;
  if (address <= old || step.how!.run(task, [address], '') !== address) return null;
  const undo = (): void => {
    if (pageUp(address) > pageUp(old)) mm.unmap(pageUp(old), pageUp(address) - pageUp(old));
    mm.brk = old;
  };
  return { step, result: address, opened: null, commit: NOTHING, undo, drop: NOTHING };
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
  return { step, result: fd, opened, commit: NOTHING, undo: NOTHING, drop };
}

/** There is no room for all of a file of which all would come along if the program asked for it. */
const isCutShort = ({ thread }: Task, { file, whole }: OpenedAlong): boolean =>
  !whole && file.inode.wasRead === true && file.inode.size <= thread!.along!.most;
