/** sched_setattr(2), sched_getattr(2): all scheduling settings of a task in one structure. */

import { copyIn } from '../core/user-copy.ts';
import { putInt } from '../core/user-values.ts';
import type { SchedAttr } from '../kernel/attributes.ts';
import { checkDeadline, type Deadline } from '../kernel/deadline.ts';
import { changeSched, isNormal, isRealtime } from '../kernel/sched.ts';
import type { Task } from '../kernel/task.ts';
import { getUint64, setInt64 } from '../lib/int64.ts';
import { E2BIG, EINVAL, EOPNOTSUPP, ESRCH } from '../uapi/errno.ts';
import {
  SCHED_DEADLINE,
  SCHED_FLAG_DL_OVERRUN,
  SCHED_FLAG_KEEP_PARAMS,
  SCHED_FLAG_KEEP_POLICY,
  SCHED_FLAG_RECLAIM,
  SCHED_FLAG_RESET_ON_FORK,
  SCHED_FLAG_UTIL_CLAMP,
} from '../uapi/sched.ts';
import { call, pid, pointer, type Syscall, uint } from './args.ts';

/**
 * struct sched_attr: 0 size u32 | 4 policy u32 | 8 flags u64 | 16 nice s32 | 20 priority u32 | 24 runtime u64 |
 * 32 deadline u64 | 40 period u64; since version 1: 48 util_min u32 | 52 util_max u32.
 */
const SIZE_VER0 = 48;
const SIZE_VER1 = 56;
const PAGE = 4096;

const DEADLINE_FLAGS = SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN;
const FLAGS =
  SCHED_FLAG_RESET_ON_FORK |
  DEADLINE_FLAGS |
  SCHED_FLAG_KEEP_POLICY |
  SCHED_FLAG_KEEP_PARAMS |
  SCHED_FLAG_UTIL_CLAMP;

function setattr(task: Task, pid: number, addr: number, flags: number): number {
  if (addr === 0 || pid < 0 || flags !== 0) return -EINVAL;
  const head = task.user.in(addr, 4);
  if (head < 0) return head;
  const size = task.user.view.getUint32(head, true) || SIZE_VER0;
  if (size < SIZE_VER0 || size > PAGE) return putSize(task, addr);
  const bytes = copyIn(task.user, addr, size);
  if (typeof bytes === 'number') return bytes;
  if (bytes.subarray(SIZE_VER1).some(byte => byte !== 0)) return putSize(task, addr);
  const of = taskOf(task, pid);
  const next = askedFor(new DataView(bytes.buffer), of);
  if (typeof next === 'number') return next;
  return of === null ? -ESRCH : changeSched(task, of, next);
}

const taskOf = (task: Task, pid: number): Task | null =>
  pid === 0 ? task : (task.kernel.tasks.get(pid) ?? null);

/** Stores the size of the structure that the kernel knows; -E2BIG. */
function putSize(task: Task, addr: number): number {
  return putInt(task.user, addr, SIZE_VER1) || -E2BIG;
}

function askedFor(attr: DataView, of: Task | null): SchedAttr | number {
  const policy = attr.getInt32(4, true);
  const flags = getUint64(attr, 8);
  if ((flags & SCHED_FLAG_UTIL_CLAMP) !== 0 && attr.byteLength < SIZE_VER1) return -EINVAL;
  if (policy < 0) return -EINVAL;
  if (of === null) return -ESRCH;
  if (flags > FLAGS || (flags & ~FLAGS) !== 0) return -EINVAL;
  if ((flags & SCHED_FLAG_UTIL_CLAMP) !== 0) return -EOPNOTSUPP;
  const old = of.attributes.sched;
  const keepsPolicy = (flags & SCHED_FLAG_KEEP_POLICY) !== 0;
  const kept = keepsPolicy ? old.policy : policy;
  const resetOnFork = keepsPolicy ? old.resetOnFork : (flags & SCHED_FLAG_RESET_ON_FORK) !== 0;
  const keepsParams = (flags & SCHED_FLAG_KEEP_PARAMS) !== 0;
  const priority = keepsParams && isRealtime(old.policy) ? old.priority : attr.getUint32(20, true);
  const asked = keepsParams && old.deadline !== null ? old.deadline : deadlineAt(attr, flags);
  const deadline = kept === SCHED_DEADLINE ? checkDeadline(asked) : null;
  if (typeof deadline === 'number') return deadline;
  const takesNice = isNormal(kept) && !(keepsParams && isNormal(old.policy));
  return { policy: kept, priority, nice: takesNice ? niceAt(attr) : old.nice, deadline, resetOnFork };
}

const niceAt = (attr: DataView): number => Math.min(19, Math.max(-20, attr.getInt32(16, true)));

const deadlineAt = (attr: DataView, flags: number): Deadline => ({
  runtime: getUint64(attr, 24),
  deadline: getUint64(attr, 32),
  period: getUint64(attr, 40),
  flags: flags & DEADLINE_FLAGS,
});

function getattr(task: Task, pid: number, addr: number, size: number, flags: number): number {
  const length = size >>> 0;
  if (pid < 0 || addr === 0 || length < SIZE_VER0 || length > PAGE || flags !== 0) return -EINVAL;
  const of = taskOf(task, pid);
  if (of === null) return -ESRCH;
  const known = Math.min(length, SIZE_VER1);
  const at = task.user.out(addr, known);
  if (at < 0) return at;
  task.user.ram.fill(0, at, at + known);
  task.user.view.setUint32(at, known, true);
  putSched(task.user.view, at, of.attributes.sched);
  return 0;
}

function putSched(view: DataView, at: number, sched: SchedAttr): void {
  const { policy, nice, priority, deadline, resetOnFork } = sched;
  view.setInt32(at + 4, policy, true);
  setInt64(view, at + 8, (resetOnFork ? SCHED_FLAG_RESET_ON_FORK : 0) | (deadline?.flags ?? 0));
  if (isNormal(policy)) view.setInt32(at + 16, nice, true);
  view.setInt32(at + 20, priority, true);
  setInt64(view, at + 24, deadline?.runtime ?? 0);
  setInt64(view, at + 32, deadline?.deadline ?? 0);
  setInt64(view, at + 40, deadline?.period ?? 0);
}

const NOTE = 'stored and reported, but the host schedules; no SCHED_EXT';

export const schedAttrCalls: readonly Syscall[] = [
  call('sched_setattr', [pid('pid'), pointer('attr'), uint('flags')], setattr, NOTE),
  call('sched_getattr', [pid('pid'), pointer('attr'), uint('size'), uint('flags')], getattr),
];
