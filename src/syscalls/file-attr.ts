/** file_getattr(2), file_setattr(2), and the ioctls FS_IOC_FSGETXATTR and FS_IOC_FSSETXATTR. */

import { copyIn, copyOut } from '../core/user-copy.ts';
import type { Path } from '../fs/dentry.ts';
import type { File } from '../fs/file.ts';
import { type FileAttr, isKnown, setFileAttr, xflagsOf } from '../fs/file-attr.ts';
import type { Task } from '../kernel/task.ts';
import { getUint64 } from '../lib/int64.ts';
import { E2BIG, EFAULT, EINVAL, ENOTTY, EOPNOTSUPP } from '../uapi/errno.ts';
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } from '../uapi/fcntl.ts';
import { call, dirfd, flags, path, pointer, type Syscall, ulong } from './args.ts';
import { pathAt } from './attr.ts';
import { copyInStruct } from './extensible.ts';

/**
 * struct file_attr: 0 xflags u64, then u32: 8 extsize | 12 nextents | 16 projid | 20 cowextsize.
 * struct fsxattr, all u32: 0 xflags | 4 extsize | 8 nextents | 12 projid | 16 cowextsize | 20 padding of 8 bytes.
 */
const ATTR_SIZE = 24;
const FSXATTR_SIZE = 28;
const PAGE = 4096;

function checkCall(size: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  if (size > PAGE) return -E2BIG;
  return size < ATTR_SIZE ? -EINVAL : 0;
}

function getattr(task: Task, dirfd: number, name: number, attr: number, size: number, flags: number): number {
  const wrong = checkCall(size, flags);
  if (wrong < 0) return wrong;
  const path = pathAt(task, dirfd, name, flags);
  if (typeof path === 'number') return path;
  const xflags = xflagsOf(path.inode);
  if (xflags < 0) return xflags;
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, xflags, true);
  return copyOut(task.user, attr, bytes);
}

function setattr(task: Task, dirfd: number, name: number, attr: number, size: number, flags: number): number {
  const wrong = checkCall(size, flags);
  if (wrong < 0) return wrong;
  const bytes = copyInStruct(task, attr, size, ATTR_SIZE, ATTR_SIZE);
  if (typeof bytes === 'number') return bytes;
  const view = new DataView(bytes.buffer);
  if (!isKnown(getUint64(view, 0))) return -EINVAL;
  const path: Path | number = pathAt(task, dirfd, name, flags);
  return typeof path === 'number' ? path : setFileAttr(path.mount, path.inode, readAttr(view, 8), task.cred);
}

/** Reads either structure: the flags at 0, extsize and what follows it at `at`. */
const readAttr = (view: DataView, at: number): FileAttr => ({
  xflags: view.getUint32(0, true),
  extsize: view.getUint32(at, true),
  projid: view.getUint32(at + 8, true),
  cowextsize: view.getUint32(at + 12, true),
});

export function getFsxattr(task: Task, { inode }: File, addr: number): number {
  const xflags = xflagsOf(inode);
  if (xflags < 0) return -ENOTTY;
  const bytes = new Uint8Array(FSXATTR_SIZE);
  new DataView(bytes.buffer).setUint32(0, xflags, true);
  return copyOut(task.user, addr, bytes);
}

export function setFsxattr(task: Task, { inode, path }: File, addr: number): number {
  const bytes = copyIn(task.user, addr, FSXATTR_SIZE);
  if (typeof bytes === 'number') return -EFAULT;
  const attr = readAttr(new DataView(bytes.buffer), 4);
  if (!isKnown(attr.xflags)) return -EOPNOTSUPP;
  return inode.fsFlags === null ? -ENOTTY : setFileAttr(path?.mount ?? null, inode, attr, task.cred);
}

const atFlags = flags('at_flags', { AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH });
const args = [dirfd('dirfd'), path('pathname'), pointer('attr'), ulong('usize'), atFlags];
const NOTE = 'only the attributes of ioctl_iflags(2)';

export const fileAttrCalls: readonly Syscall[] = [
  call('file_getattr', args, getattr, NOTE),
  call('file_setattr', args, setattr, NOTE),
];
