/** process_vm_readv(2), process_vm_writev(2): copies between the caller's memory and another process's. */
import { PROT_READ, PROT_WRITE } from '../engine/engine.ts';
import { mayAttach } from '../kernel/ptrace-access.ts';
import { Slice } from '../kernel/slice.ts';
import type { Task } from '../kernel/task.ts';
import type { Mm } from '../mm/mm.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { EFAULT, EINVAL, EPERM, ESRCH } from '../uapi/errno.ts';
import { call, pid, pointer, type Syscall, ulong } from './args.ts';
import { type IoVector, readVector } from './vector.ts';

/** Copies [remote, remote + len) of `mm` from or to the caller's `local`: 0 or -EFAULT. */
type Copy = (task: Task, mm: Mm, local: number, remote: number, len: number) => number;

const readIt: Copy = (task, mm, local, remote, len) => {
  if (!mm.allows(remote, len, PROT_READ)) return -EFAULT;
  const at = task.user.out(local, len);
  if (at < 0) return at;
  const copied = mm.space.read(remote, at, len);
  if (copied < 0) task.user.shrink(0);
  return copied;
};

const writeIt: Copy = (task, mm, local, remote, len) => {
  if (!mm.allows(remote, len, PROT_WRITE)) return -EFAULT;
  const at = task.user.in(local, len);
  return at < 0 ? at : mm.space.write(remote, at, len);
};

function transfer(
  task: Task,
  id: number,
  local: number,
  localCount: number,
  remote: number,
  remoteCount: number,
  flags: number,
  copy: Copy,
): number | Promise<number> {
  if (flags !== 0) return -EINVAL;
  const here = readVector(task.user, local, localCount);
  if (typeof here === 'number') return here;
  const there = readVector(task.user, remote, remoteCount);
  if (typeof there === 'number') return there;
  if (here.total === 0 || there.total === 0) return 0;
  const target = task.kernel.tasks.get(id);
  if (target === undefined || target.mm === null) return -ESRCH;
  target.follower?.recall();
  return copyAll({ task, target, mm: target.mm, here: new Cursor(here), there: new Cursor(there), copy }, 0);
}

interface Transfer {
  readonly task: Task;
  readonly target: Task;
  readonly mm: Mm;
  readonly here: Cursor;
  readonly there: Cursor;
  readonly copy: Copy;
}

/** Copies page by page of the remote memory; what was copied before an error counts. */
function copyAll(transfer: Transfer, begun: number): number | Promise<number> {
  const { task, target, mm, here, there, copy } = transfer;
  // Checked after each pause, too: the target may have executed another program.
  if (target.mm !== mm || !mayAttach(task, target)) return begun > 0 ? begun : -EPERM;
  const slice = new Slice(task);
  let done = begun;
  while (here.left > 0 && there.left > 0) {
    const len = Math.min(here.left, there.left, PAGE_SIZE - (there.address % PAGE_SIZE));
    const error = copy(task, mm, here.address, there.address, len);
    if (error < 0) return done > 0 ? done : target.mm !== mm || mm.space.hasLeft ? -ESRCH : error;
    here.advance(len);
    there.advance(len);
    done += len;
    if (slice.isOver) return slice.pause().then(goesOn => (goesOn ? copyAll(transfer, done) : done));
  }
  return done;
}

/** A place in an array of struct iovec. */
class Cursor {
  address = 0;
  left = 0;
  private readonly vector: IoVector;
  private next = 0;

  constructor(vector: IoVector) {
    this.vector = vector;
    this.advance(0);
  }

  advance(len: number): void {
    this.address += len;
    this.left -= len;
    if (this.left > 0 || this.next >= this.vector.count) return;
    this.address = this.vector.words[2 * this.next]!;
    this.left = this.vector.words[2 * this.next + 1]!;
    this.next++;
  }
}

const ARGS = [
  pid('pid'),
  pointer('local_iov'),
  ulong('liovcnt'),
  pointer('remote_iov'),
  ulong('riovcnt'),
  ulong('flags'),
];

export const processVmCalls: readonly Syscall[] = [
  call('process_vm_readv', ARGS, (t, id, l, ln, r, rn, flags) =>
    transfer(t, id, l, ln, r, rn, flags, readIt),
  ),
  call('process_vm_writev', ARGS, (t, id, l, ln, r, rn, flags) =>
    transfer(t, id, l, ln, r, rn, flags, writeIt),
  ),
];
