/** ioctl(2): the requests that all files share; the file handles the rest. */
import { putInt, putLong } from '../core/user-values.ts';
import type { File } from '../fs/file.ts';
import { setFlags } from '../fs/flags.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, ENOTTY } from '../uapi/errno.ts';
import { O_NONBLOCK } from '../uapi/fcntl.ts';
import * as files from '../uapi/ioctl-file.ts';
import {
  FICLONE,
  FICLONERANGE,
  FIDEDUPERANGE,
  FIGETBSZ,
  FIOASYNC,
  FIOCLEX,
  FIONBIO,
  FIONCLEX,
  FIOQSIZE,
  FS_IOC_FSGETXATTR,
  FS_IOC_FSSETXATTR,
  FS_IOC_GETFLAGS,
  FS_IOC_SETFLAGS,
} from '../uapi/ioctl-file.ts';
import * as ttys from '../uapi/ioctl-tty.ts';
import * as ioctls from '../uapi/ioctls.ts';
import { FIONREAD } from '../uapi/ioctls.ts';
import { isDir, isLnk, isReg } from '../uapi/stat.ts';
import { call, fd, foreseeable, hex32, type Struct, type Syscall, shownAfter } from './args.ts';
import { setAsync } from './fasync.ts';
import { getFsxattr, setFsxattr } from './file-attr.ts';
import { fileOf } from './names.ts';
import { cloneFile, cloneRange, dedupeRange } from './reflink.ts';
import { address, named, nameOf, namesIn, structAt } from './show.ts';
import { INT } from './structs/fields.ts';
import { WINSIZE } from './structs/files.ts';

function ioctl(task: Task, fd: number, word: number, arg: number): number {
  const file = fileOf(task, fd);
  if (file === null) return -EBADF;
  const cmd = word >>> 0;
  switch (cmd) {
    case FIOCLEX:
    case FIONCLEX:
      task.files.setCloexec(fd, cmd === FIOCLEX);
      return 0;
    case FIONBIO:
      return setNonblocking(task, file, arg);
    case FIOASYNC:
      return setAsynchronous(task, file, fd, arg);
    case FIOQSIZE:
      return putSize(task, file, arg);
    case FIGETBSZ:
      return putInt(task.user, arg, file.inode.sb.statfs().bsize);
    case FS_IOC_GETFLAGS:
      return getFlags(task, file, arg);
    case FS_IOC_SETFLAGS:
      return putFlags(task, file, arg);
    case FS_IOC_FSGETXATTR:
      return getFsxattr(task, file, arg);
    case FS_IOC_FSSETXATTR:
      return setFsxattr(task, file, arg);
    case FICLONE:
      return cloneFile(task, file, arg);
    case FICLONERANGE:
      return cloneRange(task, file, arg);
    case FIDEDUPERANGE:
      return dedupeRange(task, file, arg);
    case FIONREAD:
      if (isReg(file.inode.mode)) return putInt(task.user, arg, file.inode.size - file.pos);
  }
  return file.ioctl(cmd, arg, task.user, task);
}

/** 1 or 0 for the int at `addr`, or -EFAULT. */
function switchAt(task: Task, addr: number): number {
  const at = task.user.in(addr, 4);
  return at < 0 ? at : Number(task.user.view.getInt32(at, true) !== 0);
}

function setNonblocking(task: Task, file: File, addr: number): number {
  const on = switchAt(task, addr);
  if (on < 0) return on;
  file.recall();
  file.flags = on === 1 ? file.flags | O_NONBLOCK : file.flags & ~O_NONBLOCK;
  return 0;
}

function setAsynchronous(task: Task, file: File, fd: number, addr: number): number {
  const on = switchAt(task, addr);
  if (on < 0) return on;
  if (!file.sendsSignals) return on === 1 ? -ENOTTY : 0;
  setAsync(task.kernel, file, fd, on === 1);
  return 0;
}

/** ioctl_iflags(2): the argument is an int, although the request's number says long. */
function getFlags(task: Task, file: File, addr: number): number {
  const flags = file.inode.fsFlags;
  return flags === null ? -ENOTTY : putInt(task.user, addr, flags);
}

function putFlags(task: Task, file: File, addr: number): number {
  const { inode, path } = file;
  if (inode.fsFlags === null) return -ENOTTY;
  const at = task.user.in(addr, 4);
  if (at < 0) return at;
  return setFlags(path?.mount ?? null, inode, task.user.view.getInt32(at, true), task.cred);
}

/** FIOQSIZE: the bytes that a file, directory or link takes up. */
function putSize(task: Task, file: File, addr: number): number {
  const { mode, blocks } = file.inode;
  if (!isReg(mode) && !isDir(mode) && !isLnk(mode)) return -ENOTTY;
  return putLong(task.user, addr, blocks * 512);
}

const REQUESTS = {
  ...namesIn(files, /^(FI|FS_IOC)/),
  ...namesIn(ioctls, /^(FION|SIOC)/),
  ...namesIn(ttys, /^(TC|TIOC)/),
};
const STRUCTS: Readonly<Record<string, Struct>> = {
  FIONREAD: INT,
  TIOCGWINSZ: WINSIZE,
  TIOCSWINSZ: WINSIZE,
  TIOCGPGRP: INT,
  TIOCSPGRP: INT,
  TIOCGPTN: INT,
};
const request = { ...hex32('request'), show: (value: number) => named(REQUESTS)(value >>> 0) };
const requestArg = shownAfter('arg', (value, look) => {
  const struct = STRUCTS[nameOf(look.args[1]! >>> 0, REQUESTS) ?? ''];
  return struct === undefined ? address(value) : structAt(struct)(value, look);
});

export const ioctlCalls: readonly Syscall[] = [
  foreseeable(call('ioctl', [fd('fd'), request, requestArg], ioctl), {
    act: 'query',
    args: ['int', 'int', 'any'],
    // isatty(3) of a file that is no terminal.
    lasts: ([, request], result) => request === ttys.TCGETS && result === -ENOTTY,
    run: (task, [fd, request, arg]) => ioctl(task, fd!, request!, arg!),
  }),
];
