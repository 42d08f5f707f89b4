/** What /proc reports of System V IPC (sysvipc(7)): /proc/sysvipc, and the limits in /proc/sys/kernel. */
import { dir, type Entry, text } from '../../fs/kernfs/entry.ts';
import type { ProcSource, Sysctl } from '../../fs/proc/source.ts';
import type { IpcObject, IpcTable } from '../../ipc/sysv/ids.ts';
import type { SysvIpc } from '../../ipc/sysv/ipc.ts';
import { PAGE_SIZE } from '../../mm/ram.ts';
import { EINVAL } from '../../uapi/errno.ts';

type Cell = readonly [value: number | string, width: number];

const row = (cells: readonly Cell[]): string =>
  `${cells.map(([value, width]) => String(value).padStart(width)).join(' ')}\n`;

/** The columns that begin all three tables: key, id and mode. */
const head = (object: IpcObject): Cell[] => [
  [object.key, 10],
  [object.id, 10],
  [object.mode.toString(8), 5],
];

const owners = (object: IpcObject): Cell[] =>
  [object.uid, object.gid, object.cuid, object.cgid].map((id): Cell => [id, 5]);

const times = (...seconds: number[]): Cell[] => seconds.map((second): Cell => [second, 10]);

/** The first row holds the names, in columns as wide as those below. */
function table<T extends IpcObject>(
  names: string,
  objects: IpcTable<T>,
  cells: (object: T) => Cell[],
): string {
  let all = names;
  for (const object of objects) all += row(cells(object));
  return all;
}

const MSG_NAMES =
  '       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n';
const SEM_NAMES = '       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n';
const SHM_NAMES =
  '       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n';

const showMsg = (ipc: SysvIpc): string =>
  table(MSG_NAMES, ipc.msg, q => [
    ...head(q),
    [q.cbytes, 11],
    [q.messages.length, 10],
    [q.lspid, 5],
    [q.lrpid, 5],
    ...owners(q),
    ...times(q.stime, q.rtime, q.ctime),
  ]);

const showSem = (ipc: SysvIpc): string =>
  table(SEM_NAMES, ipc.sem, set => [
    ...head(set),
    [set.values.length, 10],
    ...owners(set),
    ...times(set.otime, set.ctime),
  ]);

const showShm = (ipc: SysvIpc): string =>
  table(SHM_NAMES, ipc.shm, segment => [
    ...head(segment),
    [segment.size, 21],
    [segment.cpid, 5],
    [segment.lpid, 5],
    [segment.attached, 6],
    ...owners(segment),
    ...times(segment.atime, segment.dtime, segment.ctime),
    [segment.cache.pageCount * PAGE_SIZE, 21],
    [0, 21],
  ]);

export const sysvipcDir = (ipc: SysvIpc): Entry<ProcSource> =>
  dir('sysvipc', 0o555, [
    text('msg', 0o444, () => showMsg(ipc)),
    text('sem', 0o444, () => showSem(ipc)),
    text('shm', 0o444, () => showShm(ipc)),
  ]);

const INT_MAX = 2 ** 31 - 1;
/** ULONG_MAX - 2^24: no limit. */
const UNLIMITED = '18446744073692774399';

/** A whole number, stored as property `key` of `of`. */
function limit<K extends string>(path: string, of: Record<K, number>, key: K, max: number, min = 0): Sysctl {
  return {
    path: `kernel/${path}`,
    perm: 0o644,
    get: () => (Number.isFinite(of[key]) ? String(of[key]) : UNLIMITED),
    set: given => {
      const value = parse(given.trim());
      if (value === null || value < min || value > max) return -EINVAL;
      of[key] = value as (typeof of)[K];
      return 0;
    },
  };
}

/** A number beyond 2^53 counts as no limit. */
function parse(given: string): number | null {
  if (!/^-?\d{1,20}$/.test(given)) return null;
  const value = Number(given);
  return value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value;
}

/** The most objects of a kind: ids have room for so many. */
const MOST = 32768;

export function ipcSysctls(ipc: SysvIpc): Sysctl[] {
  const { msg, sem, shm } = ipc;
  return [
    limit('msgmax', msg, 'maxMessage', INT_MAX),
    limit('msgmnb', msg, 'maxBytes', INT_MAX),
    limit('msgmni', msg, 'max', MOST),
    limit('msg_next_id', msg, 'nextId', INT_MAX, -1),
    limit('shmmax', shm, 'maxSize', Number.POSITIVE_INFINITY),
    limit('shmall', shm, 'maxPages', Number.POSITIVE_INFINITY),
    limit('shmmni', shm, 'max', MOST),
    limit('shm_next_id', shm, 'nextId', INT_MAX, -1),
    limit('sem_next_id', sem, 'nextId', INT_MAX, -1),
    semaphores(sem),
  ];
}

/** Four numbers in one file: semaphores in a set and in all, operations in a call, sets. */
function semaphores(sem: SysvIpc['sem']): Sysctl {
  return {
    path: 'kernel/sem',
    perm: 0o644,
    get: () => `${sem.maxInSet}\t${sem.maxTotal}\t${sem.maxOps}\t${sem.max}`,
    set: given => {
      const values = given.trim().split(/\s+/).map(parse);
      if (values.length > 4 || values.some(value => value === null || value < 0 || value > INT_MAX))
        return -EINVAL;
      const [inSet, total, ops, sets] = values as number[];
      if (sets !== undefined && sets > MOST) return -EINVAL;
      sem.maxInSet = inSet ?? sem.maxInSet;
      sem.maxTotal = total ?? sem.maxTotal;
      sem.maxOps = ops ?? sem.maxOps;
      sem.max = sets ?? sem.max;
      return 0;
    },
  };
}
