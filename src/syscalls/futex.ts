/** futex(2). The calls of Linux 5.16 and 6.7 that have a flag word for each futex are in futex2.ts. */
import { NSEC_PER_SEC } from '../core/clock.ts';
import { FUTEX_BITSET_MATCH_ANY, type FutexWord, futexKey, futexWait, readWord } from '../kernel/futex.ts';
import { lockPi, unlockPi } from '../kernel/pi-futex.ts';
import type { Task } from '../kernel/task.ts';
import { getInt64 } from '../lib/int64.ts';
import { EAGAIN, EFAULT, EINVAL, ENOSYS, ERESTART_RESTARTBLOCK, ERESTARTSYS } from '../uapi/errno.ts';
import { type Arg, call, int, long, pointer, type Syscall, uint } from './args.ts';
import { flagWord, hexadecimal, named, structAt } from './show.ts';
import { TIMESPEC } from './structs/time.ts';
import { NEVER } from './timeout.ts';

const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const FUTEX_REQUEUE = 3;
const FUTEX_CMP_REQUEUE = 4;
const FUTEX_WAKE_OP = 5;
const FUTEX_LOCK_PI = 6;
const FUTEX_UNLOCK_PI = 7;
const FUTEX_TRYLOCK_PI = 8;
const FUTEX_WAIT_BITSET = 9;
const FUTEX_WAKE_BITSET = 10;
const FUTEX_LOCK_PI2 = 13;
const FUTEX_PRIVATE_FLAG = 128;
const FUTEX_CLOCK_REALTIME = 256;
const COMMANDS = 127;
/** Commands that may choose FUTEX_CLOCK_REALTIME instead of CLOCK_MONOTONIC. */
const CHOOSE_CLOCK = [FUTEX_WAIT_BITSET, FUTEX_LOCK_PI2];

function futex(
  task: Task,
  address: number,
  operation: number,
  value: number,
  timeout: number,
  address2: number,
  value3: number,
): number | Promise<number> {
  const isPrivate = (operation & FUTEX_PRIVATE_FLAG) !== 0;
  const command = operation & COMMANDS;
  if ((operation & FUTEX_CLOCK_REALTIME) !== 0 && !CHOOSE_CLOCK.includes(command)) return -ENOSYS;
  const from = { address, isPrivate };
  const to = { address: address2, isPrivate };
  switch (command) {
    case FUTEX_WAIT:
      return wait(task, address, operation, value, timeout, FUTEX_BITSET_MATCH_ANY, false);
    case FUTEX_WAIT_BITSET:
      return wait(task, address, operation, value, timeout, value3, true);
    case FUTEX_WAKE:
      return wake(task, address, isPrivate, value, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET:
      return wake(task, address, isPrivate, value, value3);
    case FUTEX_REQUEUE:
      return requeue(task, from, to, value, timeout | 0, null);
    case FUTEX_CMP_REQUEUE:
      return requeue(task, from, to, value, timeout | 0, value3);
    case FUTEX_WAKE_OP:
      return wakeOp(task, address, address2, isPrivate, value, timeout | 0, value3);
    case FUTEX_LOCK_PI:
      return lock(task, address, timeout, operation | FUTEX_CLOCK_REALTIME);
    case FUTEX_LOCK_PI2:
      return lock(task, address, timeout, operation);
    case FUTEX_TRYLOCK_PI:
      return lockPi(task, address, isPrivate, NEVER, true);
    case FUTEX_UNLOCK_PI:
      return unlockPi(task, address, isPrivate);
    default:
      return -ENOSYS;
  }
}

function wait(
  task: Task,
  address: number,
  operation: number,
  value: number,
  timeout: number,
  bitset: number,
  absolute: boolean,
): number | Promise<number> {
  if (bitset === 0) return -EINVAL;
  const deadline = readDeadline(task, timeout, operation, absolute);
  if (deadline < 0) return deadline;
  const isPrivate = (operation & FUTEX_PRIVATE_FLAG) !== 0;
  const result = futexWait(task, address, isPrivate, value, bitset, deadline);
  if (typeof result === 'number' || !Number.isFinite(deadline)) return result;
  // With a time limit, a restart keeps the deadline.
  return result.then(r => {
    if (r !== -ERESTARTSYS) return r;
    task.restart = () => futexWait(task, address, isPrivate, value, bitset, deadline);
    return -ERESTART_RESTARTBLOCK;
  });
}

function lock(task: Task, address: number, timeout: number, operation: number): number | Promise<number> {
  const deadline = readDeadline(task, timeout, operation, true);
  if (deadline < 0) return deadline;
  return lockPi(task, address, (operation & FUTEX_PRIVATE_FLAG) !== 0, deadline, false);
}

/** CLOCK_MONOTONIC at which to give up, or -errno. */
function readDeadline(task: Task, timeout: number, operation: number, absolute: boolean): number {
  if (timeout === 0) return NEVER;
  const at = task.user.in(timeout, 16);
  if (at < 0) return at;
  const { view } = task.user;
  const sec = getInt64(view, at);
  const nsec = getInt64(view, at + 8);
  if (sec < 0 || nsec < 0 || nsec >= NSEC_PER_SEC) return -EINVAL;
  const time = sec * NSEC_PER_SEC + nsec;
  const now = task.clock.monotonic();
  if (!absolute) return now + time;
  if ((operation & FUTEX_CLOCK_REALTIME) === 0) return time;
  const real = task.clock.realtime();
  return Math.max(0, now + (sec - real.sec) * NSEC_PER_SEC + (nsec - real.nsec));
}

function wake(task: Task, address: number, isPrivate: boolean, count: number, bitset: number): number {
  if (bitset === 0) return -EINVAL;
  if (task.mm === null) return -EFAULT;
  const key = futexKey(task.mm, address, isPrivate);
  if (typeof key === 'number') return key;
  const { futexes, piLocks } = task.kernel;
  return piLocks.get(key) === undefined ? futexes.wake(key, Math.max(1, count), bitset) : -EINVAL;
}

/** A futex word by its address, private to the process or not. */
type Place = Pick<FutexWord, 'address' | 'isPrivate'>;

export function requeue(
  task: Task,
  from: Place,
  to: Place,
  wakeCount: number,
  moveCount: number,
  expected: number | null,
): number {
  if (task.mm === null) return -EFAULT;
  if (wakeCount < 0 || moveCount < 0) return -EINVAL;
  const a = futexKey(task.mm, from.address, from.isPrivate);
  if (typeof a === 'number') return a;
  const b = futexKey(task.mm, to.address, to.isPrivate);
  if (typeof b === 'number') return b;
  const word = new Int32Array(1);
  if (expected !== null) {
    if (readWord(task, from.address, word) < 0) return -EFAULT;
    if (word[0] !== expected) return -EAGAIN;
  }
  const { futexes, piLocks } = task.kernel;
  if (piLocks.get(a) !== undefined) return -EINVAL;
  const woken = futexes.wake(a, wakeCount, FUTEX_BITSET_MATCH_ANY);
  const moved = futexes.requeue(a, b, moveCount);
  // FUTEX_REQUEUE answers how many were woken; FUTEX_CMP_REQUEUE counts those moved, too.
  return expected === null ? woken : woken + moved;
}

/** FUTEX_WAKE_OP: changes the second word, wakes on the first, and on the second if its old value passes the test. */
function wakeOp(
  task: Task,
  address: number,
  address2: number,
  isPrivate: boolean,
  count: number,
  count2: number,
  encoded: number,
): number {
  const { mm, thread, kernel } = task;
  if (mm === null || thread === null) return -EFAULT;
  const a = futexKey(mm, address, isPrivate);
  if (typeof a === 'number') return a;
  const b = futexKey(mm, address2, isPrivate);
  if (typeof b === 'number') return b;
  const word = new Int32Array(1);
  if (readWord(task, address2, word) < 0) return -EFAULT;
  const old = word[0]!;
  const next = operate(old, encoded);
  if (next === null) return -ENOSYS;
  const at = thread.stageIn(4);
  kernel.memory.view.setInt32(at, next, true);
  if (mm.space.write(address2, at, 4) < 0) return -EFAULT;
  const holds = compare(old, encoded);
  if (holds === null) return -ENOSYS;
  let woken = kernel.futexes.wake(a, Math.max(1, count), FUTEX_BITSET_MATCH_ANY);
  if (holds) woken += kernel.futexes.wake(b, Math.max(1, count2), FUTEX_BITSET_MATCH_ANY);
  return woken;
}

/** Bits 28-31 operation (8: the argument is a shift), 24-27 comparison, 12-23 and 0-11 signed arguments. */
function operate(old: number, encoded: number): number | null {
  const shift = (encoded & 0x80000000) !== 0;
  const raw = (encoded << 8) >> 20;
  const argument = shift ? 1 << (raw & 31) : raw;
  switch ((encoded >>> 28) & 7) {
    case 0:
      return argument;
    case 1:
      return (old + argument) | 0;
    case 2:
      return old | argument;
    case 3:
      return old & ~argument;
    case 4:
      return old ^ argument;
    default:
      return null;
  }
}

function compare(old: number, encoded: number): boolean | null {
  const argument = (encoded << 20) >> 20;
  switch ((encoded >>> 24) & 15) {
    case 0:
      return old === argument;
    case 1:
      return old !== argument;
    case 2:
      return old < argument;
    case 3:
      return old <= argument;
    case 4:
      return old > argument;
    case 5:
      return old >= argument;
    default:
      return null;
  }
}

const OPERATIONS = {
  FUTEX_WAIT,
  FUTEX_WAKE,
  FUTEX_REQUEUE,
  FUTEX_CMP_REQUEUE,
  FUTEX_WAKE_OP,
  FUTEX_LOCK_PI,
  FUTEX_UNLOCK_PI,
  FUTEX_TRYLOCK_PI,
  FUTEX_WAIT_BITSET,
  FUTEX_WAKE_BITSET,
  FUTEX_LOCK_PI2,
};
/** Operations that take a time. */
const WAITS = [FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_LOCK_PI, FUTEX_LOCK_PI2];
const operationOf = (args: readonly number[]): number => args[1]! & 0x7f;
/** FUTEX_WAIT_PRIVATE and the like. */
const operation: Arg = {
  ...int('futex_op'),
  show: value => {
    const name = named(OPERATIONS)(value & 0x7f);
    const rest = value & ~0x7f & ~FUTEX_PRIVATE_FLAG;
    const whole = (value & FUTEX_PRIVATE_FLAG) === 0 ? name : `${name}_PRIVATE`;
    return rest === 0 ? whole : `${whole}|${flagWord(rest, { FUTEX_CLOCK_REALTIME })}`;
  },
};
/** For an argument that only these operations, and unknown ones, use. */
const takenBy =
  (...operations: readonly number[]) =>
  (args: readonly number[]): boolean =>
    operations.includes(operationOf(args)) || !Object.values(OPERATIONS).includes(operationOf(args));
/** A time for operations that wait, else a number. */
const timeout: Arg = {
  ...long('timeout'),
  show: (value, look) => {
    return WAITS.includes(operationOf(look.args)) ? structAt(TIMESPEC)(value, look) : String(value);
  },
  taken: takenBy(...WAITS, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP),
};
const otherWord: Arg = {
  ...pointer('uaddr2'),
  taken: takenBy(FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP),
};
const lastValue: Arg = {
  ...uint('val3'),
  show: (value, { args }) =>
    [FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET].includes(operationOf(args))
      ? named({ FUTEX_BITSET_MATCH_ANY })(value)
      : hexadecimal(value),
  taken: takenBy(FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP),
};

export const futexCalls: readonly Syscall[] = [
  call(
    'futex',
    [pointer('uaddr'), operation, int('val'), timeout, otherWord, lastValue],
    futex,
    'no FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI; priorities are not inherited; FUTEX_WAKE_OP is not atomic with respect to stores by other threads',
  ),
];
