/** open_tree(2), move_mount(2), mount_setattr(2): mounts by descriptors. */

import { CAP_SYS_ADMIN, capable } from '../core/cred.ts';
import type { Path } from '../fs/dentry.ts';
import type { File } from '../fs/file.ts';
import { changeMount, type MountChange, openTree } from '../fs/mount-file.ts';
import { isForeign } from '../fs/mount-tree.ts';
import { moveBeneath, moveMount } from '../fs/mounts.ts';
import { openPath } from '../fs/open.ts';
import { settleEverybody } from '../kernel/along.ts';
import type { Task } from '../kernel/task.ts';
import { getUint64 } from '../lib/int64.ts';
import type { Result } from '../lib/result.ts';
import { E2BIG, EINVAL, EPERM } from '../uapi/errno.ts';
import {
  AT_EMPTY_PATH,
  AT_NO_AUTOMOUNT,
  AT_RECURSIVE,
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_PATH,
} from '../uapi/fcntl.ts';
import * as uapi from '../uapi/mount.ts';
import { OPEN_TREE_CLONE } from '../uapi/mount.ts';
import { call, dirfd, flags, path, pointer, type Syscall, ulong } from './args.ts';
import { pathAt } from './attr.ts';
import { copyInStruct } from './extensible.ts';
import { changed } from './mount.ts';
import { install } from './names.ts';
import { namesIn } from './show.ts';

const AT_FLAGS = { AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT, AT_EMPTY_PATH, AT_RECURSIVE };
const AT_KNOWN = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_RECURSIVE;

function openTreeCall(task: Task, dirfd: number, name: number, flags: number): number {
  const file = openTreeFile(task, dirfd, name, flags);
  return typeof file === 'number' ? file : install(task, file, (flags & O_CLOEXEC) !== 0);
}

/** open_tree_attr(2): opens a mount and changes it at once; without attributes like open_tree(2). */
function openTreeAttr(
  task: Task,
  dirfd: number,
  name: number,
  flags: number,
  addr: number,
  size: number,
): number {
  if (addr === 0 && size !== 0) return -EINVAL;
  const file = openTreeFile(task, dirfd, name, flags);
  if (typeof file === 'number') return file;
  const change = addr === 0 ? NO_CHANGE : changeAt(task, addr, size);
  const err = typeof change === 'number' ? change : applyChange(task, file.path!, change, flags);
  if (err < 0) {
    file.put();
    return err;
  }
  return install(task, file, (flags & O_CLOEXEC) !== 0);
}

function openTreeFile(task: Task, dirfd: number, name: number, flags: number): Result<File> {
  if ((flags & ~(AT_KNOWN | OPEN_TREE_CLONE | O_CLOEXEC)) !== 0) return -EINVAL;
  const clones = (flags & OPEN_TREE_CLONE) !== 0;
  const recursive = (flags & AT_RECURSIVE) !== 0;
  if (recursive && !clones) return -EINVAL;
  if (clones && !capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
  const found = pathAt(task, dirfd, name, flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH));
  if (typeof found === 'number') return found;
  if (clones && isForeign(found.mount, task)) return -EINVAL;
  const { vfs } = task.kernel;
  return clones ? openTree(vfs, found, recursive) : openPath(vfs, task, found, O_PATH);
}

const MOVE_FLAGS = namesIn(uapi, /^MOVE_MOUNT_/);
const MOVE_KNOWN = Object.values(MOVE_FLAGS).reduce((all, flag) => all | flag, 0);

function moveMountCall(
  task: Task,
  fromDir: number,
  fromName: number,
  toDir: number,
  toName: number,
  flags: number,
): number {
  const beneath = (flags & uapi.MOVE_MOUNT_BENEATH) !== 0;
  if (!capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
  if ((flags & ~MOVE_KNOWN) !== 0 || (flags & uapi.MOVE_MOUNT_SET_GROUP) !== 0) return -EINVAL;
  const from = place(task, fromDir, fromName, flags);
  if (typeof from === 'number') return from;
  const to = place(task, toDir, toName, flags >> 4);
  if (typeof to === 'number') return to;
  if (isForeign(to.mount, task)) return -EINVAL;
  const { vfs } = task.kernel;
  return changed(task, beneath ? moveBeneath(vfs, from, to) : moveMount(vfs, from, to));
}

/** `flags` are the MOVE_MOUNT_F_* bits; the target's MOVE_MOUNT_T_* are the same, four bits higher. */
function place(task: Task, dirfd: number, name: number, flags: number): Path | number {
  const follow = (flags & uapi.MOVE_MOUNT_F_SYMLINKS) !== 0 ? 0 : AT_SYMLINK_NOFOLLOW;
  const empty = (flags & uapi.MOVE_MOUNT_F_EMPTY_PATH) !== 0 ? AT_EMPTY_PATH : 0;
  return pathAt(task, dirfd, name, follow | empty);
}

/** struct mount_attr: 0 attr_set u64 | 8 attr_clr u64 | 16 propagation u64 | 24 userns_fd u64. */
const ATTR_SIZE = 32;
const PAGE = 4096;
const PROPAGATIONS: readonly number[] = [
  0,
  uapi.MS_UNBINDABLE,
  uapi.MS_PRIVATE,
  uapi.MS_SLAVE,
  uapi.MS_SHARED,
];

function mountSetattr(
  task: Task,
  dirfd: number,
  name: number,
  flags: number,
  addr: number,
  size: number,
): number {
  if ((flags & ~AT_KNOWN) !== 0) return -EINVAL;
  const change = changeAt(task, addr, size);
  if (typeof change === 'number' || isNothing(change)) return typeof change === 'number' ? change : 0;
  const found = pathAt(task, dirfd, name, flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH));
  return typeof found === 'number' ? found : applyChange(task, found, change, flags);
}

const NO_CHANGE: MountChange = { set: 0, clear: 0, propagation: 0 };
const isNothing = ({ set, clear, propagation }: MountChange): boolean =>
  set === 0 && clear === 0 && propagation === 0;

/** A struct mount_attr. */
function changeAt(task: Task, addr: number, size: number): MountChange | number {
  if (size > PAGE) return -E2BIG;
  if (size < ATTR_SIZE) return -EINVAL;
  if (!capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
  const bytes = copyInStruct(task, addr, size, ATTR_SIZE, ATTR_SIZE);
  if (typeof bytes === 'number') return bytes;
  const view = new DataView(bytes.buffer);
  const [set, clear, propagation] = [0, 8, 16].map(at => getUint64(view, at)) as [number, number, number];
  const change = { set, clear, propagation };
  return isNothing(change) || (PROPAGATIONS.includes(propagation) && isChange(set, clear)) ? change : -EINVAL;
}

function applyChange(task: Task, path: Path, change: MountChange, flags: number): number {
  if (isNothing(change)) return 0;
  if (isForeign(path.mount, task)) return -EINVAL;
  settleEverybody(task.kernel);
  return changed(task, changeMount(task.kernel.vfs, path, change, (flags & AT_RECURSIVE) !== 0));
}

/** The access time is one setting of several bits, which must all be cleared before it is set. */
function isChange(set: number, clear: number): boolean {
  if (set > uapi.MOUNT_ATTR_ALL || clear > uapi.MOUNT_ATTR_ALL) return false;
  if (((set | clear) & ~uapi.MOUNT_ATTR_ALL) !== 0) return false;
  const cleared = clear & uapi.MOUNT_ATTR__ATIME;
  return cleared === uapi.MOUNT_ATTR__ATIME || (cleared === 0 && (set & uapi.MOUNT_ATTR__ATIME) === 0);
}

export const mountTreeCalls: readonly Syscall[] = [
  call(
    'open_tree',
    [dirfd('dirfd'), path('pathname'), flags('flags', { OPEN_TREE_CLONE, ...AT_FLAGS, O_CLOEXEC })],
    openTreeCall,
  ),
  call(
    'open_tree_attr',
    [
      dirfd('dirfd'),
      path('pathname'),
      flags('flags', { OPEN_TREE_CLONE, ...AT_FLAGS, O_CLOEXEC }),
      pointer('attr'),
      ulong('size'),
    ],
    openTreeAttr,
    'no MOUNT_ATTR_IDMAP: EINVAL',
  ),
  call(
    'move_mount',
    [
      dirfd('from_dirfd'),
      path('from_pathname'),
      dirfd('to_dirfd'),
      path('to_pathname'),
      flags('flags', MOVE_FLAGS),
    ],
    moveMountCall,
    'no MOVE_MOUNT_SET_GROUP: EINVAL',
  ),
  call(
    'mount_setattr',
    [dirfd('dirfd'), path('pathname'), flags('flags', AT_FLAGS), pointer('attr'), ulong('size')],
    mountSetattr,
    'no MOUNT_ATTR_IDMAP: EINVAL',
  ),
];
