/** epoll_create(2), epoll_ctl(2), epoll_wait(2) and their later versions. */
import { Epoll } from '../ipc/epoll.ts';
import type { Task } from '../kernel/task.ts';
import {
  EP_MAX_EVENTS,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLL_EVENT_SIZE,
  EPOLLWAKEUP,
  writeEpollEvent,
} from '../uapi/epoll.ts';
import { EBADF, EINTR, EINVAL, EPERM, ETIMEDOUT } from '../uapi/errno.ts';
import { POLLIN } from '../uapi/poll.ts';
import { call, fd, flags, inStruct, int, oneOf, type Syscall, shown, shownAfter, ulong } from './args.ts';
import { checkRange } from './io.ts';
import { fileOf, install } from './names.ts';
import { arrayAt, structAt } from './show.ts';
import { maskWhileWaiting } from './sigset.ts';
import { EPOLL_EVENT } from './structs/events.ts';
import { SIGSET } from './structs/signals.ts';
import { TIMESPEC } from './structs/time.ts';
import { AT_ONCE, deadlineOfMs, deadlineOfTimespec } from './timeout.ts';

function epollCreate1(task: Task, flags: number): number {
  if ((flags & ~EPOLL_CLOEXEC) !== 0) return -EINVAL;
  const inode = task.kernel.anonInodes.newInode(0o600, task.cred);
  return install(task, new Epoll(inode), flags !== 0);
}

const epollCreate = (task: Task, size: number): number => (size <= 0 ? -EINVAL : epollCreate1(task, 0));

function epollCtl(task: Task, epfd: number, op: number, fd: number, addr: number): number {
  const { user } = task;
  let events = 0;
  let lo = 0;
  let hi = 0;
  if (op !== EPOLL_CTL_DEL) {
    const at = user.in(addr, EPOLL_EVENT_SIZE);
    if (at < 0) return at;
    // EPOLLWAKEUP has no effect: the machine never suspends.
    events = user.view.getInt32(at, true) & ~EPOLLWAKEUP;
    lo = user.view.getInt32(at + 4, true);
    hi = user.view.getInt32(at + 8, true);
  }
  const epoll = fileOf(task, epfd);
  const file = fileOf(task, fd);
  if (epoll === null || file === null) return -EBADF;
  if (!(epoll instanceof Epoll)) return file.waitq === null ? -EPERM : -EINVAL;
  epoll.askedBy(task);
  return epoll.control(op, file, fd, events, lo, hi);
}

/** The instance to wait on, or -errno. */
function waitable(task: Task, epfd: number, addr: number, max: number): Epoll | number {
  const epoll = fileOf(task, epfd);
  if (epoll === null) return -EBADF;
  if (max <= 0 || max > EP_MAX_EVENTS) return -EINVAL;
  const fault = checkRange(addr, max * EPOLL_EVENT_SIZE);
  if (fault < 0) return fault;
  return epoll instanceof Epoll ? epoll : -EINVAL;
}

/** Hands out the events that are ready; returns how many, or -EFAULT. */
function collect(task: Task, epoll: Epoll, addr: number, max: number): number {
  if (!epoll.hasNews) return 0;
  epoll.askedBy(task);
  const { user } = task;
  const most = Math.min(max, Math.floor(user.maxWindow / EPOLL_EVENT_SIZE));
  const at = user.out(addr, most * EPOLL_EVENT_SIZE);
  if (at < 0) return epoll.poll() === 0 ? 0 : at;
  let used = at;
  const count = epoll.collect(most, (events, lo, hi) => {
    writeEpollEvent(user.view, used, events, lo, hi);
    used += EPOLL_EVENT_SIZE;
  });
  user.shrink(used - at);
  return count;
}

function waitUntil(
  task: Task,
  epoll: Epoll,
  addr: number,
  max: number,
  deadline: number,
): number | Promise<number> {
  const count = collect(task, epoll, addr, max);
  return count !== 0 || deadline === AT_ONCE ? count : waitLater(task, epoll, addr, max, deadline);
}

async function waitLater(
  task: Task,
  epoll: Epoll,
  addr: number,
  max: number,
  deadline: number,
): Promise<number> {
  const queues = [epoll.waitq];
  epoll.get();
  try {
    for (;;) {
      const slept = await task.sleepOn(queues, deadline, POLLIN);
      if (slept < 0 && slept !== -ETIMEDOUT) return -EINTR;
      const count = collect(task, epoll, addr, max);
      if (count !== 0 || slept === -ETIMEDOUT) return count;
    }
  } finally {
    epoll.put();
  }
}

function epollWait(
  task: Task,
  epfd: number,
  addr: number,
  max: number,
  timeout: number,
): number | Promise<number> {
  const epoll = waitable(task, epfd, addr, max);
  return typeof epoll === 'number' ? epoll : waitUntil(task, epoll, addr, max, deadlineOfMs(task, timeout));
}

/** epoll_wait with a signal mask during the wait. */
function waitMasked(
  task: Task,
  epfd: number,
  addr: number,
  max: number,
  deadline: number,
  mask: number,
  size: number,
): number | Promise<number> {
  if (deadline < 0) return deadline;
  const masked = maskWhileWaiting(task, mask, size);
  if (masked < 0) return masked;
  const finish = (result: number): number => {
    if (result !== -EINTR) task.signals.restoreSavedMask();
    return result;
  };
  const epoll = waitable(task, epfd, addr, max);
  const result = typeof epoll === 'number' ? epoll : waitUntil(task, epoll, addr, max, deadline);
  return typeof result === 'number' ? finish(result) : result.then(finish);
}

const OPERATIONS = { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD };
const came = shownAfter(
  'events',
  arrayAt(EPOLL_EVENT, ({ result }) => result),
);
const waitArgs = [fd('epfd'), came, int('maxevents')];
const maskArgs = [shown('sigmask', structAt(SIGSET)), ulong('sigsetsize')];

export const epollCalls: readonly Syscall[] = [
  call('epoll_create', [int('size')], epollCreate),
  call('epoll_create1', [flags('flags', { EPOLL_CLOEXEC })], epollCreate1),
  call(
    'epoll_ctl',
    [fd('epfd'), oneOf('op', OPERATIONS), fd('fd'), inStruct('event', EPOLL_EVENT)],
    epollCtl,
  ),
  call('epoll_wait', [...waitArgs, int('timeout')], epollWait),
  call(
    'epoll_pwait',
    [...waitArgs, int('timeout'), ...maskArgs],
    (task, epfd, addr, max, timeout, mask, size) =>
      waitMasked(task, epfd, addr, max, deadlineOfMs(task, timeout), mask, size),
  ),
  call(
    'epoll_pwait2',
    [...waitArgs, shown('timeout', structAt(TIMESPEC)), ...maskArgs],
    (task, epfd, addr, max, timeout, mask, size) =>
      waitMasked(task, epfd, addr, max, deadlineOfTimespec(task, timeout), mask, size),
  ),
];
