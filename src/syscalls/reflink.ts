/**
 * ioctl_ficlone(2), ioctl_fideduperange(2): files that share their blocks. None of our filesystems supports that, but
 * requests are checked as on Linux, since cp(1) and others take EOPNOTSUPP for "copy the bytes instead".
 */
import type { File } from '../fs/file.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, EFAULT, EINVAL, EISDIR, EOPNOTSUPP, EXDEV } from '../uapi/errno.ts';
import { O_APPEND } from '../uapi/fcntl.ts';
import { isDir, isReg } from '../uapi/stat.ts';
import { fileOf } from './names.ts';

/** struct file_clone_range: src_fd, src_offset, src_length, dest_offset, 8 bytes each. */
const CLONE_RANGE_SIZE = 32;
/** struct file_dedupe_range without its list: offset, length, the list's length and 6 bytes that must be zero. */
const DEDUPE_RANGE_SIZE = 24;
const DEDUPE_RESERVED = 18;

export function cloneFile(task: Task, out: File, sourceFd: number): number {
  const input = fileOf(task, sourceFd);
  if (input === null) return -EBADF;
  if (input.inode.sb !== out.inode.sb) return -EXDEV;
  const modes = [input.inode.mode, out.inode.mode];
  if (modes.some(isDir)) return -EISDIR;
  if (!modes.every(isReg)) return -EINVAL;
  if (!input.readable || !out.writable || (out.flags & O_APPEND) !== 0) return -EBADF;
  return -EOPNOTSUPP;
}

export function cloneRange(task: Task, out: File, addr: number): number {
  const at = task.user.in(addr, CLONE_RANGE_SIZE);
  return at < 0 ? -EFAULT : cloneFile(task, out, task.user.view.getInt32(at, true));
}

export function dedupeRange(task: Task, source: File, addr: number): number {
  const at = task.user.in(addr, DEDUPE_RANGE_SIZE);
  if (at < 0) return -EFAULT;
  const { view } = task.user;
  const reserved =
    view.getUint16(at + DEDUPE_RESERVED, true) | view.getUint32(at + DEDUPE_RESERVED + 2, true);
  if (!source.readable || reserved !== 0) return -EINVAL;
  if (isDir(source.inode.mode)) return -EISDIR;
  return isReg(source.inode.mode) ? -EOPNOTSUPP : -EINVAL;
}
