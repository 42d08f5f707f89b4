/** What the calls that send messages (send.ts) and those that receive them (recv.ts) share. */

import { UIO_MAXIOV } from '../arch/x86_64/structs/iovec.ts';
import {
  MMSGHDR_LEN,
  MMSGHDR_SIZE,
  MSGHDR_SIZE,
  type MsgHdr,
  readMsgHdr,
} from '../arch/x86_64/structs/msghdr.ts';
import type { UserMemory } from '../core/user.ts';
import { putInt } from '../core/user-values.ts';
import type { Task } from '../kernel/task.ts';
import type { Socket } from '../net/socket.ts';
import { EINVAL, EMSGSIZE } from '../uapi/errno.ts';
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
} from '../uapi/socket.ts';
import { fd, flags, shown, shownAfter, uint } from './args.ts';
import { messageAt, messagesAt } from './structs/messages.ts';

/** The most messages in one sendmmsg or recvmmsg. */
export const MAX_BATCH = UIO_MAXIOV;
export const MSG_NAMES = {
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

/** Where a message's bytes are: [addr, addr + len) of the program's memory or of an array of ours. */
export interface Region {
  readonly user: UserMemory;
  readonly addr: number;
  readonly len: number;
}

/** Applies `then` to a result, now or later. */
export const after = (
  result: number | Promise<number>,
  then: (n: number) => number,
): number | Promise<number> => (typeof result === 'number' ? then(result) : result.then(then));

export function headerAt(task: Task, addr: number): MsgHdr | number {
  const at = task.user.in(addr, MSGHDR_SIZE);
  if (at < 0) return at;
  const header = readMsgHdr(task.user.view, at);
  if (header.iovLen > UIO_MAXIOV) return -EMSGSIZE;
  return header.nameLen < 0 ? -EINVAL : header;
}

export type OnMessage = (task: Task, socket: Socket, addr: number, flags: number) => number | Promise<number>;

/** Handles messages in turn until one fails or `deadline`; returns how many, or the error if none was handled. */
export async function batchFrom(
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
      const stored = n < 0 ? n : putInt(task.user, at + MMSGHDR_LEN, n);
      if (stored < 0) return i > 0 ? i : stored;
      if ((flags & MSG_WAITFORONE) !== 0) how |= MSG_DONTWAIT;
      if (task.clock.monotonic() >= deadline) return i + 1;
    }
    return count;
  } finally {
    socket.put();
  }
}

const flagsArg = flags('flags', MSG_NAMES);
export const sentArgs = [fd('sockfd'), shown('msg', messageAt(false, MSG_NAMES)), flagsArg];
export const receivedArgs = [fd('sockfd'), shownAfter('msg', messageAt(true, MSG_NAMES)), flagsArg];
export const sentBatch = [
  fd('sockfd'),
  shown('msgvec', messagesAt(false, MSG_NAMES)),
  uint('vlen'),
  flagsArg,
];
export const receivedBatch = [
  fd('sockfd'),
  shownAfter('msgvec', messagesAt(true, MSG_NAMES)),
  uint('vlen'),
  flagsArg,
];
