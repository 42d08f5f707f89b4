/**
 * poll(2), ppoll(2).
 *
 * The first scan works directly on the caller's array. Only a call that has to wait copies the array and takes
 * references to the files.
 */
import { POLLFD_SIZE, pollfdEvents, pollfdFd, writePollfd } from '../arch/x86_64/structs/poll.ts';
import { copyIn, copyOut } from '../core/user-copy.ts';
import type { File } from '../fs/file.ts';
import { PollSet } from '../ipc/poll.ts';
import type { Task } from '../kernel/task.ts';
import { EINVAL, ERESTART_RESTARTBLOCK, ERESTARTNOHAND, ETIMEDOUT } from '../uapi/errno.ts';
import { POLLERR, POLLHUP, POLLNVAL } from '../uapi/poll.ts';
import { RLIMIT_NOFILE } from '../uapi/resource.ts';
import { call, inStruct, int, type Syscall, shownAfter, uint, ulong } from './args.ts';
import { fileOf } from './names.ts';
import { arrayAt } from './show.ts';
import { maskWhileWaiting } from './sigset.ts';
import { POLLFD } from './structs/events.ts';
import { SIGSET } from './structs/signals.ts';
import { TIMESPEC } from './structs/time.ts';
import { AT_ONCE, deadlineOfMs, deadlineOfTimespec, putTimeLeft } from './timeout.ts';

const ALWAYS = POLLERR | POLLHUP;

/** Polls all files once; returns how many have news, or -EFAULT. */
function pollNow(task: Task, addr: number, count: number): number {
  const { user } = task;
  const most = Math.floor(user.maxWindow / POLLFD_SIZE);
  let ready = 0;
  for (let first = 0; first < count; first += most) {
    const n = Math.min(most, count - first);
    const at = user.in(addr + first * POLLFD_SIZE, n * POLLFD_SIZE);
    if (at < 0) return at;
    const out = user.out(addr + first * POLLFD_SIZE, n * POLLFD_SIZE);
    if (out < 0) return out;
    for (let i = 0; i < n * POLLFD_SIZE; i += POLLFD_SIZE) {
      const fd = pollfdFd(user.view, at + i);
      const events = pollfdEvents(user.view, at + i);
      const revents = fd < 0 ? 0 : eventsOf(task, fileOf(task, fd), events);
      writePollfd(user.view, out + i, fd, events, revents);
      if (revents !== 0) ready++;
    }
  }
  return ready;
}

function eventsOf(task: Task, file: File | null, events: number): number {
  if (file === null) return POLLNVAL;
  file.askedBy(task);
  return file.poll() & (events | ALWAYS);
}

/** Waits with a copy of the array. `interrupted` is the answer if a signal comes first. */
async function pollLater(
  task: Task,
  addr: number,
  array: Uint8Array,
  deadline: number,
  interrupted: number,
): Promise<number> {
  const view = new DataView(array.buffer);
  const set = new PollSet(task);
  const files: File[] = [];
  for (let at = 0; at < array.length; at += POLLFD_SIZE) {
    const fd = pollfdFd(view, at);
    const file = fd < 0 ? null : fileOf(task, fd);
    if (fd < 0) set.skip();
    else set.add(file, pollfdEvents(view, at));
    if (file !== null) files.push(file.get());
  }
  const ready = await waitFor(task, set, deadline);
  for (const file of files) file.put();
  if (ready < 0) {
    task.restart = () => pollLater(task, addr, array, deadline, interrupted);
    return interrupted;
  }
  for (let i = 0; i < set.size; i++) view.setUint16(i * POLLFD_SIZE + 6, set.revents(i), true);
  const err = copyOut(task.user, addr, array);
  return err < 0 ? err : ready;
}

/** Whether a call with nothing ready returns at once; not if a signal that it lets through is pending. */
export const isOver = (task: Task, deadline: number): boolean =>
  deadline === AT_ONCE && !task.signals.mustWake();

/** Waits for something ready (how many), the deadline (0), or a signal (negative). The caller holds the files. */
export async function waitFor(task: Task, set: PollSet, deadline: number): Promise<number> {
  const queues = set.queues();
  for (;;) {
    const ready = set.scan();
    if (ready > 0 || isOver(task, deadline)) return ready;
    const slept = await task.sleepOn(queues, deadline, set.wanted);
    if (slept === -ETIMEDOUT) return set.scan();
    if (slept < 0) return slept;
  }
}

function pollUntil(
  task: Task,
  addr: number,
  count: number,
  deadline: number,
  interrupted: number,
): number | Promise<number> {
  if (count > task.rlimit(RLIMIT_NOFILE)) return -EINVAL;
  const ready = pollNow(task, addr, count);
  if (ready !== 0 || isOver(task, deadline)) return ready;
  if (count > 0) task.user.shrink(0);
  const array = copyIn(task.user, addr, count * POLLFD_SIZE);
  return typeof array === 'number' ? array : pollLater(task, addr, array, deadline, interrupted);
}

/** After a signal without a handler, poll continues with the time that is left. */
const poll = (task: Task, addr: number, count: number, timeout: number): number | Promise<number> =>
  pollUntil(task, addr, count >>> 0, deadlineOfMs(task, timeout), -ERESTART_RESTARTBLOCK);

function ppoll(
  task: Task,
  addr: number,
  count: number,
  timeout: number,
  mask: number,
  size: number,
): number | Promise<number> {
  const deadline = deadlineOfTimespec(task, timeout);
  if (deadline < 0) return deadline;
  const masked = maskWhileWaiting(task, mask, size);
  if (masked < 0) return masked;
  const finish = (result: number): number => {
    if (result !== -ERESTARTNOHAND) task.signals.restoreSavedMask();
    putTimeLeft(task, timeout, deadline, false);
    return result;
  };
  const result = pollUntil(task, addr, count >>> 0, deadline, -ERESTARTNOHAND);
  return typeof result === 'number' ? finish(result) : result.then(finish);
}

const pollfds = shownAfter(
  'fds',
  arrayAt(POLLFD, ({ args }) => args[1]!),
);

export const pollCalls: readonly Syscall[] = [
  call('poll', [pollfds, uint('nfds'), int('timeout')], poll),
  call(
    'ppoll',
    [pollfds, uint('nfds'), inStruct('tmo_p', TIMESPEC), inStruct('sigmask', SIGSET), ulong('sigsetsize')],
    ppoll,
  ),
];
