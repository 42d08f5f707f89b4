/** sendfile(2), copy_file_range(2): copies between files through an array of ours. */

import { BufferMemory } from '../core/buffer-memory.ts';
import { putLong } from '../core/user-values.ts';
import type { File } from '../fs/file.ts';
import { Slice } from '../kernel/slice.ts';
import type { Task } from '../kernel/task.ts';
import { getInt64 } from '../lib/int64.ts';
import { EBADF, EFAULT, EINVAL, EISDIR, EOVERFLOW, ESPIPE, EXDEV } from '../uapi/errno.ts';
import { O_APPEND } from '../uapi/fcntl.ts';
import { isDir, isReg } from '../uapi/stat.ts';
import { call, fd, hex32, type Syscall, shownBoth, ulong } from './args.ts';
import { AT_POS, MAX_RW_COUNT, readFile, writeFile } from './io.ts';
import { fileOf } from './names.ts';
import { structAt } from './show.ts';
import { OFFSET } from './structs/fields.ts';

const CHUNK = 1 << 16;

/** The state of a transfer; `to` is AT_POS for the output's own position. */
interface Copy {
  readonly input: File;
  readonly output: File;
  readonly memory: BufferMemory;
  from: number;
  to: number;
  left: number;
  done: number;
  readonly slice: Slice;
}

const newCopy = (task: Task, input: File, output: File, from: number, to: number, len: number): Copy => ({
  input,
  output,
  memory: new BufferMemory(new Uint8Array(Math.min(len, CHUNK))),
  from,
  to,
  left: len,
  done: 0,
  slice: new Slice(task),
});

/** Reads the next piece; returns its length, 0 at the end, or -errno. */
function fetch(task: Task, copy: Copy): number | Promise<number> {
  return readFile(task, copy.input, copy.memory, 0, Math.min(copy.left, CHUNK), copy.from);
}

/** Counts what was written of a piece; returns whether to go on. */
function account(copy: Copy, fetched: number, written: number): boolean {
  if (written <= 0) {
    if (copy.done === 0) copy.done = written;
    return false;
  }
  copy.from += written;
  if (copy.to >= 0) copy.to += written;
  copy.left -= written;
  copy.done += written;
  return written === fetched && copy.left > 0;
}

/** Bytes copied, or -errno if there were none. */
function run(task: Task, copy: Copy): number | Promise<number> {
  while (copy.left > 0) {
    const fetched = fetch(task, copy);
    if (typeof fetched !== 'number') return runLater(task, copy, fetched);
    if (fetched <= 0) return copy.done > 0 ? copy.done : fetched;
    const written = writeFile(task, copy.output, copy.memory, 0, fetched, copy.to);
    if (typeof written !== 'number') return runLater(task, copy, fetched, written);
    if (!account(copy, fetched, written)) break;
    if (copy.slice.isOver) return runLater(task, copy, nextAfterPause(task, copy));
  }
  return copy.done;
}

/** Reads the next piece after other tasks have had their turn; 0 if the task must die. */
const nextAfterPause = async (task: Task, copy: Copy): Promise<number> =>
  (await copy.slice.pause()) ? fetch(task, copy) : 0;

/** Continues with a piece that is being read or written. */
async function runLater(
  task: Task,
  copy: Copy,
  reading: number | Promise<number>,
  writing?: Promise<number>,
): Promise<number> {
  const { input, output } = copy;
  input.get();
  output.get();
  try {
    let fetched = await reading;
    let written = writing;
    for (;;) {
      if (fetched <= 0) return copy.done > 0 ? copy.done : fetched;
      const n = await (written ?? writeFile(task, output, copy.memory, 0, fetched, copy.to));
      if (!account(copy, fetched, n)) return copy.done;
      written = undefined;
      fetched = await (copy.slice.isOver ? nextAfterPause(task, copy) : fetch(task, copy));
    }
  } finally {
    input.put();
    output.put();
  }
}

/** The position at `addr`, which may be negative; the file's own if `addr` is 0; NaN if it cannot be read. */
function positionAt(task: Task, file: File, addr: number): number {
  if (addr === 0) return file.pos;
  const at = task.user.in(addr, 8);
  return at < 0 ? Number.NaN : getInt64(task.user.view, at);
}

function putPosition(task: Task, file: File, addr: number, pos: number): number {
  if (addr === 0) {
    file.pos = pos;
    return 0;
  }
  return putLong(task.user, addr, pos);
}

function sendfile(
  task: Task,
  outFd: number,
  inFd: number,
  addr: number,
  count: number,
): number | Promise<number> {
  const input = fileOf(task, inFd);
  if (input === null || !input.readable) return -EBADF;
  const from = positionAt(task, input, addr);
  if (Number.isNaN(from)) return -EFAULT;
  if (addr !== 0 && !input.seekable) return -ESPIPE;
  if (from < 0) return -EINVAL;
  const output = fileOf(task, outFd);
  if (output === null || !output.writable) return -EBADF;
  if (!input.seekable || !input.splices) return -EINVAL;
  if ((output.flags & O_APPEND) !== 0 && output.seekable) return -EINVAL;
  const copy = newCopy(task, input, output, from, AT_POS, Math.min(count, MAX_RW_COUNT));
  const finish = (result: number): number => putPosition(task, input, addr, copy.from) || result;
  const result = run(task, copy);
  return typeof result === 'number' ? finish(result) : result.then(finish);
}

function copyFileRange(
  task: Task,
  inFd: number,
  inAddr: number,
  outFd: number,
  outAddr: number,
  len: number,
  flags: number,
): number | Promise<number> {
  const input = fileOf(task, inFd);
  const output = fileOf(task, outFd);
  if (input === null || output === null) return -EBADF;
  const from = positionAt(task, input, inAddr);
  const to = positionAt(task, output, outAddr);
  if (Number.isNaN(from + to)) return -EFAULT;
  if (flags !== 0) return -EINVAL;
  const refused = rangeError(input, output, from, to, len);
  if (refused < 0) return refused;
  const left = Math.max(0, Math.min(len, MAX_RW_COUNT, input.inode.size - from));
  if (input.inode === output.inode && from < to + left && to < from + left) return -EINVAL;
  if (left === 0) return 0;
  const copy = newCopy(task, input, output, from, to, left);
  const finish = (result: number): number =>
    putPosition(task, input, inAddr, copy.from) || putPosition(task, output, outAddr, copy.to) || result;
  const result = run(task, copy);
  return typeof result === 'number' ? finish(result) : result.then(finish);
}

function rangeError(input: File, output: File, from: number, to: number, len: number): number {
  const modes = [input.inode.mode, output.inode.mode];
  if (modes.some(isDir)) return -EISDIR;
  if (!modes.every(isReg)) return -EINVAL;
  if (!input.readable || !output.writable || (output.flags & O_APPEND) !== 0) return -EBADF;
  if (input.inode.sb !== output.inode.sb) return -EXDEV;
  if (wraps(from, len) || wraps(to, len)) return -EOVERFLOW;
  return from < 0 || to < 0 ? -EINVAL : 0;
}

/** Whether pos + len, as unsigned 64-bit numbers, is less than pos. */
const wraps = (pos: number, len: number): boolean => pos < 0 && pos + len >= 0;

export const sendfileCalls: readonly Syscall[] = [
  call(
    'sendfile',
    [fd('out_fd'), fd('in_fd'), shownBoth('offset', structAt(OFFSET), 'counter'), ulong('count')],
    sendfile,
  ),
  call(
    'copy_file_range',
    [
      fd('fd_in'),
      shownBoth('off_in', structAt(OFFSET), 'counter'),
      fd('fd_out'),
      shownBoth('off_out', structAt(OFFSET), 'counter'),
      ulong('len'),
      hex32('flags'),
    ],
    copyFileRange,
  ),
];
