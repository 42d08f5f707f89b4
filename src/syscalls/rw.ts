/** read(2), write(2), pread(2), pwrite(2), lseek(2). */
import type { File } from '../fs/file.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, EINVAL } from '../uapi/errno.ts';
import { SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from '../uapi/fcntl.ts';
import { bringPosition, bringRead, bringWrite } from './along.ts';
import { call, fd, inBuffer, long, oneOf, outBuffer, type Syscall, ulong } from './args.ts';
import { AT_POS, checkRange, MAX_RW_COUNT, positionedFile, readFile, writeFile } from './io.ts';
import { fileOf } from './names.ts';
import { readThrough, writeThrough } from './through.ts';

const WHENCE = { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE };

function readAt(
  task: Task,
  file: File,
  fd: number,
  addr: number,
  count: number,
  pos: number,
): number | Promise<number> {
  const fault = checkRange(addr, count);
  if (fault < 0) return fault;
  bringRead(task, file, fd);
  const len = Math.min(count, MAX_RW_COUNT);
  return readThrough(task, file, fd, addr, len, pos) || readFile(task, file, task.user, addr, len, pos);
}

function writeAt(
  task: Task,
  file: File,
  fd: number,
  addr: number,
  count: number,
  pos: number,
): number | Promise<number> {
  const fault = checkRange(addr, count);
  if (fault < 0) return fault;
  bringWrite(task, file, fd, count);
  const len = Math.min(count, MAX_RW_COUNT);
  return writeThrough(task, file, fd, addr, len, pos) || writeFile(task, file, task.user, addr, len, pos);
}

function read(task: Task, fd: number, addr: number, count: number): number | Promise<number> {
  const file = task.files.get(fd);
  if (file === null || !file.readable) return -EBADF;
  return readAt(task, file, fd, addr, count, AT_POS);
}

function write(task: Task, fd: number, addr: number, count: number): number | Promise<number> {
  const file = task.files.get(fd);
  if (file === null || !file.writable) return -EBADF;
  return writeAt(task, file, fd, addr, count, AT_POS);
}

function pread64(task: Task, fd: number, addr: number, count: number, pos: number): number | Promise<number> {
  const file = positionedFile(task, fd, pos, false);
  if (typeof file === 'number') return file;
  return readAt(task, file, fd, addr, count, pos);
}

function pwrite64(
  task: Task,
  fd: number,
  addr: number,
  count: number,
  pos: number,
): number | Promise<number> {
  const file = positionedFile(task, fd, pos, true);
  if (typeof file === 'number') return file;
  return writeAt(task, file, fd, addr, count, pos);
}

function lseek(task: Task, fd: number, offset: number, whence: number): number {
  const file = fileOf(task, fd);
  if (file === null) return -EBADF;
  if (whence >>> 0 > SEEK_HOLE) return -EINVAL;
  const position = file.seek(offset, whence);
  if (position >= 0) bringPosition(task, file, fd);
  return position;
}

export const rwCalls: readonly Syscall[] = [
  call('read', [fd('fd'), outBuffer('buf', 2), ulong('count')], read),
  call('write', [fd('fd'), inBuffer('buf', 2), ulong('count')], write),
  call('pread64', [fd('fd'), outBuffer('buf', 2), ulong('count'), long('offset')], pread64),
  call('pwrite64', [fd('fd'), inBuffer('buf', 2), ulong('count'), long('offset')], pwrite64),
  call('lseek', [fd('fd'), long('offset'), oneOf('whence', WHENCE)], lseek),
];
