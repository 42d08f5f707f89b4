/** msync(2), mincore(2), cachestat(2): writing mapped files back, and asking what is in memory. */
import { CAP_FOWNER, capable } from '../core/cred.ts';
import { copyIn, copyOut } from '../core/user-copy.ts';
import type { File } from '../fs/file.ts';
import { permission } from '../fs/permission.ts';
import { FileBacking } from '../kernel/file-backing.ts';
import { Slice } from '../kernel/slice.ts';
import type { Task } from '../kernel/task.ts';
import { getUint64, setInt64, wrap64 } from '../lib/int64.ts';
import { residency } from '../mm/advice.ts';
import { touched } from '../mm/file-pages.ts';
import type { Mm } from '../mm/mm.ts';
import { TASK_SIZE } from '../mm/places.ts';
import { PAGE_SIZE, pageUp } from '../mm/ram.ts';
import { VM_LOCKED, type Vma } from '../mm/vma.ts';
import { EBADF, EBUSY, EFAULT, EINTR, EINVAL, ENOMEM, EPERM } from '../uapi/errno.ts';
import { MS_ASYNC, MS_INVALIDATE, MS_SYNC } from '../uapi/mman.ts';
import { isReg, MAY_WRITE } from '../uapi/stat.ts';
import {
  address,
  call,
  extent,
  fd,
  flags,
  inStruct,
  outStruct,
  pointer,
  type Syscall,
  uint,
} from './args.ts';
import { fileOf } from './names.ts';

/** Pages handled at once. */
const PIECE = 4096;

function msync(task: Task, addr: number, len: number, how: number): number {
  const { mm } = task;
  if (mm === null || (how & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0 || addr % PAGE_SIZE !== 0)
    return -EINVAL;
  if ((how & MS_ASYNC) !== 0 && (how & MS_SYNC) !== 0) return -EINVAL;
  const end = wrap64(addr + wrap64(pageUp(len)));
  if (end < addr) return -ENOMEM;
  for (const vma of mm.vmas.within(addr, end)) {
    if ((how & MS_INVALIDATE) !== 0 && (vma.flags & VM_LOCKED) !== 0) return -EBUSY;
    if (vma.backing === null || !vma.shared) continue;
    const from = Math.max(addr, vma.start);
    const failed = vma.backing.sync(vma.posOf(from), Math.min(end, vma.end) - from);
    if (failed < 0) return failed;
  }
  return mm.vmas.covering(addr, end) ? 0 : -ENOMEM;
}

function mincore(task: Task, addr: number, len: number, vec: number): number | Promise<number> {
  if (task.mm === null || addr % PAGE_SIZE !== 0) return -EINVAL;
  const pages = pageUp(len) / PAGE_SIZE;
  if (addr > TASK_SIZE || len > TASK_SIZE - addr) return -ENOMEM;
  if (vec > TASK_SIZE - pages) return -EFAULT;
  return tellResidency(task, task.mm, addr, pages, vec);
}

function tellResidency(
  task: Task,
  mm: Mm,
  addr: number,
  pages: number,
  vec: number,
): number | Promise<number> {
  const slice = new Slice(task);
  for (let done = 0; done < pages; ) {
    const at = addr + done * PAGE_SIZE;
    const vma = mm.vmas.find(at);
    if (vma === null) return -ENOMEM;
    const found = new Uint8Array(Math.min(pages - done, (vma.end - at) / PAGE_SIZE, PIECE));
    if (mayKnow(task, vma)) residency(mm, vma, at, found);
    else found.fill(1);
    const failed = copyOut(task.user, vec + done, found);
    if (failed < 0) return failed;
    done += found.length;
    if (done === pages || !slice.isOver) continue;
    const rest = (goesOn: boolean): number | Promise<number> =>
      goesOn ? tellResidency(task, mm, addr + done * PAGE_SIZE, pages - done, vec + done) : -EINTR;
    return slice.pause().then(rest);
  }
  return 0;
}

/** Only a task that may write to a file, or owns it, learns which of its pages are in memory. */
function mayKnow({ cred }: Task, { backing }: Vma): boolean {
  if (!(backing instanceof FileBacking)) return true;
  const { inode } = backing.file;
  if (inode.uid === cred.fsuid || capable(cred, CAP_FOWNER)) return true;
  return permission(inode, MAY_WRITE, cred) === 0;
}

const RANGE_SIZE = 16;
/** nr_cache, nr_dirty, nr_writeback, nr_evicted, nr_recently_evicted. */
const STAT_SIZE = 40;

function cachestat(task: Task, fdNumber: number, range: number, out: number, how: number): number {
  const { mm } = task;
  const file = fileOf(task, fdNumber);
  if (mm === null || file === null) return -EBADF;
  const bytes = copyIn(task.user, range, RANGE_SIZE);
  if (typeof bytes === 'number') return bytes;
  if (how !== 0) return -EINVAL;
  if (!mayStat(task, file)) return -EPERM;
  const view = new DataView(bytes.buffer, bytes.byteOffset, RANGE_SIZE);
  const stat = new Uint8Array(STAT_SIZE);
  setInt64(new DataView(stat.buffer), 0, cachedPages(task, file, getUint64(view, 0), getUint64(view, 8)));
  return copyOut(task.user, out, stat);
}

const mayStat = ({ cred }: Task, file: File): boolean =>
  file.writable ||
  file.inode.uid === cred.fsuid ||
  capable(cred, CAP_FOWNER) ||
  permission(file.inode, MAY_WRITE, cred) === 0;

/** Pages of [pos, pos + len) in memory; up to the file's end if `len` is 0. Skips holes, which may be huge. */
function cachedPages(task: Task, file: File, pos: number, len: number): number {
  const cache = isReg(file.inode.mode) ? file.mmap(false, false) : 0;
  if (typeof cache === 'number') return 0;
  const first = Math.floor(pos / PAGE_SIZE);
  const stop = Math.ceil(Math.min(cache.size, len === 0 ? cache.size : pos + len) / PAGE_SIZE);
  let count = 0;
  for (let page = cache.nextPage(first, true); page < stop; page = cache.nextPage(page + PIECE, true)) {
    const found = new Uint8Array(Math.min(PIECE, stop - page));
    touched(task.mm!, cache, page, found);
    for (const is of found) count += is;
  }
  return count;
}

export const mincoreCalls: readonly Syscall[] = [
  call(
    'msync',
    [address('addr'), extent('length'), flags('flags', { MS_ASYNC, MS_SYNC, MS_INVALIDATE })],
    msync,
  ),
  call('mincore', [address('addr'), extent('length'), pointer('vec')], mincore),
  call(
    'cachestat',
    [fd('fd'), inStruct('cstat_range', RANGE_SIZE), outStruct('cstat', STAT_SIZE), uint('flags')],
    cachestat,
    'no page counts as dirty or evicted',
  ),
];
