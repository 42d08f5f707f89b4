/** pipe(2), pipe2(2). */
import { createPipe } from '../ipc/pipe-file.ts';
import type { Task } from '../kernel/task.ts';
import { EINVAL } from '../uapi/errno.ts';
import { O_CLOEXEC, O_DIRECT, O_NONBLOCK } from '../uapi/fcntl.ts';
import { call, flags, outStruct, type Syscall } from './args.ts';
import { install } from './names.ts';

function pipe2(task: Task, addr: number, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) !== 0) return -EINVAL;
  const at = task.user.out(addr, 8);
  if (at < 0) return at;
  const { read, write } = createPipe(task.kernel.pipefs, flags, task.cred);
  const cloexec = (flags & O_CLOEXEC) !== 0;
  const readFd = install(task, read, cloexec);
  if (readFd < 0) {
    write.put();
    return readFd;
  }
  const writeFd = install(task, write, cloexec);
  if (writeFd < 0) {
    task.files.close(readFd);
    return writeFd;
  }
  task.user.view.setInt32(at, readFd, true);
  task.user.view.setInt32(at + 4, writeFd, true);
  return 0;
}

const pipe = (task: Task, addr: number): number => pipe2(task, addr, 0);

export const pipeCalls: readonly Syscall[] = [
  call('pipe', [outStruct('pipefd', 8)], pipe),
  call('pipe2', [outStruct('pipefd', 8), flags('flags', { O_CLOEXEC, O_NONBLOCK, O_DIRECT })], pipe2),
];
