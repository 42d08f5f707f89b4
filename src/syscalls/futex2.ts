/**
 * futex_waitv(2), futex_wait, futex_wake, futex_requeue: futexes with a flag word for each (linux/futex.h, FUTEX2_*).
 *
 * struct futex_waitv: 0 val u64 | 8 uaddr u64 | 16 flags u32 | 20 reserved u32.
 */
import { readTimespec, TIMESPEC_SIZE } from '../arch/x86_64/structs/time.ts';
import { NSEC_PER_SEC } from '../core/clock.ts';
import { type FutexWord, futexKey, futexWait, futexWaitAny } from '../kernel/futex.ts';
import type { Task } from '../kernel/task.ts';
import { getUint64 } from '../lib/int64.ts';
import { EFAULT, EINVAL } from '../uapi/errno.ts';
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from '../uapi/time.ts';
import { call, flags, inStruct, int, oneOf, pointer, type Syscall, uint, ulong } from './args.ts';
import { requeue } from './futex.ts';
import { TIMESPEC } from './structs/time.ts';
import { NEVER } from './timeout.ts';

const FUTEX2_SIZE_U32 = 2;
const FUTEX2_PRIVATE = 128;
const WAITV_SIZE = 24;
const FUTEX_WAITV_MAX = 128;
const CLOCKS = { CLOCK_REALTIME, CLOCK_MONOTONIC };
const TWO32 = 2 ** 32;

/** Linux has only 32-bit words so far. */
const isKnown = (word: number): boolean => (word & ~FUTEX2_PRIVATE) === FUTEX2_SIZE_U32;
const isPrivate = (word: number): boolean => (word & FUTEX2_PRIVATE) !== 0;

/** The vector's words; -EFAULT, or -EINVAL for an invalid one. */
function readWords(task: Task, addr: number, count: number): FutexWord[] | number {
  const { user } = task;
  const at = user.in(addr, count * WAITV_SIZE);
  if (at < 0) return at;
  const words: FutexWord[] = [];
  for (let i = 0; i < count; i++) {
    const one = at + i * WAITV_SIZE;
    const word = user.view.getUint32(one + 16, true);
    const value = getUint64(user.view, one);
    const valid = isKnown(word) && user.view.getUint32(one + 20, true) === 0 && value < TWO32;
    if (!valid) return -EINVAL;
    words.push({ address: getUint64(user.view, one + 8), isPrivate: isPrivate(word), value: value | 0 });
  }
  return words;
}

/** CLOCK_MONOTONIC at which to give up, or -errno. Times are absolute. */
function readDeadline(task: Task, addr: number, clock: number): number {
  if (addr === 0) return NEVER;
  if (clock !== CLOCK_REALTIME && clock !== CLOCK_MONOTONIC) return -EINVAL;
  const at = task.user.in(addr, TIMESPEC_SIZE);
  if (at < 0) return at;
  const { sec, nsec } = readTimespec(task.user.view, at);
  if (sec < 0 || nsec < 0 || nsec >= NSEC_PER_SEC) return -EINVAL;
  if (clock === CLOCK_MONOTONIC) return sec * NSEC_PER_SEC + nsec;
  const real = task.clock.realtime();
  return Math.max(0, task.clock.monotonic() + (sec - real.sec) * NSEC_PER_SEC + (nsec - real.nsec));
}

function waitv(
  task: Task,
  addr: number,
  count: number,
  flags: number,
  timeout: number,
  clock: number,
): number | Promise<number> {
  if (flags !== 0 || count <= 0 || count > FUTEX_WAITV_MAX || addr === 0) return -EINVAL;
  const deadline = readDeadline(task, timeout, clock);
  if (deadline < 0) return deadline;
  const words = readWords(task, addr, count);
  return typeof words === 'number' ? words : futexWaitAny(task, words, deadline);
}

function wait(
  task: Task,
  addr: number,
  value: number,
  mask: number,
  flags: number,
  timeout: number,
  clock: number,
): number | Promise<number> {
  if (!isKnown(flags) || value >= TWO32 || mask >= TWO32) return -EINVAL;
  const deadline = readDeadline(task, timeout, clock);
  if (deadline < 0) return deadline;
  return mask === 0 ? -EINVAL : futexWait(task, addr, isPrivate(flags), value | 0, mask | 0, deadline);
}

function wake(task: Task, addr: number, mask: number, count: number, flags: number): number {
  if (!isKnown(flags) || mask >= TWO32 || mask === 0) return -EINVAL;
  if (task.mm === null) return -EFAULT;
  const key = futexKey(task.mm, addr, isPrivate(flags));
  if (typeof key === 'number') return key;
  return count === 0 ? 0 : task.kernel.futexes.wake(key, Math.max(1, count), mask | 0);
}

/** Moves waiters from the first word, which must hold its value, to the second. */
function requeueTwo(task: Task, addr: number, flags: number, wakeCount: number, moveCount: number): number {
  if (flags !== 0 || addr === 0) return -EINVAL;
  const words = readWords(task, addr, 2);
  if (typeof words === 'number') return words;
  const [from, to] = words as [FutexWord, FutexWord];
  return requeue(task, from, to, wakeCount, moveCount, from.value);
}

const word = flags('flags', { FUTEX2_SIZE_U32, FUTEX2_PRIVATE });
const clockid = oneOf('clockid', CLOCKS);

export const futex2Calls: readonly Syscall[] = [
  call(
    'futex_waitv',
    [pointer('waiters'), uint('nr_futexes'), uint('flags'), inStruct('timeout', TIMESPEC), clockid],
    waitv,
  ),
  call(
    'futex_wait',
    [pointer('uaddr'), ulong('val'), ulong('mask'), word, inStruct('timeout', TIMESPEC), clockid],
    wait,
  ),
  call('futex_wake', [pointer('uaddr'), ulong('mask'), int('nr'), word], wake),
  call('futex_requeue', [pointer('waiters'), uint('flags'), int('nr_wake'), int('nr_requeue')], requeueTwo),
];
