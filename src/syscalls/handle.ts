/** name_to_handle_at(2), open_by_handle_at(2): no filesystem of ours can find a file by a handle. */
import { CAP_DAC_READ_SEARCH, capable } from '../core/cred.ts';
import type { Task } from '../kernel/task.ts';
import { EINVAL, EOPNOTSUPP, EPERM } from '../uapi/errno.ts';
import { AT_EMPTY_PATH, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW } from '../uapi/fcntl.ts';
import { call, dirfd, fd, flags, path, pointer, type Syscall } from './args.ts';
import { pathAt } from './attr.ts';

function nameToHandleAt(
  task: Task,
  dirfd: number,
  name: number,
  _handle: number,
  _mountId: number,
  flags: number,
): number {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const how = (flags & AT_SYMLINK_FOLLOW) === 0 ? AT_SYMLINK_NOFOLLOW : 0;
  const found = pathAt(task, dirfd, name, how | (flags & AT_EMPTY_PATH));
  return typeof found === 'number' ? found : -EOPNOTSUPP;
}

const openByHandleAt = (task: Task): number =>
  capable(task.cred, CAP_DAC_READ_SEARCH) ? -EOPNOTSUPP : -EPERM;

const NONE = 'file handles do not exist: EOPNOTSUPP';

export const handleCalls: readonly Syscall[] = [
  call(
    'name_to_handle_at',
    [
      dirfd('dirfd'),
      path('pathname'),
      pointer('handle'),
      pointer('mount_id'),
      flags('flags', { AT_SYMLINK_FOLLOW, AT_EMPTY_PATH }),
    ],
    nameToHandleAt,
    NONE,
  ),
  call('open_by_handle_at', [fd('mount_fd'), pointer('handle'), flags('flags', {})], openByHandleAt, NONE),
];
