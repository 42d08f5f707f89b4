/**
 * splice(2), tee(2) and sendfile(2): bytes moved between a pipe and a file without passing through the program.
 *
 * Nothing waits: -EAGAIN says that the pipe is empty or full, or that the file is not ready, and the system call
 * sleeps on the `waitq` of both. A position of -1 means a file without positions. Callers advance positions.
 */
import type { File } from '../fs/file.ts';
import { EAGAIN, EBADF, EINVAL, EPIPE } from '../uapi/errno.ts';
import { PipeFile } from './pipe-file.ts';

/** The largest transfer of one call: MAX_RW_COUNT of read(2). */
const MAX_TRANSFER = 0x7ffff000;

/** File to pipe: bytes moved, 0 at the end of the file, or -errno. */
export function spliceToPipe(from: File, pos: number, to: PipeFile, len: number): number {
  const { pipe } = to;
  if (pipe.readers === 0) return -EPIPE;
  if (pipe.full) return -EAGAIN;
  let at = pos;
  return pipe.fill(Math.min(len, MAX_TRANSFER), (data, off, n) => {
    const got = from.read(data, off, n, at);
    if (got > 0 && pos >= 0) at += got;
    return got;
  });
}

/** Pipe to file: bytes moved, 0 at the end of the pipe, or -errno. */
export function spliceFromPipe(from: PipeFile, to: File, pos: number, len: number): number {
  const { pipe } = from;
  if (pipe.empty) return pipe.writers === 0 ? 0 : -EAGAIN;
  let at = pos;
  return pipe.drain(Math.min(len, MAX_TRANSFER), (data, off, n) => {
    const put = to.write(data, off, n, at);
    if (put > 0 && pos >= 0) at += put;
    return put;
  });
}

/** Pipe to pipe, taking the bytes out (`splice`) or leaving them (`tee`). */
function betweenPipes(from: PipeFile, to: PipeFile, len: number, keep: boolean): number {
  if (from.pipe === to.pipe) return -EINVAL;
  if (to.pipe.readers === 0) return -EPIPE;
  if (from.pipe.empty) return from.pipe.writers === 0 ? 0 : -EAGAIN;
  if (to.pipe.full) return -EAGAIN;
  const moved = from.pipe.copyTo(to.pipe, Math.min(len, MAX_TRANSFER));
  if (!keep) from.pipe.drain(moved, (_data, _off, n) => n);
  return moved;
}

/** tee(2). */
export function tee(from: File, to: File, len: number): number {
  if (!from.readable || !to.writable) return -EBADF;
  if (!(from instanceof PipeFile && to instanceof PipeFile)) return -EINVAL;
  return len === 0 ? 0 : betweenPipes(from, to, len, true);
}

/** splice(2) with the positions resolved; -EINVAL if neither side is a pipe. */
export function splice(from: File, fromPos: number, to: File, toPos: number, len: number): number {
  if (!from.readable || !to.writable) return -EBADF;
  if (len === 0) return 0;
  if (!from.splices) return -EINVAL;
  const source = from instanceof PipeFile;
  const sink = to instanceof PipeFile;
  if (source && sink) return betweenPipes(from, to, len, false);
  if (sink) return spliceToPipe(from, fromPos, to, len);
  return source ? spliceFromPipe(from, to, toPos, len) : -EINVAL;
}
