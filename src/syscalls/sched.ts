/**
 * Scheduling (sched(7)): the host schedules, so policies, priorities and affinities are checked, kept, inherited
 * and returned, without any other effect.
 */

import { copyIn } from '../core/user-copy.ts';
import { putInt } from '../core/user-values.ts';
import type { SchedAttr } from '../kernel/attributes.ts';
import { changeSched, coversAll, isNormal, isRealtime, mayChange, RT_MAX } from '../kernel/sched.ts';
import type { Task } from '../kernel/task.ts';
import { EBUSY, EINVAL, EPERM, ESRCH } from '../uapi/errno.ts';
import {
  SCHED_BATCH,
  SCHED_DEADLINE,
  SCHED_EXT,
  SCHED_FIFO,
  SCHED_IDLE,
  SCHED_NORMAL,
  SCHED_RESET_ON_FORK,
  SCHED_RR,
} from '../uapi/sched.ts';
import { call, int, oneOf, outStruct, pid, pointer, type Syscall, shown, shownAfter, uint } from './args.ts';
import { putTime } from './clock.ts';
import { priorityCalls } from './priority.ts';
import { schedAttrCalls } from './sched-attr.ts';
import { bitsAt } from './show.ts';
import { INT } from './structs/fields.ts';
import { TIMESPEC } from './structs/time.ts';

const POLICIES = {
  SCHED_NORMAL,
  SCHED_FIFO,
  SCHED_RR,
  SCHED_BATCH,
  SCHED_IDLE,
  SCHED_DEADLINE,
  SCHED_EXT,
};
const PARAM_SIZE = 4;

/** The task with number `pid`; 0: the caller. -EINVAL, -ESRCH. */
function find(task: Task, pid: number): Task | number {
  if (pid < 0) return -EINVAL;
  return pid === 0 ? task : (task.kernel.tasks.get(pid) ?? -ESRCH);
}

/** Changes a task's settings to what `next` returns: 0 or -errno. */
function change(task: Task, pid: number, next: (old: SchedAttr) => SchedAttr): number {
  const of = find(task, pid);
  return typeof of === 'number' ? of : changeSched(task, of, next(of.attributes.sched));
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
  const plain = { policy: policy & ~SCHED_RESET_ON_FORK, priority, deadline: null, resetOnFork };
  return change(task, pid, old => ({ ...old, ...plain }));
}

function setparam(task: Task, pid: number, param: number): number {
  const priority = readPriority(task, param);
  return priority < 0 ? priority : change(task, pid, old => ({ ...old, priority, deadline: null }));
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

/** The lowest or highest priority of a policy: `realtime` for realtime policies, 0 for others, or -EINVAL. */
function priorityBound(policy: number, realtime: number): number {
  if (isRealtime(policy)) return realtime;
  return isNormal(policy) || policy === SCHED_DEADLINE || policy === SCHED_EXT ? 0 : -EINVAL;
}

function rrGetInterval(task: Task, pid: number, addr: number): number {
  const of = find(task, pid);
  if (typeof of === 'number') return of;
  const { policy } = of.attributes.sched;
  const ms = policy === SCHED_RR ? task.kernel.realtime.slice : isNormal(policy) ? 4 : 0;
  return putTime(task, addr, { sec: Math.floor(ms / 1000), nsec: (ms % 1000) * 1_000_000 });
}

/** Ignores CPUs that do not exist; the mask must have one that does. */
function setaffinity(task: Task, pid: number, length: number, addr: number): number {
  const { ncpus } = task.kernel;
  const words = Math.ceil(ncpus / 32);
  const of = find(task, pid);
  if (typeof of === 'number') return of === -EINVAL ? -ESRCH : of;
  const bytes = copyIn(task.user, addr, Math.min(length >>> 0, words * 4));
  if (typeof bytes === 'number') return bytes;
  if (!mayChange(task.cred, of.cred)) return -EPERM;
  const mask = new Uint8Array(words * 4);
  mask.set(bytes);
  for (let cpu = ncpus; cpu < words * 32; cpu++) mask[cpu >>> 3]! &= ~(1 << (cpu & 7));
  if (mask.every(byte => byte === 0)) return -EINVAL;
  const affinity = new Uint32Array(mask.buffer);
  if (of.attributes.sched.deadline !== null && !coversAll(affinity, ncpus)) return -EBUSY;
  of.attributes.affinity = affinity;
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

const NOTE = 'stored and reported, but the host schedules';

export const schedCalls: readonly Syscall[] = [
  call('sched_yield', [], () => 0),
  call('sched_setscheduler', [pid('pid'), oneOf('policy', POLICIES), pointer('param')], setscheduler, NOTE),
  call('sched_getscheduler', [pid('pid')], getscheduler),
  call('sched_setparam', [pid('pid'), pointer('param')], setparam, NOTE),
  call('sched_getparam', [pid('pid'), pointer('param')], getparam),
  ...schedAttrCalls,
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
    'always the first allowed processor',
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
    const error = addr === 0 ? 0 : putInt(task.user, addr, value);
    if (error < 0) return error;
  }
  return 0;
}
