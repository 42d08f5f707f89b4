/**
 * Asynchronous I/O (io_setup(2), io_submit(2), io_getevents(2)). Requests are carried out as they are submitted, as
 * Linux does for everything in memory. One that has to wait (a pipe) makes io_submit wait, so none can be cancelled.
 */
import { IO_EVENT_SIZE, IOCB_SIZE, type Iocb, readIocb, writeIoEvent } from '../arch/x86_64/structs/aio.ts';
import { PROT_READ, PROT_WRITE } from '../engine/engine.ts';
import type { File } from '../fs/file.ts';
import { EventFd } from '../ipc/eventfd.ts';
import { AioContext } from '../kernel/aio.ts';
import type { Task } from '../kernel/task.ts';
import { getUint64, setInt64 } from '../lib/int64.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { VM_MAYWRITE, Vma } from '../mm/vma.ts';
import * as aio from '../uapi/aio.ts';
import {
  EAGAIN,
  EBADF,
  EFAULT,
  EINTR,
  EINVAL,
  ENOMEM,
  EOPNOTSUPP,
  ERESTARTSYS,
  ETIMEDOUT,
} from '../uapi/errno.ts';
import { RWF_NOWAIT } from '../uapi/rwf.ts';
import { call, hex, long, pointer, type Syscall, uint } from './args.ts';
import { AT_POS, checkRange, MAX_RW_COUNT, readFile, writeFile } from './io.ts';
import { fileOf } from './names.ts';
import { maskWhileWaiting } from './sigset.ts';
import { deadlineOfTimespec } from './timeout.ts';
import { readVectorAt, writeVectorAt } from './vector.ts';

/** The most requests that all contexts of a process have room for (proc_sys_fs(5), aio-max-nr). */
const AIO_MAX_NR = 65536;

function ioSetup(task: Task, count: number, ctxp: number): number {
  const { mm, user, kernel } = task;
  const at = user.in(ctxp, 8);
  if (at < 0 || mm === null) return -EFAULT;
  if (getUint64(user.view, at) !== 0 || count === 0) return -EINVAL;
  const size = count >>> 0;
  if (size + kernel.aio.room(mm) > AIO_MAX_NR) return size > 2 ** 28 ? -EINVAL : -EAGAIN;
  const out = user.out(ctxp, 8);
  if (out < 0) return out;
  const place = mm.findFree(PAGE_SIZE);
  if (place < 0) return -ENOMEM;
  const id = mm.map(new Vma(place, place + PAGE_SIZE, PROT_READ | PROT_WRITE, VM_MAYWRITE));
  if (id < 0) return id;
  setInt64(user.view, out, id);
  kernel.aio.add(mm, id, new AioContext(size));
  return 0;
}

function ioDestroy(task: Task, id: number): number {
  const { mm, kernel } = task;
  if (mm === null || kernel.aio.remove(mm, id) === undefined) return -EINVAL;
  mm.unmap(id, PAGE_SIZE);
  return 0;
}

function ioSubmit(task: Task, id: number, count: number, list: number): number | Promise<number> {
  const context = task.kernel.aio.get(task.mm, id);
  if (context === undefined || count < 0) return -EINVAL;
  return submitFrom(task, context, count, list, 0);
}

/** Takes requests in order until one cannot be taken; its error is the result only if it was the first. */
function submitFrom(
  task: Task,
  context: AioContext,
  count: number,
  list: number,
  first: number,
): number | Promise<number> {
  for (let i = first; i < count; i++) {
    const result = submitOne(task, context, list + 8 * i);
    if (typeof result !== 'number') {
      return result.then(error => (error < 0 ? i || error : submitFrom(task, context, count, list, i + 1)));
    }
    if (result < 0) return i || result;
  }
  return Math.max(count, 0);
}

function submitOne(task: Task, context: AioContext, addr: number): number | Promise<number> {
  const { user } = task;
  const pointerAt = user.in(addr, 8);
  if (pointerAt < 0) return pointerAt;
  const obj = getUint64(user.view, pointerAt);
  const at = user.in(obj, IOCB_SIZE);
  if (at < 0) return at;
  const iocb = readIocb(user.view, at);
  if (context.events.length >= context.size) return -EAGAIN;
  const refused = check(iocb);
  if (refused !== 0) return refused;
  const file = fileOf(task, iocb.fd);
  if (file === null) return -EBADF;
  const told = resultFile(task, iocb);
  return typeof told === 'number' ? told : begin(task, context, file, iocb, obj, told);
}

/** The eventfd to signal on completion; null for none; -EBADF, -EINVAL. */
function resultFile(task: Task, { flags, resfd }: Iocb): EventFd | null | number {
  if ((flags & aio.IOCB_FLAG_RESFD) === 0) return null;
  const file = task.files.get(resfd);
  if (file === null) return -EBADF;
  return file instanceof EventFd ? file : -EINVAL;
}

function check(iocb: Iocb): number {
  if (iocb.reserved !== 0 || iocb.nbytes < 0) return -EINVAL;
  return (iocb.flags & ~(aio.IOCB_FLAG_RESFD | aio.IOCB_FLAG_IOPRIO)) !== 0 ? -EINVAL : 0;
}

/** 0 if the request was taken: its own result, good or bad, becomes an event. */
function begin(
  task: Task,
  context: AioContext,
  file: File,
  iocb: Iocb,
  obj: number,
  told: EventFd | null,
): number | Promise<number> {
  const { dataLo, dataHi } = iocb;
  const refused = refuse(file, iocb);
  if (refused !== 0) return refused;
  const complete = (result: number): number => {
    context.complete({ dataLo, dataHi, obj, result: settled(task, result) });
    told?.signal(1);
    return 0;
  };
  const result = perform(task, file, iocb);
  return typeof result === 'number' ? complete(result) : result.then(complete);
}

/**
 * A request's result, once the bytes it read are in the program's memory: other threads may see the event before this
 * call is answered. An interrupted request cannot be restarted, so it ends with -EINTR.
 */
function settled(task: Task, result: number): number {
  task.user.flush();
  if ((task.thread?.copyNow() ?? 0) < 0 && result > 0) return -EFAULT;
  return result <= -ERESTARTSYS ? -EINTR : result;
}

/** Errors found before anything is done: a file not open for it, a negative position, an unknown operation. */
function refuse(file: File, { opcode, offset }: Iocb): number {
  switch (opcode) {
    case aio.IOCB_CMD_PREAD:
    case aio.IOCB_CMD_PREADV:
      return !file.readable ? -EBADF : offset < 0 ? -EINVAL : 0;
    case aio.IOCB_CMD_PWRITE:
    case aio.IOCB_CMD_PWRITEV:
      return !file.writable ? -EBADF : offset < 0 ? -EINVAL : 0;
    case aio.IOCB_CMD_FSYNC:
    case aio.IOCB_CMD_FDSYNC:
      return 0;
    default:
      return -EINVAL;
  }
}

function perform(task: Task, file: File, iocb: Iocb): number | Promise<number> {
  const { buf, nbytes, opcode, rwFlags } = iocb;
  const pos = file.seekable ? iocb.offset : AT_POS;
  const len = Math.min(nbytes, MAX_RW_COUNT);
  switch (opcode) {
    case aio.IOCB_CMD_PREADV:
      return readVectorAt(task, file, buf, nbytes, pos, rwFlags);
    case aio.IOCB_CMD_PWRITEV:
      return writeVectorAt(task, file, buf, nbytes, pos, rwFlags);
    case aio.IOCB_CMD_FSYNC:
      return file.fsync(false);
    case aio.IOCB_CMD_FDSYNC:
      return file.fsync(true);
  }
  if ((rwFlags & ~RWF_NOWAIT) !== 0) return -EOPNOTSUPP;
  if (checkRange(buf, len) < 0) return -EFAULT;
  const transfer = opcode === aio.IOCB_CMD_PREAD ? readFile : writeFile;
  return transfer(task, file, task.user, buf, len, pos, (rwFlags & RWF_NOWAIT) === 0);
}

function ioCancel(task: Task, id: number, iocb: number): number {
  const at = task.user.in(iocb, IOCB_SIZE);
  if (at < 0) return at;
  return task.kernel.aio.get(task.mm, id) === undefined ? -EINVAL : -EAGAIN;
}

function ioGetevents(
  task: Task,
  id: number,
  least: number,
  most: number,
  events: number,
  timeout: number,
): number | Promise<number> {
  const deadline = deadlineOfTimespec(task, timeout);
  if (deadline < 0) return deadline;
  const context = task.kernel.aio.get(task.mm, id);
  if (context === undefined || least < 0 || least > most) return -EINVAL;
  const got = take(task, context, most, events, 0);
  if (got < 0 || got >= least || deadline <= task.clock.monotonic()) return got;
  return waitForEvents(task, context, { least, most, events, deadline }, got);
}

interface Wanted {
  readonly least: number;
  readonly most: number;
  readonly events: number;
  readonly deadline: number;
}

async function waitForEvents(
  task: Task,
  context: AioContext,
  wanted: Wanted,
  already: number,
): Promise<number> {
  let got = already;
  for (;;) {
    const slept = await task.sleepOn([context.waitq], wanted.deadline);
    if (context.destroyed) return got || -EINVAL;
    const more = take(task, context, wanted.most, wanted.events, got);
    if (more < 0) return got || more;
    got = more;
    if (got >= wanted.least || slept === -ETIMEDOUT) return got;
    if (slept < 0) return got || -EINTR;
  }
}

/** Hands out events behind the first `got`; returns how many there are then, or -EFAULT. */
function take(task: Task, context: AioContext, most: number, addr: number, got: number): number {
  let count = got;
  while (count < most && context.events.length > 0) {
    const at = task.user.out(addr + count * IO_EVENT_SIZE, IO_EVENT_SIZE);
    if (at < 0) return count > 0 ? count : at;
    writeIoEvent(task.user.view, at, context.events.shift()!);
    count++;
  }
  return count;
}

/** io_getevents with a signal mask during the wait: struct { const sigset_t *sigmask; size_t size } at `addr`. */
function ioPgetevents(
  task: Task,
  id: number,
  least: number,
  most: number,
  events: number,
  timeout: number,
  addr: number,
): number | Promise<number> {
  if (addr !== 0) {
    const at = task.user.in(addr, 16);
    if (at < 0) return at;
    const mask = getUint64(task.user.view, at);
    const size = getUint64(task.user.view, at + 8);
    const masked = maskWhileWaiting(task, mask, size);
    if (masked < 0) return masked;
  }
  // If a handler runs (-EINTR), its frame keeps the old mask.
  const restore = (result: number): number => {
    if (result !== -EINTR) task.signals.restoreSavedMask();
    return result;
  };
  const result = ioGetevents(task, id, least, most, events, timeout);
  return typeof result === 'number' ? restore(result) : result.then(restore);
}

const WAIT = [hex('ctx_id'), long('min_nr'), long('nr'), pointer('events'), pointer('timeout')];

export const aioCalls: readonly Syscall[] = [
  call('io_setup', [uint('nr_events'), pointer('ctx_idp')], ioSetup),
  call('io_destroy', [hex('ctx_id')], ioDestroy),
  call('io_submit', [hex('ctx_id'), long('nr'), pointer('iocbpp')], ioSubmit, 'no IOCB_CMD_POLL: EINVAL'),
  call('io_cancel', [hex('ctx_id'), pointer('iocb'), pointer('result')], ioCancel),
  call('io_getevents', WAIT, ioGetevents),
  call('io_pgetevents', [...WAIT, pointer('sig')], ioPgetevents),
];
