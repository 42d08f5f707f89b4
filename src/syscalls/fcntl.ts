/** fcntl(2). Record locks are in record-lock.ts, signal-driven I/O in fasync.ts. */
import { F_OWNER_EX_SIZE } from '../arch/x86_64/structs/flock.ts';
import { CAP_FOWNER, capable } from '../core/cred.ts';
import type { File } from '../fs/file.ts';
import { isAppendOnly } from '../fs/flags.ts';
import { notifyOf } from '../ipc/dnotify.ts';
import { addSeals, getSeals } from '../ipc/memfd.ts';
import { getPipeSize, setPipeSize } from '../ipc/pipe-file.ts';
import { settleEverybody } from '../kernel/along.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, EFAULT, EINVAL, ENOTDIR, EPERM, ESRCH } from '../uapi/errno.ts';
import * as fcntl from '../uapi/fcntl.ts';
import {
  DN_MULTISHOT,
  F_OWNER_PGRP,
  F_OWNER_PID,
  F_OWNER_TID,
  FASYNC,
  FD_CLOEXEC,
  O_APPEND,
  O_DIRECT,
  O_NOATIME,
  O_NONBLOCK,
  O_PATH,
} from '../uapi/fcntl.ts';
import { RLIMIT_NOFILE } from '../uapi/resource.ts';
import { NSIG } from '../uapi/signal.ts';
import { isDir } from '../uapi/stat.ts';
import { type Arg, answering, call, fd, long, oneOf, type Syscall } from './args.ts';
import { ownIfUnowned, setAsync, tellOwner } from './fasync.ts';
import { getLease, setLease } from './lease.ts';
import { ACCESS_MODE, OPEN_FLAGS } from './open.ts';
import { recordLock } from './record-lock.ts';
import { flagWord, hexadecimal, nameOf, structAt } from './show.ts';
import { FLOCK } from './structs/files.ts';
import { getWriteHint, setWriteHint } from './write-hint.ts';

/** What F_SETFL can change. */
const SETTABLE = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;
const INT_MIN = -(2 ** 31);

/** `arg` is a full word: an int for most commands (any upper half is ignored), a pointer for some. */
function fcntlCall(task: Task, fd: number, cmd: number, arg: number): number | Promise<number> {
  const file = task.files.get(fd);
  if (file === null) return -EBADF;
  switch (cmd) {
    case fcntl.F_DUPFD:
      return task.files.dup(fd, false, task.rlimit(RLIMIT_NOFILE), arg | 0);
    case fcntl.F_DUPFD_CLOEXEC:
      return task.files.dup(fd, true, task.rlimit(RLIMIT_NOFILE), arg | 0);
    case fcntl.F_DUPFD_QUERY:
      return isSame(task, file, arg | 0);
    case fcntl.F_GETFD:
      return task.files.isCloexec(fd) ? FD_CLOEXEC : 0;
    case fcntl.F_SETFD:
      task.files.setCloexec(fd, (arg & FD_CLOEXEC) !== 0);
      return 0;
    case fcntl.F_GETFL:
      return file.flags;
  }
  return (file.flags & O_PATH) !== 0 ? -EBADF : onOpenFile(task, fd, file, cmd, arg);
}

/** F_DUPFD_QUERY: whether another descriptor refers to the same open file. */
function isSame(task: Task, file: File, fd: number): number {
  const other = task.files.get(fd);
  return other === null ? -EBADF : Number(other === file);
}

function onOpenFile(task: Task, fd: number, file: File, cmd: number, arg: number): number | Promise<number> {
  switch (cmd) {
    case fcntl.F_SETFL:
      return setFlags(task, fd, file, arg | 0);
    case fcntl.F_GETLK:
    case fcntl.F_SETLK:
    case fcntl.F_SETLKW:
    case fcntl.F_OFD_GETLK:
    case fcntl.F_OFD_SETLK:
    case fcntl.F_OFD_SETLKW:
      return recordLock(task, fd, file, cmd, arg);
    case fcntl.F_GETPIPE_SZ:
      return getPipeSize(file);
    case fcntl.F_SETPIPE_SZ:
      return setPipeSize(file, arg | 0, task.cred);
    case fcntl.F_ADD_SEALS:
      return addSeals(file, arg | 0);
    case fcntl.F_GET_SEALS:
      return getSeals(file);
    case fcntl.F_CREATED_QUERY:
      return file.created ? 1 : 0;
    case fcntl.F_GETLEASE:
      return getLease(file);
    case fcntl.F_SETLEASE:
      return setLease(task, fd, file, arg | 0);
    case fcntl.F_GET_RW_HINT:
      return getWriteHint(task, file, arg);
    case fcntl.F_SET_RW_HINT:
      return setWriteHint(task, file, arg);
    case fcntl.F_NOTIFY:
      return notify(task, fd, file, arg | 0);
  }
  return ownerCommand(task, file, cmd, arg);
}

function ownerCommand(task: Task, file: File, cmd: number, arg: number): number {
  switch (cmd) {
    case fcntl.F_GETOWN:
      return ownerOf(task, file);
    case fcntl.F_SETOWN:
      return (arg | 0) === INT_MIN ? -EINVAL : setOwner(task, file, arg | 0, false);
    case fcntl.F_GETOWN_EX:
      return getOwnerEx(task, file, arg);
    case fcntl.F_SETOWN_EX:
      return setOwnerEx(task, file, arg);
    case fcntl.F_GETSIG:
      return file.ownerSignal;
    case fcntl.F_SETSIG:
      if (arg < 0 || arg > NSIG) return -EINVAL;
      file.ownerSignal = arg;
      return 0;
  }
  return -EINVAL;
}

function setFlags(task: Task, fd: number, file: File, flags: number): number {
  const { cred } = task;
  const added = flags & ~file.flags;
  const owner = cred.fsuid === file.inode.uid || capable(cred, CAP_FOWNER);
  if ((added & O_NOATIME) !== 0 && !owner) return -EPERM;
  if (((flags ^ file.flags) & O_APPEND) !== 0 && isAppendOnly(file.inode)) return -EPERM;
  if ((flags & O_DIRECT) !== 0 && !file.mayBeDirect) return -EINVAL;
  file.recall();
  setAsync(task.kernel, file, fd, (flags & FASYNC) !== 0);
  file.flags = (file.flags & ~SETTABLE) | (flags & SETTABLE);
  return 0;
}

/** F_NOTIFY: signals of the same kind as for leases, when something happens in a directory. */
function notify(task: Task, fd: number, file: File, mask: number): number {
  const { kernel } = task;
  if ((mask & ~DN_MULTISHOT) !== 0 && !isDir(file.inode.mode)) return -ENOTDIR;
  settleEverybody(kernel);
  notifyOf(kernel.inotify, file, task.files, mask, () => tellOwner(kernel, file, fd));
  if (mask !== 0) ownIfUnowned(task, file);
  return 0;
}

/** `owner` > 0: a process, or a thread; < 0: a process group; 0: none. */
function setOwner(task: Task, file: File, owner: number, thread: boolean): number {
  if (owner !== 0 && !isThere(task, owner, thread)) return -ESRCH;
  file.owner = owner;
  file.ownerIsThread = thread;
  file.ownerCred = task.cred;
  return 0;
}

function isThere({ kernel }: Task, owner: number, thread: boolean): boolean {
  if (thread) return kernel.tasks.has(owner);
  return owner > 0 ? kernel.groups.has(owner) : kernel.jobs.exists(-owner);
}

/** The owner, or 0 if it is gone. */
const ownerOf = (task: Task, { owner, ownerIsThread }: File): number =>
  isThere(task, owner, ownerIsThread) ? owner : 0;

function getOwnerEx(task: Task, file: File, addr: number): number {
  const { user } = task;
  const at = user.out(addr, F_OWNER_EX_SIZE);
  if (at < 0) return -EFAULT;
  const type =
    file.ownerIsThread || file.owner === 0 ? F_OWNER_TID : file.owner < 0 ? F_OWNER_PGRP : F_OWNER_PID;
  user.view.setInt32(at, type, true);
  user.view.setInt32(at + 4, Math.abs(ownerOf(task, file)), true);
  return 0;
}

function setOwnerEx(task: Task, file: File, addr: number): number {
  const { user } = task;
  const at = user.in(addr, F_OWNER_EX_SIZE);
  if (at < 0) return -EFAULT;
  const type = user.view.getInt32(at, true);
  const pid = user.view.getInt32(at + 4, true);
  if (type !== F_OWNER_TID && type !== F_OWNER_PID && type !== F_OWNER_PGRP) return -EINVAL;
  if (pid < 0) return -ESRCH;
  return setOwner(task, file, type === F_OWNER_PGRP ? -pid : pid, type === F_OWNER_TID);
}

const COMMANDS = Object.fromEntries(
  Object.entries(fcntl).filter(([name]) => /^F_(?!RDLCK|WRLCK|UNLCK|OWNER_)/.test(name)),
);

const NO_ARGUMENT: ReadonlySet<number> = new Set([
  fcntl.F_GETFD,
  fcntl.F_GETFL,
  fcntl.F_GETOWN,
  fcntl.F_GETSIG,
  fcntl.F_GETPIPE_SZ,
  fcntl.F_GET_SEALS,
]);
const DESCRIPTOR_FLAGS = { FD_CLOEXEC: fcntl.FD_CLOEXEC };
/** The third argument, which depends on the command. */
const commandArg: Arg = {
  ...long('arg'),
  taken: args => !NO_ARGUMENT.has(args[1]!),
  show: (value, look) => {
    const name = nameOf(look.args[1]!, COMMANDS) ?? '';
    if (name === 'F_SETFL') return flagWord(value, OPEN_FLAGS, ACCESS_MODE);
    if (name === 'F_SETFD') return flagWord(value, DESCRIPTOR_FLAGS);
    return name.includes('LK') ? structAt(FLOCK)(value, look) : String(value);
  },
};

/** Shows flags with their names. */
function answer(result: number, args: readonly number[]): string {
  const getsFlags = args[1] === fcntl.F_GETFL;
  if (!getsFlags && (args[1] !== fcntl.F_GETFD || result === 0)) return String(result);
  const names = getsFlags ? flagWord(result, OPEN_FLAGS, ACCESS_MODE) : flagWord(result, DESCRIPTOR_FLAGS);
  return `${hexadecimal(result)} (flags ${names})`;
}

export const fcntlCalls: readonly Syscall[] = [
  answering(call('fcntl', [fd('fd'), oneOf('cmd', COMMANDS), commandArg], fcntlCall), answer),
];
