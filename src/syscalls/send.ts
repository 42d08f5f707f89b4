/**
 * sendto(2), sendmsg(2), sendmmsg(2).
 *
 * The socket takes a single buffer in place; several are gathered into an array of ours, MAX_MESSAGE bytes at most for
 * a stream. Waiting works as for write (io.ts), for SO_SNDTIMEO at most.
 */
import { BufferMemory } from '../core/buffer-memory.ts';
import { copyIn } from '../core/user-copy.ts';
import type { Task } from '../kernel/task.ts';
import type { Socket } from '../net/socket.ts';
import { EMSGSIZE, EPIPE } from '../uapi/errno.ts';
import { SIGPIPE } from '../uapi/signal.ts';
import { MSG_DONTWAIT, MSG_NOSIGNAL, MSG_OOB, SOCK_STREAM, SOCKADDR_MAX } from '../uapi/socket.ts';
import { call, fd, flags, inBuffer, type Syscall, shown, uint, ulong } from './args.ts';
import { type Control, dropRights, readControl } from './cmsg.ts';
import { tellUrgent } from './fasync.ts';
import { checkRange, MAX_MESSAGE, MAX_RW_COUNT, raise, WRITE_EVENTS } from './io.ts';
import {
  after,
  batchFrom,
  headerAt,
  MAX_BATCH,
  MSG_NAMES,
  type Region,
  sentArgs,
  sentBatch,
} from './message.ts';
import { callerOf, patiently, readAddress, socketOf } from './socket-args.ts';
import { socketAddressOf } from './structs/messages.ts';
import { gathered, type IoVector, readVector } from './vector.ts';

const NOTHING: Control = Object.freeze({ rights: [], cred: null });

/**
 * A region whose bytes the socket can take at once. A message must go at once, and a stream should, because each window
 * would become a packet of its own. A stream's longer regions go window by window.
 */
function wholeRegion(socket: Socket, region: Region): Region | number {
  const { user, addr, len } = region;
  if (len <= user.maxWindow) return region;
  if (len > MAX_MESSAGE) return socket.sockType === SOCK_STREAM ? region : -EMSGSIZE;
  const bytes = copyIn(user, addr, len);
  return typeof bytes === 'number' ? bytes : { user: new BufferMemory(bytes), addr: 0, len };
}

function send(
  task: Task,
  socket: Socket,
  given: Region,
  flags: number,
  address: string | null,
  control: Control,
): number | Promise<number> {
  const region = wholeRegion(socket, given);
  if (typeof region === 'number') return region;
  const { user, addr, len } = region;
  const sender = callerOf(task);
  const to = address === null ? null : { address, paths: sender };
  let done = 0;
  /** Sends what is left; returns the total when nothing is left, else -errno. */
  const attempt = (): number => {
    do {
      const n = Math.min(len - done, user.maxWindow);
      const off = n === 0 ? 0 : user.in(addr + done, n);
      if (off < 0) return off;
      const rights = done === 0 ? control.rights : NOTHING.rights;
      const sent = socket.send({ buf: user.ram, off, len: n, flags, sender, to, rights, cred: control.cred });
      if (sent < 0) return sent;
      done += sent;
    } while (done < len);
    return done;
  };
  const never = (flags & MSG_DONTWAIT) !== 0;
  const patience = { timeout: socket.options.sendTimeout, events: WRITE_EVENTS, never };
  return after(patiently(task, socket, patience, attempt), n => {
    if (n >= 0) {
      if ((flags & MSG_OOB) !== 0 && socket.hearsUrgent !== null) tellUrgent(task.kernel, socket.hearsUrgent);
      return n;
    }
    if (n === -EPIPE && done === 0 && socket.sockType === SOCK_STREAM && (flags & MSG_NOSIGNAL) === 0) {
      raise(task, SIGPIPE);
    }
    return done > 0 ? done : n;
  });
}

function sendto(
  task: Task,
  fd: number,
  addr: number,
  count: number,
  flags: number,
  name: number,
  nameLen: number,
): number | Promise<number> {
  const len = Math.min(count, MAX_RW_COUNT);
  const fault = checkRange(addr, len);
  if (fault < 0) return fault;
  const socket = socketOf(task, fd);
  if (typeof socket === 'number') return socket;
  const address = name === 0 ? '' : readAddress(task, name, nameLen);
  if (typeof address === 'number') return address;
  return send(task, socket, { user: task.user, addr, len }, flags, address === '' ? null : address, NOTHING);
}

/** The bytes of an array of buffers as one region. */
function gather(task: Task, vector: IoVector): Region | number {
  if (vector.count <= 1) {
    return { user: task.user, addr: vector.words[0] ?? 0, len: vector.total };
  }
  const len = Math.min(vector.total, MAX_MESSAGE);
  const bytes = gathered(task.user, vector, len);
  return typeof bytes === 'number' ? bytes : { user: new BufferMemory(bytes), addr: 0, len };
}

function sendmsgOn(task: Task, socket: Socket, addr: number, flags: number): number | Promise<number> {
  const header = headerAt(task, addr);
  if (typeof header === 'number') return header;
  const named = header.name !== 0 && header.nameLen > 0;
  const address = named ? readAddress(task, header.name, Math.min(header.nameLen, SOCKADDR_MAX)) : null;
  if (typeof address === 'number') return address;
  const vector = readVector(task.user, header.iov, header.iovLen);
  if (typeof vector === 'number') return vector;
  if (vector.count > 1 && vector.total > MAX_MESSAGE && socket.sockType !== SOCK_STREAM) return -EMSGSIZE;
  const region = gather(task, vector);
  if (typeof region === 'number') return region;
  const control = header.controlLen === 0 ? NOTHING : readControl(task, header.control, header.controlLen);
  if (typeof control === 'number') return control;
  return after(send(task, socket, region, flags, address, control), n => {
    dropRights(control);
    return n;
  });
}

function sendmsg(task: Task, fd: number, addr: number, flags: number): number | Promise<number> {
  const socket = socketOf(task, fd);
  return typeof socket === 'number' ? socket : sendmsgOn(task, socket, addr, flags);
}

function sendmmsg(
  task: Task,
  fd: number,
  addr: number,
  count: number,
  flags: number,
): number | Promise<number> {
  const socket = socketOf(task, fd);
  if (typeof socket === 'number') return socket;
  const most = Math.min(count >>> 0, MAX_BATCH);
  return batchFrom(task, socket, sendmsgOn, addr, most, flags, Number.POSITIVE_INFINITY);
}

export const sendCalls: readonly Syscall[] = [
  call(
    'sendto',
    [
      fd('sockfd'),
      inBuffer('buf', 2),
      ulong('len'),
      flags('flags', MSG_NAMES),
      shown('dest_addr', socketAddressOf(5, false)),
      uint('addrlen'),
    ],
    sendto,
  ),
  call('sendmsg', sentArgs, sendmsg),
  call('sendmmsg', sentBatch, sendmmsg),
];
