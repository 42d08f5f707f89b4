/**
 * Scheduling (sched(7)): the host schedules, so policies, priorities and affinities are checked, kept, inherited
 * and answered, and have no other effect.
 */
import { CAP_SYS_NICE, capable } from '../core/cred.ts';
import { copyIn } from '../core/user-copy.ts';
import type { SchedAttr } from '../kernel/attributes.ts';
import { niceAllowed, ownsOrMay } from '../kernel/nice.ts';
import type { Task } from '../kernel/task.ts';
import { getUint64, setInt64 } from '../lib/int64.ts';
import { E2BIG, EINVAL, EPERM, ESRCH } from '../uapi/errno.ts';
import { RLIMIT_RTPRIO } from '../uapi/resource.ts';
import {
  SCHED_BATCH,
  SCHED_DEADLINE,
  SCHED_EXT,
  SCHED_FIFO,
  SCHED_FLAG_KEEP_PARAMS,
  SCHED_FLAG_KEEP_POLICY,
  SCHED_FLAG_RESET_ON_FORK,
  SCHED_IDLE,
  SCHED_NORMAL,
  SCHED_RESET_ON_FORK,
  SCHED_RR,
} from '../uapi/sched.ts';
import { call, int, oneOf, outStruct, pid, pointer, type Syscall, shown, shownAfter, uint } from './args.ts';
import { putTime } from './clock.ts';
import { priorityCalls } from './priority.ts';
import { bitsAt } from './show.ts';
import { INT, TIMESPEC } from './structs.ts';

const POLICIES = {
  SCHED_NORMAL,
  SCHED_FIFO,
  SCHED_RR,
  SCHED_BATCH,
  SCHED_IDLE,
  SCHED_DEADLINE,
  SCHED_EXT,
};
const RT_MAX = 99;
const PARAM_SIZE = 4;

const isRealtime = (policy: number): boolean => policy === SCHED_FIFO || policy === SCHED_RR;
const isNormal = (policy: number): boolean =>
  policy === SCHED_NORMAL || policy === SCHED_BATCH || policy === SCHED_IDLE;

function find(task: Task, pid: number): Task | number {
  if (pid < 0) return -EINVAL;
  return pid === 0 ? task : (task.kernel.tasks.get(pid) ?? -ESRCH);
}

/** 0 or -errno; `next` is what is asked for. */
function apply(task: Task, pid: number, next: (old: SchedAttr) => SchedAttr | number): number {
  const of = find(task, pid);
  if (typeof of === 'number') return of;
  const old = of.attributes.sched;
  const sched = next(old);
  if (typeof sched === 'number') return sched;
  const wrong = isRealtime(sched.policy) ? sched.priority < 1 : sched.priority !== 0;
  if (!(isRealtime(sched.policy) || isNormal(sched.policy)) || wrong || sched.priority > RT_MAX)
    return -EINVAL;
  const privileged = capable(task.cred, CAP_SYS_NICE);
  if (!privileged && (!ownsOrMay(task.cred, of.cred) || !isAllowed(of, old, sched))) return -EPERM;
  of.attributes.sched = sched;
  return 0;
}

/** What one may do to one's own tasks without CAP_SYS_NICE. */
function isAllowed(of: Task, old: SchedAttr, next: SchedAttr): boolean {
  if (old.resetOnFork && !next.resetOnFork) return false;
  if (isRealtime(next.policy)) {
    const limit = of.rlimit(RLIMIT_RTPRIO);
    if (next.policy !== old.policy && limit === 0) return false;
    return next.priority <= old.priority || next.priority <= limit;
  }
  if (old.policy === SCHED_IDLE && next.policy !== SCHED_IDLE && !niceAllowed(of, old.nice)) return false;
  return next.nice >= old.nice || niceAllowed(of, next.nice);
}

function readPriority(task: Task, param: number): number {
  const at = param === 0 ? -EINVAL : task.user.in(param, PARAM_SIZE);
  if (at < 0) return at;
  const priority = task.user.view.getInt32(at, true);
  return priority < 0 ? -EINVAL : priority;
}

function setscheduler(task: Task, pid: number, policy: number, param: number): number {
  if (policy < 0) return -EINVAL;
  const priority = readPriority(task, param);
  if (priority < 0) return priority;
  const resetOnFork = (policy & SCHED_RESET_ON_FORK) !== 0;
  return apply(task, pid, old => ({ ...old, policy: policy & ~SCHED_RESET_ON_FORK, priority, resetOnFork }));
}

function setparam(task: Task, pid: number, param: number): number {
  const priority = readPriority(task, param);
  return priority < 0 ? priority : apply(task, pid, old => ({ ...old, priority }));
}

function getscheduler(task: Task, pid: number): number {
  const of = find(task, pid);
  if (typeof of === 'number') return of;
  const { policy, resetOnFork } = of.attributes.sched;
  return resetOnFork ? policy | SCHED_RESET_ON_FORK : policy;
}

function getparam(task: Task, pid: number, param: number): number {
  if (param === 0) return -EINVAL;
  const of = find(task, pid);
  if (typeof of === 'number') return of;
  const at = task.user.out(param, PARAM_SIZE);
  if (at < 0) return at;
  task.user.view.setInt32(at, of.attributes.sched.priority, true);
  return 0;
}

/** struct sched_attr: 0 size u32 | 4 policy u32 | 8 flags u64 | 16 nice s32 | 20 priority u32 | then SCHED_DEADLINE's */
const ATTR_SIZE_VER0 = 48;
const ATTR_SIZE_VER1 = 56;
const PAGE = 4096;

function setattr(task: Task, pid: number, addr: number, flags: number): number {
  if (addr === 0 || pid < 0 || flags !== 0) return -EINVAL;
  const head = task.user.in(addr, 4);
  if (head < 0) return head;
  const size = task.user.view.getUint32(head, true) || ATTR_SIZE_VER0;
  if (size < ATTR_SIZE_VER0 || size > PAGE) return putSize(task, addr);
  const bytes = copyIn(task.user, addr, size);
  if (typeof bytes === 'number') return bytes;
  if (bytes.subarray(ATTR_SIZE_VER1).some(byte => byte !== 0)) return putSize(task, addr);
  return applyAttr(task, pid, new DataView(bytes.buffer));
}

/** Tells how large the structure is that the kernel knows. */
function putSize(task: Task, addr: number): number {
  const at = task.user.out(addr, 4);
  if (at < 0) return at;
  task.user.view.setUint32(at, ATTR_SIZE_VER1, true);
  return -E2BIG;
}

function applyAttr(task: Task, pid: number, attr: DataView): number {
  const policy = attr.getInt32(4, true);
  const flags = getUint64(attr, 8);
  const nice = Math.min(19, Math.max(-20, attr.getInt32(16, true)));
  const priority = attr.getUint32(20, true);
  const known = SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS;
  if (policy < 0 || flags > known || (flags & ~known) !== 0) return -EINVAL;
  return apply(task, pid, old => {
    const resetOnFork = (flags & SCHED_FLAG_RESET_ON_FORK) !== 0;
    const kept = (flags & SCHED_FLAG_KEEP_POLICY) !== 0 ? old.policy : policy;
    if ((flags & SCHED_FLAG_KEEP_PARAMS) !== 0) return { ...old, policy: kept, resetOnFork };
    return { policy: kept, priority, nice: isRealtime(kept) ? old.nice : nice, resetOnFork };
  });
}

function getattr(task: Task, pid: number, addr: number, size: number, flags: number): number {
  const length = size >>> 0;
  if (addr === 0 || length < ATTR_SIZE_VER0 || length > PAGE || flags !== 0) return -EINVAL;
  const of = find(task, pid);
  if (typeof of === 'number') return of;
  const known = Math.min(length, ATTR_SIZE_VER1);
  const at = task.user.out(addr, known);
  if (at < 0) return at;
  const { view, ram } = task.user;
  const { policy, nice, priority, resetOnFork } = of.attributes.sched;
  ram.fill(0, at, at + known);
  view.setUint32(at, known, true);
  view.setInt32(at + 4, policy, true);
  setInt64(view, at + 8, resetOnFork ? SCHED_FLAG_RESET_ON_FORK : 0);
  if (isRealtime(policy)) view.setInt32(at + 20, priority, true);
  else view.setInt32(at + 16, nice, true);
  return 0;
}

/** The first or last of the priorities of a policy. */
function priorityBound(policy: number, realtime: number): number {
  if (isRealtime(policy)) return realtime;
  return isNormal(policy) || policy === SCHED_DEADLINE || policy === SCHED_EXT ? 0 : -EINVAL;
}

const RR_INTERVAL = 100_000_000;

function rrGetInterval(task: Task, pid: number, addr: number): number {
  const of = find(task, pid);
  if (typeof of === 'number') return of;
  const { policy } = of.attributes.sched;
  const nsec = policy === SCHED_RR ? RR_INTERVAL : policy === SCHED_FIFO ? 0 : 4_000_000;
  return putTime(task, addr, { sec: 0, nsec });
}

/** At least one word of CPUs, and no CPU that does not exist, is kept of a mask. */
function setaffinity(task: Task, pid: number, length: number, addr: number): number {
  const { ncpus } = task.kernel;
  const words = Math.ceil(ncpus / 32);
  const of = find(task, pid);
  if (typeof of === 'number') return of === -EINVAL ? -ESRCH : of;
  const bytes = copyIn(task.user, addr, Math.min(length >>> 0, words * 4));
  if (typeof bytes === 'number') return bytes;
  if (!ownsOrMay(task.cred, of.cred)) return -EPERM;
  const mask = new Uint8Array(words * 4);
  mask.set(bytes);
  for (let cpu = ncpus; cpu < words * 32; cpu++) mask[cpu >>> 3]! &= ~(1 << (cpu & 7));
  if (mask.every(byte => byte === 0)) return -EINVAL;
  of.attributes.affinity = new Uint32Array(mask.buffer);
  return 0;
}

function getaffinity(task: Task, pid: number, length: number, addr: number): number {
  const { ncpus } = task.kernel;
  const size = Math.ceil(ncpus / 64) * 8;
  if (length >>> 0 < size || length % 8 !== 0) return -EINVAL;
  const of = find(task, pid);
  if (typeof of === 'number') return of === -EINVAL ? -ESRCH : of;
  const at = task.user.out(addr, size);
  if (at < 0) return at;
  const { affinity } = of.attributes;
  for (let byte = 0; byte < size; byte++) task.user.ram[at + byte] = affinityByte(affinity, byte, ncpus);
  return size;
}

function affinityByte(affinity: Uint32Array | null, byte: number, ncpus: number): number {
  if (affinity !== null) return ((affinity[byte >>> 2] ?? 0) >>> (8 * (byte & 3))) & 0xff;
  const cpus = Math.min(8, Math.max(0, ncpus - 8 * byte));
  return (1 << cpus) - 1;
}

const NOTE = 'kept and answered; the host schedules';

export const schedCalls: readonly Syscall[] = [
  call('sched_yield', [], () => 0),
  call('sched_setscheduler', [pid('pid'), oneOf('policy', POLICIES), pointer('param')], setscheduler, NOTE),
  call('sched_getscheduler', [pid('pid')], getscheduler),
  call('sched_setparam', [pid('pid'), pointer('param')], setparam, NOTE),
  call('sched_getparam', [pid('pid'), pointer('param')], getparam),
  call(
    'sched_setattr',
    [pid('pid'), pointer('attr'), uint('flags')],
    setattr,
    `${NOTE}; no SCHED_DEADLINE, no SCHED_EXT`,
  ),
  call('sched_getattr', [pid('pid'), pointer('attr'), uint('size'), uint('flags')], getattr),
  call('sched_get_priority_max', [oneOf('policy', POLICIES)], (_task, policy) =>
    priorityBound(policy, RT_MAX),
  ),
  call('sched_get_priority_min', [oneOf('policy', POLICIES)], (_task, policy) => priorityBound(policy, 1)),
  call('sched_rr_get_interval', [pid('pid'), outStruct('tp', TIMESPEC)], rrGetInterval),
  call(
    'sched_setaffinity',
    [
      pid('pid'),
      uint('len'),
      shown(
        'mask',
        bitsAt(look => look.args[1]!),
      ),
    ],
    setaffinity,
    NOTE,
  ),
  call(
    'sched_getaffinity',
    [
      pid('pid'),
      uint('len'),
      shownAfter(
        'mask',
        bitsAt(look => look.result),
      ),
    ],
    getaffinity,
  ),
  call(
    'getcpu',
    [outStruct('cpu', INT), outStruct('node', INT), int('unused')],
    getcpu,
    'always the first allowed one',
  ),
  ...priorityCalls,
];

function getcpu(task: Task, cpu: number, node: number): number {
  const first = task.attributes.affinity?.findIndex(word => word !== 0) ?? -1;
  const word = first < 0 ? 1 : task.attributes.affinity![first]!;
  const number = Math.max(0, first) * 32 + (31 - Math.clz32(word & -word));
  for (const [addr, value] of [
    [cpu, number],
    [node, 0],
  ] as const) {
    if (addr === 0) continue;
    const at = task.user.out(addr, 4);
    if (at < 0) return at;
    task.user.view.setUint32(at, value, true);
  }
  return 0;
}
