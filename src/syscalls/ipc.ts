/** What the calls of all three kinds of System V IPC have in common: finding, IPC_STAT, IPC_SET (sysvipc(7)). */
import { readPermChange } from '../arch/x86_64/structs/ipc.ts';
import { IPC_READ, type IpcObject, type IpcTable } from '../ipc/sysv/ids.ts';
import type { Task } from '../kernel/task.ts';
import type { Result } from '../lib/result.ts';

export const IPC_FLAGS = { IPC_CREAT: 0o1000, IPC_EXCL: 0o2000, IPC_NOWAIT: 0o4000 };

/** The time as the *_ctime fields have it. */
export const seconds = (task: Task): number => task.clock.realtime().sec;

/** A zeroed window for a structure to answer with, or -EFAULT. */
export function outZeroed(task: Task, addr: number, size: number): number {
  const at = task.user.out(addr, size);
  if (at >= 0) task.user.ram.fill(0, at, at + size);
  return at;
}

/** Finds an object that the caller has the permission `wanted` for. */
export function findFor<T extends IpcObject>(
  task: Task,
  table: IpcTable<T>,
  id: number,
  wanted: number,
): Result<T> {
  const found = table.find(id);
  if (typeof found === 'number') return found;
  const denied = found.permits(task.cred, wanted);
  return denied === 0 ? found : denied;
}

/** How an object is found for one of the STAT commands. */
export type StatKind = 'id' | 'slot' | 'any';

/** IPC_STAT, *_STAT and *_STAT_ANY: the last two take a slot, and answer the id. */
export function stat<T extends IpcObject>(
  task: Task,
  table: IpcTable<T>,
  id: number,
  kind: StatKind,
  addr: number,
  size: number,
  write: (view: DataView, at: number, object: T) => void,
): number {
  const found = kind === 'id' ? table.find(id) : table.at(id);
  if (typeof found === 'number') return found;
  const denied = kind === 'any' ? 0 : found.permits(task.cred, IPC_READ);
  if (denied !== 0) return denied;
  const at = outZeroed(task, addr, size);
  if (at < 0) return at;
  write(task.user.view, at, found);
  return kind === 'id' ? 0 : found.id;
}

/** IPC_SET: takes owner, group and mode from the structure; `more` looks at the rest first. */
export function set<T extends IpcObject>(
  task: Task,
  table: IpcTable<T>,
  id: number,
  addr: number,
  size: number,
  more: (object: T, view: DataView, at: number) => number = () => 0,
): number {
  const at = task.user.in(addr, size);
  if (at < 0) return at;
  const { view } = task.user;
  const found = controlled(task, table, id);
  if (typeof found === 'number') return found;
  const change = readPermChange(view, at);
  const error = more(found, view, at);
  if (error === 0) found.setPerm(change, seconds(task));
  return error;
}

/** An object that the caller may change and remove. */
export function controlled<T extends IpcObject>(task: Task, table: IpcTable<T>, id: number): Result<T> {
  const found = table.find(id);
  if (typeof found === 'number') return found;
  const denied = found.mayControl(task.cred);
  return denied === 0 ? found : denied;
}
