/** The signal mask, and waiting for signals (sigprocmask(2), sigsuspend(2), sigwaitinfo(2)). */

import { SIGSET_SIZE } from '../arch/x86_64/structs/signal.ts';
import { readTimespec, TIMESPEC_SIZE } from '../arch/x86_64/structs/time.ts';
import { NSEC_PER_SEC } from '../core/clock.ts';
import { takeFrom } from '../kernel/dequeue.ts';
import { tellMask } from '../kernel/facts.ts';
import { setBlocked } from '../kernel/signal.ts';
import { type ReadonlySigSet, SigSet, UNMASKABLE } from '../kernel/sigset.ts';
import type { Task } from '../kernel/task.ts';
import { EAGAIN, EINTR, EINVAL, ERESTARTNOHAND, ETIMEDOUT } from '../uapi/errno.ts';
import { SIGINFO_SIZE, type SignalInfo } from '../uapi/siginfo.ts';
import { SIG_BLOCK, SIG_SETMASK, SIG_UNBLOCK } from '../uapi/signal.ts';
import { call, inStruct, oneOf, outStruct, type Syscall, shownAfter, ulong } from './args.ts';
import { structAt } from './show.ts';
import { holdMask, readSigSet, writeSigSet } from './sigset.ts';
import { SIGINFO, SIGSET } from './structs/signals.ts';
import { TIMESPEC } from './structs/time.ts';

const HOW = { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

function sigprocmask(task: Task, how: number, set: number, oldset: number, size: number): number {
  if (size !== SIGSET_SIZE) return -EINVAL;
  const { blocked } = task.signals;
  const old = blocked.clone();
  if (set !== 0) {
    const change = readSigSet(task, set, size);
    if (typeof change === 'number') return change;
    const mask = combine(how, blocked, change);
    if (typeof mask === 'number') return mask;
    setBlocked(task, mask.lo, mask.hi);
  }
  tellMask(task);
  return oldset === 0 ? 0 : writeSigSet(task, oldset, old);
}

function combine(how: number, old: ReadonlySigSet, set: SigSet): SigSet | number {
  if (how === SIG_BLOCK) return new SigSet(old.lo | set.lo, old.hi | set.hi);
  if (how === SIG_UNBLOCK) return new SigSet(old.lo & ~set.lo, old.hi & ~set.hi);
  return how === SIG_SETMASK ? set : -EINVAL;
}

/** Stores the signals that are pending and blocked; here `size` may be less than a set's. */
function sigpending(task: Task, addr: number, size: number): number {
  if (size > SIGSET_SIZE) return -EINVAL;
  const { blocked, pending } = task.signals;
  const shared = task.group.pending.set;
  const lo = (pending.set.lo | shared.lo) & blocked.lo;
  const hi = (pending.set.hi | shared.hi) & blocked.hi;
  if (size === SIGSET_SIZE) return writeSigSet(task, addr, new SigSet(lo, hi));
  const at = task.user.out(addr, size);
  if (at < 0) return at;
  for (let i = 0; i < size; i++) task.user.ram[at + i] = (i < 4 ? lo : hi) >>> (8 * (i & 3));
  return 0;
}

function sigsuspend(task: Task, addr: number, size: number): number | Promise<number> {
  const set = readSigSet(task, addr, size);
  if (typeof set === 'number') return set;
  holdMask(task, set);
  return untilSignal(task);
}

async function untilSignal(task: Task): Promise<number> {
  while ((await task.sleepOn([])) === 0);
  return -ERESTARTNOHAND;
}

function sigtimedwait(
  task: Task,
  set: number,
  info: number,
  timeout: number,
  size: number,
): number | Promise<number> {
  const wanted = readSigSet(task, set, size);
  if (typeof wanted === 'number') return wanted;
  wanted.lo &= ~UNMASKABLE;
  const deadline = timeout === 0 ? Number.POSITIVE_INFINITY : deadlineOf(task, timeout);
  if (deadline < 0) return deadline;
  const found = takeFrom(task, wanted.lo, wanted.hi);
  return found === null ? waitFor(task, wanted, info, deadline) : answer(task, found, info);
}

async function waitFor(task: Task, wanted: SigSet, info: number, deadline: number): Promise<number> {
  task.signals.waiting.set(wanted.lo, wanted.hi);
  const slept = await task.sleepOn([], deadline);
  task.signals.waiting.set(0, 0);
  const found = takeFrom(task, wanted.lo, wanted.hi);
  if (found !== null) return answer(task, found, info);
  return slept === -ETIMEDOUT ? -EAGAIN : -EINTR;
}

function answer(task: Task, found: SignalInfo, info: number): number {
  if (info !== 0) {
    const at = task.user.out(info, SIGINFO_SIZE);
    if (at < 0) return at;
    found.write(task.user.view, at);
  }
  return found.signo;
}

/** CLOCK_MONOTONIC at the end of a relative timeout; -EFAULT, -EINVAL. */
function deadlineOf(task: Task, addr: number): number {
  const at = task.user.in(addr, TIMESPEC_SIZE);
  if (at < 0) return at;
  const { sec, nsec } = readTimespec(task.user.view, at);
  if (sec < 0 || nsec < 0 || nsec >= NSEC_PER_SEC) return -EINVAL;
  return task.clock.monotonic() + sec * NSEC_PER_SEC + nsec;
}

export const signalMaskCalls: readonly Syscall[] = [
  call(
    'rt_sigprocmask',
    [oneOf('how', HOW), inStruct('set', SIGSET), outStruct('oldset', SIGSET), ulong('sigsetsize')],
    sigprocmask,
  ),
  call('rt_sigpending', [shownAfter('set', structAt(SIGSET)), ulong('sigsetsize')], sigpending),
  call('rt_sigsuspend', [inStruct('mask', SIGSET), ulong('sigsetsize')], sigsuspend),
  call(
    'rt_sigtimedwait',
    [inStruct('set', SIGSET), outStruct('info', SIGINFO), inStruct('timeout', TIMESPEC), ulong('sigsetsize')],
    sigtimedwait,
  ),
  call('pause', [], untilSignal),
];
