/**
 * Puts a program's segments into an address space (elf(5), System V ABI chapter 5): file pages, then zero pages for
 * what the file does not hold. The thread that will run the program clears the part of the last file page that belongs
 * to the zeros, before the program runs.
 */
import type { ElfFile, Segment } from '../arch/x86_64/elf.ts';
import type { EngineThread } from '../engine/engine.ts';
import type { Mm } from '../mm/mm.ts';
import { MMAP_MIN } from '../mm/places.ts';
import { pageDown, pageUp } from '../mm/ram.ts';
import { type Backing, VM_MAYWRITE, Vma } from '../mm/vma.ts';
import { EFAULT, ENOMEM } from '../uapi/errno.ts';

const PROT_WRITE = 2;

/** Bytes from the lowest to the highest address of the segments, in whole pages. */
export function imageSize(elf: ElfFile): number {
  const low = Math.min(...elf.loads.map(s => pageDown(s.vaddr)));
  return Math.max(...elf.loads.map(s => pageUp(s.vaddr + s.memSize))) - low;
}

export const imageStart = (elf: ElfFile): number => Math.min(...elf.loads.map(s => pageDown(s.vaddr)));

/** The address of the program headers; 0 if no segment holds them. */
export function headersAddress(elf: ElfFile, bias: number): number {
  const holder = elf.loads.find(s => s.offset <= elf.phoff && elf.phoff < s.offset + s.fileSize);
  return holder === undefined ? 0 : bias + holder.vaddr + (elf.phoff - holder.offset);
}

/** Maps all segments, moved by `bias`; 0 or -errno. */
export function mapSegments(
  mm: Mm,
  thread: EngineThread,
  elf: ElfFile,
  backing: Backing,
  bias: number,
): number {
  for (const segment of elf.loads) {
    const failed = mapSegment(mm, thread, segment, backing, bias);
    if (failed < 0) return failed;
  }
  return 0;
}

function mapSegment(mm: Mm, thread: EngineThread, s: Segment, backing: Backing, bias: number): number {
  const start = bias + pageDown(s.vaddr);
  const end = bias + pageUp(s.vaddr + s.memSize);
  const fileEnd = bias + s.vaddr + s.fileSize;
  const mappedEnd = s.fileSize > 0 ? pageUp(fileEnd) : start;
  if (start < MMAP_MIN || !mm.isAllowed(start, end - start)) return -ENOMEM;
  if (mappedEnd > start) {
    const vma = new Vma(start, mappedEnd, s.prot, VM_MAYWRITE);
    vma.backing = backing.get();
    vma.pos = pageDown(s.offset);
    const failed = mm.map(vma);
    if (failed < 0) return failed;
  }
  if (end > mappedEnd) mm.map(new Vma(mappedEnd, end, s.prot, VM_MAYWRITE));
  if ((s.prot & PROT_WRITE) !== 0 && s.memSize > s.fileSize && mappedEnd > fileEnd) {
    if (pageDown(s.offset + s.fileSize) >= pageUp(backing.cache.size)) return -EFAULT;
    return clear(mm, thread, fileEnd, mappedEnd - fileEnd);
  }
  return 0;
}

/**
 * Clears the rest of a page that a file begins. The page has to be present, also if the file is read little by little.
 */
function clear(mm: Mm, thread: EngineThread, address: number, len: number): number {
  const failed = mm.populate(address, len);
  if (failed < 0) return failed;
  const offset = thread.stageOut(len);
  if (offset < 0) return -ENOMEM;
  mm.kernelBytes.fill(0, offset, offset + len);
  thread.copyOut(address, offset, len);
  return 0;
}
