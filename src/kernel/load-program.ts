/**
 * Loads a program into a task's empty memory (execve(2)): its segments and its loader's, its stack and what lies there.
 */

import type { ElfFile } from '../arch/x86_64/elf.ts';
import { EFLAGS, RIP, RSP, setRegister, setSegments } from '../arch/x86_64/registers.ts';
import type { EngineThread } from '../engine/engine.ts';
import type { File } from '../fs/file.ts';
import type { Mm } from '../mm/mm.ts';
import { TASK_SIZE } from '../mm/places.ts';
import { PAGE_SIZE, pageDown, pageUp } from '../mm/ram.ts';
import { VM_GROWSDOWN, VM_MAYWRITE, Vma } from '../mm/vma.ts';
import { EACCES, ENOMEM } from '../uapi/errno.ts';
import { RLIMIT_STACK } from '../uapi/resource.ts';
import type { ExecCred } from './cred-exec.ts';
import { type StackRequest, type StackWindow, stackPointerFor, writeStack } from './exec-stack.ts';
import { FileBacking } from './file-backing.ts';
import { headersAddress, imageSize, imageStart, mapSegments } from './load-elf.ts';
import type { Task } from './task.ts';

/** Bytes of a stack that are copied at once. */
const STACK_PIECE = 64 * 1024;
/** Random bytes: 16 for placing things, then 16 for AT_RANDOM (getauxval(3)). */
const RANDOM_SIZE = 32;
const STACK_GAP = 256 * PAGE_SIZE;
/** The lowest address for position-independent programs. */
const PIE_BASE = 0x555555554000;
const DEFAULT_STACK = 8 * 1024 * 1024;
const LARGEST_STACK = 1024 * 1024 * 1024;

export interface Program {
  readonly file: File;
  readonly elf: ElfFile;
  readonly interp: { readonly file: File; readonly elf: ElfFile } | null;
  readonly argv: readonly string[];
  readonly cred: ExecCred;
}

/** How the program was called, and its environment. */
interface Words {
  readonly calledAs: string;
  readonly envp: readonly string[];
}

/** 0, or -errno, which leaves the task with neither its old program nor a new one. */
export function load(task: Task, mm: Mm, thread: EngineThread, program: Program, request: Words): number {
  const { elf, file, interp } = program;
  const { view, bytes } = task.kernel.memory;
  const random = thread.stageOut(RANDOM_SIZE);
  task.kernel.fillRandom(bytes, random, RANDOM_SIZE);
  const dice = (index: number): number => view.getUint32(random + 4 * index, true);
  const stackWish = pageDown(TASK_SIZE - (dice(0) % 2 ** 22) * PAGE_SIZE);
  const { start: stackStart, end: stackTop } = mapStack(task, mm, stackWish, elf.executableStack);
  mm.mmapBase = stackStart - STACK_GAP - (dice(1) % 2 ** 20) * PAGE_SIZE;
  const bias = elf.relocatable ? programBias(mm, elf, interp !== null, dice(2)) : 0;
  if (bias < 0) return bias;
  mm.patchesText = true;
  const mapped = mapFile(mm, thread, file, elf, bias);
  if (mapped < 0) return mapped;
  setLayout(mm, elf, bias, dice(3));
  let entry = bias + elf.entry;
  let base = 0;
  if (interp !== null) {
    const place = interp.elf.relocatable ? mm.findFree(imageSize(interp.elf)) : 0;
    if (place < 0) return place;
    base = interp.elf.relocatable ? place - imageStart(interp.elf) : 0;
    const loaded = mapFile(mm, thread, interp.file, interp.elf, base);
    if (loaded < 0) return loaded;
    entry = base + interp.elf.entry;
  }
  mm.patchesText = interp !== null;
  const stack: StackRequest = {
    top: stackTop - 8,
    argv: program.argv,
    envp: request.envp,
    execfn: request.calledAs,
    platform: 'x86_64',
    auxv: auxiliary(task, elf, bias, base, program.cred.secure),
  };
  const sp = stackPointerFor(stack);
  if (putStack(mm, thread, stack, sp, { bytes, view, random: random + 16 }) < 0) return -ENOMEM;
  setRegister(view, thread.context, RIP, entry);
  setRegister(view, thread.context, RSP, sp);
  setRegister(view, thread.context, EFLAGS, 0x200);
  setSegments(view, thread.context);
  thread.tls = 0;
  return 0;
}

function mapFile(mm: Mm, thread: EngineThread, file: File, elf: ElfFile, bias: number): number {
  const cache = file.mmap(false, false);
  if (typeof cache === 'number') return -EACCES;
  const backing = new FileBacking(file, cache);
  const done = mapSegments(mm, thread, elf, backing, bias);
  backing.put();
  return done;
}

/**
 * Maps the whole stack, whose pages come as they are touched. It lies below `top`, but not over what the engine keeps.
 */
function mapStack(task: Task, mm: Mm, top: number, executable: boolean): Vma {
  const limit = task.rlimit(RLIMIT_STACK);
  const wish = Number.isFinite(limit) ? Math.min(limit, LARGEST_STACK) : DEFAULT_STACK;
  const size = Math.max(pageUp(wish), 32 * PAGE_SIZE);
  const start = mm.findFree(size, top);
  const vma = new Vma(start, start + size, executable ? 7 : 3, VM_MAYWRITE | VM_GROWSDOWN);
  vma.name = '[stack]';
  mm.map(vma);
  return vma;
}

function programBias(mm: Mm, elf: ElfFile, hasInterp: boolean, dice: number): number {
  // A loader that is run as a program goes where libraries go, out of the way of what it will load.
  if (!hasInterp) {
    const place = mm.findFree(imageSize(elf));
    return place < 0 ? place : place - imageStart(elf);
  }
  const align = Math.max(PAGE_SIZE, ...elf.loads.map(s => s.align));
  const moved = PIE_BASE + (dice % 2 ** 20) * PAGE_SIZE;
  return Math.floor(moved / align) * align - imageStart(elf);
}

function setLayout(mm: Mm, elf: ElfFile, bias: number, dice: number): void {
  const code = elf.loads.filter(s => (s.prot & 4) !== 0);
  const data = elf.loads.filter(s => (s.prot & 2) !== 0);
  mm.startCode = Math.min(...code.map(s => bias + s.vaddr));
  mm.endCode = Math.max(...code.map(s => bias + s.vaddr + s.fileSize));
  mm.startData = Math.min(...data.map(s => bias + s.vaddr));
  mm.endData = Math.max(...data.map(s => bias + s.vaddr + s.fileSize));
  const end = Math.max(...elf.loads.map(s => pageUp(bias + s.vaddr + s.memSize)));
  mm.brkStart = end + (dice % 2 ** 13) * PAGE_SIZE;
  mm.brk = mm.brkStart;
}

/** Small stacks go with the answer, large ones through the host. */
function putStack(
  mm: Mm,
  thread: EngineThread,
  stack: StackRequest,
  sp: number,
  memory: Omit<StackWindow, 'offset'>,
): number {
  const size = stack.top - sp;
  const offset = size <= STACK_PIECE ? thread.stageOut(size) : -1;
  if (offset < 0) return putLargeStack(mm, thread, stack, sp, memory);
  noteStack(mm, stack, sp, { ...memory, offset });
  thread.copyOut(sp, offset, size);
  return 0;
}

function putLargeStack(
  mm: Mm,
  thread: EngineThread,
  stack: StackRequest,
  sp: number,
  { bytes: kernel, random }: Omit<StackWindow, 'offset'>,
): number {
  const size = stack.top - sp;
  const bytes = new Uint8Array(size + RANDOM_SIZE);
  bytes.set(kernel.subarray(random, random + RANDOM_SIZE), size);
  noteStack(mm, stack, sp, { bytes, view: new DataView(bytes.buffer), offset: 0, random: size });
  for (let done = 0; done < size; done += STACK_PIECE) {
    const len = Math.min(STACK_PIECE, size - done);
    const offset = thread.stageOut(len);
    if (offset < 0) return offset;
    kernel.set(bytes.subarray(done, done + len), offset);
    thread.copyOut(sp + done, offset, len);
  }
  mm.space.settle();
  return 0;
}

function noteStack(mm: Mm, stack: StackRequest, sp: number, window: StackWindow): void {
  const { argStart, argEnd, envStart, envEnd, auxv } = writeStack(stack, sp, window);
  Object.assign(mm, { argStart, argEnd, envStart, envEnd, auxv, startStack: sp });
}

const AT = {
  phdr: 3,
  phent: 4,
  phnum: 5,
  pagesz: 6,
  base: 7,
  flags: 8,
  entry: 9,
  uid: 11,
  euid: 12,
  gid: 13,
  egid: 14,
  hwcap: 16,
  clktck: 17,
  secure: 23,
  hwcap2: 26,
  sysinfoEhdr: 33,
  minsigstksz: 51,
} as const;
const PHDR_ENTRY = 56;
const CLOCK_TICKS = 100;

function auxiliary(
  task: Task,
  elf: ElfFile,
  bias: number,
  base: number,
  secure: boolean,
): [number, number][] {
  const { cred, kernel } = task;
  const entries: [number, number][] = [
    [AT.minsigstksz, kernel.cpu.minSigStack],
    [AT.hwcap, kernel.cpu.hwcap],
    [AT.pagesz, PAGE_SIZE],
    [AT.clktck, CLOCK_TICKS],
    [AT.phdr, headersAddress(elf, bias)],
    [AT.phent, PHDR_ENTRY],
    [AT.phnum, elf.phnum],
    [AT.base, base],
    [AT.flags, 0],
    [AT.entry, bias + elf.entry],
    [AT.uid, cred.uid],
    [AT.euid, cred.euid],
    [AT.gid, cred.gid],
    [AT.egid, cred.egid],
    [AT.secure, secure ? 1 : 0],
    [AT.hwcap2, kernel.cpu.hwcap2],
  ];
  if (kernel.vdso.address !== 0) entries.unshift([AT.sysinfoEhdr, kernel.vdso.address]);
  return entries;
}
