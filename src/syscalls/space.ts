/** A file's size and space, and advice about them: truncate(2), fallocate(2), fadvise64(2), readahead(2). */
import { truncateFile, truncate as truncatePath } from '../fs/attr.ts';
import { isAppendOnly, isImmutable } from '../fs/flags.ts';
import { lookup } from '../fs/lookup.ts';
import { LOOKUP_FOLLOW } from '../fs/namei.ts';
import { removePrivileges } from '../fs/permission.ts';
import type { Task } from '../kernel/task.ts';
import { EAGAIN, EBADF, EFBIG, EINVAL, EISDIR, ENODEV, EOPNOTSUPP, EPERM, ESPIPE } from '../uapi/errno.ts';
import {
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
} from '../uapi/fcntl.ts';
import { IN_MODIFY } from '../uapi/inotify.ts';
import { RLIMIT_FSIZE } from '../uapi/resource.ts';
import { SIGXFSZ } from '../uapi/signal.ts';
import { isBlk, isDir, isFifo, isReg } from '../uapi/stat.ts';
import { call, fd, flags, long, oneOf, path, type Syscall, ulong } from './args.ts';
import { raise } from './io.ts';
import { pastLeases } from './lease.ts';
import { fileOf, nameAt } from './names.ts';

const POSIX_FADV_NOREUSE = 5;
/** posix_fadvise(2). */
const ADVICE = {
  POSIX_FADV_NORMAL: 0,
  POSIX_FADV_RANDOM: 1,
  POSIX_FADV_SEQUENTIAL: 2,
  POSIX_FADV_WILLNEED: 3,
  POSIX_FADV_DONTNEED: 4,
  POSIX_FADV_NOREUSE,
};

/** Keeps a file from growing past RLIMIT_FSIZE; 0 or -EFBIG. */
function sizeError(task: Task, size: number, current: number): number {
  if (size <= current || size <= task.rlimit(RLIMIT_FSIZE)) return 0;
  raise(task, SIGXFSZ);
  return -EFBIG;
}

function truncate(task: Task, nameAddr: number, size: number): number | Promise<number> {
  if (size < 0) return -EINVAL;
  const name = nameAt(task, nameAddr);
  return typeof name === 'number' ? name : truncateNamed(task, name, size);
}

function truncateNamed(task: Task, name: string, size: number): number | Promise<number> {
  const { vfs } = task.kernel;
  if (size > task.rlimit(RLIMIT_FSIZE)) {
    const path = lookup(vfs, task, null, name, LOOKUP_FOLLOW);
    if (typeof path === 'number') return path;
    const err = isReg(path.inode.mode) ? sizeError(task, size, path.inode.size) : 0;
    if (err < 0) return err;
  }
  const result = truncatePath(vfs, task, name, size);
  const blocked = result === -EAGAIN ? vfs.leases.takeInTheWay() : null;
  return blocked === null ? result : pastLeases(task, blocked, () => truncateNamed(task, name, size));
}

function ftruncate(task: Task, fd: number, size: number): number {
  if (size < 0) return -EINVAL;
  const file = fileOf(task, fd);
  if (file === null) return -EBADF;
  if (!isReg(file.inode.mode) || !file.writable) return -EINVAL;
  const err = sizeError(task, size, file.inode.size);
  return err < 0 ? err : truncateFile(task.kernel.vfs, task, file, size);
}

const MODES = {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_ZERO_RANGE,
  FALLOC_FL_INSERT_RANGE,
};
/** The valid combinations of flags (fallocate(2)). */
const COMBINATIONS: readonly number[] = [
  0,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_ZERO_RANGE,
  FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
];

function fallocate(task: Task, fd: number, mode: number, offset: number, len: number): number {
  const file = fileOf(task, fd);
  if (file === null) return -EBADF;
  if (offset < 0 || len <= 0) return -EINVAL;
  if (!COMBINATIONS.includes(mode)) return -EOPNOTSUPP;
  if (!file.writable) return -EBADF;
  const { inode } = file;
  const cuts = (mode & ~FALLOC_FL_KEEP_SIZE) !== 0;
  if (isImmutable(inode) || (cuts && isAppendOnly(inode))) return -EPERM;
  if (isFifo(inode.mode)) return -ESPIPE;
  if (isDir(inode.mode)) return -EISDIR;
  if (!isReg(inode.mode) && !isBlk(inode.mode)) return -ENODEV;
  if (offset + len > inode.sb.maxBytes) return -EFBIG;
  const grows = (mode & ~FALLOC_FL_ZERO_RANGE) === 0;
  const err = (grows ? sizeError(task, offset + len, inode.size) : 0) || removePrivileges(file, task.cred);
  if (err < 0) return err;
  const done = file.fallocate(mode, offset, len);
  if (done >= 0) file.happened(IN_MODIFY);
  return done;
}

/** Only checks: the data is in memory anyway, or cached by the host. */
function fadvise64(task: Task, fd: number, _offset: number, len: number, advice: number): number {
  const file = fileOf(task, fd);
  if (file === null) return -EBADF;
  if (isFifo(file.inode.mode)) return -ESPIPE;
  return len < 0 || advice < 0 || advice > POSIX_FADV_NOREUSE ? -EINVAL : 0;
}

function readahead(task: Task, fd: number): number {
  const file = fileOf(task, fd);
  if (file === null || !file.readable) return -EBADF;
  return isReg(file.inode.mode) || isBlk(file.inode.mode) ? 0 : -EINVAL;
}

export const spaceCalls: readonly Syscall[] = [
  call('truncate', [path('path'), long('length')], truncate),
  call('ftruncate', [fd('fd'), long('length')], ftruncate),
  call('fallocate', [fd('fd'), flags('mode', MODES), long('offset'), long('len')], fallocate),
  call(
    'fadvise64',
    [fd('fd'), long('offset'), long('len'), oneOf('advice', ADVICE)],
    fadvise64,
    'validated, then ignored',
  ),
  call('readahead', [fd('fd'), long('offset'), ulong('count')], readahead, 'validated, then ignored'),
];
