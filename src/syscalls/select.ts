/** select(2), pselect6. */
import { copyIn, copyOut } from '../core/user-copy.ts';
import type { File } from '../fs/file.ts';
import { PollSet, SELECT_EX, SELECT_IN, SELECT_OUT } from '../ipc/poll.ts';
import type { Task } from '../kernel/task.ts';
import { getUint64 } from '../lib/int64.ts';
import { EBADF, EINVAL, ERESTARTNOHAND } from '../uapi/errno.ts';
import { call, int, pointer, type Syscall, shown } from './args.ts';
import { fileOf } from './names.ts';
import { isOver, waitFor } from './poll.ts';
import { structAt } from './show.ts';
import { maskWhileWaiting } from './sigset.ts';
import { fdSet } from './structs/events.ts';
import { TIMESPEC, TIMEVAL } from './structs/time.ts';
import { deadlineOfTimespec, deadlineOfTimeval, putTimeLeft } from './timeout.ts';

/** One of the three sets: its address, its bits, and the events that keep a descriptor in it. */
interface FdSet {
  readonly addr: number;
  readonly bits: Uint8Array;
  readonly wants: number;
}

const has = (set: FdSet, fd: number): boolean => (set.bits[fd >> 3]! & (1 << (fd & 7))) !== 0;

/** Reads a set of `count` descriptors, rounded up to words; NULL is an empty set. */
function readSet(task: Task, addr: number, count: number, wants: number): FdSet | number {
  const size = Math.ceil(count / 64) * 8;
  const bits = addr === 0 ? new Uint8Array(size) : copyIn(task.user, addr, size);
  return typeof bits === 'number' ? bits : { addr, bits, wants };
}

/** Adds all descriptors in any of the sets to `polls`, with their events; -EBADF if one is closed. */
function gather(task: Task, count: number, sets: readonly FdSet[], polls: PollSet): number[] | number {
  const fds: number[] = [];
  for (let fd = 0; fd < count; fd++) {
    let events = 0;
    for (const set of sets) if (has(set, fd)) events |= set.wants;
    if (events === 0) continue;
    const file = fileOf(task, fd);
    if (file === null) return -EBADF;
    polls.add(file, events);
    fds.push(fd);
  }
  return fds;
}

/** Reduces the sets to what is ready; returns how many bits that is, or -EFAULT. */
function putSets(task: Task, sets: readonly FdSet[], fds: readonly number[], polls: PollSet): number {
  let count = 0;
  for (const set of sets) {
    if (set.addr === 0) continue;
    const ready = new Uint8Array(set.bits.length);
    fds.forEach((fd, i) => {
      if (!has(set, fd) || (polls.revents(i) & set.wants) === 0) return;
      ready[fd >> 3]! |= 1 << (fd & 7);
      count++;
    });
    const err = copyOut(task.user, set.addr, ready);
    if (err < 0) return err;
  }
  return count;
}

function selectUntil(
  task: Task,
  n: number,
  addrs: readonly [number, number, number],
  deadline: number,
): number | Promise<number> {
  if (n < 0) return -EINVAL;
  const count = Math.min(n, task.files.size);
  const sets: FdSet[] = [];
  for (const [i, wants] of [SELECT_IN, SELECT_OUT, SELECT_EX].entries()) {
    const set = readSet(task, addrs[i]!, count, wants);
    if (typeof set === 'number') return set;
    sets.push(set);
  }
  const polls = new PollSet(task);
  const fds = gather(task, count, sets, polls);
  if (typeof fds === 'number') return fds;
  if (polls.scan() > 0 || isOver(task, deadline)) return putSets(task, sets, fds, polls);
  return selectLater(task, sets, fds, polls, deadline);
}

async function selectLater(
  task: Task,
  sets: readonly FdSet[],
  fds: readonly number[],
  polls: PollSet,
  deadline: number,
): Promise<number> {
  const files: File[] = fds.map(fd => fileOf(task, fd)!.get());
  const ready = await waitFor(task, polls, deadline);
  for (const file of files) file.put();
  return ready < 0 ? -ERESTARTNOHAND : putSets(task, sets, fds, polls);
}

/** After the wait: restores the old signal mask and stores the time left. */
function finish(
  task: Task,
  result: number | Promise<number>,
  timeout: number,
  deadline: number,
  asTimeval: boolean,
): number | Promise<number> {
  if (typeof result !== 'number') return result.then(n => finish(task, n, timeout, deadline, asTimeval));
  if (result !== -ERESTARTNOHAND) task.signals.restoreSavedMask();
  putTimeLeft(task, timeout, deadline, asTimeval);
  return result;
}

function select(
  task: Task,
  n: number,
  readfds: number,
  writefds: number,
  exceptfds: number,
  timeout: number,
): number | Promise<number> {
  const deadline = deadlineOfTimeval(task, timeout);
  if (deadline < 0) return deadline;
  return finish(
    task,
    selectUntil(task, n, [readfds, writefds, exceptfds], deadline),
    timeout,
    deadline,
    true,
  );
}

/** The sixth argument points to two words: a pointer to the mask, and the mask's size. */
function pselect6(
  task: Task,
  n: number,
  readfds: number,
  writefds: number,
  exceptfds: number,
  timeout: number,
  packed: number,
): number | Promise<number> {
  let mask = 0;
  let size = 0;
  if (packed !== 0) {
    const at = task.user.in(packed, 16);
    if (at < 0) return at;
    mask = getUint64(task.user.view, at);
    size = getUint64(task.user.view, at + 8);
  }
  const deadline = deadlineOfTimespec(task, timeout);
  if (deadline < 0) return deadline;
  const masked = maskWhileWaiting(task, mask, size);
  if (masked < 0) return masked;
  return finish(
    task,
    selectUntil(task, n, [readfds, writefds, exceptfds], deadline),
    timeout,
    deadline,
    false,
  );
}

const sets = [int('nfds'), ...['readfds', 'writefds', 'exceptfds'].map(name => shown(name, fdSet))];

export const selectCalls: readonly Syscall[] = [
  call('select', [...sets, shown('timeout', structAt(TIMEVAL))], select),
  call('pselect6', [...sets, shown('timeout', structAt(TIMESPEC)), pointer('sigmask')], pselect6),
];
