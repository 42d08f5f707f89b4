/** Which memory a core file contains (core(5), "Controlling which mappings are written"), and its pages. */
import { EHDR_SIZE } from '../arch/x86_64/elf.ts';
import { PROT_EXEC, PROT_READ } from '../engine/engine.ts';
import type { Mm } from '../mm/mm.ts';
import { PAGE_SIZE, pageUp } from '../mm/ram.ts';
import { lowestUsed } from '../mm/stack.ts';
import { VM_DONTDUMP, Vma } from '../mm/vma.ts';

/** Bits of /proc/PID/coredump_filter. */
const ANONYMOUS_PRIVATE = 1;
const ANONYMOUS_SHARED = 2;
const FILE_PRIVATE = 4;
const FILE_SHARED = 8;
const ELF_HEADERS = 16;

const LONGEST_VDSO = 16 * PAGE_SIZE;

/** A range of memory, of which the first `size` bytes are written. */
export interface DumpedArea {
  readonly vma: Vma;
  /** The range may have holes: pages that were never touched. */
  readonly sparse: boolean;
  readonly address: number;
  readonly length: number;
  readonly size: number;
}

export function dumpedAreas(mm: Mm, isNamed: (vma: Vma) => boolean): DumpedArea[] {
  const areas: DumpedArea[] = [];
  for (const vma of mm.vmas) {
    const address = lowestUsed(mm, vma);
    const length = vma.end - address;
    areas.push({
      vma,
      sparse: vma.backing === null,
      address,
      length,
      size: Math.min(length, dumpedSize(mm, vma, isNamed(vma))),
    });
  }
  return areas;
}

/** The vDSO is always dumped; its length follows from the end of its section headers. */
export function vdsoArea({ space }: Mm, address: number): DumpedArea[] {
  const header = new Uint8Array(EHDR_SIZE);
  if (address === 0 || space.peek(address, header) < EHDR_SIZE) return [];
  const view = new DataView(header.buffer);
  const end = view.getUint32(40, true) + view.getUint16(58, true) * view.getUint16(60, true);
  const length = Math.min(pageUp(end), LONGEST_VDSO);
  const vma = new Vma(address, address + length, PROT_READ | PROT_EXEC, 0);
  return [{ vma, sparse: false, address, length, size: length }];
}

/** How many bytes of an area are written, from its start. */
function dumpedSize(mm: Mm, vma: Vma, named: boolean): number {
  const wants = (bit: number): boolean => (mm.coredumpFilter & bit) !== 0;
  if ((vma.flags & VM_DONTDUMP) !== 0) return 0;
  if (vma.shared) return wants(named ? FILE_SHARED : ANONYMOUS_SHARED) ? vma.length : 0;
  const own = vma.backing === null || mm.space.presence(vma.start, vma.length).own > 0;
  if (own && wants(ANONYMOUS_PRIVATE)) return vma.length;
  if (vma.backing === null) return 0;
  if (wants(FILE_PRIVATE)) return vma.length;
  return wants(ELF_HEADERS) && hasElfHeader(mm, vma) ? PAGE_SIZE : 0;
}

function hasElfHeader(mm: Mm, vma: Vma): boolean {
  if (vma.pos !== 0 || (vma.prot & PROT_READ) === 0) return false;
  if ((vma.prot & PROT_EXEC) !== 0) return true;
  const magic = new Uint8Array(4);
  mm.populate(vma.start, magic.length);
  mm.space.peek(vma.start, magic);
  return magic[0] === 0x7f && magic[1] === 0x45 && magic[2] === 0x4c && magic[3] === 0x46;
}

/** Pages examined together: areas may span many TiB and be empty. */
const STRETCH = 32768;

/**
 * Runs [from, to) of the area that are present, none longer than `most` bytes; the rest reads as zeros. An empty run
 * follows every stretch: there may be very many stretches without pages.
 */
export function* presentRuns(
  mm: Mm,
  area: DumpedArea,
  most: number,
): Generator<{ from: number; to: number }> {
  const { vma, address, size } = area;
  const { backing } = vma;
  const fileEnd =
    backing === null ? Number.POSITIVE_INFINITY : vma.start + pageUp(backing.cache.size) - vma.pos;
  const end = Math.min(address + size, fileEnd);
  const present = new Uint8Array(Math.min(STRETCH, Math.max(0, (end - address) / PAGE_SIZE))).fill(1);
  for (let at = address; at < end; at += STRETCH * PAGE_SIZE) {
    const pages = present.subarray(0, Math.min(STRETCH, (end - at) / PAGE_SIZE));
    if (area.sparse) mm.space.present(at, pages.fill(0));
    yield* runsOf(pages, at, most);
    yield { from: at, to: at };
  }
}

function* runsOf(
  present: Uint8Array,
  address: number,
  most: number,
): Generator<{ from: number; to: number }> {
  for (let i = present.indexOf(1); i >= 0; ) {
    const next = present.indexOf(0, i);
    const stop = Math.min(next < 0 ? present.length : next, i + most / PAGE_SIZE);
    yield { from: address + i * PAGE_SIZE, to: address + stop * PAGE_SIZE };
    i = present.indexOf(1, stop);
  }
}
