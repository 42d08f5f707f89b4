/**
 * What the host allows us (seccomp(2)). Two programs, which the build writes into the stub:
 *
 * - `space`, for all threads of spaces. What a call may do depends on where it is made:
 *   - from the mapping thread's text: at fixed places, mappings of the memory file, of a host file that was sent to it
 *     (privately), or of nothing; new spaces and threads, in two exact forms; notes to the kernel; memory barriers;
 *   - from the rest of the stub's text: wait and wake on slots and the space's pages, return from a signal, yield, end
 *     the process, ask what it has used, and change private memory outside the engine's places;
 *   - from anywhere else nothing: SIGSYS, a guest's call.
 * - `reaper`: waiting, noting deaths, waking the kernel.
 *
 * A thread that runs guest code has also lost the mapping thread's part of the text: it has told the host to dispatch
 * every call made outside the rest back to it (PR_SET_SYSCALL_USER_DISPATCH of prctl(2), without a selector). Nothing
 * that it can still do undoes that, so it gains nothing by jumping to the stub's syscall instructions with registers of
 * its choice. A second program would achieve the same, but the host compiles programs for each new thread and frees
 * them after it, which takes 25 us.
 *
 * What is not allowed is TRAP, never KILL: this is how guests' calls are made.
 */
import {
  add,
  addX,
  assemble,
  DATA,
  type Instruction,
  jeq,
  jge,
  jlt,
  jne,
  jset,
  type Line,
  label,
  load,
  RET_ALLOW,
  RET_TRAP,
  ret,
  tax,
} from './bpf.ts';
import { FD, LOWEST_OWN, OWN_MAP_FLAGS, SIZE, VA } from './layout.ts';

const AUDIT_ARCH_X86_64 = 0xc000003e;
const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const MADV_DONTNEED = 4;
const MADV_FREE = 8;
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
/** The stub's text and constants. What follows is data or not mapped. */
export const TEXT_SIZE = 0x80000;

/** How a guest thread gives up the mapping thread's text (prctl(2)): it may call from STUB_ENTRY on. */
export const DISPATCH = {
  PR_SET_SYSCALL_USER_DISPATCH: 59,
  PR_SYS_DISPATCH_OFF: 0,
  PR_SYS_DISPATCH_ON: 1,
  GUEST_TEXT_SIZE: VA.STUB_TEXT + TEXT_SIZE - VA.STUB_ENTRY,
} as const;

/** CLONE_PARENT | SIGCHLD: the new process is a child of the reaper. */
export const FORK_FLAGS = 0x8000 | 17;
/** CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM; descriptors are not shared. */
export const THREAD_FLAGS = 0x100 | 0x200 | 0x800 | 0x10000 | 0x40000;

const NR = {
  read: 0,
  close: 3,
  poll: 7,
  mmap: 9,
  mprotect: 10,
  munmap: 11,
  rt_sigreturn: 15,
  write: 1,
  sched_yield: 24,
  mremap: 25,
  madvise: 28,
  recvmsg: 47,
  clone: 56,
  wait4: 61,
  waitid: 247,
  getppid: 110,
  getrusage: 98,
  gettid: 186,
  sigaltstack: 131,
  prctl: 157,
  futex: 202,
  restart_syscall: 219,
  sched_setaffinity: 203,
  exit_group: 231,
  membarrier: 324,
  close_range: 436,
} as const;

const high = (address: number): number => Math.floor(address / 2 ** 32);
/** Goes on only if argument `n` is `value` in all 64 bits. */
const isExactly = (n: number, value: number): readonly Line[] => [
  load(DATA.arg(n)),
  jne(value, 'trap'),
  load(DATA.argHigh(n)),
  jne(0, 'trap'),
];
/**
 * Goes `on` if the range where argument `place` says, as long as argument `length` says, has nothing of the stub's text;
 * or else is a trap. The host allows no range that wraps. Below the text neither number reaches 2 GiB, so the sum does
 * not wrap, and rounding it up to a page does not pass STUB_TEXT.
 */
const apartFromText = (place: number, length: number, on: string): readonly Line[] => [
  load(DATA.argHigh(place)),
  jne(0, on),
  load(DATA.arg(place)),
  jge(VA.STUB_TEXT + TEXT_SIZE, on),
  jge(VA.STUB_TEXT, 'trap'),
  tax,
  load(DATA.argHigh(length)),
  jne(0, 'trap'),
  load(DATA.arg(length)),
  jge(VA.STUB_TEXT + 1, 'trap'),
  addX,
  jlt(VA.STUB_TEXT + 1, on),
  ret(RET_TRAP),
];
const end: readonly Line[] = [label('trap'), ret(RET_TRAP), label('allow'), ret(RET_ALLOW)];
const onlyX86_64: readonly Line[] = [load(DATA.arch), jne(AUDIT_ARCH_X86_64, 'trap')];

const MREMAP_MAYMOVE_FIXED = 3;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_GROWSDOWN = 0x100;
const MAP_NORESERVE = 0x4000;
const MAP_KNOWN = MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_NORESERVE;

/** A call's address is the one behind its instruction. One that ends where the text begins is a guest's. */
const space: readonly Line[] = [
  ...onlyX86_64,
  load(DATA.ipHigh),
  jne(0, 'trap'),
  load(DATA.ipLow),
  jlt(VA.STUB_TEXT + 1, 'trap'),
  jge(VA.STUB_TEXT + TEXT_SIZE, 'trap'),
  jlt(VA.STUB_ENTRY, 'mapper'),
  load(DATA.nr),
  jeq(NR.rt_sigreturn, 'allow'),
  jeq(NR.sched_yield, 'allow'),
  jeq(NR.exit_group, 'allow'),
  jeq(NR.getrusage, 'allow'),
  jeq(NR.futex, 'futex'),
  jeq(NR.mmap, 'map'),
  jeq(NR.munmap, 'own'),
  jeq(NR.mprotect, 'protect'),
  jne(NR.madvise, 'trap'),
  load(DATA.arg(2)),
  jeq(MADV_DONTNEED, 'own'),
  jeq(MADV_FREE, 'own'),
  ret(RET_TRAP),
  label('map'),
  load(DATA.argHigh(3)),
  jne(0, 'trap'),
  load(DATA.arg(3)),
  jeq(OWN_MAP_FLAGS, 'own'),
  ret(RET_TRAP),
  label('protect'),
  load(DATA.argHigh(2)),
  jne(0, 'trap'),
  load(DATA.arg(2)),
  jge(8, 'trap'),
  // Above all of the engine's places, between the stub and the slots, or below the stub (own-mappings.ts).
  label('own'),
  load(DATA.argHigh(1)),
  jge(0x8000, 'trap'),
  tax,
  load(DATA.argHigh(0)),
  jeq(0, 'low'),
  jge(0x8000, 'trap'),
  jge(high(VA.SLOT_END), 'allow'),
  addX,
  add(2),
  jge(high(VA.SLOT_BASE) + 1, 'trap'),
  ret(RET_ALLOW),
  // Address and length are below 2 GiB each, so the sum does not wrap. Rounding up to a page does not pass STUB_TEXT.
  label('low'),
  load(DATA.argHigh(1)),
  jne(0, 'trap'),
  load(DATA.arg(0)),
  jlt(LOWEST_OWN, 'trap'),
  jge(VA.STUB_TEXT, 'trap'),
  tax,
  load(DATA.arg(1)),
  jge(VA.STUB_TEXT, 'trap'),
  addX,
  jge(VA.STUB_TEXT + 1, 'trap'),
  ret(RET_ALLOW),
  label('futex'),
  load(DATA.arg(1)),
  jeq(FUTEX_WAKE, 'place'),
  jne(FUTEX_WAIT, 'trap'),
  label('place'),
  load(DATA.arg(3)),
  jne(0, 'trap'),
  load(DATA.argHigh(3)),
  jne(0, 'trap'),
  load(DATA.argHigh(0)),
  jeq(0, 'page'),
  jlt(high(VA.SLOT_BASE), 'trap'),
  jge(high(VA.SLOT_END), 'trap'),
  ret(RET_ALLOW),
  label('page'),
  load(DATA.arg(0)),
  jlt(VA.STUB_SPACE, 'trap'),
  jlt(VA.STUB_END, 'allow'),
  ret(RET_TRAP),
  label('mapper'),
  load(DATA.nr),
  jeq(NR.mmap, 'mmap'),
  jeq(NR.munmap, 'range'),
  jeq(NR.mprotect, 'range'),
  jeq(NR.mremap, 'remap'),
  jeq(NR.madvise, 'range'),
  jeq(NR.clone, 'clone'),
  jeq(NR.write, 'write'),
  jeq(NR.recvmsg, 'receive'),
  jeq(NR.close, 'close'),
  jeq(NR.prctl, 'prctl'),
  jeq(NR.futex, 'allow'),
  jeq(NR.sigaltstack, 'allow'),
  jeq(NR.close_range, 'allow'),
  jeq(NR.getppid, 'allow'),
  jeq(NR.gettid, 'allow'),
  jeq(NR.sched_setaffinity, 'allow'),
  jeq(NR.membarrier, 'barrier'),
  jeq(NR.exit_group, 'allow'),
  ret(RET_TRAP),
  // What grows in place takes nobody else's (mremap(2)); what moves does.
  label('remap'),
  load(DATA.arg(3)),
  jeq(0, 'range'),
  jne(MREMAP_MAYMOVE_FIXED, 'trap'),
  ...apartFromText(4, 2, 'range'),
  // Only at fixed places, of the memory file or anonymous, with flags that we know. A lent file only privately.
  label('mmap'),
  load(DATA.arg(3)),
  jset(~MAP_KNOWN, 'trap'),
  jset(MAP_FIXED, 'fixed'),
  ret(RET_TRAP),
  label('fixed'),
  jset(MAP_ANONYMOUS, 'range'),
  load(DATA.arg(4)),
  jeq(FD.FD_MEMORY, 'range'),
  jeq(FD.FD_MEMORY_RO, 'range'),
  jne(FD.FD_LENT, 'trap'),
  load(DATA.arg(3)),
  jset(MAP_SHARED, 'trap'),
  label('range'),
  ...apartFromText(0, 1, 'allow'),
  label('clone'),
  load(DATA.arg(0)),
  jeq(FORK_FLAGS, 'allow'),
  jeq(THREAD_FLAGS, 'allow'),
  ret(RET_TRAP),
  label('write'),
  load(DATA.arg(0)),
  jne(FD.FD_NOTES, 'trap'),
  load(DATA.argHigh(1)),
  jne(0, 'trap'),
  load(DATA.arg(1)),
  jlt(VA.STUB_SPACE, 'trap'),
  jge(VA.STUB_SPACE + SIZE.SPACE_SIZE, 'trap'),
  ret(RET_ALLOW),
  label('receive'),
  load(DATA.arg(0)),
  jeq(FD.FD_NOTES, 'allow'),
  ret(RET_TRAP),
  label('close'),
  load(DATA.arg(0)),
  jeq(FD.FD_LENT, 'allow'),
  ret(RET_TRAP),
  // Of this process, or of those that asked for it; never of one processor.
  label('barrier'),
  load(DATA.arg(1)),
  jne(0, 'trap'),
  ret(RET_ALLOW),
  label('prctl'),
  load(DATA.arg(0)),
  jeq(DISPATCH.PR_SET_SYSCALL_USER_DISPATCH, 'dispatch'),
  jne(PR_SET_PDEATHSIG, 'trap'),
  load(DATA.arg(1)),
  jeq(SIGKILL, 'allow'),
  ret(RET_TRAP),
  // For the rest of the thread's life, and exactly as guest threads do it.
  label('dispatch'),
  load(DATA.arg(1)),
  jne(DISPATCH.PR_SYS_DISPATCH_ON, 'trap'),
  ...isExactly(2, VA.STUB_ENTRY),
  ...isExactly(3, DISPATCH.GUEST_TEXT_SIZE),
  ...isExactly(4, 0),
  ret(RET_ALLOW),
  ...end,
];

const reaper: readonly Line[] = [
  ...onlyX86_64,
  load(DATA.nr),
  jeq(NR.poll, 'allow'),
  // A poll resumes this way when the process was stopped and continued, or the host was asleep.
  jeq(NR.restart_syscall, 'allow'),
  jeq(NR.wait4, 'allow'),
  jeq(NR.waitid, 'allow'),
  jeq(NR.read, 'allow'),
  jeq(NR.write, 'allow'),
  jeq(NR.futex, 'allow'),
  jeq(NR.exit_group, 'allow'),
  ...end,
];

export const FILTERS: Readonly<Record<'space' | 'reaper', readonly Instruction[]>> = {
  space: assemble(space),
  reaper: assemble(reaper),
};
