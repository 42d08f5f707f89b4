/**
 * name_to_handle_at(2), open_by_handle_at(2): a file's handle in its filesystem, and the file that has it.
 *
 * struct file_handle: 0 handle_bytes u32 | 4 handle_type s32 | 8 the handle. Ours consists of an inode's number (u64)
 * and generation (u32).
 */
import { CAP_DAC_READ_SEARCH, capable } from '../core/cred.ts';
import { putInt, putLong } from '../core/user-values.ts';
import { Path } from '../fs/dentry.ts';
import { FileHandles, isCurrent } from '../fs/handles.ts';
import { openPath } from '../fs/open.ts';
import type { Task } from '../kernel/task.ts';
import { getUint64, setInt64 } from '../lib/int64.ts';
import type { Result } from '../lib/result.ts';
import {
  EAGAIN,
  EBADF,
  EEXIST,
  EFAULT,
  EINVAL,
  EOPNOTSUPP,
  EOVERFLOW,
  EPERM,
  ESTALE,
} from '../uapi/errno.ts';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_HANDLE_CONNECTABLE,
  AT_HANDLE_FID,
  AT_HANDLE_MNT_ID_UNIQUE,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  O_CREAT,
  O_EXCL,
  O_LARGEFILE,
  O_PATH,
} from '../uapi/fcntl.ts';
import { isDir } from '../uapi/stat.ts';
import { call, dirfd, fd, flags, path, pointer, type Syscall } from './args.ts';
import { pathAt } from './attr.ts';
import { pastLeases } from './lease.ts';
import { fileOf, pathOf, roomForFile } from './names.ts';
import { ACCESS_MODE, flagsError, OPEN_FLAGS, opened } from './open.ts';

const HEADER = 8;
const HANDLE_SIZE = 12;
const MAX_HANDLE_SZ = 128;
/** FILEID_INO64_GEN, and what name_to_handle_at adds for AT_HANDLE_CONNECTABLE (linux/exportfs.h). */
const FILEID_INO64_GEN = 0x81;
const FILEID_IS_CONNECTABLE = 0x10000;
const FILEID_IS_DIR = 0x20000;
const TYPE_MASK = 0xff;

const HANDLE_FLAGS = { AT_HANDLE_MNT_ID_UNIQUE, AT_HANDLE_CONNECTABLE, AT_HANDLE_FID };
const KNOWN =
  AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | AT_HANDLE_MNT_ID_UNIQUE | AT_HANDLE_CONNECTABLE | AT_HANDLE_FID;

function nameToHandleAt(
  task: Task,
  dirfd: number,
  name: number,
  handle: number,
  mountId: number,
  flags: number,
): number {
  const connectable = (flags & AT_HANDLE_CONNECTABLE) !== 0;
  const identifies = (flags & AT_HANDLE_FID) !== 0;
  if ((flags & ~KNOWN) !== 0) return -EINVAL;
  if (connectable && (identifies || (flags & AT_EMPTY_PATH) !== 0)) return -EINVAL;
  const how = (flags & AT_SYMLINK_FOLLOW) === 0 ? AT_SYMLINK_NOFOLLOW : 0;
  const found = pathAt(task, dirfd, name, how | (flags & AT_EMPTY_PATH));
  if (typeof found === 'number') return found;
  if (!identifies && !found.inode.sb.findsFiles) return -EOPNOTSUPP;
  const { id, uniqueId } = found.mount;
  const stored = putHandle(task, handle, found, connectable);
  if (stored < 0 && stored !== -EOVERFLOW) return stored;
  const unique = (flags & AT_HANDLE_MNT_ID_UNIQUE) !== 0;
  const told = unique ? putLong(task.user, mountId, uniqueId) : putInt(task.user, mountId, id);
  return told < 0 ? told : stored;
}

/** 0, or -EOVERFLOW after storing the length if the handle does not fit. */
function putHandle(task: Task, addr: number, { dentry, inode }: Path, connectable: boolean): number {
  const { user } = task;
  const head = user.in(addr, 4);
  if (head < 0) return head;
  const room = user.view.getUint32(head, true);
  if (room > MAX_HANDLE_SZ) return -EINVAL;
  if (room < HANDLE_SIZE) return putInt(user, addr, HANDLE_SIZE) || -EOVERFLOW;
  const { sb } = inode;
  if (sb.findsFiles) sb.fileHandles ??= new FileHandles(sb);
  const generation = sb.fileHandles?.remember(dentry) ?? 0;
  const at = user.out(addr, HEADER + HANDLE_SIZE);
  if (at < 0) return at;
  const extra = connectable ? FILEID_IS_CONNECTABLE | (isDir(inode.mode) ? FILEID_IS_DIR : 0) : 0;
  user.view.setUint32(at, HANDLE_SIZE, true);
  user.view.setInt32(at + 4, FILEID_INO64_GEN | extra, true);
  setInt64(user.view, at + 8, inode.ino);
  user.view.setUint32(at + 16, generation, true);
  return 0;
}

interface Handle {
  readonly ino: number;
  readonly generation: number;
  readonly connectable: boolean;
}

function openByHandleAt(
  task: Task,
  mountFd: number,
  handle: number,
  flags: number,
): number | Promise<number> {
  const wanted = readHandle(task, handle);
  if (typeof wanted === 'number') return wanted;
  const near = placeOf(task, mountFd);
  if (near === null) return -EBADF;
  if (!capable(task.cred, CAP_DAC_READ_SEARCH)) return -EPERM;
  const refused = flagsError(flags);
  return refused < 0 ? refused : openHandle(task, near, wanted, flags);
}

function openHandle(task: Task, near: Path, handle: Handle, flags: number): number | Promise<number> {
  const full = roomForFile(task);
  if (full < 0) return full;
  const found = findFile(task, near, handle);
  if (typeof found === 'number') return found;
  const { vfs } = task.kernel;
  const exists = (flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL) && (flags & O_PATH) === 0;
  const file = exists ? -EEXIST : openPath(vfs, task, found, flags | O_LARGEFILE);
  const blocked = file === -EAGAIN ? vfs.leases.takeInTheWay() : null;
  if (blocked !== null) return pastLeases(task, blocked, () => openHandle(task, near, handle, flags));
  return opened(task, file, flags);
}

/** The caller's handle. One of another type than ours becomes a handle that no file has. */
function readHandle(task: Task, addr: number): Handle | number {
  const { user } = task;
  const head = user.in(addr, HEADER);
  if (head < 0) return head;
  const size = user.view.getUint32(head, true);
  const type = user.view.getInt32(head + 4, true);
  if (size === 0 || size > MAX_HANDLE_SZ) return -EINVAL;
  if (type < 0 || (type & ~(TYPE_MASK | FILEID_IS_CONNECTABLE | FILEID_IS_DIR)) !== 0) return -EINVAL;
  const at = user.in(addr + HEADER, size);
  if (at < 0) return -EFAULT;
  const connectable = (type & FILEID_IS_CONNECTABLE) !== 0;
  if ((type & TYPE_MASK) !== FILEID_INO64_GEN || size < HANDLE_SIZE)
    return { ino: 0, generation: 0, connectable };
  const { view } = user;
  return { ino: getUint64(view, at), generation: view.getUint32(at + 8, true), connectable };
}

/** The place whose mount is searched. */
function placeOf(task: Task, fd: number): Path | null {
  if (fd === AT_FDCWD) return task.cwd;
  const file = fileOf(task, fd);
  return file === null ? null : pathOf(task, file);
}

/** A path to the file in the same mount, without a name if its name is gone; -ESTALE. */
function findFile(task: Task, { mount }: Path, { ino, generation, connectable }: Handle): Result<Path> {
  const known = mount.sb.fileHandles?.find(ino, generation) ?? null;
  if (known === null) return -ESTALE;
  if (isCurrent(known)) return new Path(mount, known.dentry);
  if (connectable || isDir(known.inode.mode)) return -ESTALE;
  return new Path(mount, task.kernel.vfs.dcache.unnamed(known.dentry.parent, known.inode));
}

const NOTE =
  'tmpfs, overlay and hostfs only; in each, handles of the latest 65536 files that still have names';

export const handleCalls: readonly Syscall[] = [
  call(
    'name_to_handle_at',
    [
      dirfd('dirfd'),
      path('pathname'),
      pointer('handle'),
      pointer('mount_id'),
      flags('flags', { AT_SYMLINK_FOLLOW, AT_EMPTY_PATH, ...HANDLE_FLAGS }),
    ],
    nameToHandleAt,
    NOTE,
  ),
  call(
    'open_by_handle_at',
    [fd('mount_fd'), pointer('handle'), flags('flags', OPEN_FLAGS, ACCESS_MODE)],
    openByHandleAt,
    NOTE,
  ),
];
