/**
 * The break (brk(2)) of a program whose only thread moves it without asking (engine/answers.ts, `ThreadFacts`). The
 * thread is told bounds within which we have nothing but its heap, one plain area. Every look at the areas (`Mm.vmas`)
 * first catches up with where the thread has put its break since, so none sees stale areas.
 */
import type { ThreadFacts } from '../engine/answers.ts';
import { PROT_READ, PROT_WRITE } from '../engine/engine.ts';
import type { Mm } from './mm.ts';
import { lowestUse, TASK_SIZE } from './places.ts';
import { PAGE_SIZE, pageUp } from './ram.ts';
import { VM_MAYWRITE, Vma } from './vma.ts';

const HEAP_PROT = PROT_READ | PROT_WRITE;
/** Only the lower half of a break is told: the bounds share the upper one. */
const HALF = 2 ** 32;

export class OwnBreak {
  private readonly facts: ThreadFacts;
  private readonly base: number;
  private readonly lowest: number;
  private readonly highest: number;
  /** The lower half of the break as `hear` last read it. */
  private heard: number;
  private stopped = false;

  /**
   * The thread must be in the kernel. It may move the break up by at most `ahead` bytes from where it is; 0: not at
   * all.
   */
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

  /** Where the break is now; -1 if it is out of bounds. */
  hear(): number {
    this.heard = this.facts.breakNow;
    return this.admitted(this.heard);
  }

  /** The highest break since the thread was told, until `stop`; -1 if it is out of bounds, or after `stop`. */
  get top(): number {
    return this.stopped ? -1 : this.admitted(this.facts.breakTop);
  }

  /** From now on the thread, which may be running, has to ask. One move that it has begun may still come. */
  stop(): void {
    this.stopped = true;
    this.facts.stopBreak();
  }

  /** The thread must be in the kernel, and its last move heard. */
  end(): void {
    this.facts.tellBreak(0);
  }

  private admitted(half: number): number {
    const place = this.base + (half >>> 0);
    return place >= this.lowest && place <= this.highest ? place : -1;
  }
}

/** Makes the area follow the break from `from` to `to`, as its pages have done already. False: it cannot. */
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

/** Whether the heap, if there is one, is as brk(2) made it, and would continue like that. */
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

/** The highest break up to `wish` such that all below it, and one page more, is free. */
function highestBreak({ vmas, space, brk }: Mm, wish: number): number {
  const end = pageUp(brk);
  const next = vmas.at(vmas.indexAfter(end));
  let limit = next === undefined ? TASK_SIZE : lowestUse(next);
  for (const { from, to } of space.reserved) if (to > end) limit = Math.min(limit, from);
  return Math.min(wish, limit - PAGE_SIZE);
}
