/** Shared memory of System V (shmget(2), shmat(2), shmdt(2), shmctl(2)). */
import {
  SHM_INFO_SIZE,
  SHMID_DS_SIZE,
  SHMINFO_SIZE,
  writeShmid,
  writeShmLimits,
  writeShmUse,
} from '../arch/x86_64/structs/ipc.ts';
import { CAP_IPC_LOCK, capable } from '../core/cred.ts';
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../engine/engine.ts';
import { IPC_READ, IPC_WRITE } from '../ipc/sysv/ids.ts';
import { Segment } from '../ipc/sysv/shm.ts';
import type { Task } from '../kernel/task.ts';
import type { Mm } from '../mm/mm.ts';
import { MMAP_MIN } from '../mm/places.ts';
import { PAGE_SIZE, pageUp } from '../mm/ram.ts';
import { VM_MAYWRITE, VM_SHARED, Vma } from '../mm/vma.ts';
import { EINVAL, ENOMEM, EPERM } from '../uapi/errno.ts';
import * as ipc from '../uapi/ipc.ts';
import { RLIMIT_MEMLOCK } from '../uapi/resource.ts';
import { call, flags, hex, int, type Syscall, ulong } from './args.ts';
import { control, findFor, IPC_FLAGS, type IpcKind, outZeroed } from './ipc.ts';
import { mayAdd, overSpace } from './mm-limits.ts';

/** The right to execute, which SHM_EXEC needs. */
const EXECUTE = 0o111;

function shmget(task: Task, key: number, size: number, flags: number): number {
  // There are no huge pages.
  if ((flags & ipc.SHM_HUGETLB) !== 0) return -ENOMEM;
  return task.kernel.ipc.shm.shmget(key, size, flags, task.cred);
}

function shmat(task: Task, id: number, addr: number, flags: number): number {
  const { mm } = task;
  if (mm === null) return -ENOMEM;
  const prot = protOf(flags);
  const writes = (prot & PROT_WRITE) !== 0;
  const wanted = placeOf(addr, flags);
  if (wanted < 0) return wanted;
  const runs = (prot & PROT_EXEC) !== 0 ? EXECUTE : 0;
  const access = (writes ? IPC_READ | IPC_WRITE : IPC_READ) | runs;
  const segment = findFor(task, task.kernel.ipc.shm, id, access);
  if (typeof segment === 'number') return segment;
  const size = pageUp(segment.size);
  const place = choosePlace(mm, wanted, size, (flags & ipc.SHM_REMAP) !== 0);
  if (place < 0) return place;
  if (overSpace(task, mm, size) || !mayAdd(task, mm)) return -ENOMEM;
  const vma = new Vma(place, place + size, prot, writes ? VM_SHARED | VM_MAYWRITE : VM_SHARED);
  vma.backing = segment.get();
  vma.name = `/SYSV${(segment.key >>> 0).toString(16).padStart(8, '0')} (deleted)`;
  const mapped = mm.map(vma);
  if (mapped < 0) {
    segment.detached();
    segment.put();
  }
  return mapped;
}

function protOf(flags: number): number {
  const prot = (flags & ipc.SHM_RDONLY) !== 0 ? PROT_READ : PROT_READ | PROT_WRITE;
  return (flags & ipc.SHM_EXEC) !== 0 ? prot | PROT_EXEC : prot;
}

/** The requested address, 0 for any; -EINVAL. */
function placeOf(addr: number, flags: number): number {
  if (addr === 0) return (flags & ipc.SHM_REMAP) !== 0 ? -EINVAL : 0;
  const off = addr % ipc.SHMLBA;
  if (off === 0) return addr;
  if ((flags & ipc.SHM_RND) === 0) return -EINVAL;
  return addr - off === 0 && (flags & ipc.SHM_REMAP) !== 0 ? -EINVAL : addr - off;
}

function choosePlace(mm: Mm, wanted: number, size: number, remap: boolean): number {
  if (wanted === 0) return mm.findFree(size);
  if (wanted < MMAP_MIN) return -EPERM;
  if (!mm.isAllowed(wanted, size)) return -EINVAL;
  return remap || mm.isFree(wanted, size) ? wanted : -EINVAL;
}

/** Unmaps what is left of the attachment that began at `addr`. */
function shmdt(task: Task, addr: number): number {
  const { mm } = task;
  if (mm === null || addr % PAGE_SIZE !== 0) return -EINVAL;
  const parts: Vma[] = [];
  for (const vma of mm.vmas) {
    const { backing } = vma;
    if (!(backing instanceof Segment) || vma.start - vma.pos !== addr) continue;
    if (parts.length === 0 || parts[0]!.backing === backing) parts.push(vma);
  }
  for (const { start, length } of parts) mm.unmap(start, length);
  return parts.length > 0 ? 0 : -EINVAL;
}

const KIND: IpcKind<Segment> = {
  table: task => task.kernel.ipc.shm,
  commands: { info: ipc.SHM_INFO, stat: ipc.SHM_STAT, statAny: ipc.SHM_STAT_ANY },
  size: SHMID_DS_SIZE,
  write: writeShmid,
  info: (task, used, addr) => (used ? use(task, addr) : limits(task, addr)),
};

function shmctl(task: Task, id: number, cmd: number, addr: number): number {
  if (id < 0) return -EINVAL;
  if (cmd === ipc.SHM_LOCK || cmd === ipc.SHM_UNLOCK) return lock(task, id, cmd === ipc.SHM_LOCK);
  return control(task, KIND, id, cmd, addr) ?? -EINVAL;
}

/** The machine's memory is never swapped, so a lock is only a flag. */
function lock(task: Task, id: number, on: boolean): number {
  const segment = task.kernel.ipc.shm.find(id);
  if (typeof segment === 'number') return segment;
  if (!capable(task.cred, CAP_IPC_LOCK)) {
    if (segment.mayControl(task.cred) !== 0) return -EPERM;
    if (on && task.rlimit(RLIMIT_MEMLOCK) === 0) return -EPERM;
  }
  if (on) segment.mode |= ipc.SHM_LOCKED;
  else segment.mode &= ~ipc.SHM_LOCKED;
  return 0;
}

function limits(task: Task, addr: number): number {
  const at = outZeroed(task, addr, SHMINFO_SIZE);
  if (at < 0) return at;
  const { max, maxSize, maxPages, highest } = task.kernel.ipc.shm;
  writeShmLimits(task.user.view, at, [maxSize, 1, max, max, maxPages]);
  return highest;
}

function use(task: Task, addr: number): number {
  const at = outZeroed(task, addr, SHM_INFO_SIZE);
  if (at < 0) return at;
  const table = task.kernel.ipc.shm;
  let resident = 0;
  for (const { cache } of table) resident += cache.pageCount;
  writeShmUse(task.user.view, at, table.count, table.totalPages, resident);
  return table.highest;
}

const { SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC, SHM_HUGETLB } = ipc;

export const shmCalls: readonly Syscall[] = [
  call(
    'shmget',
    [int('key'), ulong('size'), flags('shmflg', { ...IPC_FLAGS, SHM_HUGETLB })],
    shmget,
    'no huge pages (SHM_HUGETLB)',
  ),
  call(
    'shmat',
    [int('shmid'), hex('shmaddr'), flags('shmflg', { SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC })],
    shmat,
  ),
  call('shmdt', [hex('shmaddr')], shmdt),
  call('shmctl', [int('shmid'), int('op'), hex('buf')], shmctl),
];
