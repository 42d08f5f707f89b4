/**
 * recvfrom(2), recvmsg(2), recvmmsg(2).
 *
 * The socket fills a single buffer in place; several are filled from an array of ours. Waiting works as for read
 * (io.ts), for SO_RCVTIMEO at most.
 */
import {
  MSGHDR_CONTROLLEN,
  MSGHDR_FLAGS,
  MSGHDR_NAMELEN,
  type MsgHdr,
} from '../arch/x86_64/structs/msghdr.ts';
import { BufferMemory } from '../core/buffer-memory.ts';
import { copyOut, copyOutString } from '../core/user-copy.ts';
import { READ_EVENTS } from '../fs/file.ts';
import type { Task } from '../kernel/task.ts';
import { setInt64 } from '../lib/int64.ts';
import { Incoming, type Socket } from '../net/socket.ts';
import { EAGAIN } from '../uapi/errno.ts';
import {
  MSG_CMSG_CLOEXEC,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_WAITALL,
  SOCK_STREAM,
  SOCKADDR_MAX,
} from '../uapi/socket.ts';
import { call, fd, flags, outBuffer, pointer, type Syscall, shownAfter, shownBoth, ulong } from './args.ts';
import { writeControl } from './cmsg.ts';
import { checkRange, MAX_MESSAGE, MAX_RW_COUNT } from './io.ts';
import {
  after,
  batchFrom,
  headerAt,
  MAX_BATCH,
  MSG_NAMES,
  type Region,
  receivedArgs,
  receivedBatch,
} from './message.ts';
import { structAt } from './show.ts';
import { patiently, putAddress, socketOf } from './socket-args.ts';
import { INT } from './structs/fields.ts';
import { socketAddressOf } from './structs/messages.ts';
import { deadlineOfTimespec } from './timeout.ts';
import { type IoVector, readVector, roomOf } from './vector.ts';

/** Receives into a region. On success, `told` handles what came along with the bytes and returns the result. */
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
      let room = n;
      let off = n === 0 ? 0 : user.out(addr + done, n);
      if (off < 0) {
        room = user.room(addr + done, n);
        off = room === 0 ? 0 : user.out(addr + done, room);
      }
      const into = new Incoming(user.ram, off, n, flags, room);
      const got = socket.receive(into);
      if (room > 0) user.shrink(Math.min(room, Math.max(0, got)));
      if (got < 0) return got;
      latest = into;
      done += got;
      if (got === 0 || done >= len || into.rights.length > 0 || into.ends) return done;
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

/** Receives into any buffers: several buffers, or one longer than a window, through an array of ours. */
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
  const len = Math.min(vector.total, MAX_MESSAGE);
  const bytes = new Uint8Array(roomOf(task.user, vector, len));
  const region = { user: new BufferMemory(bytes), addr: 0, len };
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
  const told = into.outFlags | (into.flags & MSG_CMSG_CLOEXEC);
  task.user.view.setInt32(at + MSGHDR_FLAGS - MSGHDR_CONTROLLEN, told, true);
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

export const recvCalls: readonly Syscall[] = [
  call(
    'recvfrom',
    [
      fd('sockfd'),
      outBuffer('buf', 2),
      ulong('len'),
      flags('flags', MSG_NAMES),
      shownAfter('src_addr', socketAddressOf(5, true)),
      shownBoth('addrlen', structAt(INT), 'length'),
    ],
    recvfrom,
  ),
  call('recvmsg', receivedArgs, recvmsg),
  call(
    'recvmmsg',
    [...receivedBatch, pointer('timeout')],
    recvmmsg,
    'the remaining time is not written to timeout',
  ),
];
