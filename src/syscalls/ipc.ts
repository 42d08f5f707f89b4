/** What the calls of all three kinds of System V IPC share: lookup, and most commands (sysvipc(7)). */
import { readPermChange } from '../arch/x86_64/structs/ipc.ts';
import { IPC_READ, type IpcObject, type IpcTable } from '../ipc/sysv/ids.ts';
import type { Task } from '../kernel/task.ts';
import type { Result } from '../lib/result.ts';
import { IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT } from '../uapi/ipc.ts';

export const IPC_FLAGS = { IPC_CREAT: 0o1000, IPC_EXCL: 0o2000, IPC_NOWAIT: 0o4000 };

/** The time for the *_ctime fields, in seconds. */
export const seconds = (task: Task): number => task.clock.realtime().sec;

/** A zeroed window for the answer's structure, or -EFAULT. */
export function outZeroed(task: Task, addr: number, size: number): number {
  const at = task.user.out(addr, size);
  if (at >= 0) task.user.ram.fill(0, at, at + size);
  return at;
}

/** Finds an object on which the caller has the permission `wanted`. */
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

/** What the commands that all kinds share need of a kind of objects. */
export interface IpcKind<T extends IpcObject> {
  table(task: Task): IpcTable<T> & { destroy(object: T): void };
  /** The kind's own command numbers: *_INFO, *_STAT, *_STAT_ANY. */
  readonly commands: { readonly info: number; readonly stat: number; readonly statAny: number };
  /** The size of its struct *_ds in bytes, and how IPC_STAT fills it. */
  readonly size: number;
  readonly write: (view: DataView, at: number, object: T) => void;
  /** If IPC_SET takes more than owner, group and mode: handles the rest first; 0 or -errno. */
  readonly setMore?: (task: Task, object: T, view: DataView, at: number) => number;
  /** IPC_INFO: stores the limits, with `used` what is in use. Answers the highest slot. */
  readonly info: (task: Task, used: boolean, addr: number) => number;
}

/** msgctl(2) and the like; null for commands that not all kinds share. */
export function control<T extends IpcObject>(
  task: Task,
  kind: IpcKind<T>,
  id: number,
  cmd: number,
  addr: number,
): number | null {
  switch (cmd) {
    case IPC_INFO:
    case kind.commands.info:
      return kind.info(task, cmd !== IPC_INFO, addr);
    case IPC_STAT:
      return stat(task, kind, id, 'id', addr);
    case kind.commands.stat:
      return stat(task, kind, id, 'slot', addr);
    case kind.commands.statAny:
      return stat(task, kind, id, 'any', addr);
    case IPC_SET:
      return set(task, kind, id, addr);
    case IPC_RMID:
      return remove(task, kind, id);
    default:
      return null;
  }
}

/** IPC_STAT, *_STAT and *_STAT_ANY: the last two take a slot and answer the id. */
function stat<T extends IpcObject>(
  task: Task,
  kind: IpcKind<T>,
  id: number,
  by: 'id' | 'slot' | 'any',
  addr: number,
): number {
  const table = kind.table(task);
  const found = by === 'id' ? table.find(id) : table.at(id);
  if (typeof found === 'number') return found;
  const denied = by === 'any' ? 0 : found.permits(task.cred, IPC_READ);
  if (denied !== 0) return denied;
  const at = outZeroed(task, addr, kind.size);
  if (at < 0) return at;
  kind.write(task.user.view, at, found);
  return by === 'id' ? 0 : found.id;
}

function set<T extends IpcObject>(task: Task, kind: IpcKind<T>, id: number, addr: number): number {
  const at = task.user.in(addr, kind.size);
  if (at < 0) return at;
  const { view } = task.user;
  const found = controlled(task, kind, id);
  if (typeof found === 'number') return found;
  const change = readPermChange(view, at);
  const error = kind.setMore?.(task, found, view, at) ?? 0;
  if (error === 0) found.setPerm(change, seconds(task));
  return error;
}

function remove<T extends IpcObject>(task: Task, kind: IpcKind<T>, id: number): number {
  const found = controlled(task, kind, id);
  if (typeof found === 'number') return found;
  kind.table(task).destroy(found);
  return 0;
}

/** Finds an object that the caller may change and remove; -EINVAL, -EPERM. */
function controlled<T extends IpcObject>(task: Task, kind: IpcKind<T>, id: number): Result<T> {
  const found = kind.table(task).find(id);
  if (typeof found === 'number') return found;
  const denied = found.mayControl(task.cred);
  return denied === 0 ? found : denied;
}
