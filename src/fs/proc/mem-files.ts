/**
 * Files that show a task's memory: mem, cmdline, environ, auxv, pagemap.
 *
 * A file stays with the address space that the task had when it was opened (except cmdline, which every task
 * may read). After an exec it reads as empty, so that a reader sees nothing of a program that it may not trace.
 */
import type { Cred } from '../../core/cred.ts';
import { int64Bytes } from '../../lib/int64.ts';
import type { Result } from '../../lib/result.ts';
import { PAGE_SIZE } from '../../mm/ram.ts';
import { EINVAL, ESRCH } from '../../uapi/errno.ts';
import { SEEK_CUR, SEEK_SET } from '../../uapi/fcntl.ts';
import { File } from '../file.ts';
import type { Inode } from '../inode.ts';
import { special } from '../kernfs/entry.ts';
import { traceGuard } from './access.ts';
import type { TaskContext, TaskEntry } from './context.ts';
import { PAGE_FILE, PAGE_PRESENT, type ProcMm, type ProcTask } from './source.ts';

abstract class MmFile extends File {
  protected readonly task: ProcTask;
  private readonly openedMm: ProcMm | null;

  constructor(inode: Inode, flags: number, task: ProcTask) {
    super(inode, flags);
    this.task = task;
    this.openedMm = task.mm;
  }

  /** The address space if it is still the one that was opened, else null. */
  protected get mm(): ProcMm | null {
    return !this.task.reaped && this.task.mm === this.openedMm ? this.openedMm : null;
  }
}

/** /proc/PID/mem: a position is an address (proc_pid_mem(5)). */
class MemFile extends MmFile {
  override read(buf: Uint8Array, off: number, len: number, pos: number): number {
    return this.mm?.read(pos, buf, off, len) ?? 0;
  }

  override write(buf: Uint8Array, off: number, len: number, pos: number): number {
    return this.mm?.write(pos, buf, off, len) ?? 0;
  }

  override seek(offset: number, whence: number): number {
    return whence === SEEK_SET || whence === SEEK_CUR ? super.seek(offset, whence) : -EINVAL;
  }
}

/** The environment that the program was started with, or what it has since written there. */
class EnvironFile extends MmFile {
  override read(buf: Uint8Array, off: number, len: number, pos: number): number {
    const { mm } = this;
    return mm === null ? 0 : readRange(mm, mm.layout.envStart, mm.layout.envEnd, buf, off, len, pos);
  }
}

class AuxvFile extends MmFile {
  override read(buf: Uint8Array, off: number, len: number, pos: number): number {
    if (this.mm === null) return 0;
    const rest = int64Bytes(this.mm.layout.auxv).subarray(pos, pos + len);
    buf.set(rest, off);
    return rest.length;
  }
}

/** The arguments, or the title that the program has written over them and the environment (proc_pid_cmdline(5)). */
class CmdlineFile extends File {
  private readonly task: ProcTask;

  constructor(inode: Inode, flags: number, task: ProcTask) {
    super(inode, flags);
    this.task = task;
  }

  override read(buf: Uint8Array, off: number, len: number, pos: number): number {
    if (this.task.reaped) return -ESRCH;
    const { mm } = this.task;
    if (mm === null) return 0;
    const { argStart, argEnd } = mm.layout;
    const last = new Uint8Array(1);
    if (argEnd <= argStart || mm.read(argEnd - 1, last, 0, 1) !== 1) return 0;
    if (last[0] === 0) return readRange(mm, argStart, argEnd, buf, off, len, pos);
    const title = titleOf(mm).subarray(pos, pos + len);
    buf.set(title, off);
    return title.length;
  }
}

/** From the start of the arguments up to and including the first NUL, at most a page. */
function titleOf(mm: ProcMm): Uint8Array {
  const { argStart, argEnd, envEnd } = mm.layout;
  const bytes = new Uint8Array(Math.min(PAGE_SIZE, Math.max(argEnd, envEnd) - argStart));
  const n = Math.max(0, mm.read(argStart, bytes, 0, bytes.length));
  const nul = bytes.indexOf(0);
  return bytes.subarray(0, nul >= 0 && nul < n ? nul + 1 : n);
}

function readRange(
  mm: ProcMm,
  start: number,
  end: number,
  buf: Uint8Array,
  off: number,
  len: number,
  pos: number,
): number {
  const n = Math.min(len, end - start - pos);
  return n <= 0 ? 0 : mm.read(start + pos, buf, off, n);
}

/** Eight bytes a page. Frame numbers are always zero, as on Linux without CAP_SYS_ADMIN. */
const PAGEMAP_ENTRY = 8;
/** The most pages that one read reports. */
const MOST_ENTRIES = 8192;
const ADDRESS_LIMIT = 2 ** 47;

class PagemapFile extends MmFile {
  override read(buf: Uint8Array, off: number, len: number, pos: number): number {
    if (pos % PAGEMAP_ENTRY !== 0 || len % PAGEMAP_ENTRY !== 0) return -EINVAL;
    const { mm } = this;
    if (mm === null) return 0;
    const first = pos / PAGEMAP_ENTRY;
    const count = Math.min(len / PAGEMAP_ENTRY, MOST_ENTRIES, ADDRESS_LIMIT / PAGE_SIZE - first);
    if (count <= 0) return 0;
    buf.fill(0, off, off + count * PAGEMAP_ENTRY);
    for (let i = 0; i < count; i++) {
      const state = mm.pageState((first + i) * PAGE_SIZE);
      // Bit 63: present; bit 61: of a file or shared.
      buf[off + i * PAGEMAP_ENTRY + 7] = (state & PAGE_PRESENT ? 0x80 : 0) | (state & PAGE_FILE ? 0x20 : 0);
    }
    return count * PAGEMAP_ENTRY;
  }
}

type MmFileClass = new (inode: Inode, flags: number, task: ProcTask) => File;

const opener =
  (Kind: MmFileClass, guarded: boolean) =>
  (inode: Inode, flags: number, context: TaskContext, cred: Cred): Result<File> => {
    if (context.task.reaped) return -ESRCH;
    if (!guarded) return new Kind(inode, flags, context.task);
    const refused = traceGuard(context, cred);
    if (refused < 0) return refused;
    return context.task.mm === null ? -ESRCH : new Kind(inode, flags, context.task);
  };

export const MEM_ENTRIES: readonly TaskEntry[] = [
  special('cmdline', 0o444, opener(CmdlineFile, false)),
  special('environ', 0o400, opener(EnvironFile, true)),
  special('auxv', 0o400, opener(AuxvFile, true)),
  special('mem', 0o600, opener(MemFile, true)),
  special('pagemap', 0o400, opener(PagemapFile, true)),
];
