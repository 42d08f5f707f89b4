/**
 * Core files (core(5), elf(5)): an ELF header, program headers, notes, then memory. The layouts of the notes are those
 * of linux/elfcore.h and sys/procfs.h for x86-64; see `man 5 elf`, NT_*.
 */
import type { EngineThread } from '../../engine/engine.ts';
import { setInt64 } from '../../lib/int64.ts';
import { latin1Bytes } from '../../lib/latin1.ts';
import { EHDR_SIZE, PHDR_SIZE } from './elf.ts';
import * as sc from './registers.ts';

const ET_CORE = 4;
const EM_X86_64 = 62;
const PT_LOAD = 1;
const PT_NOTE = 4;
/** e_phnum of a file with more program headers: their number is in the first section header (elf(5), PN_XNUM). */
const PN_XNUM = 0xffff;
const SHDR_SIZE = 64;

export const NT_PRSTATUS = 1;
export const NT_PRFPREG = 2;
export const NT_PRPSINFO = 3;
export const NT_AUXV = 6;
export const NT_X86_XSTATE = 0x202;
export const NT_SIGINFO = 0x53494749;
export const NT_FILE = 0x46494c45;

/** A run of memory, of which the file holds `size` bytes from `offset` on. */
export interface CoreSegment {
  readonly address: number;
  readonly length: number;
  readonly offset: number;
  readonly size: number;
  /** PROT_ bits. */
  readonly prot: number;
}

/** Size of the headers, after which the notes begin. */
export const headersSize = (segments: number): number => {
  const count = segments + 1;
  return EHDR_SIZE + count * PHDR_SIZE + (count >= PN_XNUM ? SHDR_SIZE : 0);
};

export function writeHeaders(segments: readonly CoreSegment[], notesSize: number): Uint8Array {
  const bytes = new Uint8Array(headersSize(segments.length));
  const view = new DataView(bytes.buffer);
  const count = segments.length + 1;
  const many = count >= PN_XNUM;
  // Class 64, little endian, version 1.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, ET_CORE, true);
  view.setUint16(18, EM_X86_64, true);
  view.setUint32(20, 1, true);
  view.setUint32(32, EHDR_SIZE, true);
  view.setUint16(52, EHDR_SIZE, true);
  view.setUint16(54, PHDR_SIZE, true);
  view.setUint16(56, many ? PN_XNUM : count, true);
  if (many) writeCount(view, EHDR_SIZE + count * PHDR_SIZE, count);
  writeSegment(view, EHDR_SIZE, PT_NOTE, 0, {
    address: 0,
    length: 0,
    offset: bytes.length,
    size: notesSize,
    prot: 0,
  });
  for (const [i, segment] of segments.entries())
    writeSegment(view, EHDR_SIZE + (i + 1) * PHDR_SIZE, PT_LOAD, 4096, segment);
  return bytes;
}

/** The one section header, whose sh_info holds the number of program headers. */
function writeCount(view: DataView, at: number, count: number): void {
  setInt64(view, 40, at);
  view.setUint16(58, SHDR_SIZE, true);
  view.setUint16(60, 1, true);
  setInt64(view, at + 32, 1);
  view.setUint32(at + 44, count, true);
}

function writeSegment(view: DataView, at: number, type: number, align: number, s: CoreSegment): void {
  const flags = ((s.prot & 1) !== 0 ? 4 : 0) | ((s.prot & 2) !== 0 ? 2 : 0) | ((s.prot & 4) !== 0 ? 1 : 0);
  view.setUint32(at, type, true);
  view.setUint32(at + 4, flags, true);
  setInt64(view, at + 8, s.offset);
  setInt64(view, at + 16, s.address);
  setInt64(view, at + 32, s.size);
  setInt64(view, at + 40, s.length);
  setInt64(view, at + 48, align);
}

/** One note: sizes and type, its owner's name, its content; name and content are padded to four bytes. */
export function note(owner: 'CORE' | 'LINUX', type: number, content: Uint8Array): Uint8Array {
  const name = 12 + Math.ceil((owner.length + 1) / 4) * 4;
  const bytes = new Uint8Array(name + Math.ceil(content.length / 4) * 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, owner.length + 1, true);
  view.setUint32(4, content.length, true);
  view.setUint32(8, type, true);
  bytes.set(latin1Bytes(owner), 12);
  bytes.set(content, name);
  return bytes;
}

export interface ProcessIds {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
}

export interface ThreadStatus extends ProcessIds {
  readonly signal: number;
  readonly pending: { readonly lo: number; readonly hi: number };
  readonly blocked: { readonly lo: number; readonly hi: number };
  /** Nanoseconds: the thread's own times, and those of its process's children. */
  readonly user: number;
  readonly system: number;
  readonly childUser: number;
  readonly childSystem: number;
  /** struct user_regs_struct: see `userRegisters`. */
  readonly registers: Uint8Array;
  readonly hasExtended: boolean;
}

const PRSTATUS_SIZE = 336;
const PR_REG = 112;

/**
 * struct elf_prstatus: 0 signo | 12 cursig u16 | 16 sigpend | 24 sighold | 32 pid ppid pgrp sid | 48 utime stime cutime
 * cstime (timeval) | 112 registers (216) | 328 fpvalid.
 */
export function prstatus(s: ThreadStatus): Uint8Array {
  const bytes = new Uint8Array(PRSTATUS_SIZE);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, s.signal, true);
  view.setUint16(12, s.signal, true);
  for (const [i, word] of [s.pending.lo, s.pending.hi, s.blocked.lo, s.blocked.hi].entries())
    view.setInt32(16 + 4 * i, word, true);
  putIds(view, 32, s);
  for (const [i, ns] of [s.user, s.system, s.childUser, s.childSystem].entries()) {
    setInt64(view, 48 + 16 * i, Math.floor(ns / 1e9));
    setInt64(view, 56 + 16 * i, Math.floor((ns % 1e9) / 1000));
  }
  bytes.set(s.registers, PR_REG);
  view.setInt32(328, s.hasExtended ? 1 : 0, true);
  return bytes;
}

const putIds = (view: DataView, at: number, { pid, ppid, pgid, sid }: ProcessIds): void => {
  for (const [i, id] of [pid, ppid, pgid, sid].entries()) view.setInt32(at + 4 * i, id, true);
};

export interface ProcessInfo extends ProcessIds {
  readonly nice: number;
  readonly flags: number;
  readonly uid: number;
  readonly gid: number;
  readonly comm: string;
  readonly args: string;
}

/**
 * struct elf_prpsinfo: 0 state sname zomb nice (bytes) | 8 flags | 16 uid gid | 24 pid ppid pgrp sid | 40 fname (16) |
 * 56 psargs (80). The state is 'R': the process is running as it dies.
 */
export function prpsinfo(p: ProcessInfo): Uint8Array {
  const bytes = new Uint8Array(136);
  const view = new DataView(bytes.buffer);
  bytes[1] = 'R'.charCodeAt(0);
  view.setInt8(3, p.nice);
  setInt64(view, 8, p.flags);
  view.setUint32(16, p.uid, true);
  view.setUint32(20, p.gid, true);
  putIds(view, 24, p);
  bytes.set(latin1Bytes(p.comm.slice(0, 15)), 40);
  bytes.set(latin1Bytes(p.args.slice(0, 79)), 56);
  return bytes;
}

export interface MappedFile {
  readonly start: number;
  readonly end: number;
  readonly page: number;
  readonly name: string;
}

/** NT_FILE: the number of files, the page size, then addresses and page in its file for each, then all the names. */
export function mappedFiles(files: readonly MappedFile[], pageSize: number): Uint8Array {
  const names = latin1Bytes(files.map(({ name }) => `${name}\0`).join(''));
  const bytes = new Uint8Array(16 + 24 * files.length + names.length);
  const view = new DataView(bytes.buffer);
  setInt64(view, 0, files.length);
  setInt64(view, 8, pageSize);
  for (const [i, { start, end, page }] of files.entries())
    for (const [j, value] of [start, end, page].entries()) setInt64(view, 16 + 24 * i + 8 * j, value);
  bytes.set(names, 16 + 24 * files.length);
  return bytes;
}

const ORIG_RAX = -1;
const FS_BASE = -2;
const NONE = -3;
/** struct user_regs_struct (sys/user.h), in 64-bit words; cs and ss are constants. */
const USER_REGISTERS: readonly number[] = [
  ...[sc.R15, sc.R14, sc.R13, sc.R12, sc.RBP, sc.RBX, sc.R11, sc.R10, sc.R9, sc.R8, sc.RAX, sc.RCX, sc.RDX],
  ...[sc.RSI, sc.RDI, ORIG_RAX, sc.RIP, NONE, sc.EFLAGS, sc.RSP, NONE, FS_BASE, NONE, NONE, NONE, NONE, NONE],
];
const CS = 17;
const SS = 20;
const USER_CS = 0x33;
const USER_SS = 0x2b;

/** The registers of a thread; `call` is the number of the call that it is in, or -1. */
export function userRegisters(view: DataView, thread: EngineThread, call: number): Uint8Array {
  const bytes = new Uint8Array(USER_REGISTERS.length * 8);
  const out = new DataView(bytes.buffer);
  const { context } = thread;
  for (const [i, index] of USER_REGISTERS.entries()) {
    if (index === ORIG_RAX) setInt64(out, 8 * i, call);
    else if (index === FS_BASE) setInt64(out, 8 * i, thread.tls);
    else if (index !== NONE) out.setBigUint64(8 * i, view.getBigUint64(context + 8 * index, true), true);
  }
  setInt64(out, 8 * CS, USER_CS);
  setInt64(out, 8 * SS, USER_SS);
  return bytes;
}

const LEGACY_SIZE = 512;
const SW_MAGIC = 464;
const FP_XSTATE_MAGIC1 = 0x46505853;

/** The extended state in a debugger's register sets: that of FXSAVE, and all of XSAVE (null if there is none). */
export function extendedState(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  size: number,
): { fpregs: Uint8Array; xstate: Uint8Array | null } | null {
  if (size < LEGACY_SIZE) return null;
  const isLong = view.getUint32(at + SW_MAGIC, true) === FP_XSTATE_MAGIC1;
  const length = isLong ? Math.min(size, view.getUint32(at + SW_MAGIC + 16, true)) : 0;
  const fpregs = bytes.slice(at, at + LEGACY_SIZE);
  const components = fpregs.slice(SW_MAGIC + 8, SW_MAGIC + 16);
  fpregs.fill(0, SW_MAGIC);
  if (length < LEGACY_SIZE) return { fpregs, xstate: null };
  const xstate = bytes.slice(at, at + length);
  xstate.fill(0, SW_MAGIC, LEGACY_SIZE);
  // Where the frame has its own magic, a register set has the mask of components that the processor knows.
  xstate.set(components, SW_MAGIC);
  return { fpregs, xstate };
}
