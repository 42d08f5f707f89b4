/** pipe(2), pipe2(2). */
import { createPipe } from '../ipc/pipe-file.ts';
import type { Task } from '../kernel/task.ts';
import { EINVAL } from '../uapi/errno.ts';
import { O_CLOEXEC, O_DIRECT, O_NONBLOCK } from '../uapi/fcntl.ts';
import { call, flags, outStruct, type Syscall } from './args.ts';
import { installTwo } from './names.ts';
import { INT_PAIR } from './structs/fields.ts';

function pipe2(task: Task, addr: number, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) !== 0) return -EINVAL;
  const at = task.user.out(addr, 8);
  if (at < 0) return at;
  const { pipefs, pipeLimits } = task.kernel;
  const made = createPipe(pipefs, flags, task.cred, pipeLimits);
  if (typeof made === 'number') return made;
  const { read, write } = made;
  const err = installTwo(task, read, write, (flags & O_CLOEXEC) !== 0, at);
  if (err < 0) task.user.shrink(0);
  return err;
}

const pipe = (task: Task, addr: number): number => pipe2(task, addr, 0);

export const pipeCalls: readonly Syscall[] = [
  call('pipe', [outStruct('pipefd', INT_PAIR)], pipe),
  call('pipe2', [outStruct('pipefd', INT_PAIR), flags('flags', { O_CLOEXEC, O_NONBLOCK, O_DIRECT })], pipe2),
];
