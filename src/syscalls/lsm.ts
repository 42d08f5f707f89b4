/**
 * lsm_list_modules(2), lsm_get_self_attr(2), lsm_set_self_attr(2): the only security module here is that of the
 * capabilities, which has no such attributes.
 */
import { putInt, putLong } from '../core/user-values.ts';
import type { Task } from '../kernel/task.ts';
import { getUint64 } from '../lib/int64.ts';
import { E2BIG, EFAULT, EINVAL, EOPNOTSUPP } from '../uapi/errno.ts';
import { LSM_FLAG_SINGLE, LSM_ID_CAPABILITY } from '../uapi/lsm.ts';
import { call, flags, inBuffer, pointer, type Syscall, uint } from './args.ts';

/** struct lsm_ctx: 0 id u64 | 8 flags u64 | 16 len u64 | 24 ctx_len u64 | 32 ctx. */
const CTX_SIZE = 32;
const PAGE = 4096;

/** The size of the caller's buffer in bytes, read from `addr`; or -EFAULT. */
function getSize(task: Task, addr: number): number {
  const at = task.user.in(addr, 4);
  return at < 0 ? at : task.user.view.getUint32(at, true);
}

function listModules(task: Task, ids: number, size: number, flags: number): number {
  if (flags !== 0) return -EINVAL;
  const room = getSize(task, size);
  if (room < 0) return room;
  const told = putInt(task.user, size, 8);
  if (told < 0) return told;
  if (room < 8) return -E2BIG;
  return putLong(task.user, ids, LSM_ID_CAPABILITY) || 1;
}

function getSelfAttr(task: Task, attr: number, ctx: number, size: number, flags: number): number {
  if (attr === 0 || size === 0) return -EINVAL;
  const room = getSize(task, size);
  if (room < 0) return room;
  if (flags !== 0) {
    if (flags !== LSM_FLAG_SINGLE || ctx === 0) return -EINVAL;
    const at = task.user.in(ctx, CTX_SIZE);
    if (at < 0) return -EFAULT;
    if (getUint64(task.user.view, at) === 0) return -EINVAL;
  }
  const told = putInt(task.user, size, 0);
  return told < 0 ? told : -EOPNOTSUPP;
}

function setSelfAttr(task: Task, _attr: number, ctx: number, size: number, flags: number): number {
  const length = size >>> 0;
  if (flags !== 0 || length < CTX_SIZE) return -EINVAL;
  if (length > PAGE) return -E2BIG;
  const at = task.user.in(ctx, length);
  if (at < 0) return at;
  const stated = getUint64(task.user.view, at + 16);
  const content = getUint64(task.user.view, at + 24);
  return length < stated || stated < CTX_SIZE + content ? -EINVAL : -EOPNOTSUPP;
}

const NONE = 'no module has attributes: EOPNOTSUPP';
const noFlags = flags('flags', {});

export const lsmCalls: readonly Syscall[] = [
  call('lsm_list_modules', [pointer('ids'), pointer('size'), noFlags], listModules),
  call(
    'lsm_get_self_attr',
    [uint('attr'), pointer('ctx'), pointer('size'), flags('flags', { LSM_FLAG_SINGLE })],
    getSelfAttr,
    NONE,
  ),
  call('lsm_set_self_attr', [uint('attr'), inBuffer('ctx', 2), uint('size'), noFlags], setSelfAttr, NONE),
];
