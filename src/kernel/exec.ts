/**
 * execve(2): a task becomes another program.
 *
 * All that can fail without harm is done first: the file is found, its headers are read, scripts are resolved, the
 * arguments are copied. Then there is no way back: other threads end, the old memory goes, and an error kills.
 */

import type { ElfFile } from '../arch/x86_64/elf.ts';
import { EFLAGS, RIP, RSP, setRegister, setSegments } from '../arch/x86_64/registers.ts';
import type { EngineThread } from '../engine/engine.ts';
import type { Path } from '../fs/dentry.ts';
import type { File } from '../fs/file.ts';
import { LOOKUP_FOLLOW } from '../fs/namei.ts';
import { openExec } from '../fs/open.ts';
import { permission } from '../fs/permission.ts';
import type { Mm } from '../mm/mm.ts';
import { TASK_SIZE } from '../mm/places.ts';
import { PAGE_SIZE, pageDown, pageUp } from '../mm/ram.ts';
import { VM_GROWSDOWN, VM_MAYWRITE, Vma } from '../mm/vma.ts';
import { E2BIG, EACCES, EAGAIN, ELOOP, ENOEXEC, ENOMEM } from '../uapi/errno.ts';
import { MS_NOSUID } from '../uapi/mount.ts';
import { RLIMIT_STACK } from '../uapi/resource.ts';
import { SIGSEGV } from '../uapi/signal.ts';
import { MAY_READ } from '../uapi/stat.ts';
import { commitCreds } from './commit-creds.ts';
import { credForExec, type ExecCred, parseFileCaps } from './cred-exec.ts';
import { NO_RETURN, REGISTERS_SET } from './entry.ts';
import { type StackRequest, type StackWindow, stackPointerFor, writeStack } from './exec-stack.ts';
import { becomeOnlyThread, exitGroup } from './exit.ts';
import { tellBreak, tellProgram, untellAll } from './facts.ts';
import { ExeBacking, FileBacking } from './file-backing.ts';
import { beginHabit } from './habits/follower.ts';
import { resetForExec } from './inherit.ts';
import { headersAddress, imageSize, imageStart, mapSegments } from './load-elf.ts';
import type { ElfProgram } from './programs.ts';
import { leaveLocks } from './robust-list.ts';
import { dropUnsafe, mayBeDumped, sharesFs } from './secure-exec.ts';
import { newSpaceFor } from './spaces.ts';
import type { Task } from './task.ts';

/** Scripts may name scripts, so often (execve(2)). */
const MAX_SCRIPTS = 5;
const MAX_ARG_STRLEN = 32 * PAGE_SIZE;
/** Bytes of a stack that are copied at once. */
const STACK_PIECE = 64 * 1024;
/** For places, then for AT_RANDOM (getauxval(3)): 16 bytes each. */
const RANDOM_SIZE = 32;
const STACK_GAP = 256 * PAGE_SIZE;
/** Where position-independent programs go, and how far up they may be moved at random. */
const PIE_BASE = 0x555555554000;
const DEFAULT_STACK = 8 * 1024 * 1024;
const LARGEST_STACK = 1024 * 1024 * 1024;

export interface ExecRequest {
  readonly at: Path | null;
  readonly filename: string;
  /** LOOKUP_ flags for the name. */
  readonly flags: number;
  readonly argv: readonly string[];
  readonly envp: readonly string[];
}

interface Program {
  readonly file: File;
  readonly elf: ElfFile;
  readonly interp: { readonly file: File; readonly elf: ElfFile } | null;
  readonly argv: readonly string[];
  readonly cred: ExecCred;
}

/** Answers REGISTERS_SET, NO_RETURN when the task died, or -errno with nothing changed. */
export function execve(task: Task, request: ExecRequest): number | Promise<number> {
  const program = findProgram(task, request);
  if (typeof program === 'number') return program;
  const alone = mayStart(task, program, request) || becomeOnlyThread(task);
  if (typeof alone === 'object')
    return alone.then(yes => go(task, program, request, yes ? mayStart(task, program, request) : NO_RETURN));
  return go(task, program, request, alone === true ? 0 : alone === false ? NO_RETURN : alone);
}

/** 0, or what is in the way of it. */
function mayStart(task: Task, program: Program, request: ExecRequest): number {
  if (tooBig(task, program.argv, request.envp)) return -E2BIG;
  return task.kernel.engine.threadRoom === 0 ? -EAGAIN : 0;
}

function go(task: Task, program: Program, request: ExecRequest, obstacle: number): number {
  try {
    return obstacle === 0 ? replace(task, program, request) : obstacle;
  } finally {
    program.file.put();
    program.interp?.file.put();
  }
}

/** Opens the program, through scripts to the ELF file that runs in the end. */
function findProgram(task: Task, request: ExecRequest): Program | number {
  const { vfs, programs } = task.kernel;
  let { at, filename } = request;
  let argv = request.argv.length === 0 ? [''] : request.argv;
  let flags = request.flags;
  for (let depth = 0; ; depth++) {
    const file = openExec(vfs, task, at, filename, flags);
    if (typeof file === 'number') return file;
    const found = programs.look(file);
    if (typeof found === 'object' && 'elf' in found) return loadable(task, file, found, argv);
    file.put();
    if (typeof found === 'number') return found;
    if (depth === MAX_SCRIPTS) return -ELOOP;
    const { interpreter, argument } = found;
    argv = [interpreter, ...(argument === '' ? [] : [argument]), filename, ...argv.slice(1)];
    filename = interpreter;
    at = null;
    flags = LOOKUP_FOLLOW;
  }
}

function loadable(
  task: Task,
  file: File,
  { elf, interp: name }: ElfProgram,
  argv: readonly string[],
): Program | number {
  const cred = execCred(task, file);
  const interp = typeof cred === 'number' || name === null ? null : openInterpreter(task, name);
  if (typeof cred !== 'number' && typeof interp !== 'number') return { file, elf, interp, argv, cred };
  file.put();
  return typeof cred === 'number' ? cred : (interp as number);
}

function openInterpreter(task: Task, name: string): { file: File; elf: ElfFile } | number {
  const { vfs, programs } = task.kernel;
  const file = openExec(vfs, task, null, name, LOOKUP_FOLLOW);
  if (typeof file === 'number') return file;
  const found = programs.look(file);
  if (typeof found === 'object' && 'elf' in found) return { file, elf: found.elf };
  file.put();
  return typeof found === 'number' ? found : -ENOEXEC;
}

function execCred(task: Task, file: File): ExecCred | number {
  const { inode } = file;
  const nosuid = file.path !== null && (file.path.mount.flags & MS_NOSUID) !== 0;
  const value = inode.getxattr('security.capability');
  const caps = typeof value === 'number' ? null : parseFileCaps(Uint8Array.from(value, c => c.charCodeAt(0)));
  if (typeof caps === 'number') return caps;
  return credForExec(task.cred, inode, caps, nosuid, task.attributes.noNewPrivs, sharesFs(task));
}

function tooBig(task: Task, argv: readonly string[], envp: readonly string[]): boolean {
  const limit = Math.max(Math.min(task.rlimit(RLIMIT_STACK) / 4, 6 * 1024 * 1024), 32 * PAGE_SIZE);
  let total = 0;
  for (const s of [...argv, ...envp]) {
    if (s.length >= MAX_ARG_STRLEN) return true;
    total += s.length + 1 + 8;
  }
  return total > limit;
}

/** From here on the old program is gone. */
function replace(task: Task, program: Program, request: ExecRequest): number {
  leaveLocks(task);
  const { file } = program;
  const { cred, secure } = program.cred;
  const readable = permission(file.inode, MAY_READ, task.cred) === 0;
  const { thread, mm } = freshMemory(task, secure || !readable || task.group.dumpable !== 1);
  if (task.files.refs > 1) {
    const own = task.files.clone();
    task.files.put();
    task.files = own;
  }
  task.files.closeOnExec();
  resetForExec(task);
  const open = mayBeDumped(task.cred, cred, readable);
  commitCreds(task, cred);
  if (secure) dropUnsafe(task);
  if (!open) task.group.dumpable = 0;
  task.comm = baseName(request.filename).slice(0, 15);
  const started = load(task, mm, thread, program, request);
  if (started < 0) {
    exitGroup(task, SIGSEGV);
    return NO_RETURN;
  }
  const pages = file.inode.pages();
  if (typeof pages !== 'number') mm.exe = new ExeBacking(file, pages);
  tellProgram(task);
  beginHabit(task, file.inode);
  tellBreak(task);
  task.execDone?.();
  task.execDone = null;
  return REGISTERS_SET;
}

/**
 * The task's memory, empty. A new one if it is shared (vfork), or if old and new program are to be kept `apart`. That is if the
 * new one may do what the old one might not: the old one's threads, and what it left for them where the engine keeps its
 * things, are not to be trusted. The same goes for a program that may be executed but not read. And if it may not see what
 * the old one did, which has given up rights (prctl(2), PR_SET_DUMPABLE): what that read and wrote still stands there.
 */
function freshMemory(task: Task, apart: boolean): { thread: EngineThread; mm: Mm } {
  const { mm, thread } = task;
  if (mm === null || thread === null) throw new Error('exec without memory');
  const { knownBy } = thread;
  if (mm.users === 1 && !apart) {
    mm.clear();
    mm.space.wipeTraces();
    // The old pages go while the new program is looked at.
    thread.newFrame(0);
    thread.prepare();
    return { thread, mm };
  }
  untellAll(task);
  const fresh = newSpaceFor(task.kernel);
  fresh.mm.coredumpFilter = mm.coredumpFilter;
  task.settleUsage();
  if (--mm.users > 0) thread.park();
  else mm.destroy();
  task.thread = fresh.thread;
  task.mm = fresh.mm;
  fresh.thread.owner = task;
  fresh.thread.knownBy = knownBy;
  fresh.thread.newFrame(0);
  return fresh;
}

function load(task: Task, mm: Mm, thread: EngineThread, program: Program, request: ExecRequest): number {
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
    execfn: request.filename,
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

/** The whole stack is mapped: its pages come as they are touched. Below `top`, but not over what the engine keeps. */
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

const baseName = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
