/** ELF files for x86-64 (System V ABI, chapters 4 and 5; elf(5)): what execve needs of their headers. */
import { getUint64 } from '../../lib/int64.ts';
import { ENOEXEC } from '../../uapi/errno.ts';

export const EHDR_SIZE = 64;
export const PHDR_SIZE = 56;
const MAX_PHDRS = 128;
const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const ET_EXEC = 2;
const ET_DYN = 3;
const EM_X86_64 = 62;
const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_GNU_STACK = 0x6474e551;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;

export interface Segment {
  readonly offset: number;
  readonly vaddr: number;
  readonly fileSize: number;
  readonly memSize: number;
  readonly align: number;
  /** PROT_ bits. */
  readonly prot: number;
}

export interface ElfFile {
  /** ET_DYN: may be loaded anywhere. */
  readonly relocatable: boolean;
  readonly entry: number;
  readonly phoff: number;
  readonly phnum: number;
  readonly loads: readonly Segment[];
  /** Where the interpreter's name is in the file; null if there is none. */
  readonly interp: { readonly offset: number; readonly size: number } | null;
  readonly executableStack: boolean;
}

/** Reads the file's header: the place of its program headers, entry and type; or -ENOEXEC. */
export function readHeader(
  view: DataView,
): { phoff: number; phnum: number; entry: number; type: number } | number {
  if (view.byteLength < EHDR_SIZE || view.getUint32(0) !== 0x7f454c46) return -ENOEXEC;
  if (view.getUint8(4) !== ELFCLASS64 || view.getUint8(5) !== ELFDATA2LSB) return -ENOEXEC;
  const type = view.getUint16(16, true);
  if ((type !== ET_EXEC && type !== ET_DYN) || view.getUint16(18, true) !== EM_X86_64) return -ENOEXEC;
  const phnum = view.getUint16(56, true);
  if (view.getUint16(54, true) !== PHDR_SIZE || phnum === 0 || phnum > MAX_PHDRS) return -ENOEXEC;
  return { phoff: getUint64(view, 32), phnum, entry: getUint64(view, 24), type };
}

/** Reads the program headers; -ENOEXEC if they make no sense. */
export function readProgramHeaders(
  header: { phoff: number; phnum: number; entry: number; type: number },
  view: DataView,
): ElfFile | number {
  const loads: Segment[] = [];
  let interp: ElfFile['interp'] = null;
  let executableStack = true;
  for (let i = 0; i < header.phnum; i++) {
    const at = i * PHDR_SIZE;
    const type = view.getUint32(at, true);
    const flags = view.getUint32(at + 4, true);
    const segment = readSegment(view, at, flags);
    if (type === PT_LOAD && segment.memSize > 0) {
      if (!isSound(segment)) return -ENOEXEC;
      loads.push(segment);
    } else if (type === PT_INTERP) interp = { offset: segment.offset, size: segment.fileSize };
    else if (type === PT_GNU_STACK) executableStack = (flags & PF_X) !== 0;
  }
  if (loads.length === 0) return -ENOEXEC;
  return {
    relocatable: header.type === ET_DYN,
    entry: header.entry,
    phoff: header.phoff,
    phnum: header.phnum,
    loads,
    interp,
    executableStack,
  };
}

function readSegment(view: DataView, at: number, flags: number): Segment {
  return {
    offset: getUint64(view, at + 8),
    vaddr: getUint64(view, at + 16),
    fileSize: getUint64(view, at + 32),
    memSize: getUint64(view, at + 40),
    align: getUint64(view, at + 48),
    prot: ((flags & PF_R) !== 0 ? 1 : 0) | ((flags & PF_W) !== 0 ? 2 : 0) | ((flags & PF_X) !== 0 ? 4 : 0),
  };
}

/** Numbers that fit an address space, and offset and address that agree within a page. */
function isSound(s: Segment): boolean {
  const limit = 2 ** 47;
  if (s.fileSize > s.memSize || s.memSize >= limit || s.vaddr >= limit || s.offset >= limit) return false;
  return s.vaddr + s.memSize < limit && s.offset % 4096 === s.vaddr % 4096;
}
