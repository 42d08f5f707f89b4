/** The machine's memory as /proc/meminfo, sysinfo(2) and sysfs report it. */
import type { MemInfo } from '../../fs/proc/source.ts';
import type { SuperBlock } from '../../fs/super.ts';
import type { Mm } from '../../mm/mm.ts';
import { PAGE_SIZE } from '../../mm/ram.ts';
import type { Kernel } from '../kernel.ts';

/** Summing up asks the host about every process, so a sum is valid for this long (ns). */
const FRESH = 1e8;

export class MemoryAccount {
  private readonly kernel: Kernel;
  private known: Omit<MemInfo, 'commitLimit'> | null = null;
  private knownAt = 0;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get info(): MemInfo {
    const now = this.kernel.clock.monotonic();
    if (this.known === null || now - this.knownAt > FRESH) {
      this.known = this.sum();
      this.knownAt = now;
    }
    return { ...this.known, commitLimit: this.kernel.memoryRules.commitLimit * PAGE_SIZE };
  }

  /** Private pages are the engine's; files and shared memory are the machine's own. */
  private sum(): Omit<MemInfo, 'commitLimit'> {
    const { ram } = this.kernel;
    let [anonymous, mapped, pageTables, committed] = [0, 0, 0, 0];
    for (const mm of this.spaces()) {
      const usage = mm.space.usage();
      anonymous += usage.anonymous;
      mapped += usage.file + usage.shmem;
      pageTables += usage.pageTables;
      committed += mm.vmas.committedPages() * PAGE_SIZE;
    }
    const total = ram.totalPages * PAGE_SIZE;
    const cached = ram.usedPages * PAGE_SIZE;
    // Pages that processes share since a fork were counted for each of them.
    if (anonymous + cached > total) anonymous = this.shares();
    const free = Math.max(0, total - cached - anonymous - pageTables);
    return { total, free, cached, shmem: this.shmem(), anonymous, mapped, pageTables, committed };
  }

  private shares(): number {
    let bytes = 0;
    for (const { space } of this.spaces()) bytes += space.share();
    return bytes;
  }

  private spaces(): Set<Mm> {
    const spaces = new Set<Mm>();
    for (const { mm } of this.kernel.tasks.values()) if (mm !== null) spaces.add(mm);
    return spaces;
  }

  /** What all tmpfs hold; an overlay reports that of its upper filesystem. */
  private shmem(): number {
    const seen = new Set<SuperBlock>();
    let bytes = 0;
    for (const { inode } of this.kernel.vfs.roots) {
      const { sb } = inode!;
      if (seen.has(sb) || (sb.type !== 'tmpfs' && sb.type !== 'overlay')) continue;
      seen.add(sb);
      const { blocks, bfree, bsize } = sb.statfs();
      bytes += (blocks - bfree) * bsize;
    }
    return Math.min(bytes, this.kernel.ram.usedPages * PAGE_SIZE);
  }
}
