/** epoll_ctl(2) and epoll_create1(2): operations, flags, and struct epoll_event (packed on x86-64). */
import { O_CLOEXEC } from './fcntl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from './poll.ts';

export const EPOLL_CLOEXEC = O_CLOEXEC;

export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;

export const EPOLLEXCLUSIVE = 1 << 28;
export const EPOLLWAKEUP = 1 << 29;
export const EPOLLONESHOT = 1 << 30;
export const EPOLLET = 1 << 31;

/** Flags of an interest that say how to report, not what. */
export const EPOLL_PRIVATE_BITS = EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET;
/** All bits allowed together with EPOLLEXCLUSIVE. */
export const EPOLLEXCLUSIVE_OK_BITS =
  POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

/** struct epoll_event: u32 events at 0, u64 data at 4. */
export const EPOLL_EVENT_SIZE = 12;
/** epoll_wait(2) refuses more events than fit in INT_MAX bytes. */
export const EP_MAX_EVENTS = Math.floor(0x7fffffff / EPOLL_EVENT_SIZE);

export function writeEpollEvent(view: DataView, off: number, events: number, lo: number, hi: number): void {
  view.setInt32(off, events, true);
  view.setInt32(off + 4, lo, true);
  view.setInt32(off + 8, hi, true);
}
