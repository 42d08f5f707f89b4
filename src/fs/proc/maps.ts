/**
 * /proc/PID/maps, smaps and smaps_rollup (proc_pid_maps(5), proc_pid_smaps(5)).
 *
 * Mappings of a page are not counted: Pss (the proportional share) is the same as Rss.
 */

import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../../engine/engine.ts';
import { PAGE_SIZE } from '../../mm/ram.ts';
import { VM_LOCKED, type Vma } from '../../mm/vma.ts';
import { ESRCH } from '../../uapi/errno.ts';
import { major, minor } from '../../uapi/stat.ts';
import { pathString } from '../d-path.ts';
import type { Text } from '../kernfs/text-file.ts';
import { type TaskContext, viewerRoot } from './context.ts';
import { escapeBlanks, hex, kibRow } from './format.ts';
import { isStack, measure } from './sizes.ts';
import type { ProcMm, ProcTask } from './source.ts';

/** The column where names begin, unless the text before is longer. */
const NAME_COLUMN = 73;

/** The name of shared anonymous memory, which on Linux has a file of its own. */
const SHARED_ANONYMOUS = '/dev/zero (deleted)';

/** The name of an area; '' if it has none. */
export function nameOf(vma: Vma, mm: ProcMm, { source }: TaskContext): string {
  if (vma.name !== '' || vma.backing === null) return vma.name;
  const file = mm.fileOf(vma.backing);
  if (file === null) return SHARED_ANONYMOUS;
  return file.path === null ? file.linkName : pathString(file.path, viewerRoot(source));
}

function permissions({ prot, shared }: Vma): string {
  const letter = (bit: number, is: string): string => ((prot & bit) !== 0 ? is : '-');
  return `${letter(PROT_READ, 'r')}${letter(PROT_WRITE, 'w')}${letter(PROT_EXEC, 'x')}${shared ? 's' : 'p'}`;
}

function header(vma: Vma, name: string): string {
  const { start, end, backing, pos } = vma;
  const dev = backing?.dev ?? 0;
  const device = `${hex(major(dev), 2)}:${hex(minor(dev), 2)} ${backing?.ino ?? 0}`;
  const offset = hex(backing === null ? 0 : pos, 8);
  const line = `${hex(start, 8)}-${hex(end, 8)} ${permissions(vma)} ${offset} ${device} `;
  return name === '' ? `${line}\n` : `${line.padEnd(NAME_COLUMN)}${escapeBlanks(name, /\n/g)}\n`;
}

export function* showMaps({ mm }: ProcTask, context: TaskContext): Generator<string> {
  if (mm === null) return;
  for (const vma of mm.areas(0)) yield header(vma, nameOf(vma, mm, context));
}

/** What smaps counts, in bytes: of one area or of all. */
interface Tally {
  rss: number;
  anonymous: number;
  /** Pages that other address spaces may map, too, and pages of this one alone. */
  shared: number;
  private: number;
  locked: number;
}

function tally(vma: Vma, mm: ProcMm): Tally {
  const { anonymous, file, shmem } = mm.resident(vma);
  const rss = anonymous + file + shmem;
  const own = vma.shared ? 0 : anonymous;
  return { rss, anonymous, shared: rss - own, private: own, locked: (vma.flags & VM_LOCKED) !== 0 ? rss : 0 };
}

const rows = (names: readonly string[], bytes: number): string =>
  names.map(name => kibRow(name, bytes)).join('');

const HUGE = ['AnonHugePages', 'ShmemPmdMapped', 'FilePmdMapped', 'Shared_Hugetlb', 'Private_Hugetlb'];

const head = (sum: Tally): string => rows(['Rss', 'Pss'], sum.rss) + kibRow('Pss_Dirty', sum.private);

const details = (sum: Tally): string =>
  kibRow('Shared_Clean', sum.shared) +
  rows(['Shared_Dirty', 'Private_Clean'], 0) +
  kibRow('Private_Dirty', sum.private) +
  kibRow('Referenced', sum.rss) +
  kibRow('Anonymous', sum.anonymous) +
  rows(['KSM', 'LazyFree', ...HUGE, 'Swap', 'SwapPss'], 0) +
  kibRow('Locked', sum.locked);

function flags(vma: Vma): string {
  const has = (bit: number): boolean => (vma.prot & bit) !== 0;
  const set: [boolean, string][] = [
    [has(PROT_READ), 'rd'],
    [has(PROT_WRITE), 'wr'],
    [has(PROT_EXEC), 'ex'],
    [vma.shared, 'sh'],
    [true, 'mr mw me'],
    [isStack(vma), 'gd'],
    [(vma.flags & VM_LOCKED) !== 0, 'lo'],
  ];
  return set.map(([is, name]) => (is ? `${name} ` : '')).join('');
}

export function* showSmaps({ mm }: ProcTask, context: TaskContext): Generator<string> {
  if (mm === null) return;
  for (const vma of mm.areas(0)) {
    const sum = tally(vma, mm);
    yield header(vma, nameOf(vma, mm, context)) +
      kibRow('Size', vma.length) +
      rows(['KernelPageSize', 'MMUPageSize'], PAGE_SIZE) +
      head(sum) +
      details(sum) +
      `THPeligible:           0\nVmFlags: ${flags(vma)}\n`;
  }
}

/** Only locked areas are measured one by one: measuring all that a program may reserve would take minutes. */
export function showSmapsRollup({ mm }: ProcTask): Text {
  if (mm === null) return -ESRCH;
  const { anonymous, file, shmem, rss } = measure(mm);
  const sum: Tally = { rss, anonymous, shared: file + shmem, private: anonymous, locked: 0 };
  let [first, last] = [0, 0];
  for (const vma of mm.areas(0)) {
    if (last === 0) first = vma.start;
    last = vma.end;
    if ((vma.flags & VM_LOCKED) !== 0) sum.locked += tally(vma, mm).locked;
  }
  const parts = kibRow('Pss_Anon', anonymous) + kibRow('Pss_File', file) + kibRow('Pss_Shmem', shmem);
  const line = `${hex(first, 8)}-${hex(last, 8)} ---p 00000000 00:00 0 `;
  return `${line.padEnd(NAME_COLUMN)}[rollup]\n${head(sum)}${parts}${details(sum)}`;
}
