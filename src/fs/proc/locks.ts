/**
 * /proc/locks and the lock lines of fdinfo (proc_locks(5)): which files are locked, and by whom.
 *
 * Locks are found through the descriptors of all processes, since a descriptor table or an open file holds each
 * lock. A flock(2) lock is shown with the first process that has the file open.
 */
import { F_RDLCK, F_WRLCK, LOCK_EX } from '../../uapi/fcntl.ts';
import { major, minor } from '../../uapi/stat.ts';
import type { FilesStruct } from '../fd-table.ts';
import type { File } from '../file.ts';
import type { Inode } from '../inode.ts';
import type { Lease } from '../leases.ts';
import type { RecordLock } from '../locks.ts';
import { hex } from './format.ts';
import type { ProcSource } from './source.ts';

function row(
  kind: string,
  access: 'READ' | 'WRITE' | 'UNLCK',
  pid: number,
  { sb, ino }: Inode,
  start: number,
  end: number,
  state = 'ADVISORY',
): string {
  const device = `${hex(major(sb.dev), 2)}:${hex(minor(sb.dev), 2)}`;
  const range = `${start} ${Number.isFinite(end) ? end - 1 : 'EOF'}`;
  return `${kind.padEnd(6)} ${state.padEnd(9)} ${access} ${pid} ${device}:${ino} ${range}\n`;
}

const recordRow = (inode: Inode, { type, pid, start, end }: RecordLock): string =>
  row(pid < 0 ? 'OFDLCK' : 'POSIX', type === F_WRLCK ? 'WRITE' : 'READ', pid, inode, start, end);

const flockRow = (inode: Inode, mode: number, pid: number): string =>
  row('FLOCK', mode === LOCK_EX ? 'WRITE' : 'READ', pid, inode, 0, Number.POSITIVE_INFINITY);

/** A lease that is being broken shows the type that it must become. */
function leaseRow(inode: Inode, { type, breaking, owner }: Lease): string {
  const becomes = breaking ?? type;
  const access = becomes === F_WRLCK ? 'WRITE' : becomes === F_RDLCK ? 'READ' : 'UNLCK';
  const state = breaking === null ? 'ACTIVE' : 'BREAKING';
  return row('LEASE', access, owner, inode, 0, Number.POSITIVE_INFINITY, state);
}

function* filesOf(table: FilesStruct): Generator<File> {
  for (let fd = table.next(0); Number.isFinite(fd); fd = table.next(fd + 1)) {
    const file = table.get(fd);
    if (file !== null) yield file;
  }
}

/** Open files on inodes that have locks, with the first process that has each open. */
function lockedFiles(source: ProcSource): Map<File, number> {
  const found = new Map<File, number>();
  for (let task = source.nextProcess(1); task !== null; task = source.nextProcess(task.pid + 1)) {
    if (task.files === null) continue;
    for (const file of filesOf(task.files)) {
      if (file.inode.locks !== null && !found.has(file)) found.set(file, task.tgid);
    }
  }
  return found;
}

export function showLocks(source: ProcSource): string {
  const files = lockedFiles(source);
  const rows: string[] = [];
  for (const inode of new Set([...files.keys()].map(file => file.inode))) {
    for (const lease of inode.locks!.leases?.all ?? []) rows.push(leaseRow(inode, lease));
    for (const lock of inode.locks!.held) rows.push(recordRow(inode, lock));
    for (const [file, mode] of inode.locks!.flocked) rows.push(flockRow(inode, mode, files.get(file) ?? -1));
  }
  return rows.map((text, i) => `${i + 1}: ${text}`).join('');
}

/** The locks on a descriptor's file that its open file or descriptor table holds. */
export function lockLines(file: File, table: FilesStruct, pid: number): string {
  const { inode } = file;
  if (inode.locks === null) return '';
  const rows = inode.locks.held
    .filter(({ owner }) => owner === table || owner === file)
    .map(lock => recordRow(inode, lock));
  const mode = inode.locks.flocked.get(file);
  if (mode !== undefined) rows.push(flockRow(inode, mode, pid));
  for (const lease of inode.locks.leases?.all ?? [])
    if (lease.file === file) rows.push(leaseRow(inode, lease));
  return rows.map(text => `lock:\t1: ${text}`).join('');
}
