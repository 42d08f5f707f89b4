/**
 * /proc/PID/maps, smaps, smaps_rollup and pagemap (proc_pid_maps(5), proc_pid_smaps(5), proc_pid_pagemap(5)).
 *
 * Areas are taken one after the other from a cursor: the address space may change while a reader is under way.
 */
import { PAGE_SIZE } from '../../mm/ram.ts';
import { ESRCH } from '../../uapi/errno.ts';
import { major, minor } from '../../uapi/stat.ts';
import { pathString } from '../d-path.ts';
import type { Text } from '../kernfs/text-file.ts';
import { type TaskContext, viewerRoot } from './context.ts';
import { escapeBlanks, hex, kibRow } from './format.ts';
import type { ProcArea, ProcMm, ProcTask } from './source.ts';

/** Names begin here, unless what stands before is longer. */
const NAME_COLUMN = 73;

export function* areas(mm: ProcMm): Generator<ProcArea> {
  for (let area = mm.areaAbove(0); area !== null; area = mm.areaAbove(area.end)) yield area;
}

function nameOf(area: ProcArea, { source }: TaskContext): string {
  if (area.name !== '' || area.file === null) return area.name;
  const { path } = area.file;
  const name = path === null ? `/${area.file.linkName}` : pathString(path, viewerRoot(source));
  return escapeBlanks(name, /\n/g);
}

function permissions(area: ProcArea): string {
  const { readable, writable, executable, shared } = area;
  return `${readable ? 'r' : '-'}${writable ? 'w' : '-'}${executable ? 'x' : '-'}${shared ? 's' : 'p'}`;
}

function header(area: ProcArea, name: string): string {
  const device = `${hex(major(area.dev), 2)}:${hex(minor(area.dev), 2)}`;
  const range = `${hex(area.start, 8)}-${hex(area.end, 8)}`;
  const line = `${range} ${permissions(area)} ${hex(area.offset, 8)} ${device} ${area.ino} `;
  return name === '' ? `${line}\n` : `${line.padEnd(NAME_COLUMN)}${name}\n`;
}

export function* showMaps(task: ProcTask, context: TaskContext): Generator<string> {
  if (task.mm === null) return;
  for (const area of areas(task.mm)) yield header(area, nameOf(area, context));
}

/** A page of the kernel's that programs may call: in no address space, really. */
const GATE = '[vsyscall]';

/** What smaps counts, of one area or summed up, in bytes. */
interface Tally {
  rss: number;
  anonymous: number;
  /** Belong to files that others may map, too; and to this address space alone. */
  shared: number;
  private: number;
  locked: number;
}

function tally(area: ProcArea): Tally {
  const files = area.rss - area.anonymous;
  return {
    rss: area.rss,
    anonymous: area.anonymous,
    shared: area.shared ? area.rss : files,
    private: area.shared ? 0 : area.anonymous,
    locked: area.locked ? area.rss : 0,
  };
}

const pressure = (sum: Tally): string => kibRow('Pss_Dirty', sum.private);

const details = (sum: Tally): string =>
  kibRow('Shared_Clean', sum.shared) +
  kibRow('Shared_Dirty', 0) +
  kibRow('Private_Clean', 0) +
  kibRow('Private_Dirty', sum.private) +
  kibRow('Referenced', sum.rss) +
  kibRow('Anonymous', sum.anonymous) +
  ['KSM', 'LazyFree', 'AnonHugePages', 'ShmemPmdMapped', 'FilePmdMapped', 'Shared_Hugetlb', 'Private_Hugetlb']
    .map(name => kibRow(name, 0))
    .join('') +
  kibRow('Swap', 0) +
  kibRow('SwapPss', 0) +
  kibRow('Locked', sum.locked);

function flags(area: ProcArea): string {
  const { readable, writable, executable, shared, growsDown, locked } = area;
  const set: [boolean, string][] = [
    [readable, 'rd'],
    [writable, 'wr'],
    [executable, 'ex'],
    [shared, 'sh'],
    [true, 'mr'],
    [true, 'mw'],
    [true, 'me'],
    [growsDown, 'gd'],
    [locked, 'lo'],
  ];
  return set.map(([is, name]) => (is ? `${name} ` : '')).join('');
}

export function* showSmaps(task: ProcTask, context: TaskContext): Generator<string> {
  if (task.mm === null) return;
  for (const area of areas(task.mm)) {
    const sum = tally(area);
    yield header(area, nameOf(area, context)) +
      kibRow('Size', area.end - area.start) +
      kibRow('KernelPageSize', PAGE_SIZE) +
      kibRow('MMUPageSize', PAGE_SIZE) +
      kibRow('Rss', sum.rss) +
      kibRow('Pss', sum.rss) +
      pressure(sum) +
      details(sum) +
      `THPeligible:           0\nVmFlags: ${flags(area)}\n`;
  }
}

export function showSmapsRollup({ mm }: ProcTask): Text {
  if (mm === null) return -ESRCH;
  const sum: Tally = { rss: 0, anonymous: 0, shared: 0, private: 0, locked: 0 };
  let first = 0;
  let last = 0;
  for (const area of areas(mm)) {
    if (area.name === GATE) continue;
    if (last === 0) first = area.start;
    last = area.end;
    const one = tally(area);
    for (const key of Object.keys(sum) as (keyof Tally)[]) sum[key] += one[key];
  }
  const { rssFile, rssShmem } = mm.sizes;
  const line = `${hex(first, 8)}-${hex(last, 8)} ---p 00000000 00:00 0 `;
  return (
    `${line.padEnd(NAME_COLUMN)}[rollup]\n` +
    kibRow('Rss', sum.rss) +
    kibRow('Pss', sum.rss) +
    pressure(sum) +
    kibRow('Pss_Anon', sum.anonymous) +
    kibRow('Pss_File', rssFile) +
    kibRow('Pss_Shmem', rssShmem) +
    details(sum)
  );
}
