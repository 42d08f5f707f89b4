/** Resolves the names and descriptors among a call's arguments to files. */
import type { Path } from '../fs/dentry.ts';
import type { File } from '../fs/file.ts';
import { PATH_MAX } from '../fs/namei.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, EMFILE } from '../uapi/errno.ts';
import { AT_FDCWD, O_PATH } from '../uapi/fcntl.ts';
import { RLIMIT_NOFILE } from '../uapi/resource.ts';

const SLASH = 47;

/** A file's name; -EFAULT, or -ENAMETOOLONG. */
export const nameAt = (task: Task, addr: number): string | number => task.user.string(addr, PATH_MAX);

/** The file of a descriptor; null if there is none, or if it was opened with O_PATH. */
export function fileOf(task: Task, fd: number): File | null {
  const file = task.files.get(fd);
  return file !== null && (file.flags & O_PATH) !== 0 ? null : file;
}

/**
 * Where `name` starts, for the *at calls: a descriptor's path, null for the working directory, or -EBADF.
 * Absolute names (unless `rooted` in the descriptor's directory) and empty ones (unless `empty` allows them) ignore the
 * descriptor.
 */
export function startOf(
  task: Task,
  dirfd: number,
  name: string,
  empty = false,
  rooted = false,
): Path | null | number {
  if (dirfd === AT_FDCWD || (!rooted && name.charCodeAt(0) === SLASH) || (name === '' && !empty)) return null;
  const file = task.files.get(dirfd);
  return file === null ? -EBADF : pathOf(task, file);
}

/** The path of an open file; a file without a name gets an anonymous one. */
export const pathOf = (task: Task, file: File): Path =>
  file.path ?? task.kernel.vfs.anonymousPath(file.inode, file.linkName);

/** Gives a new file a descriptor; releases the file if there is no room for one. */
export function install(task: Task, file: File, cloexec: boolean): number {
  const fd = task.files.install(file, cloexec, task.rlimit(RLIMIT_NOFILE));
  if (fd < 0) file.put();
  return fd;
}

/** Gives descriptors to both files or neither, and stores them at offset `at` of ram. */
export function installTwo(task: Task, first: File, second: File, cloexec: boolean, at: number): number {
  const firstFd = install(task, first, cloexec);
  if (firstFd < 0) {
    second.put();
    return firstFd;
  }
  const secondFd = install(task, second, cloexec);
  if (secondFd < 0) {
    task.files.close(firstFd);
    return secondFd;
  }
  task.user.view.setInt32(at, firstFd, true);
  task.user.view.setInt32(at + 4, secondFd, true);
  return 0;
}

/** 0, or -EMFILE; checked first, so that no file is made in vain. */
export const roomForFile = (task: Task): number =>
  task.files.hasRoom(task.rlimit(RLIMIT_NOFILE)) ? 0 : -EMFILE;
