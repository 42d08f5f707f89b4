/** eventfd(2), timerfd_create(2), timerfd_settime(2), timerfd_gettime(2). */
import { ITIMERSPEC_SIZE, readTimespec, TIMESPEC_SIZE, writeTimespec } from '../arch/x86_64/structs/time.ts';
import { fromNs } from '../core/clock.ts';
import { EventFd } from '../ipc/eventfd.ts';
import { createTimerFd, TimerFd, type TimerSetting } from '../ipc/timerfd.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, EFAULT, EINVAL } from '../uapi/errno.ts';
import {
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EFD_SEMAPHORE,
  TFD_CLOEXEC,
  TFD_NONBLOCK,
  TFD_TIMER_ABSTIME,
  TFD_TIMER_CANCEL_ON_SET,
} from '../uapi/eventfd.ts';
import * as clocks from '../uapi/time.ts';
import { call, fd, flags, inStruct, oneOf, outStruct, type Syscall, uint } from './args.ts';
import { fileOf, install } from './names.ts';
import { ITIMERSPEC } from './structs/time.ts';

function eventfd2(task: Task, initial: number, flags: number): number {
  if ((flags & ~(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK)) !== 0) return -EINVAL;
  const file = new EventFd(task.kernel.anonInodes.newInode(0o600, task.cred), initial, flags);
  return install(task, file, (flags & EFD_CLOEXEC) !== 0);
}

const eventfd = (task: Task, initial: number): number => eventfd2(task, initial, 0);

function timerfdCreate(task: Task, clockId: number, flags: number): number {
  if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) !== 0) return -EINVAL;
  const inode = task.kernel.anonInodes.newInode(0o600, task.cred);
  const file = createTimerFd(inode, clockId, flags, task.kernel, task.cred);
  return typeof file === 'number' ? file : install(task, file, (flags & TFD_CLOEXEC) !== 0);
}

function timerOf(task: Task, fd: number): TimerFd | number {
  const file = fileOf(task, fd);
  if (file === null) return -EBADF;
  return file instanceof TimerFd ? file : -EINVAL;
}

function putSetting(task: Task, addr: number, { value, interval }: TimerSetting): number {
  const at = task.user.out(addr, ITIMERSPEC_SIZE);
  if (at < 0) return -EFAULT;
  writeTimespec(task.user.view, at, fromNs(interval));
  writeTimespec(task.user.view, at + TIMESPEC_SIZE, fromNs(value));
  return 0;
}

function timerfdSettime(task: Task, fd: number, flags: number, newAddr: number, oldAddr: number): number {
  const at = task.user.in(newAddr, ITIMERSPEC_SIZE);
  if (at < 0) return at;
  const { view } = task.user;
  const interval = readTimespec(view, at);
  const value = readTimespec(view, at + TIMESPEC_SIZE);
  const timer = timerOf(task, fd);
  if (typeof timer === 'number') return timer;
  const old = timer.settime(flags, value, interval);
  if (typeof old === 'number') return old;
  return oldAddr === 0 ? 0 : putSetting(task, oldAddr, old);
}

function timerfdGettime(task: Task, fd: number, addr: number): number {
  const timer = timerOf(task, fd);
  return typeof timer === 'number' ? timer : putSetting(task, addr, timer.gettime());
}

const CLOCKS = Object.fromEntries(Object.entries(clocks).filter(([name]) => name.startsWith('CLOCK_')));

export const eventfdCalls: readonly Syscall[] = [
  call('eventfd', [uint('initval')], eventfd),
  call('eventfd2', [uint('initval'), flags('flags', { EFD_SEMAPHORE, EFD_CLOEXEC, EFD_NONBLOCK })], eventfd2),
  call(
    'timerfd_create',
    [oneOf('clockid', CLOCKS), flags('flags', { TFD_CLOEXEC, TFD_NONBLOCK })],
    timerfdCreate,
  ),
  call(
    'timerfd_settime',
    [
      fd('fd'),
      flags('flags', { TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET }),
      inStruct('new_value', ITIMERSPEC),
      outStruct('old_value', ITIMERSPEC),
    ],
    timerfdSettime,
  ),
  call('timerfd_gettime', [fd('fd'), outStruct('curr_value', ITIMERSPEC)], timerfdGettime),
];
