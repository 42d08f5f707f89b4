/** Dispositions and the alternate stack (sigaction(2), sigaltstack(2)). */
import {
  readSigAction,
  readStack,
  SIGACTION_SIZE,
  STACK_SIZE,
  writeSigAction,
  writeStack,
} from '../arch/x86_64/structs/signal.ts';
import { tellActions } from '../kernel/facts.ts';
import { admissible, type SigAction } from '../kernel/sighand.ts';
import { discardEverywhere, isValidSignal } from '../kernel/signal.ts';
import { type AltStack, NO_ALT_STACK } from '../kernel/signal-state.ts';
import { isUncatchable, sigBit, sigWord } from '../kernel/sigset.ts';
import type { Task } from '../kernel/task.ts';
import { EINVAL, ENOMEM, EPERM } from '../uapi/errno.ts';
import { SS_AUTODISARM, SS_DISABLE, SS_ONSTACK } from '../uapi/signal.ts';
import { call, inStruct, outStruct, type Syscall, signal, ulong } from './args.ts';
import { killCalls } from './kill.ts';
import { signalMaskCalls } from './signal-mask.ts';
import { SIGACTION, STACK } from './structs/signals.ts';

const SIGSET = 8;

function sigaction(task: Task, signal: number, act: number, oldact: number, size: number): number {
  if (size !== SIGSET) return -EINVAL;
  const at = act === 0 ? 0 : task.user.in(act, SIGACTION_SIZE);
  if (at < 0) return at;
  const given = act === 0 ? null : readSigAction(task.user.view, at);
  if (!isValidSignal(signal) || (given !== null && isUncatchable(signal))) return -EINVAL;
  const { sighand } = task.group;
  const old = sighand.get(signal);
  if (given !== null) setAction(task, signal, given);
  tellActions(task);
  if (oldact === 0) return 0;
  const out = task.user.out(oldact, SIGACTION_SIZE);
  if (out < 0) return out;
  writeSigAction(task.user.view, out, old);
  return 0;
}

function setAction(task: Task, signal: number, given: SigAction): void {
  const { sighand } = task.group;
  sighand.set(signal, admissible(given));
  if (sighand.isIgnored(signal)) dropPending(task, signal);
}

/** Discards a pending signal that is now ignored, even if it is blocked (POSIX). */
function dropPending(task: Task, signal: number): void {
  const bit = sigBit(signal);
  if (sigWord(signal) === 0) discardEverywhere(task.group, bit, 0);
  else discardEverywhere(task.group, 0, bit);
}

const MINSIGSTKSZ = 2048;

/** Whether a stack pointer is on the alternate stack (which grows down); never with SS_AUTODISARM. */
export const isOnAltStack = ({ sp, size, flags }: AltStack, pointer: number): boolean =>
  (flags & SS_AUTODISARM) === 0 && pointer > sp && pointer - sp <= size;

function sigaltstack(task: Task, ss: number, oldSs: number): number {
  const { altStack } = task.signals;
  const onStack = isOnAltStack(altStack, task.kernel.stackPointer(task));
  if (ss !== 0) {
    const next = newAltStack(task, ss);
    if (typeof next === 'number') return next;
    if (onStack) return -EPERM;
    task.signals.altStack = next;
  }
  if (oldSs === 0) return 0;
  const at = task.user.out(oldSs, STACK_SIZE);
  if (at < 0) return at;
  const place = altStack.size === 0 ? SS_DISABLE : onStack ? SS_ONSTACK : 0;
  writeStack(task.user.view, at, { ...altStack, flags: (altStack.flags & SS_AUTODISARM) | place });
  return 0;
}

function newAltStack(task: Task, addr: number): AltStack | number {
  const at = task.user.in(addr, STACK_SIZE);
  if (at < 0) return at;
  const { sp, size, flags } = readStack(task.user.view, at);
  const mode = flags & ~SS_AUTODISARM;
  if (mode !== 0 && mode !== SS_ONSTACK && mode !== SS_DISABLE) return -EINVAL;
  if (mode === SS_DISABLE) return { ...NO_ALT_STACK, flags };
  return size < MINSIGSTKSZ ? -ENOMEM : { sp, size, flags };
}

export const signalCalls: readonly Syscall[] = [
  call(
    'rt_sigaction',
    [signal('signum'), inStruct('act', SIGACTION), outStruct('oldact', SIGACTION), ulong('sigsetsize')],
    sigaction,
  ),
  call('sigaltstack', [inStruct('ss', STACK), outStruct('old_ss', STACK)], sigaltstack),
  ...signalMaskCalls,
  ...killCalls,
];
