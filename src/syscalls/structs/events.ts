/** Events to wait for (poll(2), select(2), epoll(7)), as strace shows them. */
import { POLLFD_SIZE } from '../../arch/x86_64/structs/poll.ts';
import { getUint64 } from '../../lib/int64.ts';
import * as epoll from '../../uapi/epoll.ts';
import * as poll from '../../uapi/poll.ts';
import type { FlagNames, Show, Struct } from '../args.ts';
import { address, flagWord, namesIn, struct } from '../show.ts';
import { u32 } from './fields.ts';

const EVENTS = namesIn(poll, /^POLL/);
const EPOLL_EVENTS: FlagNames = {
  ...Object.fromEntries(Object.entries(EVENTS).map(([name, bits]) => [`E${name}`, bits])),
  ...namesIn(epoll, /^EPOLL(EXCLUSIVE|WAKEUP|ONESHOT|ET)$/),
};
const events = (value: number): string => flagWord(value, EVENTS);

export const POLLFD: Struct = {
  size: POLLFD_SIZE,
  show: (view, at) => {
    const came = view.getUint16(at + 6, true);
    const wanted = `fd=${view.getInt32(at, true)}, events=${events(view.getUint16(at + 4, true))}`;
    return `{${wanted}${came === 0 ? '' : `, revents=${events(came)}`}}`;
  },
};
export const EPOLL_EVENT = struct(epoll.EPOLL_EVENT_SIZE, {
  events: u32(0, value => flagWord(value | 0, EPOLL_EVENTS)),
  data: (view, at) => `{u32=${view.getUint32(at + 4, true)}, u64=${getUint64(view, at + 4)}}`,
});

/** The descriptors below `nfds` (argument 0) in a set. */
export const fdSet: Show = (at, look) => {
  const nfds = Math.min(Math.max(look.args[0] ?? 0, 0), 1024);
  const view = at === 0 ? null : look.memory(at, Math.ceil(nfds / 64) * 8);
  if (view === null) return address(at);
  const fds = Array.from({ length: nfds }, (_, fd) => fd);
  return `[${fds.filter(fd => (view.getUint8(fd >> 3) >> (fd & 7)) & 1).join(' ')}]`;
};
