/**
 * execve(2): a task becomes another program.
 *
 * Everything that can fail without harm comes first: finding the file, reading its headers, resolving scripts, copying
 * the arguments. Then there is no way back: other threads end, the old memory goes, and an error kills.
 */

import type { ElfFile } from '../arch/x86_64/elf.ts';
import type { EngineThread } from '../engine/engine.ts';
import type { Path } from '../fs/dentry.ts';
import type { File } from '../fs/file.ts';
import { LOOKUP_FOLLOW } from '../fs/namei.ts';
import { openExec } from '../fs/open.ts';
import { permission } from '../fs/permission.ts';
import type { Result } from '../lib/result.ts';
import type { Mm } from '../mm/mm.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { E2BIG, EAGAIN, ELOOP, ENOENT, ENOEXEC, ETXTBSY } from '../uapi/errno.ts';
import { MS_NOSUID } from '../uapi/mount.ts';
import { RLIMIT_STACK } from '../uapi/resource.ts';
import { SIGSEGV } from '../uapi/signal.ts';
import { MAY_READ } from '../uapi/stat.ts';
import { settleEverybody } from './along.ts';
import { commitCreds } from './commit-creds.ts';
import { credForExec, type ExecCred, parseFileCaps } from './cred-exec.ts';
import { NO_RETURN, REGISTERS_SET } from './entry.ts';
import { becomeOnlyThread, exitGroup } from './exit.ts';
import { tellBreak, tellProgram, untellAll } from './facts.ts';
import { ExeBacking } from './file-backing.ts';
import { beginHabit } from './habits/follower.ts';
import { resetForExec } from './inherit.ts';
import { load, type Program } from './load-program.ts';
import { leaveBetween } from './pipe-between.ts';
import type { ElfProgram } from './programs.ts';
import { leaveLocks } from './robust-list.ts';
import { dropUnsafe, mayBeDumped, sharesFs } from './secure-exec.ts';
import { newSpaceFor } from './spaces.ts';
import type { Task } from './task.ts';

/** How many scripts may name one another (execve(2)). */
const MAX_SCRIPTS = 5;
const MAX_ARG_STRLEN = 32 * PAGE_SIZE;

export interface ExecRequest {
  readonly at: Path | null;
  readonly filename: string;
  /** The program's name as the program learns it: one below /dev/fd if a descriptor says where to start. */
  readonly calledAs: string;
  /** That name will not be there: the descriptor is closed on exec (execveat(2), BUGS). */
  readonly isLost: boolean;
  /** LOOKUP_ flags for the name. */
  readonly flags: number;
  readonly argv: readonly string[];
  readonly envp: readonly string[];
}

/** Returns REGISTERS_SET, NO_RETURN when the task died, or -errno with nothing changed. */
export function execve(task: Task, request: ExecRequest): number | Promise<number> {
  const program = findProgram(task, request);
  if (typeof program === 'number') return program;
  const alone = mayStart(task, program, request) || becomeOnlyThread(task);
  if (typeof alone === 'object')
    return alone.then(yes => go(task, program, request, yes ? mayStart(task, program, request) : NO_RETURN));
  return go(task, program, request, alone === true ? 0 : alone === false ? NO_RETURN : alone);
}

/** 0, or the error that prevents it. */
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
  const { programs } = task.kernel;
  let { at, filename, calledAs } = request;
  let argv = request.argv.length === 0 ? [''] : request.argv;
  let flags = request.flags;
  for (let depth = 0; ; depth++) {
    const file = openProgram(task, at, filename, flags);
    if (typeof file === 'number') return file;
    const found = programs.look(file);
    if (typeof found === 'object' && 'elf' in found) return loadable(task, file, found, argv);
    file.put();
    if (typeof found === 'number') return found;
    if (request.isLost) return -ENOENT;
    if (depth === MAX_SCRIPTS) return -ELOOP;
    const { interpreter, argument } = found;
    argv = [interpreter, ...(argument === '' ? [] : [argument]), calledAs, ...argv.slice(1)];
    filename = interpreter;
    calledAs = interpreter;
    at = null;
    flags = LOOKUP_FOLLOW;
  }
}

/** A file may seem open for writing only because the kernel does not know yet that it was closed. */
function openProgram(task: Task, at: Path | null, name: string, flags: number): Result<File> {
  const { kernel } = task;
  const file = openExec(kernel.vfs, task, at, name, flags);
  if (file !== -ETXTBSY) return file;
  settleEverybody(kernel);
  return openExec(kernel.vfs, task, at, name, flags);
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
  const { programs } = task.kernel;
  const file = openProgram(task, null, name, LOOKUP_FOLLOW);
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
  const { thread, mm } = freshMemory(task, secure || !readable || task.dumpable !== 1);
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
  if (!open) task.dumpable = 0;
  task.comm = commFor(file, request).slice(0, 15);
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
 * The task's memory, empty. It is new if the old one is shared (vfork), or if the old and the new program must be kept
 * `apart`. They must if the new program may do what the old one might not: the old threads, and what they left in the
 * engine's pages, are not to be trusted. The same goes for a program that may be executed but not read, and for an old
 * program that has given up rights (prctl(2), PR_SET_DUMPABLE): what it read and wrote still stands there, where the
 * new one must not see it.
 */
function freshMemory(task: Task, apart: boolean): { thread: EngineThread; mm: Mm } {
  const { mm, thread } = task;
  if (mm === null || thread === null) throw new Error('exec without memory');
  const { knownBy } = thread;
  leaveBetween(task);
  if (mm.users === 1 && !apart) {
    mm.clear();
    // Fetches what its thread has set, before that is gone.
    task.group.sighand.untell();
    mm.space.wipeTraces();
    // The old pages go while the kernel looks at the new program.
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

/** Without a name, the file's own, not the descriptor's number (since Linux 6.14). */
function commFor(file: File, { filename, calledAs }: ExecRequest): string {
  if (filename !== '' || file.path === null) return baseName(calledAs);
  const { name } = file.path.dentry;
  return name.startsWith('/') ? name.slice(1) : name;
}

const baseName = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
