/**
 * Transfers between a file and the caller's memory: what read(2), write(2) and all their relatives share.
 *
 * The file never waits; we do. An attempt moves what it can, window by window, and answers at once. Only if a file
 * that may block answers -EAGAIN, an async function sleeps on `file.waitq` and tries again, holding a reference so
 * that close(2) by another thread does not take the file away.
 * Memory is the program's, or an array of ours (`BufferMemory`).
 *
 * A position of `AT_POS` means the file's own, which then advances.
 */
import { BufferMemory } from '../core/buffer-memory.ts';
import type { UserMemory } from '../core/user.ts';
import { copyIn, copyOut } from '../core/user-copy.ts';
import { type File, READ_EVENTS } from '../fs/file.ts';
import { removePrivileges } from '../fs/permission.ts';
import { sendToTask } from '../kernel/signal.ts';
import { Slice } from '../kernel/slice.ts';
import type { Task } from '../kernel/task.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { Socket } from '../net/socket.ts';
import { EAGAIN, EBADF, EFAULT, EFBIG, EINTR, EINVAL, EPIPE, ESPIPE, ETIMEDOUT } from '../uapi/errno.ts';
import { O_APPEND, O_DSYNC, O_SYNC } from '../uapi/fcntl.ts';
import { IN_ACCESS, IN_MODIFY } from '../uapi/inotify.ts';
import { POLLERR, POLLHUP, POLLOUT, POLLWRNORM } from '../uapi/poll.ts';
import { RLIMIT_FSIZE } from '../uapi/resource.ts';
import { killInfo } from '../uapi/siginfo.ts';
import { SI_USER, SIGPIPE, SIGXFSZ } from '../uapi/signal.ts';
import { isReg } from '../uapi/stat.ts';

/** The most that one call moves (read(2), NOTES). */
export const MAX_RW_COUNT = 0x7ffff000;
/** Bytes of the longest message, and the most gathered for one write: more than any socket takes at once. */
export const MAX_MESSAGE = 1 << 20;
/** Bytes moved between two looks at the clock. */
const PIECE = 1 << 20;
/** User addresses are below this. */
const TASK_SIZE = 2 ** 47;
export const AT_POS = -1;

export const WRITE_EVENTS = POLLOUT | POLLWRNORM | POLLERR | POLLHUP;

/** 0 if [addr, addr + len) is within user addresses, else -EFAULT. */
export const checkRange = (addr: number, len: number): number => (addr + len > TASK_SIZE ? -EFAULT : 0);

/** The file that pread(2), pwrite(2) and their relatives transfer from or to, or -errno. */
export function positionedFile(task: Task, fd: number, pos: number, write: boolean): File | number {
  if (pos < 0) return -EINVAL;
  const file = task.files.get(fd);
  if (file === null) return -EBADF;
  if (!file.seekable) return -ESPIPE;
  return file.checkAccess(write) || file;
}

/** Reads into [addr, addr + len) of `user`. `mayWait` false answers -EAGAIN as a nonblocking file does. */
export function readFile(
  task: Task,
  file: File,
  user: UserMemory,
  addr: number,
  len: number,
  pos: number,
  mayWait = true,
): number | Promise<number> {
  if (len > user.maxWindow && !file.isStream) return readWhole(task, file, user, addr, len, mayWait);
  if (len > PIECE && file.seekable) return inPieces(readNow, { task, file, user, addr, len, pos, mayWait });
  const n = readNow(task, file, user, addr, len, pos);
  if (n !== -EAGAIN || !mayWait || file.nonblocking || file.waitq === null) return n;
  return readLater(task, file, user, addr, len, pos);
}

/** Writes [addr, addr + len) of `user`, waiting until all is written if the file may block. */
export function writeFile(
  task: Task,
  file: File,
  user: UserMemory,
  addr: number,
  len: number,
  pos: number,
  mayWait = true,
): number | Promise<number> {
  if (len > user.maxWindow && len <= MAX_MESSAGE && !file.isStream) {
    const whole = copyIn(user, addr, len);
    if (typeof whole === 'number') return whole;
    return writeFile(task, file, new BufferMemory(whole), 0, len, pos, mayWait);
  }
  if (len > PIECE) return writeLong({ task, file, user, addr, len, pos, mayWait });
  const n = writeNow(task, file, user, addr, len, pos);
  if (!shouldWait(file, n, len, mayWait)) return n;
  return writeLater(task, file, user, addr, len, pos, Math.max(n, 0));
}

/** After an attempt that wrote `n`: whether to wait until the rest can be written. */
function shouldWait(file: File, n: number, len: number, mayWait: boolean): boolean {
  if (n === len || !mayWait || file.nonblocking || file.waitq === null) return false;
  return n === -EAGAIN || (n >= 0 && !file.seekable);
}

interface LongTransfer {
  readonly task: Task;
  readonly file: File;
  readonly user: UserMemory;
  readonly addr: number;
  readonly len: number;
  readonly pos: number;
  readonly mayWait: boolean;
}

function writeLong(transfer: LongTransfer): number | Promise<number> {
  const { task, file, user, addr, len, pos, mayWait } = transfer;
  // The limit is checked only once, for a piece that began at the limit would raise SIGXFSZ.
  const limit = writeLimit(task, file, writePosition(file, pos), len);
  if (limit < 0) return limit;
  const goOn = (n: number): number | Promise<number> =>
    shouldWait(file, n, len, mayWait) ? writeLater(task, file, user, addr, len, pos, Math.max(n, 0)) : n;
  const n = inPieces(writeNow, { ...transfer, len: limit });
  return typeof n === 'number' ? goOn(n) : n.then(goOn);
}

/** A long transfer, in pieces, with pauses when the kernel's time slice is over. */
function inPieces(move: typeof readNow, transfer: LongTransfer, begun = 0): number | Promise<number> {
  const { task, file, user, addr, len, pos, mayWait } = transfer;
  const slice = new Slice(task);
  for (let done = begun; ; ) {
    const size = move === writeNow ? file.writtenAtOnce(len - done, PIECE) : Math.min(len - done, PIECE);
    const n = move(task, file, user, addr + done, size, pos < 0 ? pos : pos + done);
    if (n <= 0) return done > 0 ? done : n;
    done += n;
    if (n < size || done === len) return done;
    if (mayWait && slice.isOver) return afterPause(move, transfer, done, slice);
  }
}

async function afterPause(
  move: typeof readNow,
  transfer: LongTransfer,
  done: number,
  slice: Slice,
): Promise<number> {
  const { task, file } = transfer;
  file.get();
  try {
    const goesOn = await slice.pause();
    // A signal ends the transfer if the file may have no end (getrandom(2), "Interruption by a signal handler").
    if (!goesOn || (!isReg(file.inode.mode) && task.signals.mustWake())) return done;
    return await inPieces(move, transfer, done);
  } finally {
    file.put();
  }
}

/** A read of a message that may need several windows: reads it into an array of ours, then copies it out. */
function readWhole(
  task: Task,
  file: File,
  user: UserMemory,
  addr: number,
  len: number,
  mayWait: boolean,
): number | Promise<number> {
  const most = Math.min(len, MAX_MESSAGE);
  const bytes = new Uint8Array(user.room(addr, most));
  const n = readFile(task, file, new BufferMemory(bytes), 0, most, AT_POS, mayWait);
  const give = (got: number): number => {
    if (got <= 0) return got;
    const err = copyOut(user, addr, bytes.subarray(0, got));
    return err < 0 ? err : got;
  };
  return typeof n === 'number' ? give(n) : n.then(give);
}

/** One attempt. Files without positions give what is there, others the full count, up to the end. */
function readNow(task: Task, file: File, user: UserMemory, addr: number, len: number, pos: number): number {
  const refused = file.mayTransfer(task, false);
  if (refused < 0) return refused;
  const start = pos < 0 ? file.pos : pos;
  if (len === 0) return file.read(user.ram, 0, 0, start);
  let done = 0;
  let result = 0;
  while (done < len) {
    const n = Math.min(len - done, user.maxWindow);
    const at = user.out(addr + done, n);
    result =
      at < 0 ? readShort(file, user, addr + done, n, start + done) : file.read(user.ram, at, n, start + done);
    if (at >= 0 && result < n) user.shrink(Math.max(result, 0));
    if (result <= 0) break;
    done += result;
    if (result < n || !file.isStream) break;
  }
  if (done === 0) return result;
  if (pos < 0 && file.seekable) file.pos = start + done;
  file.happened(IN_ACCESS);
  return done;
}

/** A read into [addr, addr + len) where the program can write only the beginning. */
function readShort(file: File, user: UserMemory, addr: number, len: number, pos: number): number {
  const room = user.room(addr, len);
  const at = room === 0 ? 0 : user.out(addr, room);
  const n = at < 0 ? at : file.readShort(user.ram, at, room, len, pos);
  if (room > 0) user.shrink(Math.max(n, 0));
  return n;
}

/** One attempt: bytes written, fewer than `len` if the file is full; -errno if none were. */
function writeNow(task: Task, file: File, user: UserMemory, addr: number, len: number, pos: number): number {
  const refused = file.mayTransfer(task, true);
  if (refused < 0) return refused;
  const start = writePosition(file, pos);
  const limit = len === 0 ? 0 : writeLimit(task, file, start, len);
  if (limit < 0) return limit;
  if (limit === 0) {
    const nothing = file.write(user.ram, 0, 0, start);
    if (nothing === -EPIPE && file.breaksLoudly) raise(task, SIGPIPE);
    return nothing;
  }
  let done = 0;
  let result = 0;
  while (done < limit) {
    let n = file.writtenAtOnce(limit - done, user.maxWindow);
    let at = user.in(addr + done, n);
    if (at < 0 && n > toPageEnd(addr + done)) {
      n = toPageEnd(addr + done);
      at = user.in(addr + done, n);
    }
    result = at < 0 ? at : file.write(user.ram, at, n, start + done);
    if (result <= 0) break;
    done += result;
    if (result < n) break;
  }
  if (result === -EPIPE && file.breaksLoudly) raise(task, SIGPIPE);
  if (done === 0) return result;
  if (pos < 0 && file.seekable) file.pos = start + done;
  file.happened(IN_MODIFY);
  if ((file.flags & O_DSYNC) !== 0 && isReg(file.inode.mode)) file.fsync((file.flags & O_SYNC) !== O_SYNC);
  return done;
}

async function readLater(
  task: Task,
  file: File,
  user: UserMemory,
  addr: number,
  len: number,
  pos: number,
): Promise<number> {
  const queues = [file.waitq!];
  const deadline = patience(task, file, false);
  file.get();
  try {
    for (;;) {
      const slept = await task.sleepOn(queues, deadline, READ_EVENTS);
      if (slept < 0) return whySleepEnded(slept, deadline);
      const n = readNow(task, file, user, addr, len, pos);
      if (n !== -EAGAIN || file.nonblocking) return n;
    }
  } finally {
    file.put();
  }
}

async function writeLater(
  task: Task,
  file: File,
  user: UserMemory,
  addr: number,
  len: number,
  pos: number,
  begun: number,
): Promise<number> {
  const queues = [file.waitq!];
  const deadline = patience(task, file, true);
  let done = begun;
  file.get();
  try {
    while (done < len) {
      const slept = await task.sleepOn(queues, deadline, WRITE_EVENTS);
      if (slept < 0) return done > 0 ? done : whySleepEnded(slept, deadline);
      const n = writeNow(task, file, user, addr + done, len - done, pos);
      if (n === -EAGAIN && !file.nonblocking) continue;
      if (n < 0) return done > 0 ? done : n;
      done += n;
    }
    return done;
  } finally {
    file.put();
  }
}

/** CLOCK_MONOTONIC until which a transfer waits: SO_RCVTIMEO or SO_SNDTIMEO of sockets (socket(7)). */
function patience(task: Task, file: File, write: boolean): number {
  if (!(file instanceof Socket)) return Number.POSITIVE_INFINITY;
  const { sendTimeout, receiveTimeout } = file.options;
  return task.clock.monotonic() + (write ? sendTimeout : receiveTimeout);
}

/** With a socket's timeout, an interrupted call is not restarted (signal(7)). */
function whySleepEnded(slept: number, deadline: number): number {
  if (slept === -ETIMEDOUT) return -EAGAIN;
  return deadline === Number.POSITIVE_INFINITY ? slept : -EINTR;
}

/** Where a write goes: O_APPEND means the end, even for pwrite (pwrite(2), BUGS). */
export function writePosition(file: File, pos: number): number {
  if ((file.flags & O_APPEND) !== 0 && file.seekable) return file.inode.size;
  return pos < 0 ? file.pos : pos;
}

/**
 * How much of `len` bytes may be written at `pos`, by RLIMIT_FSIZE (getrlimit(2)) and the filesystem's largest
 * size; -EFBIG if nothing. Clears the set-user-ID and set-group-ID bits of the file, which is about to change.
 */
export function writeLimit(task: Task, file: File, pos: number, len: number): number {
  const { inode } = file;
  if (!isReg(inode.mode)) return len;
  const limit = task.rlimit(RLIMIT_FSIZE);
  if (pos >= limit) {
    raise(task, SIGXFSZ);
    return -EFBIG;
  }
  if (pos >= inode.sb.maxBytes) return -EFBIG;
  const removed = removePrivileges(file, task.cred);
  if (removed < 0) return removed;
  return Math.min(len, limit - pos, inode.sb.maxBytes - pos);
}

/** Sends the thread a signal that its own call causes. */
export function raise(task: Task, signal: number): void {
  sendToTask(task, killInfo(signal, SI_USER, task.tgid, task.cred.uid));
}

const toPageEnd = (addr: number): number => PAGE_SIZE - (addr % PAGE_SIZE);
