/** mmap(2), munmap(2), mprotect(2), mremap(2), brk(2): the rules; mm/ does the work. */
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../engine/engine.ts';
import { FileBacking } from '../kernel/file-backing.ts';
import type { Task } from '../kernel/task.ts';
import { MMAP_MIN, type Mm, TASK_SIZE } from '../mm/mm.ts';
import { PageCache } from '../mm/page-cache.ts';
import { PAGE_SIZE, pageUp } from '../mm/ram.ts';
import { type Backing, VM_LOCKED, VM_MAYWRITE, VM_NORESERVE, VM_SHARED, Vma } from '../mm/vma.ts';
import {
  EACCES,
  EBADF,
  EEXIST,
  EFAULT,
  EINVAL,
  ENOMEM,
  EOPNOTSUPP,
  EOVERFLOW,
  EPERM,
} from '../uapi/errno.ts';
import {
  MAP_32BIT,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_HUGETLB,
  MAP_LOCKED,
  MAP_NONBLOCK,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MAP_STACK,
  MAP_TYPE,
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
} from '../uapi/mman.ts';
import { MS_NOEXEC } from '../uapi/mount.ts';
import { RLIMIT_AS, RLIMIT_DATA } from '../uapi/resource.ts';
import { call, fd, flags, hex, pointer, type Syscall, ulong } from './args.ts';
import { fileOf } from './names.ts';

const PROT_NAMES = { PROT_READ: 1, PROT_WRITE: 2, PROT_EXEC: 4 };
const PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC;
/** PROT_SEM, PROT_GROWSDOWN, PROT_GROWSUP: taken and without effect. */
const PROT_IGNORED = 8 | 0x01000000 | 0x02000000;
/** MAP_DENYWRITE, MAP_EXECUTABLE, MAP_UNINITIALIZED: taken and without effect. */
const LEGACY_FLAGS = 0x800 | 0x1000 | 0x4000000;
const MAP_NAMES = {
  MAP_SHARED,
  MAP_PRIVATE,
  MAP_FIXED,
  MAP_ANONYMOUS,
  MAP_32BIT,
  MAP_GROWSDOWN,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_NONBLOCK,
  MAP_STACK,
  MAP_HUGETLB,
  MAP_FIXED_NOREPLACE,
};
/** What MAP_SHARED_VALIDATE lets pass: all but MAP_SYNC, which needs memory that keeps. */
const VALIDATED = Object.values(MAP_NAMES).reduce((all, flag) => all | flag, MAP_TYPE | LEGACY_FLAGS);
/** Where MAP_32BIT puts things: the second gigabyte. */
const LOW_LIMIT = 0x7e000000;
/** Mappings of a process (vm.max_map_count). */
const MAX_MAPS = 65530;

function mmap(
  task: Task,
  addr: number,
  len: number,
  prot: number,
  mapFlags: number,
  fdNumber: number,
  pos: number,
): number {
  const { mm } = task;
  if (mm === null) return -ENOMEM;
  const anonymous = (mapFlags & MAP_ANONYMOUS) !== 0;
  const file = anonymous ? null : fileOf(task, fdNumber);
  if (!anonymous && file === null) return -EBADF;
  if (pos % PAGE_SIZE !== 0) return -EINVAL;
  if (len === 0) return -EINVAL;
  const size = pageUp(len);
  if (!(size > 0 && size <= TASK_SIZE)) return -ENOMEM;
  if (pos + size > Number.MAX_SAFE_INTEGER || pos < 0) return -EOVERFLOW;
  if ((mapFlags & MAP_HUGETLB) !== 0) return anonymous ? -ENOMEM : -EINVAL;
  const type = mapFlags & MAP_TYPE;
  const shared = type === MAP_SHARED || type === MAP_SHARED_VALIDATE;
  if (!shared && type !== MAP_PRIVATE) return -EINVAL;
  if (type === MAP_SHARED_VALIDATE && (mapFlags & ~VALIDATED) !== 0) return -EOPNOTSUPP;
  const place = choosePlace(mm, addr, size, mapFlags);
  if (place < 0) return place;
  if (overLimit(task, mm, size, prot, shared) || mm.vmas.count >= MAX_MAPS) return -ENOMEM;
  const reserve = (mapFlags & MAP_NORESERVE) === 0 && !shared && (prot & PROT_WRITE) !== 0;
  if (reserve && anonymous && task.kernel.oom.refuses(size / PAGE_SIZE)) return -ENOMEM;
  const vma = new Vma(place, place + size, prot & PROT_ALL, shared ? VM_SHARED | VM_MAYWRITE : VM_MAYWRITE);
  if ((mapFlags & MAP_NORESERVE) !== 0) vma.flags |= VM_NORESERVE;
  if ((mapFlags & MAP_LOCKED) !== 0) vma.flags |= VM_LOCKED;
  if (file !== null && !file.mapsAnonymous) {
    const err = attachFile(vma, file, prot, shared, pos);
    if (err < 0) return err;
  } else if (shared) attachShared(task, vma, size);
  return mm.map(vma);
}

function choosePlace(mm: Mm, addr: number, size: number, mapFlags: number): number {
  if ((mapFlags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0) {
    if (addr % PAGE_SIZE !== 0) return -EINVAL;
    if (addr < MMAP_MIN) return -EPERM;
    if (!mm.isAllowed(addr, size)) return -ENOMEM;
    return (mapFlags & MAP_FIXED_NOREPLACE) !== 0 && !mm.isFree(addr, size) ? -EEXIST : addr;
  }
  if ((mapFlags & MAP_32BIT) !== 0) return mm.findFree(size, LOW_LIMIT);
  const hint = pageUp(addr);
  return addr > 0 && hint <= TASK_SIZE && mm.isFree(hint, size) ? hint : mm.findFree(size);
}

function overLimit(task: Task, mm: Mm, size: number, prot: number, shared: boolean): boolean {
  if (mm.totalPages * PAGE_SIZE + size > task.rlimit(RLIMIT_AS)) return true;
  if (shared || (prot & PROT_WRITE) === 0) return false;
  const limit = task.rlimit(RLIMIT_DATA);
  if (!Number.isFinite(limit)) return false;
  return mm.committedPages() * PAGE_SIZE + size > limit;
}

function attachFile(
  vma: Vma,
  file: NonNullable<ReturnType<Task['files']['get']>>,
  prot: number,
  shared: boolean,
  pos: number,
): number {
  if (!file.readable) return -EACCES;
  if (shared && (prot & PROT_WRITE) !== 0 && !file.writable) return -EACCES;
  if ((prot & PROT_EXEC) !== 0 && file.path !== null && (file.path.mount.flags & MS_NOEXEC) !== 0)
    return -EPERM;
  const cache = file.mmap(shared, (prot & PROT_WRITE) !== 0);
  if (typeof cache === 'number') return cache;
  if (shared && !file.mapsToWrite) vma.flags &= ~VM_MAYWRITE;
  vma.backing = new FileBacking(file, cache);
  vma.pos = pos;
  return 0;
}

/** Shared memory without a name: pages of their own, that forks see too. */
function attachShared(task: Task, vma: Vma, size: number): void {
  vma.backing = new AnonymousShared(new PageCache(task.kernel.ram, size, null));
}

class AnonymousShared implements Backing {
  readonly cache: PageCache;
  readonly dev = 1;
  readonly ino = 0;
  private refs = 1;

  constructor(cache: PageCache) {
    this.cache = cache;
  }

  get(): this {
    this.refs++;
    return this;
  }

  put(): void {
    if (--this.refs === 0) this.cache.destroy();
  }

  sync(): number {
    return 0;
  }
}

function munmap(task: Task, addr: number, len: number): number {
  const { mm } = task;
  if (mm === null || addr % PAGE_SIZE !== 0 || len === 0) return -EINVAL;
  const size = pageUp(len);
  if (!(size > 0) || addr + size > TASK_SIZE) return -EINVAL;
  mm.unmap(addr, size);
  return 0;
}

function mprotect(task: Task, addr: number, len: number, prot: number): number {
  const { mm } = task;
  if (mm === null || addr % PAGE_SIZE !== 0 || (prot & ~(PROT_ALL | PROT_IGNORED)) !== 0) return -EINVAL;
  if (len === 0) return 0;
  const size = pageUp(len);
  if (!(size > 0) || addr + size > TASK_SIZE) return -ENOMEM;
  // What is mapped up to the first hole changes all the same.
  const covered = mm.vmas.coveredFrom(addr, addr + size) - addr;
  if (covered === 0) return -ENOMEM;
  if ((prot & PROT_WRITE) !== 0 && !mm.mayWrite(addr, covered)) return -EACCES;
  mm.protect(addr, covered, prot & PROT_ALL);
  return covered < size ? -ENOMEM : 0;
}

function brk(task: Task, addr: number): number {
  const { mm } = task;
  if (mm === null) return -ENOMEM;
  if (addr < mm.brkStart || addr > TASK_SIZE) return mm.brk;
  const from = pageUp(mm.brk);
  const to = pageUp(addr);
  if (to > from) {
    if (addr - mm.brkStart > task.rlimit(RLIMIT_DATA) || !mm.isFree(from, to - from)) return mm.brk;
    if (overLimit(task, mm, to - from, PROT_WRITE, false)) return mm.brk;
    const vma = new Vma(from, to, PROT_READ | PROT_WRITE, VM_MAYWRITE);
    vma.name = '[heap]';
    mm.map(vma);
  } else if (to < from) mm.unmap(to, from - to);
  mm.brk = addr;
  return addr;
}

function mremap(task: Task, addr: number, oldLen: number, newLen: number, how: number, wish: number): number {
  const { mm } = task;
  if (mm === null || addr % PAGE_SIZE !== 0 || newLen === 0) return -EINVAL;
  if ((how & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0) return -EINVAL;
  if ((how & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0 && (how & MREMAP_MAYMOVE) === 0) return -EINVAL;
  if ((how & MREMAP_DONTUNMAP) !== 0) return -EINVAL;
  const from = pageUp(oldLen);
  const to = pageUp(newLen);
  const vma = mm.vmas.find(addr);
  if (vma === null) return -EFAULT;
  if (from === 0) return -EINVAL;
  if (addr + from > vma.end) return -EFAULT;
  if (!(to <= TASK_SIZE)) return -ENOMEM;
  if ((how & MREMAP_FIXED) !== 0) return moveTo(mm, addr, from, to, wish);
  if (to <= from) {
    if (to < from) mm.unmap(addr + to, from - to);
    return addr;
  }
  if (overLimit(task, mm, to - from, vma.prot, vma.shared)) return -ENOMEM;
  if (addr + from === vma.end && mm.isFree(vma.end, to - from)) {
    mm.extend(vma, to - from);
    return addr;
  }
  if ((how & MREMAP_MAYMOVE) === 0) return -ENOMEM;
  const place = mm.findFree(to);
  if (place < 0) return place;
  mm.vmas.isolate(addr, addr + from);
  mm.move(addr, from, to, place);
  return place;
}

function moveTo(mm: Mm, addr: number, from: number, to: number, wish: number): number {
  if (wish % PAGE_SIZE !== 0 || !mm.isAllowed(wish, to)) return -EINVAL;
  if (wish < addr + from && addr < wish + to) return -EINVAL;
  mm.unmap(wish, to);
  if (to < from) mm.unmap(addr + to, from - to);
  const len = Math.min(from, to);
  mm.vmas.isolate(addr, addr + len);
  mm.move(addr, len, to, wish);
  return wish;
}

export const mmapCalls: readonly Syscall[] = [
  call(
    'mmap',
    [
      pointer('addr'),
      ulong('length'),
      flags('prot', PROT_NAMES),
      flags('flags', MAP_NAMES),
      fd('fd'),
      hex('offset'),
    ],
    mmap,
    'no huge pages (MAP_HUGETLB)',
  ),
  call('munmap', [pointer('addr'), ulong('length')], munmap),
  call('mprotect', [pointer('addr'), ulong('len'), flags('prot', PROT_NAMES)], mprotect),
  call('brk', [pointer('addr')], brk),
  call(
    'mremap',
    [
      pointer('old_address'),
      ulong('old_size'),
      ulong('new_size'),
      flags('flags', { MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP }),
      pointer('new_address'),
    ],
    mremap,
    'no MREMAP_DONTUNMAP, no duplication of shared mappings (old_size 0)',
  ),
];
