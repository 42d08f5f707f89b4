/**
 * Secure computing (seccomp(2)): which system calls a thread may still make. Its filters, BPF programs, run before each
 * call, the youngest first; the strictest answer counts.
 *
 * Filters judge what the handler gets: arguments are taken from `task.callArgs`, not again from the program.
 */
import { NR } from '../arch/x86_64/unistd.ts';
import { KERN_NOTICE } from '../core/printk.ts';
import type { EngineThread } from '../engine/engine.ts';
import { ENOSYS } from '../uapi/errno.ts';
import * as sc from '../uapi/seccomp.ts';
import { sysInfo } from '../uapi/siginfo.ts';
import { SIGKILL, SIGSYS } from '../uapi/signal.ts';
import { type BpfProgram, runBpf } from './bpf.ts';
import { exitTask } from './exit.ts';
import { DEFAULT_ACTION } from './sighand.ts';
import { forceSignal } from './signal.ts';
import type { Task } from './task.ts';

export interface SeccompFilter {
  readonly program: BpfProgram;
  /** The filter before this one, which stays in force. */
  readonly previous: SeccompFilter | null;
  /** The number of filters up to this one, and what they are charged in all, in instructions. */
  readonly count: number;
  readonly charge: number;
  /** SECCOMP_FILTER_FLAG_LOG: calls that are not allowed are logged. */
  readonly logs: boolean;
}

/** The filter of mode SECCOMP_MODE_FILTER; null: SECCOMP_MODE_STRICT. */
export interface Seccomp {
  readonly filter: SeccompFilter | null;
}

export const seccompMode = (seccomp: Seccomp | null): number =>
  seccomp === null ? 0 : seccomp.filter === null ? sc.SECCOMP_MODE_STRICT : sc.SECCOMP_MODE_FILTER;

const STRICT: ReadonlySet<number> = new Set([NR.read, NR.write, NR.exit, NR.rt_sigreturn]);
const MAX_ERRNO = 4095;
const TWO32 = 2 ** 32;

/**
 * Asked before a call, whose arguments are in `task.callArgs`, as `widths` say (engine.ts, `arg`). Null: it may be
 * made. Else its result; 'gone': its thread has ended.
 */
export function refusal(
  task: Task,
  thread: EngineThread,
  seccomp: Seccomp,
  widths: readonly number[],
): number | 'gone' | null {
  const { filter } = seccomp;
  if (filter !== null) return enforce(task, thread, judge(filter, describe(task, thread, widths)), filter);
  if (STRICT.has(task.callNumber)) return null;
  exitTask(task, SIGKILL);
  return 'gone';
}

/** struct seccomp_data, in words. */
function describe(task: Task, thread: EngineThread, widths: readonly number[]): Uint32Array {
  const data = new Uint32Array(sc.SECCOMP_DATA_SIZE / 4);
  data[0] = task.callNumber;
  data[1] = sc.AUDIT_ARCH_X86_64;
  put(data, 2, thread.programCounter);
  for (let i = 0; i < 6; i++) {
    const low = thread.arg(i, 0) >>> 0;
    const high = Math.round((thread.arg(i, 2) - low) / TWO32);
    const [width, used] = [widths[i], task.callArgs[i]!];
    const at = 4 + 2 * i;
    data[at] = low;
    data[at + 1] = high;
    if (width === 0) data[at] = used;
    // A number beyond 2^53 is too large for any handler, so its bits do not matter.
    else if (width !== undefined && Math.abs(used) <= Number.MAX_SAFE_INTEGER) put(data, at, used);
  }
  return data;
}

function put(data: Uint32Array, at: number, value: number): void {
  data[at] = value;
  data[at + 1] = Math.floor(value / TWO32);
}

/** Actions are compared as signed numbers. */
function judge(filter: SeccompFilter, data: Uint32Array): number {
  let strictest = sc.SECCOMP_RET_ALLOW | 0;
  for (let at: SeccompFilter | null = filter; at !== null; at = at.previous) {
    const answer = runBpf(at.program, data) | 0;
    if ((answer & sc.SECCOMP_RET_ACTION_FULL) < (strictest & sc.SECCOMP_RET_ACTION_FULL)) strictest = answer;
  }
  return strictest;
}

function enforce(
  task: Task,
  thread: EngineThread,
  verdict: number,
  filter: SeccompFilter,
): number | 'gone' | null {
  const action = (verdict & sc.SECCOMP_RET_ACTION_FULL) >>> 0;
  const data = verdict & sc.SECCOMP_RET_DATA;
  if (action === sc.SECCOMP_RET_ALLOW) return null;
  if (action === sc.SECCOMP_RET_LOG || filter.logs) tell(task, action);
  const nr = task.callNumber;
  switch (action) {
    case sc.SECCOMP_RET_LOG:
      return null;
    case sc.SECCOMP_RET_ERRNO:
      // Not -0, which is no small integer to V8.
      return 0 - Math.min(data, MAX_ERRNO);
    case sc.SECCOMP_RET_TRACE:
      return -ENOSYS;
    case sc.SECCOMP_RET_TRAP:
      send(task, thread, data);
      return nr;
    case sc.SECCOMP_RET_KILL_THREAD:
      if (task.group.threads.size === 1) break;
      exitTask(task, SIGSYS);
      return 'gone';
  }
  // SECCOMP_RET_KILL_PROCESS, unknown actions, and a last KILL_THREAD.
  task.group.sighand.set(SIGSYS, DEFAULT_ACTION);
  send(task, thread, data);
  return nr;
}

function send(task: Task, thread: EngineThread, data: number): void {
  const info = sysInfo(sc.SYS_SECCOMP, thread.programCounter, task.callNumber, sc.AUDIT_ARCH_X86_64);
  info.words[1] = data;
  forceSignal(task, info);
}

function tell(task: Task, action: number): void {
  const { pid, comm, callNumber, cred, kernel } = task;
  const what = `pid=${pid} comm="${comm}" uid=${cred.uid} syscall=${callNumber} code=0x${action.toString(16)}`;
  kernel.printk.log(KERN_NOTICE, `audit: type=1326 ${what}`);
}
