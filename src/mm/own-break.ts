/**
 * The break (brk(2)) of a program whose only thread moves it without asking (engine/answers.ts, `ThreadFacts`). It was told within
 * which bounds: there nothing of ours is but its heap, one plain area. Where it has put it meanwhile is heard whenever
 * somebody looks at the areas (`Mm.vmas`), so nobody sees them as they no longer are.
 */
import type { ThreadFacts } from '../engine/answers.ts';
import { PROT_READ, PROT_WRITE } from '../engine/engine.ts';
import type { Mm } from './mm.ts';
import { lowestUse, TASK_SIZE } from './places.ts';
import { PAGE_SIZE, pageUp } from './ram.ts';
import { VM_MAYWRITE, Vma } from './vma.ts';

const HEAP_PROT = PROT_READ | PROT_WRITE;
/** A break is told by its lower half: the bounds have the same upper one. */
const HALF = 2 ** 32;

export class OwnBreak {
  private readonly facts: ThreadFacts;
  private readonly base: number;
  private readonly lowest: number;
  private readonly highest: number;
  /** Its lower half as we have heard of it last. */
  private heard: number;
  private stopped = false;

  /** The thread is in the kernel. Up to `ahead` bytes above where it is now the break may be moved; 0: not at all. */
  constructor(mm: Mm, facts: ThreadFacts, ahead: number) {
    const { brk } = mm;
    this.facts = facts;
    this.base = brk - (brk % HALF);
    this.lowest = Math.max(pageUp(mm.brkStart) + 1, this.base);
    this.highest = Math.min(highestBreak(mm, brk + ahead), this.base + HALF - 1);
    this.heard = brk | 0;
    facts.tellBreak(brk);
    if (ahead > 0 && isPlain(mm)) facts.letBreak(this.lowest, this.highest);
  }

  get hasMoved(): boolean {
    return this.facts.breakNow !== this.heard;
  }

  /** Where it is now; -1 if that is nowhere where it may be. */
  hear(): number {
    this.heard = this.facts.breakNow;
    return this.admitted(this.heard);
  }

  /** The highest place where it was since it was told, until it was stopped; -1 if there is none. */
  get top(): number {
    return this.stopped ? -1 : this.admitted(this.facts.breakTop);
  }

  /** The thread, which may be running, is to ask from now on. One move that it has begun may still come. */
  stop(): void {
    this.stopped = true;
    this.facts.stopBreak();
  }

  /** For a thread that is in the kernel, and was heard. */
  end(): void {
    this.facts.tellBreak(0);
  }

  private admitted(half: number): number {
    const place = this.base + (half >>> 0);
    return place >= this.lowest && place <= this.highest ? place : -1;
  }
}

/** The area follows the break from `from` to `to`, as its pages have done already. False: it cannot. */
export function followBreak(mm: Mm, from: number, to: number): boolean {
  const [old, end] = [pageUp(from), pageUp(to)];
  if (!isPlain(mm)) return false;
  if (end > old) {
    if (!mm.isFree(old, end - old + PAGE_SIZE, true)) return false;
    const more = newHeap(mm, old, end);
    mm.account(more.length, more);
    mm.vmas.insert(more);
  } else if (end < old) mm.cutEnd(mm.vmas.find(end - 1)!, end);
  return true;
}

export function newHeap(mm: Mm, from: number, to: number): Vma {
  const vma = new Vma(from, to, HEAP_PROT, VM_MAYWRITE | mm.defFlags);
  vma.name = '[heap]';
  return vma;
}

/** Whether the heap, if there is one, is as brk(2) has made it, and would go on so. */
function isPlain({ vmas, guards, brkStart, brk, defFlags }: Mm): boolean {
  const [start, end] = [pageUp(brkStart), pageUp(brk)];
  if (defFlags !== 0 || end < start) return false;
  if (end === start) return true;
  const vma = vmas.find(start);
  return (
    vma !== null &&
    vma.start === start &&
    vma.end === end &&
    vma.name === '[heap]' &&
    vma.backing === null &&
    vma.prot === HEAP_PROT &&
    vma.flags === VM_MAYWRITE &&
    vma.shift === 0 &&
    !guards.touches(start, end)
  );
}

/** Up to `wish`, as far as all is free, and a page more. */
function highestBreak({ vmas, space, brk }: Mm, wish: number): number {
  const end = pageUp(brk);
  const next = vmas.at(vmas.indexAfter(end));
  let limit = next === undefined ? TASK_SIZE : lowestUse(next);
  for (const { from, to } of space.reserved) if (to > end) limit = Math.min(limit, from);
  return Math.min(wish, limit - PAGE_SIZE);
}
