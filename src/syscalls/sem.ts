/** Semaphores of System V (semget(2), semop(2), semctl(2)). */
import {
  readSembuf,
  SEMBUF_SIZE,
  SEMID_DS_SIZE,
  SEMINFO_SIZE,
  writeIpcInfo,
  writeSemid,
} from '../arch/x86_64/structs/ipc.ts';
import { copyIn, copyOut } from '../core/user-copy.ts';
import { IPC_READ, IPC_WRITE } from '../ipc/sysv/ids.ts';
import type { PendingOps, SemaphoreSet, SemOp } from '../ipc/sysv/sem.ts';
import type { Task } from '../kernel/task.ts';
import { E2BIG, EAGAIN, EFBIG, EIDRM, EINTR, EINVAL, ERANGE, ETIMEDOUT } from '../uapi/errno.ts';
import * as ipc from '../uapi/ipc.ts';
import { call, flags, int, long, pointer, type Syscall, uint } from './args.ts';
import { control, findFor, IPC_FLAGS, type IpcKind, outZeroed, seconds } from './ipc.ts';
import { deadlineOfTimespec, NEVER } from './timeout.ts';

const semget = (task: Task, key: number, count: number, flags: number): number =>
  task.kernel.ipc.sem.semget(key, count, flags, task.cred, seconds(task));

const semop = (task: Task, id: number, addr: number, count: number): number | Promise<number> =>
  operate(task, id, addr, count, NEVER);

function semtimedop(
  task: Task,
  id: number,
  addr: number,
  count: number,
  timeout: number,
): number | Promise<number> {
  const deadline = deadlineOfTimespec(task, timeout);
  return deadline < 0 ? deadline : operate(task, id, addr, count, deadline);
}

function operate(
  task: Task,
  id: number,
  addr: number,
  count: number,
  deadline: number,
): number | Promise<number> {
  const number = count >>> 0;
  if (number < 1 || id < 0) return -EINVAL;
  if (number > task.kernel.ipc.sem.maxOps) return -E2BIG;
  const at = task.user.in(addr, number * SEMBUF_SIZE);
  if (at < 0) return at;
  const { view } = task.user;
  const ops: SemOp[] = Array.from({ length: number }, (_, i) => readSembuf(view, at + i * SEMBUF_SIZE));
  const found = task.kernel.ipc.sem.find(id);
  if (typeof found === 'number') return found;
  if (ops.some(({ num }) => num >= found.values.length)) return -EFBIG;
  const denied = found.permits(task.cred, ops.some(({ op }) => op !== 0) ? IPC_WRITE : IPC_READ);
  if (denied !== 0) return denied;
  const result = found.operate(ops, task.group, seconds(task));
  return typeof result === 'number' ? result : sleepFor(task, found, result, deadline);
}

/** A signal ends the wait with EINTR even under SA_RESTART (signal(7)). */
async function sleepFor(
  task: Task,
  semaphores: SemaphoreSet,
  pending: PendingOps,
  deadline: number,
): Promise<number> {
  for (;;) {
    const slept = pending.result === null ? await task.sleepOn([pending.waitq], deadline) : 0;
    if (pending.result !== null) return pending.result;
    if (slept === 0) continue;
    semaphores.pending.delete(pending);
    return slept === -ETIMEDOUT ? -EAGAIN : -EINTR;
  }
}

const KIND: IpcKind<SemaphoreSet> = {
  table: task => task.kernel.ipc.sem,
  commands: { info: ipc.SEM_INFO, stat: ipc.SEM_STAT, statAny: ipc.SEM_STAT_ANY },
  size: SEMID_DS_SIZE,
  write: writeSemid,
  info,
};

function semctl(task: Task, id: number, num: number, cmd: number, arg: number): number {
  if (id < 0) return -EINVAL;
  switch (cmd) {
    case ipc.GETALL:
      return getAll(task, id, arg);
    case ipc.SETALL:
      return setAll(task, id, arg);
    case ipc.SETVAL:
      return setValue(task, id, num, (arg % 2 ** 32) | 0);
    default:
      return control(task, KIND, id, cmd, arg) ?? ask(task, id, num, cmd);
  }
}

const QUESTIONS: Readonly<Record<number, (found: SemaphoreSet, num: number) => number>> = {
  [ipc.GETVAL]: (found, num) => found.values[num]!,
  [ipc.GETPID]: (found, num) => found.pids[num]!,
  [ipc.GETNCNT]: (found, num) => found.waiting(num, false),
  [ipc.GETZCNT]: (found, num) => found.waiting(num, true),
};

function ask(task: Task, id: number, num: number, cmd: number): number {
  const question = QUESTIONS[cmd];
  if (question === undefined) return -EINVAL;
  const found = findFor(task, task.kernel.ipc.sem, id, IPC_READ);
  if (typeof found === 'number') return found;
  return num < 0 || num >= found.values.length ? -EINVAL : question(found, num);
}

function setValue(task: Task, id: number, num: number, value: number): number {
  if (value < 0 || value > ipc.SEMVMX) return -ERANGE;
  const { sem } = task.kernel.ipc;
  const found = sem.find(id);
  if (typeof found === 'number') return found;
  if (num < 0 || num >= found.values.length) return -EINVAL;
  const denied = found.permits(task.cred, IPC_WRITE);
  if (denied !== 0) return denied;
  found.setValues(num, [value], task.tgid, seconds(task));
  return 0;
}

function getAll(task: Task, id: number, addr: number): number {
  const found = findFor(task, task.kernel.ipc.sem, id, IPC_READ);
  if (typeof found === 'number') return found;
  const bytes = new Uint8Array(2 * found.values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of found.values.entries()) view.setUint16(2 * i, value, true);
  return copyOut(task.user, addr, bytes);
}

function setAll(task: Task, id: number, addr: number): number {
  const found = findFor(task, task.kernel.ipc.sem, id, IPC_WRITE);
  if (typeof found === 'number') return found;
  const bytes = copyIn(task.user, addr, 2 * found.values.length);
  if (typeof bytes === 'number') return bytes;
  const view = new DataView(bytes.buffer);
  const values = Array.from(found.values, (_, i) => view.getUint16(2 * i, true));
  if (values.some(value => value > ipc.SEMVMX)) return -ERANGE;
  if (found.removed) return -EIDRM;
  found.setValues(0, values, task.tgid, seconds(task));
  return 0;
}

function info(task: Task, used: boolean, addr: number): number {
  const at = outZeroed(task, addr, SEMINFO_SIZE);
  if (at < 0) return at;
  const { SEMVMX } = ipc;
  const table = task.kernel.ipc.sem;
  const { max, maxInSet, maxTotal, maxOps } = table;
  // semusz is the size of an undo structure, which programs never see; semaem is as semvmx.
  const [usz, aem] = used ? [table.count, table.total] : [20, SEMVMX];
  const values = [maxTotal, max, maxTotal, maxTotal, maxInSet, maxOps, maxOps, usz, SEMVMX, aem];
  writeIpcInfo(task.user.view, at, values);
  return table.highest;
}

export const semCalls: readonly Syscall[] = [
  call('semget', [int('key'), int('nsems'), flags('semflg', IPC_FLAGS)], semget),
  call('semop', [int('semid'), pointer('sops'), uint('nsops')], semop, 'SEM_UNDO is kept per process'),
  call(
    'semtimedop',
    [int('semid'), pointer('sops'), uint('nsops'), pointer('timeout')],
    semtimedop,
    'SEM_UNDO is kept per process',
  ),
  call('semctl', [int('semid'), int('semnum'), int('op'), long('arg')], semctl),
];
