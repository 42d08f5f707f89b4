/** signalfd(2), signalfd4(2). */
import type { Cred } from '../core/cred.ts';
import type { Current } from '../core/current.ts';
import type { Inode } from '../fs/inode.ts';
import { SignalFd } from '../ipc/signalfd.ts';
import { UNMASKABLE } from '../kernel/sigset.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, EINVAL } from '../uapi/errno.ts';
import { SFD_CLOEXEC, SFD_NONBLOCK } from '../uapi/eventfd.ts';
import { call, fd, flags, type Syscall, shown, ulong } from './args.ts';
import { fileOf, install } from './names.ts';
import { structAt } from './show.ts';
import { readSigSet } from './sigset.ts';
import { SIGSET } from './structs/signals.ts';

/** A signalfd shows each task its own signals: it remembers the task that asked last. */
class TaskSignalFd extends SignalFd {
  private reader: Task;

  constructor(inode: Inode, lo: number, hi: number, flags: number, reader: Task) {
    super(inode, lo, hi, flags, () => this.reader);
    this.reader = reader;
  }

  override askedBy(current: Current): void {
    this.reader = current as Task;
  }

  override mayTransfer(current: Current, _write: boolean): number {
    this.askedBy(current);
    return 0;
  }
}

function signalfd4(task: Task, fd: number, addr: number, size: number, flags: number): number {
  if ((flags & ~(SFD_CLOEXEC | SFD_NONBLOCK)) !== 0) return -EINVAL;
  const mask = readSigSet(task, addr, size);
  if (typeof mask === 'number') return mask;
  const lo = mask.lo & ~UNMASKABLE;
  if (fd === -1) {
    const file = new TaskSignalFd(anonInode(task, task.cred), lo, mask.hi, flags, task);
    return install(task, file, (flags & SFD_CLOEXEC) !== 0);
  }
  const file = fileOf(task, fd);
  if (file === null) return -EBADF;
  if (!(file instanceof TaskSignalFd)) return -EINVAL;
  file.askedBy(task);
  file.setMask(lo, mask.hi);
  return fd;
}

const anonInode = (task: Task, cred: Cred): Inode => task.kernel.anonInodes.newInode(0o600, cred);

const signalfd = (task: Task, fd: number, mask: number, size: number): number =>
  signalfd4(task, fd, mask, size, 0);

const maskArgs = [fd('fd'), shown('mask', structAt(SIGSET)), ulong('sizemask')];

export const signalfdCalls: readonly Syscall[] = [
  call('signalfd', maskArgs, signalfd),
  call('signalfd4', [...maskArgs, flags('flags', { SFD_CLOEXEC, SFD_NONBLOCK })], signalfd4),
];
