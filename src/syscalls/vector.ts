/**
 * readv(2), writev(2), preadv(2), pwritev(2) and their second versions.
 *
 * Files with positions are handled element by element. For pipes, sockets and terminals one call is one transfer
 * (a message, an atomic write of PIPE_BUF bytes), so the elements are gathered into an array of ours, or scattered
 * from it.
 */
import { IOVEC_SIZE, iovecBase, iovecLen, UIO_MAXIOV } from '../arch/x86_64/structs/iovec.ts';
import { BufferMemory } from '../core/buffer-memory.ts';
import type { UserMemory } from '../core/user.ts';
import { copyInto, copyOut } from '../core/user-copy.ts';
import type { File } from '../fs/file.ts';
import { Slice } from '../kernel/slice.ts';
import type { Task } from '../kernel/task.ts';
import { EBADF, EFAULT, EINTR, EINVAL, EOPNOTSUPP, ESPIPE } from '../uapi/errno.ts';
import { RWF_APPEND, RWF_DSYNC, RWF_HIPRI, RWF_NOWAIT, RWF_SYNC } from '../uapi/rwf.ts';
import { call, fd, flags, type Handler, long, type Syscall, shown, shownAfter, ulong } from './args.ts';
import { AT_POS, checkRange, MAX_MESSAGE, MAX_RW_COUNT, positionedFile, readFile, writeFile } from './io.ts';
import { after } from './message.ts';
import { arrayAt } from './show.ts';
import { IOVEC } from './structs/messages.ts';

const RWF_NAMES = { RWF_HIPRI, RWF_DSYNC, RWF_SYNC, RWF_NOWAIT, RWF_APPEND };
const RWF_KNOWN = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND;

/** The elements that are not empty: bases at even indexes, lengths at odd ones. */
export interface IoVector {
  readonly words: Float64Array;
  readonly count: number;
  readonly total: number;
}

/** Reads and checks an array of struct iovec, cut to MAX_RW_COUNT bytes in all; -EINVAL, -EFAULT. */
export function readVector(user: UserMemory, addr: number, length: number): IoVector | number {
  if (length > UIO_MAXIOV) return -EINVAL;
  const words = new Float64Array(2 * length);
  const array = length === 0 ? 0 : user.in(addr, length * IOVEC_SIZE);
  if (array < 0) return array;
  let count = 0;
  let total = 0;
  for (let i = 0; i < length; i++) {
    const at = array + i * IOVEC_SIZE;
    const base = iovecBase(user.view, at);
    const len = iovecLen(user.view, at);
    if (len < 0) return -EINVAL;
    if (checkRange(base, len) < 0) return -EFAULT;
    const take = Math.min(len, MAX_RW_COUNT - total);
    if (take === 0) continue;
    words[2 * count] = base;
    words[2 * count + 1] = take;
    count++;
    total += take;
  }
  return { words, count, total };
}

/** The first `len` bytes of the elements in an array of ours, or -EFAULT. */
export function gathered(user: UserMemory, vector: IoVector, len: number): Uint8Array | number {
  const { words, count, total } = vector;
  const bytes = new Uint8Array(len);
  const whole = len === total ? user.gather(words, count, total) : -EFAULT;
  if (whole >= 0) {
    bytes.set(user.ram.subarray(whole, whole + len));
    return bytes;
  }
  for (let i = 0, at = 0; at < len; i++) {
    const n = Math.min(words[2 * i + 1]!, len - at);
    const err = copyInto(user, words[2 * i]!, bytes, at, n);
    if (err < 0) return err;
    at += n;
  }
  return bytes;
}

/** How many bytes, `most` at most, fit into the elements before the first page that may not be written. */
export function roomOf(user: UserMemory, { words, count }: IoVector, most: number): number {
  let room = 0;
  for (let i = 0; i < count && room < most; i++) {
    const len = Math.min(words[2 * i + 1]!, most - room);
    const here = user.room(words[2 * i]!, len);
    room += here;
    if (here < len) break;
  }
  return room;
}

type Transfer = typeof readFile;

/** One transfer through an array of ours, for files that keep messages whole. */
function readScattered(task: Task, file: File, vector: IoVector, mayWait: boolean): number | Promise<number> {
  const len = Math.min(vector.total, MAX_MESSAGE);
  const bytes = new Uint8Array(roomOf(task.user, vector, len));
  const scatter = (n: number): number => {
    for (let i = 0, done = 0; done < n; i++) {
      const part = bytes.subarray(done, Math.min(n, done + vector.words[2 * i + 1]!));
      const err = copyOut(task.user, vector.words[2 * i]!, part);
      if (err < 0) return done > 0 ? done : err;
      done += part.length;
    }
    return n;
  };
  const n = readFile(task, file, new BufferMemory(bytes), 0, len, AT_POS, mayWait);
  return typeof n === 'number' ? scatter(n) : n.then(scatter);
}

function writeGathered(task: Task, file: File, vector: IoVector, mayWait: boolean): number | Promise<number> {
  const bytes = gathered(task.user, vector, vector.total);
  if (typeof bytes === 'number') return bytes;
  return writeFile(task, file, new BufferMemory(bytes), 0, bytes.length, AT_POS, mayWait);
}

/** Writes several small elements as one write; null if there is only one, or if they cannot be read at once. */
function writeAtOnce(
  { task, file, mayWait }: { task: Task; file: File; mayWait: boolean },
  { words, count, total }: IoVector,
  pos: number,
): number | Promise<number> | null {
  const { user } = task;
  const at = count > 1 && total <= user.maxWindow ? user.gather(words, count, total) : -EFAULT;
  if (at < 0) return null;
  const bytes = user.ram.slice(at, at + total);
  return writeFile(task, file, new BufferMemory(bytes), 0, total, pos, mayWait);
}

/** Element by element, until one is not moved in full. */
function eachElement(
  move: Transfer,
  task: Task,
  file: File,
  vector: IoVector,
  pos: number,
  mayWait: boolean,
  first = 0,
): number | Promise<number> {
  const slice = new Slice(task);
  let done = 0;
  for (let i = first; i < vector.count; i++) {
    const len = vector.words[2 * i + 1]!;
    const n = move(task, file, task.user, vector.words[2 * i]!, len, pos < 0 ? pos : pos + done, mayWait);
    if (typeof n !== 'number') return restOfElements(move, task, file, vector, pos, i, done, n);
    if (n < 0) return done > 0 ? done : n;
    if (mayWait && slice.isOver && n === len) {
      // A task that must die does not need the rest.
      const paused = slice.pause().then(goesOn => (goesOn ? n : -EINTR));
      return restOfElements(move, task, file, vector, pos, i, done, paused);
    }
    done += n;
    if (n < len) break;
  }
  return done;
}

async function restOfElements(
  move: Transfer,
  task: Task,
  file: File,
  vector: IoVector,
  pos: number,
  index: number,
  before: number,
  pending: Promise<number>,
): Promise<number> {
  file.get();
  try {
    const n = await pending;
    if (n < 0) return before > 0 ? before : n;
    const done = before + n;
    if (n < vector.words[2 * index + 1]! || index + 1 === vector.count) return done;
    const more = await eachElement(move, task, file, vector, pos < 0 ? pos : pos + done, true, index + 1);
    return more < 0 ? done : done + more;
  } finally {
    file.put();
  }
}

/** The vector of preadv2 or pwritev2; 0 if it is empty, or -errno. */
function vectorOf(task: Task, addr: number, length: number, flags: number): IoVector | number {
  const vector = readVector(task.user, addr, length);
  if (typeof vector === 'number') return vector;
  if (vector.count === 0) return 0;
  return (flags & ~RWF_KNOWN) === 0 ? vector : -EOPNOTSUPP;
}

/** As preadv2, on a file that was already checked; `flags` are RWF_*. */
export function readVectorAt(
  task: Task,
  file: File,
  addr: number,
  length: number,
  pos: number,
  flags: number,
): number | Promise<number> {
  const vector = vectorOf(task, addr, length, flags);
  if (typeof vector === 'number') return vector;
  const mayWait = (flags & RWF_NOWAIT) === 0;
  if (vector.count > 1 && !file.seekable) return readScattered(task, file, vector, mayWait);
  return eachElement(readFile, task, file, vector, pos, mayWait);
}

/** As pwritev2, on a file that was already checked. */
export function writeVectorAt(
  task: Task,
  file: File,
  addr: number,
  length: number,
  pos: number,
  flags: number,
): number | Promise<number> {
  const written = moveVector(task, file, addr, length, pos, flags);
  if ((flags & (RWF_DSYNC | RWF_SYNC)) === 0) return written;
  const dataOnly = (flags & RWF_SYNC) === 0;
  if (typeof written === 'number') return synced(file, written, dataOnly);
  file.get();
  return written.then(n => synced(file, n, dataOnly)).finally(() => file.put());
}

/** As if the file had been opened with O_DSYNC or O_SYNC for this write. */
function synced(file: File, written: number, dataOnly: boolean): number {
  if (written > 0) file.fsync(dataOnly);
  return written;
}

function moveVector(
  task: Task,
  file: File,
  addr: number,
  length: number,
  pos: number,
  flags: number,
): number | Promise<number> {
  const vector = vectorOf(task, addr, length, flags);
  if (typeof vector === 'number') return vector;
  const mayWait = (flags & RWF_NOWAIT) === 0;
  const message = vector.count > 1 && !file.seekable && vector.total <= MAX_MESSAGE;
  if (message) return writeGathered(task, file, vector, mayWait);
  const appends = (flags & RWF_APPEND) !== 0 && file.seekable;
  const at = appends ? file.inode.size : pos;
  const written =
    writeAtOnce({ task, file, mayWait }, vector, at) ??
    eachElement(writeFile, task, file, vector, at, mayWait);
  return appends && pos === AT_POS ? after(written, n => moveBehind(file, at, n)) : written;
}

function moveBehind(file: File, at: number, written: number): number {
  if (written > 0) file.pos = at + written;
  return written;
}

function readv(task: Task, fd: number, addr: number, length: number): number | Promise<number> {
  const file = task.files.get(fd);
  if (file === null || !file.readable) return -EBADF;
  return readVectorAt(task, file, addr, length, AT_POS, 0);
}

function writev(task: Task, fd: number, addr: number, length: number): number | Promise<number> {
  const file = task.files.get(fd);
  if (file === null || !file.writable) return -EBADF;
  return writeVectorAt(task, file, addr, length, AT_POS, 0);
}

function preadv(task: Task, fd: number, addr: number, length: number, pos: number): number | Promise<number> {
  const file = positionedFile(task, fd, pos, false);
  return typeof file === 'number' ? file : readVectorAt(task, file, addr, length, pos, 0);
}

function pwritev(
  task: Task,
  fd: number,
  addr: number,
  length: number,
  pos: number,
): number | Promise<number> {
  const file = positionedFile(task, fd, pos, true);
  return typeof file === 'number' ? file : writeVectorAt(task, file, addr, length, pos, 0);
}

/** What preadv2 and pwritev2 check first; a position of -1 means the file's own. */
function secondError(file: File | null, pos: number, write: boolean): number {
  if (pos < AT_POS) return -EINVAL;
  if (file === null) return -EBADF;
  if (pos >= 0 && !file.seekable) return -ESPIPE;
  return file.checkAccess(write);
}

const preadv2: Handler = (task, fd, addr, length, pos, _high, flags) => {
  const file = task.files.get(fd);
  const refused = secondError(file, pos, false);
  return refused < 0 ? refused : readVectorAt(task, file!, addr, length, pos, flags);
};

const pwritev2: Handler = (task, fd, addr, length, pos, _high, flags) => {
  const file = task.files.get(fd);
  const refused = secondError(file, pos, true);
  return refused < 0 ? refused : writeVectorAt(task, file!, addr, length, pos, flags);
};

const vector = arrayAt(IOVEC, ({ args }) => args[2]!);
const readArgs = [fd('fd'), shownAfter('iov', vector), ulong('iovcnt')];
const writeArgs = [fd('fd'), shown('iov', vector), ulong('iovcnt')];
const at = long('offset');
const how = [ulong('offset_high'), flags('flags', RWF_NAMES)];

export const vectorCalls: readonly Syscall[] = [
  call('readv', readArgs, readv),
  call('writev', writeArgs, writev),
  call('preadv', [...readArgs, at], preadv),
  call('pwritev', [...writeArgs, at], pwritev),
  call('preadv2', [...readArgs, at, ...how], preadv2),
  call('pwritev2', [...writeArgs, at, ...how], pwritev2),
];
