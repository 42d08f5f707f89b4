/** Creating, naming and connecting sockets: socket(2) to getsockopt(2). Messages are in send.ts and recv.ts. */

import { copyIn, copyOut } from '../core/user-copy.ts';
import { putInt } from '../core/user-values.ts';
import { READ_EVENTS } from '../fs/file.ts';
import type { Task } from '../kernel/task.ts';
import type { Result } from '../lib/result.ts';
import { ints } from '../net/options.ts';
import type { Socket } from '../net/socket.ts';
import { EINVAL, ENODATA, ERANGE } from '../uapi/errno.ts';
import * as sockets from '../uapi/socket.ts';
import {
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_COOKIE,
  SO_PEERGROUPS,
  SO_PEERPIDFD,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOCK_TYPE_MASK,
  SOL_SOCKET,
} from '../uapi/socket.ts';
import {
  call,
  fd,
  flags,
  type Handler,
  int,
  oneOf,
  outStruct,
  type Syscall,
  shown,
  shownAfter,
  shownBoth,
} from './args.ts';
import { WRITE_EVENTS } from './io.ts';
import { install, installTwo, roomForFile } from './names.ts';
import { named, namesIn, structAt } from './show.ts';
import { callerOf, patiently, putAddress, readAddress, socketOf } from './socket-args.ts';
import { INT, INT_PAIR } from './structs/fields.ts';
import { FAMILIES, socketAddressOf } from './structs/messages.ts';

const TYPE_FLAGS = SOCK_CLOEXEC | SOCK_NONBLOCK;
/** Bytes; no known option is longer, and the rest of a longer value is ignored. */
const MAX_OPTION = 128;

/** Checks the flags in a socket's type: 0 or -EINVAL. */
const checkType = (type: number): number => ((type & ~(SOCK_TYPE_MASK | TYPE_FLAGS)) !== 0 ? -EINVAL : 0);

function socket(task: Task, family: number, type: number, protocol: number): number {
  const bad = checkType(type);
  if (bad < 0) return bad;
  const { net } = task.kernel;
  const nonblocking = (type & SOCK_NONBLOCK) !== 0;
  const made = net.socket(family, type & SOCK_TYPE_MASK, protocol, nonblocking, callerOf(task));
  return typeof made === 'number' ? made : install(task, made, (type & SOCK_CLOEXEC) !== 0);
}

function socketpair(task: Task, family: number, type: number, protocol: number, addr: number): number {
  const bad = checkType(type);
  if (bad < 0) return bad;
  const nonblocking = (type & SOCK_NONBLOCK) !== 0;
  const made = task.kernel.net.pair(family, type & SOCK_TYPE_MASK, protocol, nonblocking, callerOf(task));
  if (typeof made === 'number') return made;
  const at = task.user.out(addr, 8);
  if (at < 0) {
    for (const end of made) end.put();
    return at;
  }
  return installTwo(task, made[0], made[1], (type & SOCK_CLOEXEC) !== 0, at);
}

function bind(task: Task, fd: number, addr: number, len: number): number {
  const socket = socketOf(task, fd);
  if (typeof socket === 'number') return socket;
  const address = readAddress(task, addr, len);
  return typeof address === 'number' ? address : socket.bind(address, callerOf(task));
}

function listen(task: Task, fd: number, backlog: number): number {
  const socket = socketOf(task, fd);
  return typeof socket === 'number' ? socket : socket.listen(backlog, callerOf(task));
}

function connect(task: Task, fd: number, addr: number, len: number): number | Promise<number> {
  const socket = socketOf(task, fd);
  if (typeof socket === 'number') return socket;
  const address = readAddress(task, addr, len);
  if (typeof address === 'number') return address;
  const caller = callerOf(task);
  const patience = { timeout: socket.options.sendTimeout, events: WRITE_EVENTS, never: false };
  return patiently(task, socket, patience, () => socket.connect(address, caller));
}

function accept4(
  task: Task,
  fd: number,
  addr: number,
  lenAddr: number,
  flags: number,
): number | Promise<number> {
  if ((flags & ~TYPE_FLAGS) !== 0) return -EINVAL;
  const socket = socketOf(task, fd);
  if (typeof socket === 'number') return socket;
  const full = roomForFile(task);
  if (full < 0) return full;
  const patience = { timeout: socket.options.receiveTimeout, events: READ_EVENTS, never: false };
  return patiently(task, socket, patience, () => {
    const made = socket.accept((flags & SOCK_NONBLOCK) !== 0);
    if (typeof made === 'number') return made;
    const peer = made.peername();
    const err = addr === 0 || typeof peer === 'number' ? 0 : putAddress(task, addr, lenAddr, peer);
    if (err >= 0) return install(task, made, (flags & SOCK_CLOEXEC) !== 0);
    made.put();
    return err;
  });
}

const accept: Handler = (task, fd, addr, lenAddr) => accept4(task, fd, addr, lenAddr, 0);

function shutdown(task: Task, fd: number, how: number): number {
  const socket = socketOf(task, fd);
  return typeof socket === 'number' ? socket : socket.shutdown(how);
}

function nameCall(task: Task, addr: number, lenAddr: number, name: Result<string>): number {
  return typeof name === 'number' ? name : putAddress(task, addr, lenAddr, name);
}

function getsockname(task: Task, fd: number, addr: number, lenAddr: number): number {
  const socket = socketOf(task, fd);
  return typeof socket === 'number' ? socket : nameCall(task, addr, lenAddr, socket.sockname());
}

function getpeername(task: Task, fd: number, addr: number, lenAddr: number): number {
  const socket = socketOf(task, fd);
  return typeof socket === 'number' ? socket : nameCall(task, addr, lenAddr, socket.peername());
}

function setsockopt(task: Task, fd: number, level: number, name: number, addr: number, len: number): number {
  if (len < 0) return -EINVAL;
  const socket = socketOf(task, fd);
  if (typeof socket === 'number') return socket;
  const value = copyIn(task.user, addr, Math.min(len, MAX_OPTION));
  return typeof value === 'number' ? value : socket.setOption(level, name, value, callerOf(task));
}

function getsockopt(
  task: Task,
  fd: number,
  level: number,
  name: number,
  addr: number,
  lenAddr: number,
): number {
  const socket = socketOf(task, fd);
  if (typeof socket === 'number') return socket;
  const at = task.user.in(lenAddr, 4);
  if (at < 0) return at;
  const room = task.user.view.getInt32(at, true);
  if (room < 0) return -EINVAL;
  const put = (value: Uint8Array): number => putOption(task, addr, lenAddr, value.subarray(0, room));
  if (level === SOL_SOCKET && name === SO_PEERPIDFD) return putPeerPidfd(task, socket, put);
  const value = socket.getOption(level, name);
  if (typeof value === 'number') return value;
  if (value.length > room && name === SO_COOKIE) return -EINVAL;
  if (value.length > room && name === SO_PEERGROUPS)
    return putInt(task.user, lenAddr, value.length) || -ERANGE;
  return put(value);
}

const putOption = (task: Task, addr: number, lenAddr: number, value: Uint8Array): number =>
  copyOut(task.user, addr, value) || putInt(task.user, lenAddr, value.length);

/** Gives the caller a pidfd of the peer's process. */
function putPeerPidfd(task: Task, { peerProcess }: Socket, put: (value: Uint8Array) => number): number {
  if (peerProcess === null) return -ENODATA;
  const fd = install(task, task.kernel.pidfs.open(peerProcess, 0), true);
  if (fd < 0) return fd;
  const err = put(ints(fd));
  if (err < 0) task.files.close(fd);
  return err;
}

const TYPE_NAMES = { SOCK_CLOEXEC, SOCK_NONBLOCK };
const TYPES = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET };
const socketType = flags('type', TYPE_NAMES, { mask: SOCK_TYPE_MASK, show: named(TYPES) });
const makeArgs = [oneOf('domain', FAMILIES), socketType, int('protocol')];
const addressArgs = [fd('sockfd'), shown('addr', socketAddressOf(2, false)), int('addrlen')];
const nameArgs = [
  fd('sockfd'),
  shownAfter('addr', socketAddressOf(2, true)),
  shownBoth('addrlen', structAt(INT), 'length'),
];
const OPTION_NAMES = namesIn(sockets, /^SO_/);
const optionArgs = [fd('sockfd'), oneOf('level', { SOL_SOCKET }), oneOf('optname', OPTION_NAMES)];
const optionValue = shown('optval', structAt(INT));

export const netCalls: readonly Syscall[] = [
  call('socket', makeArgs, socket, 'AF_UNIX only'),
  call('socketpair', [...makeArgs, outStruct('sv', INT_PAIR)], socketpair),
  call('bind', addressArgs, bind),
  call('listen', [fd('sockfd'), int('backlog')], listen),
  call('connect', addressArgs, connect),
  call('accept', nameArgs, accept),
  call('accept4', [...nameArgs, flags('flags', TYPE_NAMES)], accept4),
  call('shutdown', [fd('sockfd'), oneOf('how', { SHUT_RD, SHUT_WR, SHUT_RDWR })], shutdown),
  call('getsockname', nameArgs, getsockname),
  call('getpeername', nameArgs, getpeername),
  call('setsockopt', [...optionArgs, optionValue, int('optlen')], setsockopt),
  call(
    'getsockopt',
    [...optionArgs, shownAfter('optval', structAt(INT)), shownBoth('optlen', structAt(INT), 'length')],
    getsockopt,
  ),
];
