/**
 * The one table of system calls. Its rows drive dispatch (`entryCall`), what the engine fetches with a call
 * (`prefetchPlan`), strace (strace.ts) and the page of supported calls (supported.ts).
 */
import { NR } from '../arch/x86_64/unistd.ts';
import type { Prefetch } from '../engine/engine.ts';
import type { EntryCall } from '../kernel/entry.ts';
import type { Foregone } from '../kernel/known-answers.ts';
import { acctCalls } from './acct.ts';
import { LEAVES_OPENED } from './along.ts';
import { type Arg, type Syscall, WIDTH_INT } from './args.ts';
import { cloneCalls, FRAME_CALLS } from './clone.ts';
import { credCalls } from './cred.ts';
import { fileCalls } from './files.ts';
import { futexCalls } from './futex.ts';
import { futex2Calls } from './futex2.ts';
import { infoCalls } from './info.ts';
import { lsmCalls } from './lsm.ts';
import { madviseCalls } from './madvise.ts';
import { membarrierCalls } from './membarrier.ts';
import { mempolicyCalls } from './mempolicy.ts';
import { mincoreCalls } from './mincore.ts';
import { mlockCalls } from './mlock.ts';
import { mmapCalls } from './mmap.ts';
import { mprotectCalls } from './mprotect.ts';
import { mqueueCalls } from './mqueue.ts';
import { mremapCalls } from './mremap.ts';
import { msgCalls } from './msg.ts';
import { netCalls } from './net.ts';
import { processCalls } from './process.ts';
import { recvCalls } from './recv.ts';
import { schedCalls } from './sched.ts';
import { seccompCalls } from './seccomp.ts';
import { semCalls } from './sem.ts';
import { sendCalls } from './send.ts';
import { setnsCalls } from './setns.ts';
import { shmCalls } from './shm.ts';
import { signalCalls } from './signal.ts';
import { timeCalls } from './time.ts';

export const SYSCALLS: readonly Syscall[] = [
  ...netCalls,
  ...timeCalls,
  ...infoCalls,
  ...acctCalls,
  ...schedCalls,
  ...fileCalls,
  ...mmapCalls,
  ...mprotectCalls,
  ...mremapCalls,
  ...madviseCalls,
  ...mlockCalls,
  ...mincoreCalls,
  ...mempolicyCalls,
  ...membarrierCalls,
  ...cloneCalls,
  ...futexCalls,
  ...futex2Calls,
  ...seccompCalls,
  ...lsmCalls,
  ...setnsCalls,
  ...signalCalls,
  ...processCalls,
  ...credCalls,
  ...sendCalls,
  ...recvCalls,
  ...msgCalls,
  ...mqueueCalls,
  ...semCalls,
  ...shmCalls,
];

/** Rows by number. */
export function syscallsByNumber(): (Syscall | undefined)[] {
  const out: (Syscall | undefined)[] = [];
  for (const row of SYSCALLS) {
    const nr = (NR as Readonly<Record<string, number>>)[row.name];
    if (nr === undefined) throw new Error(`no number for ${row.name}`);
    if (out[nr] !== undefined) throw new Error(`two rows for ${row.name}`);
    out[nr] = row;
  }
  return out;
}

export const entryCall = (row: Syscall): EntryCall => ({
  name: row.name,
  widths: row.args.map(a => a.width),
  needsFrame: FRAME_CALLS.has(row.name),
  leavesOpened: LEAVES_OPENED.has(row.name),
  foregone: foregoneOf(row),
  foreseeable: row.foreseeable,
  run: row.run,
});

/** How to answer a call with lasting errors in advance, from its first string (the name) and its 32-bit arguments. */
function foregoneOf({ name, args, lasting: errors, ofSteady }: Syscall): Foregone | null {
  if (errors.length === 0) return null;
  const indexes = args.map((_, index) => index);
  const numbers = indexes.filter(index => args[index]!.width === WIDTH_INT);
  const dirfd = args.findIndex(({ kind }) => kind === 'dirfd');
  const out = args.findIndex(({ kind }) => kind === 'out');
  return { nr: (NR as Readonly<Record<string, number>>)[name]!, numbers, out, errors, ofSteady, dirfd };
}

/** Calls that need to know what the program has used so far; the first two settle its account. */
const USAGE_CALLS: ReadonlySet<string> = new Set(['exit', 'exit_group', 'getrusage']);

/** What a call will read, as far as its arguments say: two pieces at most. */
export function prefetchPlan(row: Syscall): Prefetch[] {
  if (USAGE_CALLS.has(row.name)) return [prefetch(0, 'usage')];
  const small = row.args.length <= 3;
  return row.args.flatMap((arg, index) => prefetchOf(arg, index, small)).slice(0, 2);
}

function prefetchOf(arg: Arg, index: number, small: boolean): Prefetch[] {
  if (arg.kind === 'path' || arg.kind === 'string') return [prefetch(index, 'string')];
  if (arg.kind === 'strings') return [prefetch(index, 'strings')];
  if (arg.kind !== 'in') return [];
  if (arg.lengthArg !== undefined) return [prefetch(index, 'buffer', arg.lengthArg, undefined, small)];
  return arg.size !== undefined ? [prefetch(index, 'struct', undefined, arg.size)] : [];
}

/** Makes all of them with one shape, because V8 specialises code for the shapes that it has seen. */
const prefetch = (
  arg: number,
  kind: Prefetch['kind'],
  lengthArg?: number,
  size?: number,
  small = false,
): Prefetch => ({ arg, kind, lengthArg, size, small });
