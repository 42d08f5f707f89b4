/** How much memory programs may ask for (proc_sys_vm(5)): overcommit_memory, overcommit_ratio, max_map_count. */
import type { Mm } from '../mm/mm.ts';
import type { Kernel } from './kernel.ts';

/** The initial vm.max_map_count. The host has such a limit for each space, and the engine needs some areas itself. */
const MOST_MAPS = 65530;
const FOR_THE_ENGINE = 530;
/** The vDSO and its data, which are in no list of areas. */
const VDSO_AREAS = 2;

const HEURISTIC = 0;
const ALWAYS = 1;
export const NEVER = 2;

export class MemoryRules {
  private readonly kernel: Kernel;
  private rule: number = HEURISTIC;
  /** vm.overcommit_ratio, in percent. */
  ratio = 50;
  maxMaps = MOST_MAPS;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** vm.overcommit_memory: 0 refuses what is obviously too much, 1 nothing, 2 what exceeds a share of all memory. */
  get overcommit(): number {
    return this.rule;
  }

  set overcommit(rule: number) {
    this.rule = rule;
    for (const { mm } of this.kernel.tasks.values()) mm?.changing();
  }

  /** Whether `pages` are never too many, whatever others ask for. */
  neverRefuses(pages: number): boolean {
    return this.rule !== NEVER && !this.refuses(pages);
  }

  /** Whether a private writable mapping of `pages` is too large. */
  refuses(pages: number): boolean {
    const total = this.kernel.ram.totalPages;
    if (this.overcommit === ALWAYS) return false;
    if (this.overcommit === HEURISTIC) return pages > total;
    return this.committed() + pages > this.commitLimit;
  }

  /** What vm.overcommit_ratio allows, in pages. */
  get commitLimit(): number {
    return Math.floor((this.kernel.ram.totalPages * this.ratio) / 100);
  }

  /** Whether a space may have `more` further areas. A run of guard pages adds two, as it splits an area. */
  hasRoom(mm: Mm, more: number): boolean {
    const vdso = mm.host.vdso() === 0 ? 0 : VDSO_AREAS;
    return (
      vdso + mm.vmas.count + 2 * mm.guards.count + more <= Math.min(this.maxMaps, MOST_MAPS - FOR_THE_ENGINE)
    );
  }

  private committed(): number {
    const spaces = new Set<Mm>();
    for (const { mm } of this.kernel.tasks.values()) if (mm !== null) spaces.add(mm);
    let pages = 0;
    for (const mm of spaces) pages += mm.vmas.committedPages();
    return pages;
  }
}
