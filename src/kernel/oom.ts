/**
 * Memory that the machine does not have (mem=), and the out-of-memory killer.
 *
 * Programs' private pages are the engine's: the host gives them at the first touch, without asking us. While programs
 * *could* touch more than the machine has, the kernel watches what they have touched, and when that is too much kills
 * the largest process (proc_pid_oom_score(5)), as Linux does. While all could touch everything that they have mapped,
 * little is watched. But programs can give themselves memory behind our back (the engine lets threads map their own),
 * so those that have run are checked from time to time. One that has more than it was given is killed.
 *
 * What the kernel itself keeps for programs (open files, the contents of pipes and sockets) is not counted piece by
 * piece. When all of it is too much for the machine, or for V8, each program is charged with a part of it, according to
 * its open files.
 */

import { KERN_ERR } from '../core/printk.ts';
import { OwnMemory } from '../host/own-memory.ts';
import type { Mm } from '../mm/mm.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { kernelInfo } from '../uapi/siginfo.ts';
import { SIGKILL } from '../uapi/signal.ts';
import type { Kernel } from './kernel.ts';
import { sendToGroup } from './signal.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';

/** How often the memory in use is checked, ns, and the pages that a program on one processor can touch in this time. */
const PERIOD = 2e7;
const TOUCHED = 10240;
/** The longest such period, ns, when much memory is left. */
const LONGEST = 2e8;
/** How often programs that have run are checked, ns. */
const CONTROL = 1e8;
/** Pages that a program may have beyond those of its areas: what the engine needs. */
const SLACK = 4096;
/** Bytes that the kernel always needs: its program, compiled, and what it knows of files. */
const KERNELS_OWN = 2 ** 28;
/** A thread costs as much to keep as this many open files. */
const FILES_PER_THREAD = 16;
/** How long a victim's memory is awaited, ns, before there is another victim. */
const PATIENCE = 2e9;
/** Free pages with which a page fault may still have failed: a fault brings in more than one page. */
const TOO_FEW = 1024;
/** Points for all of the machine's memory; one point is one of oom_score_adj's thousandths. */
const SCALE = 1000;
const PROTECTED = -1000;

interface Candidate {
  readonly group: ThreadGroup;
  readonly task: Task;
  readonly mm: Mm;
  /** Private pages with the host's page tables, and these alone: a program that only reads memory has no others. */
  readonly pages: number;
  readonly tables: number;
  readonly points: number;
}

export class OomKiller {
  private readonly kernel: Kernel;
  /** Private pages that programs may touch. */
  private promised = 0;
  /** The space whose memory is about to come free, and until when (ns) that is awaited. */
  private victim: Mm | null = null;
  private patience = 0;
  private watching = false;
  private period = PERIOD;
  private controlling = false;
  private readonly own = new OwnMemory();
  /** Spaces that had too many pages at the last check, and how many. */
  private readonly excess: WeakMap<Mm, number> = new WeakMap();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** Called by address spaces as private areas come and go. */
  promise(pages: number): void {
    this.promised += pages;
    if (pages > 0 && !this.watching && this.isTight()) this.watch();
  }

  private isTight(): boolean {
    const { ram } = this.kernel;
    return this.promised + ram.usedPages > ram.totalPages;
  }

  private watch(): void {
    const { timers, clock } = this.kernel;
    this.watching = true;
    timers.at(clock.monotonic() + this.period, () => {
      this.watching = false;
      this.look();
      if (this.isTight() && this.kernel.engine.runningCount > 0) this.watch();
    });
  }

  /** Also called when a task is about to run again after all had slept. */
  wake(): void {
    if (!this.watching && this.isTight()) this.watch();
    if (!this.controlling && this.kernel.engine.runningCount > 0) this.control();
  }

  private control(): void {
    const { timers, clock, engine } = this.kernel;
    this.controlling = true;
    timers.at(clock.monotonic() + CONTROL, () => {
      this.controlling = false;
      this.checkOwn();
      // Sleepers, too: a program that is checked only while it runs would sleep at every check.
      const seen = new Set<Mm>();
      for (const task of this.kernel.tasks.values()) {
        const { mm } = task;
        if (mm === null || seen.has(mm)) continue;
        seen.add(mm);
        if (mm.space.hasRun()) this.checkShare(task);
      }
      if (engine.runningCount > 0) this.control();
    });
  }

  /**
   * Compares the private pages of the task's program with its areas. The host may still be taking apart what the
   * program has just unmapped, so it dies only if it has too much twice, and no less than the first time.
   */
  private checkShare(task: Task): void {
    const { mm, group } = task;
    if (mm === null || group.exiting !== null) return;
    const { anonymous, pageTables } = mm.space.usage();
    // Memory that may only be read promises nothing, but its page tables take room.
    if (pageTables > SLACK * PAGE_SIZE) this.look();
    const pages = anonymous / PAGE_SIZE + Math.max(0, pageTables / PAGE_SIZE - mostTables(mm));
    const before = this.excess.get(mm) ?? Number.POSITIVE_INFINITY;
    if (pages <= mm.totalPages + SLACK) {
      this.excess.delete(mm);
      return;
    }
    this.excess.set(mm, pages);
    if (pages < before) return;
    const what = `process ${group.tgid} (${task.comm}) has ${pages} pages of ${mm.totalPages}`;
    this.kernel.printk.log(KERN_ERR, `Memory that nobody gave: ${what}, killed`);
    sendToGroup(group, kernelInfo(SIGKILL));
  }

  /** Checks the kernel's own memory. Much of it may be garbage, or known names that are no longer needed. */
  private checkOwn(): void {
    if (!this.hasTooMuch() || this.isDying()) return;
    this.kernel.vfs.dcache.shrink();
    this.own.collect();
    if (this.hasTooMuch()) this.killOne(this.keepers());
  }

  private hasTooMuch(): boolean {
    const { ram } = this.kernel;
    const pages = this.ownPages();
    if (pages === 0 || this.own.isNearlyFull) return this.own.isNearlyFull;
    const used = this.candidates().reduce((sum, c) => sum + c.pages, ram.usedPages);
    return used + pages > ram.totalPages;
  }

  private ownPages(): number {
    return Math.max(0, this.own.used - KERNELS_OWN) / PAGE_SIZE;
  }

  /** Candidates, each charged with a part of the kernel's own pages, according to what is kept for it. */
  private keepers(): Candidate[] {
    const candidates = this.candidates();
    const kept = candidates.map(
      ({ group, task }) => task.files.count + FILES_PER_THREAD * group.threads.size,
    );
    const page = this.ownPages() / kept.reduce((sum, count) => sum + count, 0);
    return candidates.map((c, i) => ({ ...c, points: c.points + this.pointsFor(page * kept[i]!) }));
  }

  private look(): void {
    if (this.isDying()) return;
    const { ram } = this.kernel;
    const candidates = this.candidates();
    const room = ram.totalPages - ram.usedPages;
    this.period = PERIOD;
    if (candidates.reduce((sum, c) => sum + c.pages, 0) <= room) return;
    // Pages that processes share since a fork were counted for each of them.
    const left = room - candidates.reduce((sum, c) => sum + c.mm.space.share() / PAGE_SIZE + c.tables, 0);
    if (left < 0) this.killOne(candidates);
    else this.period = Math.min(LONGEST, (PERIOD * left) / TOUCHED / this.kernel.ncpus + PERIOD);
  }

  /** Called when there is no room for a touched page of a file or of shared memory (MmHost). */
  makeRoom(): boolean {
    const { ram } = this.kernel;
    if (ram.usedPages + ram.spare + TOO_FEW < ram.totalPages) return false;
    return this.isDying() || this.killOne(this.candidates());
  }

  private isDying(): boolean {
    const { victim, patience, kernel } = this;
    return victim !== null && !victim.gone && kernel.clock.monotonic() < patience;
  }

  private killOne(candidates: Candidate[]): boolean {
    const victim = candidates
      .filter(c => c.points > 0 && !c.group.unkillable)
      .sort((a, b) => b.points - a.points)[0];
    if (victim !== undefined) this.kill(victim);
    return victim !== undefined;
  }

  private candidates(): Candidate[] {
    const seen = new Set<Mm>();
    const out: Candidate[] = [];
    for (const task of this.kernel.tasks.values()) {
      const { mm, group } = task;
      if (mm === null || seen.has(mm) || group.exiting !== null) continue;
      seen.add(mm);
      const usage = mm.space.usage();
      const tables = Math.ceil(usage.pageTables / PAGE_SIZE);
      const pages = Math.ceil(usage.anonymous / PAGE_SIZE) + tables;
      out.push({ group, task, mm, pages, tables, points: this.points(group, pages + filePages(mm)) });
    }
    return out;
  }

  private points({ oomScoreAdj }: ThreadGroup, pages: number): number {
    if (oomScoreAdj === PROTECTED) return 0;
    return this.pointsFor(pages) + oomScoreAdj;
  }

  private pointsFor(pages: number): number {
    return (pages * SCALE) / this.kernel.ram.totalPages;
  }

  private kill({ group, task, mm, pages }: Candidate): void {
    this.victim = mm;
    this.patience = this.kernel.clock.monotonic() + PATIENCE;
    const kib = (pages * PAGE_SIZE) / 1024;
    const what = `Killed process ${group.tgid} (${task.comm})`;
    this.kernel.printk.log(KERN_ERR, `Out of memory: ${what} anon-rss:${kib}kB, UID:${task.cred.uid}`);
    sendToGroup(group, kernelInfo(SIGKILL));
  }
}

/** The most page tables that the areas of a space can need: one for 512 pages, and a few for each area. */
const mostTables = ({ totalPages, vmas }: Mm): number => totalPages / 500 + 6 * vmas.count;

/** Pages of files and shared memory that the space has mapped. */
function filePages(mm: Mm): number {
  let pages = 0;
  for (const { mapped, length } of mm.vmas)
    if (mapped !== null) pages += Math.min(mapped.count, length / PAGE_SIZE);
  return pages;
}
