/** /proc/PID/maps as a file: its text, and PROCMAP_QUERY, which asks for one area (linux/fs.h). */
import { findBuildId } from '../../arch/x86_64/build-id.ts';
import type { Cred } from '../../core/cred.ts';
import type { UserMemory } from '../../core/user.ts';
import { copyIn, copyOut } from '../../core/user-copy.ts';
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../../engine/engine.ts';
import { getUint64, setInt64 } from '../../lib/int64.ts';
import { latin1Bytes } from '../../lib/latin1.ts';
import { PAGE_SIZE } from '../../mm/ram.ts';
import type { Vma } from '../../mm/vma.ts';
import { E2BIG, EINVAL, ENAMETOOLONG, ENOENT, ENOTTY, ESRCH } from '../../uapi/errno.ts';
import * as uapi from '../../uapi/procmap.ts';
import { major, minor } from '../../uapi/stat.ts';
import type { File } from '../file.ts';
import type { Inode } from '../inode.ts';
import { special } from '../kernfs/entry.ts';
import { type Text, TextFile } from '../kernfs/text-file.ts';
import { traceGuard } from './access.ts';
import type { TaskContext, TaskEntry } from './context.ts';
import { nameOf, showMaps } from './maps.ts';
import type { ProcMm } from './source.ts';

/**
 * struct procmap_query, all u64 but four: 0 size | 8 query_flags | 16 query_addr | 24 vma_start | 32 vma_end |
 * 40 vma_flags | 48 vma_page_size | 56 vma_offset | 64 inode | 72 dev_major u32 | 76 dev_minor u32 |
 * 80 vma_name_size u32 | 84 build_id_size u32 | 88 vma_name_addr | 96 build_id_addr
 */
const QUERY_SIZE = 104;
const QUERY_MIN = 24;
const NAME_MAX = 4096;

const RIGHTS: readonly (readonly [number, number])[] = [
  [PROT_READ, uapi.PROCMAP_QUERY_VMA_READABLE],
  [PROT_WRITE, uapi.PROCMAP_QUERY_VMA_WRITABLE],
  [PROT_EXEC, uapi.PROCMAP_QUERY_VMA_EXECUTABLE],
];

class MapsFile extends TextFile {
  private readonly context: TaskContext;
  private readonly mm: ProcMm | null;

  constructor(inode: Inode, flags: number, cred: Cred, context: TaskContext) {
    const { mm } = context.task;
    super(inode, flags, cred, () => textOf(context, mm), null);
    this.context = context;
    this.mm = mm;
  }

  override ioctl(cmd: number, arg: number, user: UserMemory): number {
    return cmd === uapi.PROCMAP_QUERY ? this.query(user, arg) : -ENOTTY;
  }

  private query(user: UserMemory, addr: number): number {
    const bytes = readQuery(user, addr);
    if (typeof bytes === 'number') return bytes;
    const query = new DataView(bytes.buffer, 0, QUERY_SIZE);
    if (!isSound(query)) return -EINVAL;
    const { mm, context } = this;
    if (mm === null || context.task.mm !== mm) return -ESRCH;
    const vma = findArea(mm, getUint64(query, 16), getUint64(query, 8));
    if (vma === null) return -ENOENT;
    const file = vma.backing === null ? null : mm.fileOf(vma.backing);
    const told = tell(user, query, nameOf(vma, mm, context), file);
    if (told < 0) return told;
    describe(query, vma);
    return copyOut(user, addr, bytes.subarray(0, Math.min(getUint64(query, 0), QUERY_SIZE)));
  }
}

/** The areas of the address space that was opened; '' if the task has executed another program since. */
function textOf(context: TaskContext, mm: ProcMm | null): Text {
  const { task } = context;
  if (task.reaped) return -ESRCH;
  return task.mm === mm ? showMaps(task, context) : '';
}

/** A copy of the query, QUERY_SIZE bytes: a shorter query is padded, and the excess of a longer one must be zero. */
function readQuery(user: UserMemory, addr: number): Uint8Array | number {
  const at = user.in(addr, 8);
  if (at < 0) return at;
  const size = getUint64(user.view, at);
  if (size < QUERY_MIN) return -EINVAL;
  if (size > PAGE_SIZE) return -E2BIG;
  const given = copyIn(user, addr, size);
  if (typeof given === 'number') return given;
  if (given.subarray(QUERY_SIZE).some(byte => byte !== 0)) return -E2BIG;
  const bytes = new Uint8Array(QUERY_SIZE);
  bytes.set(given.subarray(0, QUERY_SIZE));
  setInt64(new DataView(bytes.buffer), 0, size);
  return bytes;
}

function isSound(query: DataView): boolean {
  const flags = getUint64(query, 8);
  if (flags > uapi.PROCMAP_QUERY_ALL) return false;
  const both = (size: number, addr: number): boolean =>
    (query.getUint32(size, true) !== 0) === (getUint64(query, addr) !== 0);
  return both(80, 88) && both(84, 96);
}

/** The area at an address, or after it if the flags say so, that matches the flags; else null. */
function findArea(mm: ProcMm, addr: number, flags: number): Vma | null {
  const next = (flags & uapi.PROCMAP_QUERY_COVERING_OR_NEXT_VMA) !== 0;
  const wanted = flags & uapi.PROCMAP_QUERY_VMA_ALL;
  for (const vma of mm.areas(addr)) {
    if (!next && vma.start > addr) return null;
    const fits = (flags & uapi.PROCMAP_QUERY_FILE_BACKED_VMA) === 0 || vma.backing !== null;
    if (fits && (wanted & ~flagsOf(vma)) === 0) return vma;
    if (!next) return null;
  }
  return null;
}

function flagsOf(vma: Vma): number {
  let flags = vma.shared ? uapi.PROCMAP_QUERY_VMA_SHARED : 0;
  for (const [bit, flag] of RIGHTS) if ((vma.prot & bit) !== 0) flags |= flag;
  return flags;
}

/** Copies out the name and the build ID if the query asks for them, and sets their lengths in it: 0 or -errno. */
function tell(user: UserMemory, query: DataView, name: string, file: File | null): number {
  if (query.getUint32(84, true) > 0) {
    const id = file === null ? null : findBuildId((buf, len, pos) => file.read(buf, 0, len, pos));
    const stored = put(user, query, 84, 96, id ?? new Uint8Array(0), query.getUint32(84, true));
    if (stored < 0) return stored;
  }
  if (query.getUint32(80, true) === 0) return 0;
  const bytes = latin1Bytes(name === '' ? '' : `${name}\0`);
  return put(user, query, 80, 88, bytes, Math.min(query.getUint32(80, true), NAME_MAX));
}

function put(
  user: UserMemory,
  query: DataView,
  size: number,
  addr: number,
  bytes: Uint8Array,
  room: number,
): number {
  if (bytes.length > room) return -ENAMETOOLONG;
  query.setUint32(size, bytes.length, true);
  return copyOut(user, getUint64(query, addr), bytes);
}

function describe(query: DataView, vma: Vma): void {
  const { start, end, backing, pos } = vma;
  const values = [start, end, flagsOf(vma), PAGE_SIZE, backing === null ? 0 : pos, backing?.ino ?? 0];
  for (const [i, value] of values.entries()) setInt64(query, 24 + 8 * i, value);
  query.setUint32(72, major(backing?.dev ?? 0), true);
  query.setUint32(76, minor(backing?.dev ?? 0), true);
}

export const MAPS_ENTRY: TaskEntry = special('maps', 0o444, (inode, flags, context, cred) => {
  const refused = traceGuard(context, cred);
  return refused < 0 ? refused : new MapsFile(inode, flags, cred, context);
});
