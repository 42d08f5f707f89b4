/** mmap(2), munmap(2), brk(2), remap_file_pages(2): the rules; mm/ does the work. */
import { PROT_EXEC, PROT_WRITE } from '../engine/engine.ts';
import type { File } from '../fs/file.ts';
import { isAppendOnly } from '../fs/flags.ts';
import { FileBacking } from '../kernel/file-backing.ts';
import type { Task } from '../kernel/task.ts';
import { wrap64 } from '../lib/int64.ts';
import { faultIn, isFilled } from '../mm/advice.ts';
import type { Mm } from '../mm/mm.ts';
import { newHeap } from '../mm/own-break.ts';
import { PageCache } from '../mm/page-cache.ts';
import { MMAP_MIN, TASK_SIZE } from '../mm/places.ts';
import { PAGE_SIZE, pageDown, pageUp } from '../mm/ram.ts';
import {
  type Backing,
  VM_DROPPABLE,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_MAYWRITE,
  VM_NOEXEC,
  VM_NORESERVE,
  VM_SHARED,
  VM_WIPEONFORK,
  Vma,
} from '../mm/vma.ts';
import {
  EACCES,
  EAGAIN,
  EBADF,
  EEXIST,
  EINVAL,
  ENOMEM,
  EOPNOTSUPP,
  EOVERFLOW,
  EPERM,
} from '../uapi/errno.ts';
import {
  HUGE_LOGS,
  HUGE_MASK,
  HUGE_SHIFT,
  MAP_32BIT,
  MAP_ANONYMOUS,
  MAP_DENYWRITE,
  MAP_DROPPABLE,
  MAP_EXECUTABLE,
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
  USUAL_HUGE_LOG,
} from '../uapi/mman.ts';
import { MS_NOEXEC } from '../uapi/mount.ts';
import { RLIMIT_DATA } from '../uapi/resource.ts';
import { address, call, extent, fd, flags, foreseeable, type Syscall } from './args.ts';
import { canLock, hasRoom, lockFits, mayAdd, overCommit, overLimit } from './mm-limits.ts';
import { PROT_ALL, PROT_NAMES } from './mprotect.ts';
import { fileOf } from './names.ts';

/** MAP_DENYWRITE, MAP_EXECUTABLE, MAP_UNINITIALIZED: accepted without effect. */
const LEGACY_FLAGS = 0x800 | 0x1000 | 0x4000000;
const MAP_NAMES = {
  MAP_SHARED,
  MAP_PRIVATE,
  MAP_DROPPABLE,
  MAP_FIXED,
  MAP_ANONYMOUS,
  MAP_32BIT,
  MAP_GROWSDOWN,
  MAP_DENYWRITE,
  MAP_EXECUTABLE,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_NONBLOCK,
  MAP_STACK,
  MAP_HUGETLB,
  MAP_FIXED_NOREPLACE,
};
/** MAP_ABOVE4G, and the bits for sizes of huge pages. */
const OTHER_FLAGS = 0x80 | 0x7c000000;
/** What MAP_SHARED_VALIDATE lets pass: all but MAP_SYNC, which needs persistent memory. */
const VALIDATED = Object.values(MAP_NAMES).reduce(
  (all, flag) => all | flag,
  MAP_TYPE | LEGACY_FLAGS | OTHER_FLAGS,
);
/** The end of the addresses for MAP_32BIT, in the second gigabyte. */
const LOW_LIMIT = 0x7e000000;

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
  if (pos % PAGE_SIZE !== 0) return -EINVAL;
  const anonymous = (mapFlags & MAP_ANONYMOUS) !== 0;
  const file = anonymous ? null : fileOf(task, fdNumber);
  if (!anonymous && file === null) return -EBADF;
  if (len === 0) return -EINVAL;
  const size = wrap64(pageUp(len));
  if (size === 0 || size > TASK_SIZE) return -ENOMEM;
  if ((mapFlags & MAP_HUGETLB) !== 0) return anonymous ? hugePages(addr, mapFlags) : -EINVAL;
  const place = choosePlace(mm, addr, size, mapFlags);
  if (place < 0) return place;
  const vma = new Vma(place, place + size, prot & PROT_ALL, mm.defFlags | VM_MAYWRITE);
  if ((mapFlags & MAP_NORESERVE) !== 0) vma.flags |= VM_NORESERVE;
  if ((mapFlags & MAP_LOCKED) !== 0) vma.flags |= VM_LOCKED;
  const denied = mayLock(task, mm, size, vma.flags, mapFlags) || attach(task, vma, file, mapFlags, pos);
  if (denied < 0) return denied;
  const refused = mayMap(task, mm, vma, mapFlags);
  if (refused < 0) vma.backing?.put();
  const mapped = refused < 0 ? refused : mm.map(vma);
  if (mapped < 0) return mapped;
  const populate = (mapFlags & (MAP_POPULATE | MAP_NONBLOCK)) === MAP_POPULATE;
  if (populate || isFilled(vma.flags)) faultIn(mm, place, place + size);
  return mapped;
}

/** Memory of huge pages: -EINVAL for a bad request, else -ENOMEM, for there are none. */
function hugePages(addr: number, mapFlags: number): number {
  const type = mapFlags & MAP_TYPE;
  const log = (mapFlags >>> HUGE_SHIFT) & HUGE_MASK;
  if (!HUGE_LOGS.includes(log) || type === 0 || type > MAP_SHARED_VALIDATE) return -EINVAL;
  if ((mapFlags & MAP_GROWSDOWN) !== 0) return -EINVAL;
  const fixed = (mapFlags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0;
  return fixed && addr % 2 ** (log || USUAL_HUGE_LOG) !== 0 ? -EINVAL : -ENOMEM;
}

function choosePlace(mm: Mm, addr: number, size: number, mapFlags: number): number {
  if ((mapFlags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0) {
    if (addr > TASK_SIZE - size) return -ENOMEM;
    if (addr % PAGE_SIZE !== 0) return -EINVAL;
    if (addr < MMAP_MIN) return -EPERM;
    if (!mm.isAllowed(addr, size)) return -ENOMEM;
    return (mapFlags & MAP_FIXED_NOREPLACE) !== 0 && !mm.isFree(addr, size) ? -EEXIST : addr;
  }
  const low = (mapFlags & MAP_32BIT) !== 0;
  const hint = pageUp(addr);
  if (addr > 0 && hint <= (low ? LOW_LIMIT - size : TASK_SIZE) && mm.isFree(hint, size, true)) return hint;
  return low ? mm.findFree(size, LOW_LIMIT) : mm.findFree(size);
}

/** Whether `size` more bytes may be locked, by MAP_LOCKED or after mlockall(2): 0, -EPERM or -EAGAIN. */
function mayLock(task: Task, mm: Mm, size: number, vmaFlags: number, mapFlags: number): number {
  if ((mapFlags & MAP_LOCKED) !== 0 && !canLock(task)) return -EPERM;
  return lockFits(task, mm, size, vmaFlags) ? 0 : -EAGAIN;
}

/** Checks sealed areas and the limits of the address space, its areas and memory: 0, -EPERM or -ENOMEM. */
function mayMap(task: Task, mm: Mm, { start, end, prot, flags, shared, backing }: Vma, how: number): number {
  const replaces = (how & MAP_FIXED) !== 0;
  if (replaces && mm.vmas.isSealed(start, end)) return -EPERM;
  const size = end - start;
  const isOver = (more: number): boolean => overLimit(task, mm, more, prot, shared);
  // A replaced area makes room, which is counted only if it matters: loaders replace all the time.
  const fits = !isOver(size) || (replaces && !isOver(size - mm.vmas.mappedBytes(start, end)));
  if (!fits || !mayAdd(task, mm)) return -ENOMEM;
  const counts = shared ? backing instanceof AnonymousShared : (prot & PROT_WRITE) !== 0;
  const refused = counts && (flags & VM_NORESERVE) === 0 && overCommit(task, size);
  return refused ? -ENOMEM : 0;
}

/** Attaches what is mapped: private memory, shared memory, or a file. */
function attach(task: Task, vma: Vma, file: File | null, mapFlags: number, pos: number): number {
  const type = mapFlags & MAP_TYPE;
  const growsDown = (mapFlags & MAP_GROWSDOWN) !== 0;
  if (file !== null) {
    const failed = fileRights(vma, file, mapFlags);
    if (failed < 0) return failed;
    if (!file.mapsAnonymous) return growsDown ? -EINVAL : attachFile(vma, file, pos);
  } else if (type === MAP_SHARED) vma.flags |= VM_SHARED;
  else if (type === MAP_DROPPABLE) {
    if (growsDown || (mapFlags & MAP_LOCKED) !== 0) return -EINVAL;
    vma.flags |= VM_DROPPABLE | VM_NORESERVE | VM_WIPEONFORK;
  } else if (type !== MAP_PRIVATE) return -EINVAL;
  if (vma.shared && growsDown) return -EINVAL;
  if (vma.shared) attachShared(task, vma, vma.length);
  else if (growsDown) vma.flags |= VM_GROWSDOWN;
  return 0;
}

/** Checks and sets what the mapping of a file may be and may become. */
function fileRights(vma: Vma, file: File, mapFlags: number): number {
  const type = mapFlags & MAP_TYPE;
  const writes = (vma.prot & PROT_WRITE) !== 0;
  if (type === MAP_SHARED_VALIDATE && (mapFlags & ~VALIDATED) !== 0) return -EOPNOTSUPP;
  if (type === MAP_SHARED || type === MAP_SHARED_VALIDATE) {
    if ((writes && !file.writable) || (file.writable && isAppendOnly(file.inode))) return -EACCES;
    vma.flags |= VM_SHARED;
    if (!file.mapsToWrite) vma.flags &= ~VM_MAYWRITE;
  } else if (type !== MAP_PRIVATE) return -EINVAL;
  if (!file.readable) return -EACCES;
  if (file.path === null || (file.path.mount.flags & MS_NOEXEC) === 0) return 0;
  if ((vma.prot & PROT_EXEC) !== 0) return -EPERM;
  vma.flags |= VM_NOEXEC;
  return 0;
}

function attachFile(vma: Vma, file: File, pos: number): number {
  if (pos + vma.length > Number.MAX_SAFE_INTEGER) return -EOVERFLOW;
  const cache = file.mmap(vma.shared, (vma.prot & PROT_WRITE) !== 0);
  if (typeof cache === 'number') return cache;
  vma.backing = new FileBacking(file, cache);
  vma.pos = pos;
  return 0;
}

/** Shared memory without a name: a page cache of its own, which forked children share. */
function attachShared(task: Task, vma: Vma, size: number): void {
  vma.backing = new AnonymousShared(new PageCache(task.kernel.ram, size, null));
}

class AnonymousShared implements Backing {
  readonly cache: PageCache;
  readonly hearsStores = false;
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

  stored(): void {}

  sync(): number {
    return 0;
  }
}

function munmap(task: Task, addr: number, len: number): number {
  const { mm } = task;
  if (mm === null || addr % PAGE_SIZE !== 0 || addr > TASK_SIZE || len > TASK_SIZE - addr) return -EINVAL;
  const size = pageUp(len);
  if (size === 0) return -EINVAL;
  if (mm.vmas.isSealed(addr, addr + size)) return -EPERM;
  const splits = mm.vmas.cuts(addr, addr + size) === 2 && mm.vmas.find(addr)!.end > addr + size;
  if (splits && !hasRoom(task, mm)) return -ENOMEM;
  mm.unmap(addr, size);
  return 0;
}

function brk(task: Task, addr: number): number {
  const { mm } = task;
  if (mm === null) return -ENOMEM;
  if (addr < mm.brkStart || addr > TASK_SIZE) return mm.brk;
  const data = addr - mm.brkStart + (mm.endData - mm.startData);
  if (data > task.rlimit(RLIMIT_DATA)) return mm.brk;
  const from = pageUp(mm.brk);
  const to = pageUp(addr);
  if (to > from) {
    if (!mayBreak(task, mm, from, to)) return mm.brk;
    mm.map(newHeap(mm, from, to));
    if (isFilled(mm.defFlags)) faultIn(mm, from, to);
  } else if (to < from) {
    const first = mm.vmas.at(mm.vmas.indexAfter(to));
    if (first === undefined || first.start >= from || mm.vmas.isSealed(to, from)) return mm.brk;
    mm.unmap(to, from - to);
  }
  mm.brk = addr;
  return addr;
}

function mayBreak(task: Task, mm: Mm, from: number, to: number): boolean {
  if (!mm.isFree(from, to - from + PAGE_SIZE, true) || !lockFits(task, mm, to - from, mm.defFlags))
    return false;
  return !overLimit(task, mm, to - from, PROT_WRITE, false) && !overCommit(task, to - from);
}

/** remap_file_pages(2), as Linux does it since 4.0: by another mapping of the file, at another position. */
function remapFilePages(
  task: Task,
  addr: number,
  len: number,
  prot: number,
  page: number,
  how: number,
): number {
  const { mm } = task;
  const start = pageDown(addr);
  const size = pageDown(len);
  if (mm === null || prot !== 0 || wrap64(start + size) <= start) return -EINVAL;
  const pos = page * PAGE_SIZE;
  if (pos + size > Number.MAX_SAFE_INTEGER) return -EINVAL;
  const vma = mm.vmas.find(start);
  if (vma === null || !vma.shared || vma.backing === null) return -EINVAL;
  for (const next of mm.vmas.within(start, start + size))
    if (next.backing?.cache !== vma.backing.cache || next.flags !== vma.flags) return -EINVAL;
  if (!mm.vmas.covering(start, start + size)) return -EINVAL;
  if (mm.vmas.isSealed(start, start + size)) return -EPERM;
  const mapped = mm.duplicate(vma, start, size, pos);
  if (mapped < 0) return mapped;
  if ((how & MAP_NONBLOCK) === 0 || isFilled(vma.flags)) faultIn(mm, start, start + size);
  return 0;
}

export const mmapCalls: readonly Syscall[] = [
  foreseeable(
    call(
      'mmap',
      [
        address('addr'),
        extent('length'),
        flags('prot', PROT_NAMES),
        flags('flags', MAP_NAMES),
        fd('fd'),
        { ...extent('offset'), kind: 'hex' },
      ],
      mmap,
      'no huge pages (MAP_HUGETLB)',
    ),
    {
      act: 'map',
      args: ['place', 'word', 'int', 'int', 'file', 'word'],
      run: (task, [addr, len, prot, how, fd, pos]) => mmap(task, addr!, len!, prot!, how!, fd!, pos!),
    },
  ),
  foreseeable(call('munmap', [address('addr'), extent('length')], munmap), {
    act: 'unmap',
    args: ['place', 'word'],
    run: (task, [addr, len]) => munmap(task, addr!, len!),
  }),
  call('brk', [address('addr')], brk),
  call(
    'remap_file_pages',
    [address('addr'), extent('size'), flags('prot', PROT_NAMES), extent('pgoff'), flags('flags', MAP_NAMES)],
    remapFilePages,
  ),
];
