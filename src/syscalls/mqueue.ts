/** POSIX message queues (mq_overview(7)): mq_open(2) and its relatives. Queues have a name space of their own. */
import { readSigEvent, SIGEVENT_SIZE } from '../arch/x86_64/structs/signal.ts';
import { readTimespec, TIMESPEC_SIZE } from '../arch/x86_64/structs/time.ts';
import { NSEC_PER_SEC } from '../core/clock.ts';
import { CAP_FOWNER, CAP_SYS_RESOURCE, capable } from '../core/cred.ts';
import { copyIn, copyOut } from '../core/user-copy.ts';
import { putInt } from '../core/user-values.ts';
import { permission } from '../fs/permission.ts';
import { MqueueFile, PosixQueue, type QueueLimits } from '../ipc/mqueue.ts';
import { sendToGroup } from '../kernel/signal.ts';
import type { Task } from '../kernel/task.ts';
import { getInt64, setInt64 } from '../lib/int64.ts';
import * as e from '../uapi/errno.ts';
import { O_ACCMODE, O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_WRONLY } from '../uapi/fcntl.ts';
import * as mq from '../uapi/mqueue.ts';
import { POLLIN, POLLOUT } from '../uapi/poll.ts';
import { RLIMIT_MSGQUEUE } from '../uapi/resource.ts';
import { SignalInfo } from '../uapi/siginfo.ts';
import { NSIG, SI_MESGQ } from '../uapi/signal.ts';
import { MAY_READ, MAY_WRITE, S_IFREG } from '../uapi/stat.ts';
import { SIGEV_NONE, SIGEV_SIGNAL } from '../uapi/time.ts';
import {
  call,
  fd,
  flags,
  inStruct,
  int,
  mode,
  outStruct,
  pointer,
  type Syscall,
  string,
  uint,
  ulong,
} from './args.ts';
import { install, nameAt, roomForFile } from './names.ts';
import { MQ_ATTR } from './structs/messages.ts';
import { SIGEVENT } from './structs/signals.ts';
import { TIMESPEC } from './structs/time.ts';
import { NEVER } from './timeout.ts';

const NAME_MAX = 255;
/** struct mq_attr: longs: 0 mq_flags | 8 mq_maxmsg | 16 mq_msgsize | 24 mq_curmsgs | 32 reserved (4). */
const ATTR_SIZE = 64;

interface Size {
  readonly maxMessages: number;
  readonly maxSize: number;
}

/** The size of each queue's file in stat(2). */
const FILE_SIZE = 80;

function nameOf(task: Task, addr: number): string | number {
  const name = nameAt(task, addr);
  if (typeof name === 'number') return name;
  if (name === '') return -e.ENOENT;
  if (name.includes('/') || name === '.' || name === '..') return -e.EACCES;
  return name.length > NAME_MAX ? -e.ENAMETOOLONG : name;
}

function mqOpen(task: Task, nameAddr: number, oflag: number, mode: number, attr: number): number {
  const size =
    (oflag & O_CREAT) !== 0 && attr !== 0 ? readSize(task, attr) : defaultSize(task.kernel.queueLimits);
  if (typeof size === 'number') return size;
  const name = nameOf(task, nameAddr);
  if (typeof name === 'number') return name;
  const room = roomForFile(task);
  if (room !== 0) return room;
  const { queues } = task.kernel;
  const known = queues.get(name);
  if (known !== undefined && (oflag & O_CREAT) !== 0 && (oflag & O_EXCL) !== 0) return -e.EEXIST;
  if (known !== undefined) return openQueue(task, known, oflag, true);
  if ((oflag & O_CREAT) === 0) return -e.ENOENT;
  const made = create(task, size, mode & ~task.fs.umask & 0o777);
  if (typeof made === 'number') return made;
  queues.set(name, made);
  return openQueue(task, made, oflag, false);
}

const defaultSize = (limits: QueueLimits): Size => ({
  maxMessages: Math.min(limits.defaultMessages, limits.messages),
  maxSize: Math.min(limits.defaultSize, limits.size),
});

function readSize(task: Task, addr: number): Size | number {
  const at = task.user.in(addr, ATTR_SIZE);
  if (at < 0) return at;
  return { maxMessages: getInt64(task.user.view, at + 8), maxSize: getInt64(task.user.view, at + 16) };
}

function create(task: Task, { maxMessages, maxSize }: Size, mode: number): PosixQueue | number {
  const { cred, kernel } = task;
  const limits = kernel.queueLimits;
  const privileged = capable(cred, CAP_SYS_RESOURCE);
  const { livingQueues } = kernel;
  if (!privileged && livingQueues.size >= limits.queues) return -e.ENOSPC;
  const [most, longest] = privileged
    ? [mq.HARD_MSG_MAX, mq.HARD_MSGSIZE_MAX]
    : [limits.messages, limits.size];
  if (maxMessages <= 0 || maxSize <= 0 || maxMessages > most || maxSize > longest) return -e.EINVAL;
  const queue = new PosixQueue(livingQueues, cred, mode, maxMessages, maxSize);
  let bytes = 0;
  for (const other of livingQueues) if (other.cred.uid === cred.uid) bytes += other.bytes;
  if (bytes <= task.rlimit(RLIMIT_MSGQUEUE)) return queue;
  queue.drop();
  return -e.EMFILE;
}

function openQueue(task: Task, queue: PosixQueue, oflag: number, check: boolean): number {
  const { kernel, cred } = task;
  const access = oflag & O_ACCMODE;
  if (access === O_ACCMODE) return -e.EINVAL;
  const inode = kernel.mqueues.newInode(S_IFREG | queue.mode, queue.cred);
  inode.size = FILE_SIZE;
  const wanted = access === O_RDONLY ? MAY_READ : access === O_WRONLY ? MAY_WRITE : MAY_READ | MAY_WRITE;
  const denied = check ? permission(inode, wanted, cred) : 0;
  const file = new MqueueFile(
    inode,
    queue,
    access | (oflag & O_NONBLOCK),
    () => kernel.current?.group ?? null,
  );
  if (denied === 0) return install(task, file, true);
  file.put();
  return denied;
}

function mqUnlink(task: Task, nameAddr: number): number {
  const name = nameOf(task, nameAddr);
  if (typeof name === 'number') return name;
  const { queues } = task.kernel;
  const queue = queues.get(name);
  if (queue === undefined) return -e.ENOENT;
  if (queue.cred.fsuid !== task.cred.fsuid && !capable(task.cred, CAP_FOWNER)) return -e.EPERM;
  queues.delete(name);
  queue.drop();
  return 0;
}

const queueFile = (task: Task, fd: number): MqueueFile | null => {
  const file = task.files.get(fd);
  return file instanceof MqueueFile ? file : null;
};

/** CLOCK_MONOTONIC at an absolute time of CLOCK_REALTIME; NEVER for NULL; -EFAULT, -EINVAL. */
function deadlineOf(task: Task, addr: number): number {
  if (addr === 0) return NEVER;
  const at = task.user.in(addr, TIMESPEC_SIZE);
  if (at < 0) return at;
  const { sec, nsec } = readTimespec(task.user.view, at);
  if (sec < 0 || nsec < 0 || nsec >= NSEC_PER_SEC) return -e.EINVAL;
  const now = task.clock.realtime();
  return Math.max(0, task.clock.monotonic() + (sec - now.sec) * NSEC_PER_SEC + (nsec - now.nsec));
}

function mqSend(
  task: Task,
  fd: number,
  addr: number,
  len: number,
  priority: number,
  timeout: number,
): number | Promise<number> {
  const deadline = deadlineOf(task, timeout);
  if (deadline < 0) return deadline;
  if (priority >>> 0 >= mq.MQ_PRIO_MAX) return -e.EINVAL;
  const file = queueFile(task, fd);
  if (file === null || !file.writable) return -e.EBADF;
  if (len > file.posix.maxSize) return -e.EMSGSIZE;
  const text = copyIn(task.user, addr, len);
  if (typeof text === 'number') return text;
  return untilPossible(task, file, deadline, POLLOUT, () =>
    file.posix.send({ priority, text }, task.cred, task.tgid),
  );
}

function mqReceive(
  task: Task,
  fd: number,
  addr: number,
  len: number,
  prioAddr: number,
  timeout: number,
): number | Promise<number> {
  const deadline = deadlineOf(task, timeout);
  if (deadline < 0) return deadline;
  const file = queueFile(task, fd);
  if (file === null || !file.readable) return -e.EBADF;
  if (len < file.posix.maxSize) return -e.EMSGSIZE;
  return untilPossible(task, file, deadline, POLLIN, () => {
    const message = file.posix.receive();
    if (message === null) return -e.EAGAIN;
    const { text, priority } = message;
    const error =
      (prioAddr === 0 ? 0 : putInt(task.user, prioAddr, priority)) || copyOut(task.user, addr, text);
    return error === 0 ? text.length : error;
  });
}

function untilPossible(
  task: Task,
  file: MqueueFile,
  deadline: number,
  event: number,
  attempt: () => number,
): number | Promise<number> {
  const result = attempt();
  if (result !== -e.EAGAIN || file.nonblocking) return result;
  return later(task, file, deadline, event, attempt);
}

async function later(
  task: Task,
  file: MqueueFile,
  deadline: number,
  event: number,
  attempt: () => number,
): Promise<number> {
  const { posix } = file;
  const receives = event === POLLIN ? 1 : 0;
  file.get();
  posix.receivers += receives;
  try {
    for (;;) {
      const slept = await task.sleepOn([posix.waitq], deadline, event);
      if (slept < 0) return slept;
      const result = attempt();
      if (result !== -e.EAGAIN) return result;
    }
  } finally {
    posix.receivers -= receives;
    file.put();
  }
}

function mqNotify(task: Task, fd: number, addr: number): number {
  const at = addr === 0 ? 0 : task.user.in(addr, SIGEVENT_SIZE);
  if (at < 0) return at;
  const event = addr === 0 ? null : readSigEvent(task.user.view, at);
  if (event !== null) {
    if (event.notify !== SIGEV_NONE && event.notify !== SIGEV_SIGNAL) return -e.EINVAL;
    if (event.notify === SIGEV_SIGNAL && (event.signal < 0 || event.signal > NSIG)) return -e.EINVAL;
  }
  const file = queueFile(task, fd);
  if (file === null) return -e.EBADF;
  const { group } = task;
  if (event === null) {
    file.posix.unregister(group);
    return 0;
  }
  if (file.posix.registered !== null) return -e.EBUSY;
  file.posix.register({
    owner: group,
    pid: group.tgid,
    how: event.notify,
    signal: event.notify === SIGEV_SIGNAL ? event.signal : 0,
    isGone: () => group.zombie,
    tell: (sender, pid) => {
      if (event.notify === SIGEV_NONE || event.signal === 0) return;
      const info = new SignalInfo(event.signal, SI_MESGQ);
      info.words[4] = pid;
      info.words[5] = sender.uid;
      info.words[6] = event.valueLo;
      info.words[7] = event.valueHi;
      sendToGroup(group, info);
    },
  });
  return 0;
}

function mqGetsetattr(task: Task, fd: number, newAddr: number, oldAddr: number): number {
  const { user } = task;
  const at = newAddr === 0 ? 0 : user.in(newAddr, ATTR_SIZE);
  if (at < 0) return at;
  const wanted = newAddr === 0 ? null : getInt64(user.view, at);
  if (wanted !== null && wanted !== 0 && wanted !== O_NONBLOCK) return -e.EINVAL;
  const file = queueFile(task, fd);
  if (file === null) return -e.EBADF;
  const { posix } = file;
  const old = [file.flags & O_NONBLOCK, posix.maxMessages, posix.maxSize, posix.messages.length];
  if (wanted !== null) file.flags = (file.flags & ~O_NONBLOCK) | wanted;
  if (oldAddr === 0) return 0;
  const out = user.out(oldAddr, ATTR_SIZE);
  if (out < 0) return out;
  user.ram.fill(0, out, out + ATTR_SIZE);
  for (const [i, value] of old.entries()) setInt64(user.view, out + 8 * i, value);
  return 0;
}

const OPEN = { O_CREAT, O_EXCL, O_NONBLOCK };

export const mqueueCalls: readonly Syscall[] = [
  call('mq_open', [string('name'), flags('oflag', OPEN), mode('mode'), inStruct('attr', MQ_ATTR)], mqOpen),
  call('mq_unlink', [string('name')], mqUnlink),
  call(
    'mq_timedsend',
    [fd('mqdes'), pointer('msg_ptr'), ulong('msg_len'), uint('msg_prio'), inStruct('abs_timeout', TIMESPEC)],
    mqSend,
  ),
  call(
    'mq_timedreceive',
    [
      fd('mqdes'),
      pointer('msg_ptr'),
      ulong('msg_len'),
      pointer('msg_prio'),
      inStruct('abs_timeout', TIMESPEC),
    ],
    mqReceive,
  ),
  call('mq_notify', [fd('mqdes'), inStruct('sevp', SIGEVENT)], mqNotify, 'no SIGEV_THREAD: EINVAL'),
  call(
    'mq_getsetattr',
    [int('mqdes'), inStruct('newattr', MQ_ATTR), outStruct('oldattr', MQ_ATTR)],
    mqGetsetattr,
  ),
];
