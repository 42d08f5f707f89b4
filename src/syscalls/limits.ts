/** Resource limits and usage (getrlimit(2), prlimit(2), getrusage(2)). */
import {
  RLIMIT_SIZE,
  RUSAGE_SIZE,
  readRlimit,
  writeRlimit,
  writeRusage,
} from '../arch/x86_64/structs/resource.ts';
import { CAP_SYS_RESOURCE, type Cred, capable } from '../core/cred.ts';
import { tellLimits, untellLimits } from '../kernel/facts.ts';
import { groupUsage } from '../kernel/group-usage.ts';
import type { Rlimit } from '../kernel/rlimit.ts';
import type { Task } from '../kernel/task.ts';
import type { Usage } from '../kernel/usage.ts';
import { EINVAL, EPERM, ESRCH } from '../uapi/errno.ts';
import * as r from '../uapi/resource.ts';
import { call, inStruct, oneOf, outStruct, pid, type Syscall } from './args.ts';
import { namesIn } from './show.ts';
import { RLIMIT, RUSAGE } from './structs/process.ts';

function prlimit(task: Task, pid: number, resource: number, newAddr: number, oldAddr: number): number {
  if (resource < 0 || resource >= r.RLIM_NLIMITS) return -EINVAL;
  const next = newAddr === 0 ? null : readLimit(task, newAddr);
  if (typeof next === 'number') return next;
  const of = pid === 0 ? task : task.kernel.tasks.get(pid);
  if (of === undefined) return -ESRCH;
  if (of !== task && !mayLimit(task.cred, of.cred)) return -EPERM;
  of.follower?.recall();
  const old = of.group.rlimits[resource]!;
  const error = next === null ? 0 : setLimit(task, of, resource, next);
  if (of === task) tellLimits(task);
  return error !== 0 || oldAddr === 0 ? error : putLimit(task, oldAddr, old);
}

/** For another process: all its ids must be the caller's. */
function mayLimit(caller: Cred, of: Cred): boolean {
  const sameUser = [of.uid, of.euid, of.suid].every(uid => uid === caller.uid);
  const sameGroup = [of.gid, of.egid, of.sgid].every(gid => gid === caller.gid);
  return (sameUser && sameGroup) || capable(caller, CAP_SYS_RESOURCE);
}

function setLimit(task: Task, of: Task, resource: number, next: Rlimit): number {
  if (next.soft > next.hard) return -EINVAL;
  if (resource === r.RLIMIT_NOFILE && next.hard > task.kernel.fileLimits.nrOpen) return -EPERM;
  const raises = next.hard > of.group.rlimits[resource]!.hard;
  if (raises && !capable(task.cred, CAP_SYS_RESOURCE)) return -EPERM;
  untellLimits(of.group);
  of.group.rlimits[resource] = next;
  if (resource === r.RLIMIT_CPU) of.group.timers.cpuLimit.watch(of.group);
  return 0;
}

function readLimit(task: Task, addr: number): Rlimit | number {
  const at = task.user.in(addr, RLIMIT_SIZE);
  return at < 0 ? at : readRlimit(task.user.view, at);
}

function putLimit(task: Task, addr: number, limit: Rlimit): number {
  const at = task.user.out(addr, RLIMIT_SIZE);
  if (at < 0) return at;
  writeRlimit(task.user.view, at, limit);
  return 0;
}

function getrlimit(task: Task, resource: number, addr: number): number {
  const limit = task.group.rlimits[resource];
  return limit === undefined ? -EINVAL : putLimit(task, addr, limit);
}

function setrlimit(task: Task, resource: number, addr: number): number {
  const next = readLimit(task, addr);
  if (typeof next === 'number') return next;
  if (resource < 0 || resource >= r.RLIM_NLIMITS) return -EINVAL;
  return setLimit(task, task, resource, next);
}

function getrusage(task: Task, who: number, addr: number): number {
  const usage = usageOf(task, who);
  if (usage === null) return -EINVAL;
  const at = task.user.out(addr, RUSAGE_SIZE);
  if (at < 0) return at;
  writeRusage(task.user.view, at, usage);
  return 0;
}

function usageOf(task: Task, who: number): Usage | null {
  switch (who) {
    case r.RUSAGE_SELF:
      return groupUsage(task.group);
    case r.RUSAGE_CHILDREN:
      return task.group.childUsage;
    case r.RUSAGE_THREAD:
      return task.usageNow();
    default:
      return null;
  }
}

const RESOURCES = namesIn(r, /^RLIMIT_/);
const NOTE = 'RLIMIT_RTTIME is stored but not enforced';

export const limitCalls: readonly Syscall[] = [
  call('getrlimit', [oneOf('resource', RESOURCES), outStruct('rlim', RLIMIT)], getrlimit),
  call('setrlimit', [oneOf('resource', RESOURCES), inStruct('rlim', RLIMIT)], setrlimit, NOTE),
  call(
    'prlimit64',
    [pid('pid'), oneOf('resource', RESOURCES), inStruct('new_limit', RLIMIT), outStruct('old_limit', RLIMIT)],
    prlimit,
    NOTE,
  ),
  call(
    'getrusage',
    [oneOf('who', namesIn(r, /^RUSAGE_(SELF|CHILDREN|THREAD)$/)), outStruct('usage', RUSAGE)],
    getrusage,
  ),
];
