/** mount(2), umount2(2), pivot_root(2). */
import { CAP_SYS_ADMIN, capable } from '../core/cred.ts';
import type { FsStruct } from '../fs/fs-struct.ts';
import { lookup, lookupDirectory } from '../fs/lookup.ts';
import { isForeign } from '../fs/mount-tree.ts';
import { mount as mountAt, pivotRoot, umount } from '../fs/mounts.ts';
import { LOOKUP_FOLLOW, PATH_MAX } from '../fs/namei.ts';
import { settleEverybody } from '../kernel/along.ts';
import type { Task } from '../kernel/task.ts';
import { EINVAL, ENAMETOOLONG, EPERM } from '../uapi/errno.ts';
import * as uapi from '../uapi/mount.ts';
import { MNT_DETACH, MNT_EXPIRE, MNT_FORCE, MS_RDONLY, MS_REMOUNT, UMOUNT_NOFOLLOW } from '../uapi/mount.ts';
import { call, flags, path, type Syscall, string } from './args.ts';
import { nameAt } from './names.ts';

/** Old programs mark their flags with this in the upper half (mount(2), MS_MGC_VAL). */
const MS_MGC_VAL = 0xc0ed0000 | 0;
const MS_MGC_MSK = 0xffff0000 | 0;
/** Calls with these flags only change what is mounted, and need no type. */
const WITHOUT_TYPE =
  MS_REMOUNT |
  uapi.MS_BIND |
  uapi.MS_MOVE |
  uapi.MS_SHARED |
  uapi.MS_PRIVATE |
  uapi.MS_SLAVE |
  uapi.MS_UNBINDABLE;

/** A string argument; NULL counts as empty. */
function optional(task: Task, addr: number): string | number {
  if (addr === 0) return '';
  const text = task.user.string(addr, PATH_MAX);
  return text === -ENAMETOOLONG ? -EINVAL : text;
}

/** Notifies the watchers of /proc/PID/mounts if the change succeeded. */
export function changed({ kernel }: Task, result: number): number {
  if (result === 0) kernel.vfs.mountsHaveChanged();
  return result;
}

function mount(
  task: Task,
  source: number,
  target: number,
  type: number,
  rawFlags: number,
  data: number,
): number {
  const fsType = optional(task, type);
  if (typeof fsType === 'number') return fsType;
  const device = optional(task, source);
  if (typeof device === 'number') return device;
  const options = optional(task, data);
  if (typeof options === 'number') return options;
  const name = nameAt(task, target);
  if (typeof name === 'number') return name;
  const { vfs } = task.kernel;
  if (!capable(task.cred, CAP_SYS_ADMIN)) {
    const found = lookup(vfs, task, null, name, LOOKUP_FOLLOW);
    return typeof found === 'number' ? found : -EPERM;
  }
  const flags = (rawFlags & MS_MGC_MSK) === MS_MGC_VAL ? rawFlags & ~MS_MGC_MSK : rawFlags;
  if (type === 0 && (flags & WITHOUT_TYPE) === 0) return -EINVAL;
  // A mount that becomes read-only must not have files open for writing.
  if ((flags & MS_REMOUNT) !== 0) settleEverybody(task.kernel);
  return changed(task, mountAt(vfs, task, device, name, fsType, flags, options));
}

function umount2(task: Task, target: number, flags: number): number {
  if ((flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) !== 0) return -EINVAL;
  const name = nameAt(task, target);
  if (typeof name === 'number') return name;
  const { vfs } = task.kernel;
  const found = lookup(vfs, task, null, name, (flags & UMOUNT_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0);
  if (typeof found === 'number') return found;
  if (!capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
  if ((flags & MNT_EXPIRE) !== 0 || isForeign(found.mount, task)) return -EINVAL;
  // Files opened there ahead of the program, or already closed by a thread, must not make the mount busy.
  settleEverybody(task.kernel);
  // A task cannot unmount its own root; that only makes it read-only, for a clean shutdown.
  const ownRoot = found.mount === task.root.mount && found.dentry === found.mount.root;
  if (ownRoot && (flags & MNT_DETACH) === 0)
    return changed(task, mountAt(vfs, task, '', name, '', MS_REMOUNT | MS_RDONLY, ''));
  return changed(task, umount(vfs, found, flags));
}

function pivotRootCall(task: Task, newRootAddr: number, putOldAddr: number): number {
  if (!capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
  const { vfs, tasks } = task.kernel;
  const newName = nameAt(task, newRootAddr);
  if (typeof newName === 'number') return newName;
  const newRoot = lookupDirectory(vfs, task, null, newName);
  if (typeof newRoot === 'number') return newRoot;
  const oldName = nameAt(task, putOldAddr);
  if (typeof oldName === 'number') return oldName;
  const putOld = lookupDirectory(vfs, task, null, oldName);
  if (typeof putOld === 'number') return putOld;
  const everyone = new Set<FsStruct>();
  for (const other of tasks.values()) everyone.add(other.fs);
  return changed(task, pivotRoot(task, newRoot, putOld, everyone));
}

const MOUNT_NAMES = Object.fromEntries(Object.entries(uapi).filter(([name]) => name.startsWith('MS_')));

export const mountCalls: readonly Syscall[] = [
  call(
    'mount',
    [
      string('source'),
      path('target'),
      string('filesystemtype'),
      flags('mountflags', MOUNT_NAMES),
      string('data'),
    ],
    mount,
  ),
  call(
    'umount2',
    [path('target'), flags('flags', { MNT_FORCE, MNT_DETACH, MNT_EXPIRE, UMOUNT_NOFOLLOW })],
    umount2,
    'no MNT_EXPIRE: EINVAL',
  ),
  call('pivot_root', [path('new_root'), path('put_old')], pivotRootCall),
];
