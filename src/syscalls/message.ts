/**
 * Messages of sockets: sendto(2), recvfrom(2), sendmsg(2), recvmsg(2), sendmmsg(2), recvmmsg(2).
 *
 * One buffer is handed to the socket where it lies; several are gathered into an array of ours, or scattered from
 * it. Waiting is as for read and write (io.ts), within SO_SNDTIMEO and SO_RCVTIMEO.
 */

import { UIO_MAXIOV } from '../arch/x86_64/structs/iovec.ts';
import {
  MMSGHDR_LEN,
  MMSGHDR_SIZE,
  MSGHDR_CONTROLLEN,
  MSGHDR_FLAGS,
  MSGHDR_NAMELEN,
  MSGHDR_SIZE,
  type MsgHdr,
  readMsgHdr,
} from '../arch/x86_64/structs/msghdr.ts';
import { BufferMemory } from '../core/buffer-memory.ts';
import type { UserMemory } from '../core/user.ts';
import { copyIn, copyInto, copyOut, copyOutString } from '../core/user-copy.ts';
import type { Task } from '../kernel/task.ts';
import { setInt64 } from '../lib/int64.ts';
import { Incoming, type Socket } from '../net/socket.ts';
import { EAGAIN, EINVAL, EMSGSIZE, EPIPE } from '../uapi/errno.ts';
import { SIGPIPE } from '../uapi/signal.ts';
import {
  MSG_CMSG_CLOEXEC,
  MSG_CONFIRM,
  MSG_CTRUNC,
  MSG_DONTROUTE,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_ERRQUEUE,
  MSG_MORE,
  MSG_NOSIGNAL,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  MSG_WAITFORONE,
  SOCK_STREAM,
  SOCKADDR_MAX,
} from '../uapi/socket.ts';
import { call, fd, flags, inBuffer, outBuffer, pointer, type Syscall, uint, ulong } from './args.ts';
import { type Control, dropRights, readControl, writeControl } from './cmsg.ts';
import { checkRange, MAX_MESSAGE, MAX_RW_COUNT, READ_EVENTS, raise, WRITE_EVENTS } from './io.ts';
import { callerOf, patiently, putAddress, readAddress, socketOf } from './socket-args.ts';
import { deadlineOfTimespec } from './timeout.ts';
import { type IoVector, readVector } from './vector.ts';

/** The most messages of one sendmmsg or recvmmsg. */
const MAX_BATCH = UIO_MAXIOV;
const MSG_NAMES = {
  MSG_OOB,
  MSG_PEEK,
  MSG_DONTROUTE,
  MSG_CTRUNC,
  MSG_TRUNC,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_WAITALL,
  MSG_CONFIRM,
  MSG_ERRQUEUE,
  MSG_NOSIGNAL,
  MSG_MORE,
  MSG_WAITFORONE,
  MSG_CMSG_CLOEXEC,
};
const NOTHING: Control = Object.freeze({ rights: [], cred: null });

/** Where the bytes of a message lie: [addr, addr + len) of a memory, the program's or ours. */
interface Region {
  readonly user: UserMemory;
  readonly addr: number;
  readonly len: number;
}

/** Applies `then` to a result, now or later. */
const after = (result: number | Promise<number>, then: (n: number) => number): number | Promise<number> =>
  typeof result === 'number' ? then(result) : result.then(then);

// Sending.

/** A region whose bytes a message can be made of at once; a message must not be longer than one. */
function wholeRegion(socket: Socket, region: Region): Region | number {
  const { user, addr, len } = region;
  if (len <= user.maxWindow || socket.sockType === SOCK_STREAM) return region;
  if (len > MAX_MESSAGE) return -EMSGSIZE;
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
  /** Sends what is left; -EAGAIN as long as there is some left. */
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
    if (n >= 0) return n;
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

/** What an array of buffers holds, as one region. */
function gather(task: Task, vector: IoVector): Region | number {
  if (vector.count <= 1) {
    return { user: task.user, addr: vector.words[0] ?? 0, len: vector.total };
  }
  const len = Math.min(vector.total, MAX_MESSAGE);
  const bytes = new Uint8Array(len);
  for (let i = 0, at = 0; at < len; i++) {
    const n = Math.min(vector.words[2 * i + 1]!, len - at);
    const err = copyInto(task.user, vector.words[2 * i]!, bytes, at, n);
    if (err < 0) return err;
    at += n;
  }
  return { user: new BufferMemory(bytes), addr: 0, len };
}

function headerAt(task: Task, addr: number): MsgHdr | number {
  const at = task.user.in(addr, MSGHDR_SIZE);
  if (at < 0) return at;
  const header = readMsgHdr(task.user.view, at);
  if (header.iovLen > UIO_MAXIOV) return -EMSGSIZE;
  return header.nameLen < 0 ? -EINVAL : header;
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

// Receiving.

/** Receives into a region; tells of what came along through `told`, once there is a result. */
function receive(
  task: Task,
  socket: Socket,
  { user, addr, len }: Region,
  flags: number,
  told: (into: Incoming, got: number) => number,
): number | Promise<number> {
  const all = (flags & MSG_WAITALL) !== 0 && (flags & MSG_PEEK) === 0 && socket.sockType === SOCK_STREAM;
  let done = 0;
  let latest = new Incoming(user.ram, 0, 0, flags);
  const attempt = (): number => {
    for (;;) {
      const n = Math.min(len - done, user.maxWindow);
      const off = n === 0 ? 0 : user.out(addr + done, n);
      if (off < 0) return off;
      const into = new Incoming(user.ram, off, n, flags);
      const got = socket.receive(into);
      if (n > 0) user.shrink(Math.min(n, Math.max(0, got)));
      if (got < 0) return got;
      latest = into;
      done += got;
      if (got === 0 || done >= len || into.rights.length > 0) return done;
      if (socket.sockType !== SOCK_STREAM || (!all && got < n)) return done;
    }
  };
  const never = (flags & MSG_DONTWAIT) !== 0;
  const patience = { timeout: socket.options.receiveTimeout, events: READ_EVENTS, never };
  const enough = (): number => {
    const n = attempt();
    return n === -EAGAIN && done > 0 && !all ? done : n;
  };
  return after(patiently(task, socket, patience, enough), n => {
    const got = n < 0 && done > 0 ? done : n;
    return got < 0 ? got : told(latest, got);
  });
}

/** A region for one receive: a message longer than a window goes through an array of ours, as do several buffers. */
function receiveScattered(
  task: Task,
  socket: Socket,
  vector: IoVector,
  flags: number,
  told: (into: Incoming, got: number) => number,
): number | Promise<number> {
  if (vector.count <= 1 && vector.total <= task.user.maxWindow) {
    const region = { user: task.user, addr: vector.words[0] ?? 0, len: vector.total };
    return receive(task, socket, region, flags, told);
  }
  const bytes = new Uint8Array(Math.min(vector.total, MAX_MESSAGE));
  const region = { user: new BufferMemory(bytes), addr: 0, len: bytes.length };
  return receive(task, socket, region, flags, (into, got) => {
    const err = scatter(task, vector, bytes.subarray(0, Math.min(got, bytes.length)));
    if (err >= 0) return told(into, got);
    for (const file of into.rights) file.put();
    return err;
  });
}

function scatter(task: Task, vector: IoVector, bytes: Uint8Array): number {
  for (let i = 0, done = 0; done < bytes.length; i++) {
    const n = Math.min(vector.words[2 * i + 1]!, bytes.length - done);
    const err = copyOut(task.user, vector.words[2 * i]!, bytes.subarray(done, done + n));
    if (err < 0) return err;
    done += n;
  }
  return 0;
}

function recvfrom(
  task: Task,
  fd: number,
  addr: number,
  count: number,
  flags: number,
  name: number,
  lenAddr: number,
): number | Promise<number> {
  const len = Math.min(count, MAX_RW_COUNT);
  const fault = checkRange(addr, len);
  if (fault < 0) return fault;
  const socket = socketOf(task, fd);
  if (typeof socket === 'number') return socket;
  const vector = { words: Float64Array.of(addr, len), count: 1, total: len };
  return receiveScattered(task, socket, vector, flags, (into, got) => {
    for (const file of into.rights) file.put();
    const err = name === 0 ? 0 : putAddress(task, name, lenAddr, into.from ?? '');
    return err < 0 ? err : got;
  });
}

/** Stores what came with a message in its header: the sender's address, ancillary data, flags. */
function putHeader(task: Task, addr: number, header: MsgHdr, into: Incoming, got: number): number {
  const from = into.from ?? '';
  const room = header.control === 0 ? 0 : header.controlLen;
  const used = writeControl(task, header.control, room, into);
  if (used < 0) return used;
  if (header.name !== 0) {
    const err = copyOutString(task.user, header.name, from.slice(0, Math.min(header.nameLen, SOCKADDR_MAX)));
    const at = err < 0 ? err : task.user.out(addr + MSGHDR_NAMELEN, 4);
    if (at < 0) return at;
    task.user.view.setInt32(at, from.length, true);
  }
  const at = task.user.out(addr + MSGHDR_CONTROLLEN, MSGHDR_FLAGS + 4 - MSGHDR_CONTROLLEN);
  if (at < 0) return at;
  setInt64(task.user.view, at, used);
  task.user.view.setInt32(at + MSGHDR_FLAGS - MSGHDR_CONTROLLEN, into.outFlags, true);
  return got;
}

function recvmsgOn(task: Task, socket: Socket, addr: number, flags: number): number | Promise<number> {
  const header = headerAt(task, addr);
  if (typeof header === 'number') return header;
  const vector = readVector(task.user, header.iov, header.iovLen);
  if (typeof vector === 'number') return vector;
  return receiveScattered(task, socket, vector, flags, (into, got) =>
    putHeader(task, addr, header, into, got),
  );
}

function recvmsg(task: Task, fd: number, addr: number, flags: number): number | Promise<number> {
  const socket = socketOf(task, fd);
  return typeof socket === 'number' ? socket : recvmsgOn(task, socket, addr, flags);
}

// Several at once.

type OnMessage = (task: Task, socket: Socket, addr: number, flags: number) => number | Promise<number>;

/** Does one message after the other until one fails, or `deadline`; how many, or why not even one. */
async function batchFrom(
  task: Task,
  socket: Socket,
  one: OnMessage,
  addr: number,
  count: number,
  flags: number,
  deadline: number,
): Promise<number> {
  socket.get();
  try {
    let how = flags & ~MSG_WAITFORONE;
    for (let i = 0; i < count; i++) {
      const at = addr + i * MMSGHDR_SIZE;
      const n = await one(task, socket, at, how);
      const stored = n < 0 ? n : putLength(task, at, n);
      if (stored < 0) return i > 0 ? i : stored;
      if ((flags & MSG_WAITFORONE) !== 0) how |= MSG_DONTWAIT;
      if (task.clock.monotonic() >= deadline) return i + 1;
    }
    return count;
  } finally {
    socket.put();
  }
}

function putLength(task: Task, at: number, n: number): number {
  const out = task.user.out(at + MMSGHDR_LEN, 4);
  if (out >= 0) task.user.view.setUint32(out, n, true);
  return out;
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

function recvmmsg(
  task: Task,
  fd: number,
  addr: number,
  count: number,
  flags: number,
  timeout: number,
): number | Promise<number> {
  const deadline = deadlineOfTimespec(task, timeout);
  if (deadline < 0) return deadline;
  const socket = socketOf(task, fd);
  if (typeof socket === 'number') return socket;
  return batchFrom(task, socket, recvmsgOn, addr, Math.min(count >>> 0, MAX_BATCH), flags, deadline);
}

const messageArgs = [fd('sockfd'), pointer('msg'), flags('flags', MSG_NAMES)];
const batchArgs = [fd('sockfd'), pointer('msgvec'), uint('vlen'), flags('flags', MSG_NAMES)];

export const messageCalls: readonly Syscall[] = [
  call(
    'sendto',
    [
      fd('sockfd'),
      inBuffer('buf', 2),
      ulong('len'),
      flags('flags', MSG_NAMES),
      pointer('dest_addr'),
      uint('addrlen'),
    ],
    sendto,
  ),
  call(
    'recvfrom',
    [
      fd('sockfd'),
      outBuffer('buf', 2),
      ulong('len'),
      flags('flags', MSG_NAMES),
      pointer('src_addr'),
      pointer('addrlen'),
    ],
    recvfrom,
  ),
  call('sendmsg', messageArgs, sendmsg),
  call('recvmsg', messageArgs, recvmsg),
  call('sendmmsg', batchArgs, sendmmsg),
  call('recvmmsg', [...batchArgs, pointer('timeout')], recvmmsg, 'the time left is not stored in timeout'),
];
