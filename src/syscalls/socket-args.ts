/** Sockets and their addresses as arguments of calls, and how calls on sockets wait. */

import { copyInString, copyOutString } from '../core/user-copy.ts';
import { putInt } from '../core/user-values.ts';
import { makeSocket } from '../fs/create.ts';
import type { Path } from '../fs/dentry.ts';
import { lookup } from '../fs/lookup.ts';
import { LOOKUP_FOLLOW } from '../fs/namei.ts';
import { permission } from '../fs/permission.ts';
import type { Task } from '../kernel/task.ts';
import type { Result } from '../lib/result.ts';
import type { SocketCaller } from '../net/caller.ts';
import { Socket } from '../net/socket.ts';
import { EAGAIN, EBADF, EINTR, EINVAL, ENOTSOCK, ETIMEDOUT } from '../uapi/errno.ts';
import { RLIMIT_NOFILE } from '../uapi/resource.ts';
import { SOCKADDR_MAX } from '../uapi/socket.ts';
import { MAY_WRITE } from '../uapi/stat.ts';
import { fileOf } from './names.ts';

export function socketOf(task: Task, fd: number): Socket | number {
  const file = fileOf(task, fd);
  if (file === null) return -EBADF;
  return file instanceof Socket ? file : -ENOTSOCK;
}

/** The task as sockets see it. */
export const callerOf = (task: Task): SocketCaller => ({
  pid: task.tgid,
  cred: task.cred,
  fileLimit: task.rlimit(RLIMIT_NOFILE),
  processExists: pid => task.kernel.groups.has(pid),
  makeSocket: (name, mode) => makeSocket(task.kernel.vfs, task, name, mode),
  findSocket: name => findSocket(task, name),
});

function findSocket(task: Task, name: string): Result<Path> {
  const path = lookup(task.kernel.vfs, task, null, name, LOOKUP_FOLLOW);
  if (typeof path === 'number') return path;
  const refused = permission(path.inode, MAY_WRITE, task.cred);
  return refused < 0 ? refused : path;
}

/** Reads an address argument; -EINVAL, -EFAULT. */
export function readAddress(task: Task, addr: number, len: number): string | number {
  if (len < 0 || len > SOCKADDR_MAX) return -EINVAL;
  return copyInString(task.user, addr, len);
}

/** Stores as much of an address as there is room for, and its whole length; 0 or -errno. */
export function putAddress(task: Task, addr: number, lenAddr: number, address: string): number {
  const at = task.user.in(lenAddr, 4);
  if (at < 0) return at;
  const room = task.user.view.getInt32(at, true);
  if (room < 0) return -EINVAL;
  const err = copyOutString(task.user, addr, address.slice(0, room));
  if (err < 0) return err;
  return putInt(task.user, lenAddr, address.length);
}

/** How long a call may wait: `timeout` is SO_RCVTIMEO or SO_SNDTIMEO in ns, `events` what wakes it. */
export interface Patience {
  readonly timeout: number;
  readonly events: number;
  /** MSG_DONTWAIT. */
  readonly never: boolean;
}

/** Repeats `attempt` while it answers -EAGAIN and the socket and the call may wait. */
export function patiently(
  task: Task,
  socket: Socket,
  patience: Patience,
  attempt: () => number,
): number | Promise<number> {
  const n = attempt();
  if (n !== -EAGAIN || patience.never || socket.nonblocking) return n;
  return waitAndRetry(task, socket, patience, attempt);
}

async function waitAndRetry(
  task: Task,
  socket: Socket,
  { timeout, events }: Patience,
  attempt: () => number,
): Promise<number> {
  const queues = [socket.waitq];
  const deadline = task.clock.monotonic() + timeout;
  socket.get();
  try {
    for (;;) {
      const slept = await task.sleepOn(queues, deadline, events);
      if (slept === -ETIMEDOUT) return -EAGAIN;
      // A call with a timeout is never restarted (signal(7)).
      if (slept < 0) return Number.isFinite(timeout) ? -EINTR : slept;
      const n = attempt();
      if (n !== -EAGAIN || socket.nonblocking) return n;
    }
  } finally {
    socket.put();
  }
}
