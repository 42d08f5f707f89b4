/** Message queues of System V (msgget(2), msgsnd(2), msgrcv(2), msgctl(2)). */
import {
  MSGINFO_SIZE,
  MSQID_DS_SIZE,
  readQbytes,
  writeIpcInfo,
  writeMsqid,
} from '../arch/x86_64/structs/ipc.ts';
import { CAP_SYS_RESOURCE, capable } from '../core/cred.ts';
import { copyIn, copyOut } from '../core/user-copy.ts';
import type { WaitQueue } from '../core/wait.ts';
import { IPC_READ, IPC_WRITE } from '../ipc/sysv/ids.ts';
import type { MessageQueue } from '../ipc/sysv/msg.ts';
import type { Task } from '../kernel/task.ts';
import { getInt64, setInt64 } from '../lib/int64.ts';
import { EAGAIN, EFAULT, EIDRM, EINTR, EINVAL, ENOMSG, EPERM } from '../uapi/errno.ts';
import * as ipc from '../uapi/ipc.ts';
import { call, flags, hex, int, long, pointer, type Syscall, ulong } from './args.ts';
import { control, findFor, IPC_FLAGS, type IpcKind, outZeroed, seconds } from './ipc.ts';

const TYPE_SIZE = 8;
/** The segment size and count of a message pool, which Linux does not use. */
const MSGSSZ = 16;
const MSGSEG = 0xffff;

const msgget = (task: Task, key: number, flags: number): number =>
  task.kernel.ipc.msg.msgget(key, flags, task.cred, seconds(task));

function msgsnd(task: Task, id: number, addr: number, size: number, flags: number): number | Promise<number> {
  const at = task.user.in(addr, TYPE_SIZE);
  if (at < 0) return at;
  const type = getInt64(task.user.view, at);
  if (id < 0 || size > task.kernel.ipc.msg.maxMessage || type < 1) return -EINVAL;
  const text = copyIn(task.user, addr + TYPE_SIZE, size);
  if (typeof text === 'number') return text;
  const message = { type, text };
  return whenPossible(task, id, IPC_WRITE, flags, queue => ({
    result: queue.send(message, task.tgid, seconds(task)),
    later: -EAGAIN,
    waitq: queue.roomq,
  }));
}

function msgrcv(
  task: Task,
  id: number,
  addr: number,
  size: number,
  type: number,
  flags: number,
): number | Promise<number> {
  if (id < 0 || size > Number.MAX_SAFE_INTEGER) return -EINVAL;
  const copy = (flags & ipc.MSG_COPY) !== 0;
  if (copy && ((flags & ipc.MSG_EXCEPT) !== 0 || (flags & ipc.IPC_NOWAIT) === 0)) return -EINVAL;
  return whenPossible(task, id, IPC_READ, flags, queue => {
    const message = queue.receive(type, size, flags, task.tgid, seconds(task));
    const result =
      typeof message === 'number' ? message : deliver(task, addr, size, message.type, message.text);
    return { result, later: -ENOMSG, waitq: queue.messageq };
  });
}

function deliver(task: Task, addr: number, size: number, type: number, text: Uint8Array): number {
  const at = task.user.out(addr, TYPE_SIZE);
  if (at < 0) return -EFAULT;
  setInt64(task.user.view, at, type);
  const part = text.subarray(0, Math.min(size, text.length));
  return copyOut(task.user, addr + TYPE_SIZE, part) || part.length;
}

interface Attempt {
  readonly result: number;
  /** The result that means "not yet". */
  readonly later: number;
  readonly waitq: WaitQueue;
}

/** Retries until the attempt succeeds; a signal ends it with EINTR even under SA_RESTART (signal(7)). */
function whenPossible(
  task: Task,
  id: number,
  wanted: number,
  flags: number,
  attempt: (queue: MessageQueue) => Attempt,
): number | Promise<number> {
  const queue = findFor(task, task.kernel.ipc.msg, id, wanted);
  if (typeof queue === 'number') return queue;
  const first = attempt(queue);
  if (first.result !== first.later || (flags & ipc.IPC_NOWAIT) !== 0) return first.result;
  return sleepFor(task, queue, first.waitq, wanted, attempt);
}

async function sleepFor(
  task: Task,
  queue: MessageQueue,
  waitq: WaitQueue,
  wanted: number,
  attempt: (queue: MessageQueue) => Attempt,
): Promise<number> {
  for (;;) {
    const slept = await task.sleepOn([waitq]);
    if (queue.removed) return -EIDRM;
    if (slept < 0) return -EINTR;
    const denied = queue.permits(task.cred, wanted);
    if (denied !== 0) return denied;
    const { result, later } = attempt(queue);
    if (result !== later) return result;
  }
}

const KIND: IpcKind<MessageQueue> = {
  table: task => task.kernel.ipc.msg,
  commands: { info: ipc.MSG_INFO, stat: ipc.MSG_STAT, statAny: ipc.MSG_STAT_ANY },
  size: MSQID_DS_SIZE,
  write: writeMsqid,
  setMore: (task, queue, view, at) => setSize(task, queue, readQbytes(view, at)),
  info,
};

const msgctl = (task: Task, id: number, cmd: number, addr: number): number =>
  (id < 0 ? null : control(task, KIND, id, cmd, addr)) ?? -EINVAL;

function setSize(task: Task, queue: MessageQueue, qbytes: number): number {
  if (qbytes > task.kernel.ipc.msg.maxBytes && !capable(task.cred, CAP_SYS_RESOURCE)) return -EPERM;
  queue.qbytes = qbytes;
  queue.roomq.wake();
  return 0;
}

function info(task: Task, used: boolean, addr: number): number {
  const at = outZeroed(task, addr, MSGINFO_SIZE);
  if (at < 0) return at;
  const table = task.kernel.ipc.msg;
  let [messages, bytes] = [0, 0];
  for (const queue of table) {
    messages += queue.messages.length;
    bytes += queue.cbytes;
  }
  const { max, maxMessage, maxBytes } = table;
  const limits = [maxMessage, maxBytes, max, MSGSSZ];
  const pool = (max * maxBytes) / 1024;
  const values = used ? [table.count, messages, ...limits, bytes] : [pool, maxBytes, ...limits, maxBytes];
  writeIpcInfo(task.user.view, at, values);
  task.user.view.setUint16(at + 28, MSGSEG, true);
  return table.highest;
}

const { MSG_NOERROR, MSG_EXCEPT, MSG_COPY } = ipc;

export const msgCalls: readonly Syscall[] = [
  call('msgget', [int('key'), flags('msgflg', IPC_FLAGS)], msgget),
  call('msgsnd', [int('msqid'), pointer('msgp'), ulong('msgsz'), flags('msgflg', IPC_FLAGS)], msgsnd),
  call(
    'msgrcv',
    [
      int('msqid'),
      pointer('msgp'),
      ulong('msgsz'),
      long('msgtyp'),
      flags('msgflg', { ...IPC_FLAGS, MSG_NOERROR, MSG_EXCEPT, MSG_COPY }),
    ],
    msgrcv,
  ),
  call('msgctl', [int('msqid'), int('op'), hex('buf')], msgctl),
];
