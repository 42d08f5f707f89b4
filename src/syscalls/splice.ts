/** splice(2), tee(2), vmsplice(2): moving bytes between pipes and files. */
import { putLong } from '../core/user-values.ts';
import type { File } from '../fs/file.ts';
import { PipeFile } from '../ipc/pipe-file.ts';
import { splice as spliceNow, tee as teeNow } from '../ipc/splice.ts';
import type { Task } from '../kernel/task.ts';
import { getInt64 } from '../lib/int64.ts';
import { EAGAIN, EBADF, EINVAL, EPIPE, ESPIPE } from '../uapi/errno.ts';
import { O_APPEND } from '../uapi/fcntl.ts';
import { IN_ACCESS, IN_MODIFY } from '../uapi/inotify.ts';
import { RWF_NOWAIT } from '../uapi/rwf.ts';
import { SIGPIPE } from '../uapi/signal.ts';
import { call, fd, flags, pointer, type Syscall, ulong } from './args.ts';
import { AT_POS, MAX_RW_COUNT, raise, writeLimit } from './io.ts';
import { fileOf } from './names.ts';
import { readVectorAt, writeVectorAt } from './vector.ts';

const SPLICE_F_MOVE = 1;
const SPLICE_F_NONBLOCK = 2;
const SPLICE_F_MORE = 4;
const SPLICE_F_GIFT = 8;
const NAMES = { SPLICE_F_MOVE, SPLICE_F_NONBLOCK, SPLICE_F_MORE, SPLICE_F_GIFT };
const KNOWN = 15;

/** A side of a transfer: its position is the caller's (at `addr`), the file's, or none (-1). */
interface Side {
  readonly file: File;
  readonly addr: number;
  readonly pos: number;
}

/** A side, or -EFAULT. `isPossible` later checks for negative positions and files without positions. */
function sideOf(task: Task, file: File, addr: number): Side | number {
  if (addr === 0) return { file, addr, pos: file.seekable ? file.pos : -1 };
  const at = task.user.in(addr, 8);
  return at < 0 ? at : { file, addr, pos: getInt64(task.user.view, at) };
}

const isPossible = ({ file, addr, pos }: Side): boolean => addr === 0 || (file.seekable && pos >= 0);

/** Advances the position by `moved` bytes; 0 or -EFAULT. */
function advance(task: Task, { file, addr, pos }: Side, moved: number): number {
  if (addr === 0) {
    if (pos >= 0) file.pos = pos + moved;
    return 0;
  }
  return putLong(task.user, addr, pos + moved);
}

function splice(
  task: Task,
  fdIn: number,
  offIn: number,
  fdOut: number,
  offOut: number,
  len: number,
  flags: number,
): number | Promise<number> {
  if (len === 0) return 0;
  if ((flags & ~KNOWN) !== 0) return -EINVAL;
  const input = fileOf(task, fdIn);
  const output = fileOf(task, fdOut);
  if (input === null || output === null) return -EBADF;
  const [fromPipe, toPipe] = [input instanceof PipeFile, output instanceof PipeFile];
  if ((fromPipe && offIn !== 0) || (toPipe && offOut !== 0)) return -ESPIPE;
  const from = sideOf(task, input, offIn);
  if (typeof from === 'number') return from;
  const to = sideOf(task, output, offOut);
  if (typeof to === 'number') return to;
  if (!input.readable || !output.writable) return -EBADF;
  if ((!fromPipe && !toPipe) || !isPossible(from) || !isPossible(to)) return -EINVAL;
  if (((output.flags & O_APPEND) !== 0 && output.seekable) || !output.takesSpliced) return -EINVAL;
  const mayWait = (flags & SPLICE_F_NONBLOCK) === 0 && !input.nonblocking && !output.nonblocking;
  const move = (): number => moveSides(task, from, to, Math.min(len, MAX_RW_COUNT));
  return untilMoved(task, input, output, mayWait, move);
}

function moveSides(task: Task, from: Side, to: Side, len: number): number {
  const limit = to.pos < 0 ? len : writeLimit(task, to.file, to.pos, len);
  if (limit < 0) return limit;
  const moved = spliceNow(from.file, from.pos, to.file, to.pos, limit);
  if (moved <= 0) return moved;
  from.file.happened(IN_ACCESS);
  to.file.happened(IN_MODIFY);
  return advance(task, from, moved) || advance(task, to, moved) || moved;
}

/** Repeats `move` until it moves something; only once if it may not wait. */
function untilMoved(
  task: Task,
  input: File,
  output: File,
  mayWait: boolean,
  move: () => number,
): number | Promise<number> {
  const moved = move();
  if (moved === -EPIPE) raise(task, SIGPIPE);
  return moved !== -EAGAIN || !mayWait ? moved : moveLater(task, input, output, move);
}

async function moveLater(task: Task, input: File, output: File, move: () => number): Promise<number> {
  const queues = [input.waitq, output.waitq].filter(queue => queue !== null);
  input.get();
  output.get();
  try {
    for (;;) {
      const slept = await task.sleepOn(queues);
      if (slept < 0) return slept;
      const moved = move();
      if (moved === -EPIPE) raise(task, SIGPIPE);
      if (moved !== -EAGAIN) return moved;
    }
  } finally {
    input.put();
    output.put();
  }
}

function tee(task: Task, fdIn: number, fdOut: number, len: number, flags: number): number | Promise<number> {
  if ((flags & ~KNOWN) !== 0) return -EINVAL;
  if (len === 0) return 0;
  const input = fileOf(task, fdIn);
  const output = fileOf(task, fdOut);
  if (input === null || output === null) return -EBADF;
  const mayWait = (flags & SPLICE_F_NONBLOCK) === 0 && !input.nonblocking && !output.nonblocking;
  return untilMoved(task, input, output, mayWait, () => teeNow(input, output, len));
}

/** Copies the bytes, where Linux may share pages. */
function vmsplice(
  task: Task,
  fd: number,
  iov: number,
  count: number,
  flags: number,
): number | Promise<number> {
  if ((flags & ~KNOWN) !== 0) return -EINVAL;
  const file = fileOf(task, fd);
  if (!(file instanceof PipeFile)) return -EBADF;
  const mayWait = (flags & SPLICE_F_NONBLOCK) === 0 && !file.nonblocking;
  if (!file.writable) return readVectorAt(task, file, iov, count, AT_POS, mayWait ? 0 : RWF_NOWAIT);
  // Waits for some room, not for room for all.
  const attempt = (): number | Promise<number> => writeVectorAt(task, file, iov, count, AT_POS, RWF_NOWAIT);
  const first = attempt();
  return first === -EAGAIN && mayWait ? writeWhenRoom(task, file, attempt) : first;
}

async function writeWhenRoom(
  task: Task,
  file: File,
  attempt: () => number | Promise<number>,
): Promise<number> {
  const { waitq } = file;
  if (waitq === null) return -EAGAIN;
  file.get();
  try {
    for (;;) {
      const slept = await task.sleepOn([waitq]);
      if (slept < 0) return slept;
      const written = await attempt();
      if (written !== -EAGAIN) return written;
    }
  } finally {
    file.put();
  }
}

const spliceFlags = flags('flags', NAMES);

export const spliceCalls: readonly Syscall[] = [
  call(
    'splice',
    [fd('fd_in'), pointer('off_in'), fd('fd_out'), pointer('off_out'), ulong('len'), spliceFlags],
    splice,
  ),
  call('tee', [fd('fd_in'), fd('fd_out'), ulong('len'), spliceFlags], tee),
  call('vmsplice', [fd('fd'), pointer('iov'), ulong('nr_segs'), spliceFlags], vmsplice, 'copies the data'),
];
