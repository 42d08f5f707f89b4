/** An address space as /proc shows it (fs/proc/source.ts has the contract). */
import { PROT_EXEC, PROT_READ, type SpaceUsage } from '../../engine/engine.ts';
import type { Path } from '../../fs/dentry.ts';
import type { File } from '../../fs/file.ts';
import { type MmLayout, PAGE_FILE, PAGE_PRESENT, type ProcMm, type Resident } from '../../fs/proc/source.ts';
import type { Mm } from '../../mm/mm.ts';
import { vdsoPlace } from '../../mm/places.ts';
import { PAGE_SIZE, pageDown } from '../../mm/ram.ts';
import { lowestUsed } from '../../mm/stack.ts';
import { type Backing, Vma } from '../../mm/vma.ts';
import { EIO } from '../../uapi/errno.ts';
import { FileBacking } from '../file-backing.ts';

/** How long (ns) the host's figures stay valid: one file of /proc asks for several. */
const FRESH = 1e6;
const MOST_AREAS = 64;
/** The least size of a stack in /proc: a page, and 128 KiB to grow. */
const FIRST_STACK = 33 * PAGE_SIZE;
const NO_PAGES: Resident = { anonymous: 0, file: 0, shmem: 0 };

/** The areas that every space has but no list of areas contains. */
function vdsoAreas(mm: Mm): Vma[] {
  const place = vdsoPlace(mm);
  if (place === null) return [];
  const data = new Vma(place.data, place.from, PROT_READ, 0);
  const code = new Vma(place.from, place.to, PROT_READ | PROT_EXEC, 0);
  data.name = '[vvar]';
  code.name = '[vdso]';
  return [data, code].filter(({ length }) => length > 0);
}

export class MmView implements ProcMm {
  readonly layout: MmLayout;
  private readonly mm: Mm;
  private readonly now: () => number;
  private known: SpaceUsage | null = null;
  private knownAt = 0;
  /** The address of the stack's lowest used page, and when it was determined. */
  private stackUsed = 0;
  private stackKnownAt = Number.NEGATIVE_INFINITY;
  private readonly programsBefore: number;

  constructor(mm: Mm, now: () => number) {
    this.mm = mm;
    this.programsBefore = mm.programsBefore;
    this.layout = mm;
    this.now = now;
  }

  /** Whether the space still runs the same program. */
  get isOfNow(): boolean {
    return this.programsBefore === this.mm.programsBefore;
  }

  get coredumpFilter(): number {
    return this.mm.coredumpFilter;
  }

  set coredumpFilter(bits: number) {
    this.mm.coredumpFilter = bits;
  }

  *areas(from: number): Generator<Vma> {
    const { vmas } = this.mm;
    const vdso = vdsoAreas(this.mm).filter(({ end }) => end > from);
    for (
      let vma = vmas.at(vmas.indexAfter(from));
      vma !== undefined;
      vma = vmas.at(vmas.indexAfter(vma.end))
    ) {
      while (vdso.length > 0 && vdso[0]!.start < vma.start) yield vdso.shift()!;
      yield vma.name === '[stack]' ? vma.slice(this.stackStart(vma), vma.end) : vma;
    }
    yield* vdso;
  }

  get size(): number {
    const vdso = vdsoPlace(this.mm);
    return this.mm.totalPages * PAGE_SIZE - this.unused + (vdso === null ? 0 : vdso.to - vdso.data);
  }

  get peakSize(): number {
    const { peakPages, totalPages } = this.mm;
    return this.size + Math.max(0, peakPages - totalPages) * PAGE_SIZE;
  }

  /** Bytes of the stack that were never used. */
  private get unused(): number {
    const vma = this.mm.vmas.find(this.mm.startStack);
    return vma?.name === '[stack]' ? this.stackStart(vma) - vma.start : 0;
  }

  /**
   * Where the stack begins in /proc: at its lowest used page, but with at least what Linux gives at first. Asks the
   * host.
   */
  private stackStart(vma: Vma): number {
    const now = this.now();
    if (now - this.stackKnownAt > FRESH) {
      this.stackUsed = lowestUsed(this.mm, vma);
      this.stackKnownAt = now;
    }
    return Math.max(vma.start, Math.min(this.stackUsed, vma.end - FIRST_STACK));
  }

  /** The host's figures, of this moment or just before. */
  get usage(): SpaceUsage {
    const now = this.now();
    if (this.known === null || now - this.knownAt > FRESH) {
      this.known = this.mm.space.usage();
      this.knownAt = now;
    }
    return this.known;
  }

  /** The host sees one memory file; the areas show how much of it is shared memory. */
  get rss(): Resident {
    const { anonymous, file, shmem } = this.usage;
    const shared = Math.min(this.sharedMemory(), shmem);
    return { anonymous, file: file + shmem - shared, shmem: shared };
  }

  get peakRss(): number {
    return this.usage.peak;
  }

  get pageTables(): number {
    return this.usage.pageTables;
  }

  get exe(): Path | null {
    const { exe } = this.mm;
    return exe instanceof FileBacking ? exe.path : null;
  }

  fileOf(backing: Backing): File | null {
    return backing instanceof FileBacking ? backing.file : null;
  }

  resident(vma: Vma): Resident {
    if (vma.prot === 0) return NO_PAGES;
    const { own, mapped } = this.mm.space.presence(vma.start, vma.length);
    const file = this.isOfFile(vma);
    return {
      anonymous: own * PAGE_SIZE,
      file: file ? mapped * PAGE_SIZE : 0,
      shmem: file ? 0 : mapped * PAGE_SIZE,
    };
  }

  pageState(addr: number): number {
    const page = pageDown(addr);
    if (this.mm.vmas.find(page) === null) return 0;
    const { own, mapped } = this.mm.space.presence(page, PAGE_SIZE);
    return own > 0 ? PAGE_PRESENT : mapped > 0 ? PAGE_PRESENT | PAGE_FILE : 0;
  }

  read(addr: number, buf: Uint8Array, off: number, len: number): number {
    const n = this.reachable(addr, len);
    if (n <= 0) return n;
    const { space } = this.mm;
    const got = space.peek(addr, buf.subarray(off, off + n));
    // A process that has ended has no memory.
    return got < 0 && (space.hasLeft || this.mm.users === 0) ? 0 : got;
  }

  write(addr: number, buf: Uint8Array, off: number, len: number): number {
    const n = this.reachable(addr, len);
    return n <= 0 ? n : this.mm.space.poke(addr, buf.subarray(off, off + n));
  }

  /** How much of [addr, addr + len) is the program's: the engine's own pages are in no area. -EIO for none. */
  private reachable(addr: number, len: number): number {
    if (len === 0) return 0;
    let end = addr;
    while (end < addr + len) {
      const vma =
        this.mm.vmas.find(end) ?? vdsoAreas(this.mm).find(part => end >= part.start && end < part.end);
      if (vma === undefined) break;
      end = vma.end;
    }
    const n = Math.min(end, addr + len) - addr;
    if (n <= 0) return -EIO;
    return this.mm.populate(addr, n) < 0 ? -EIO : n;
  }

  /** In bytes; with very many areas, only that of the first ones. */
  private sharedMemory(): number {
    let bytes = 0;
    let looks = 0;
    for (const vma of this.mm.vmas) {
      if (vma.backing === null || this.isOfFile(vma)) continue;
      bytes += this.resident(vma).shmem;
      if (++looks === MOST_AREAS) break;
    }
    return bytes;
  }

  /** Whether the area maps a file; pages of tmpfs count as shared memory. */
  private isOfFile({ backing }: Vma): boolean {
    const file = backing === null ? null : this.fileOf(backing);
    return file !== null && file.inode.sb.type !== 'tmpfs';
  }
}
