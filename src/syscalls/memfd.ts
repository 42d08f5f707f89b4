/** memfd_create(2). Seals are in fcntl.ts. */
import { createMemfd } from '../ipc/memfd.ts';
import type { Task } from '../kernel/task.ts';
import { EINVAL, ENAMETOOLONG } from '../uapi/errno.ts';
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC, MFD_HUGETLB, MFD_NOEXEC_SEAL } from '../uapi/eventfd.ts';
import { call, flags, type Syscall, string } from './args.ts';
import { install } from './names.ts';

/** Bytes of the longest name, with its NUL. */
const NAME_SPACE = 250;

function memfdCreate(task: Task, nameAddr: number, flags: number): number {
  const name = task.user.string(nameAddr, NAME_SPACE);
  if (typeof name === 'number') return name === -ENAMETOOLONG ? -EINVAL : name;
  const file = createMemfd(task.kernel.shmem, name, flags, task.cred);
  return typeof file === 'number' ? file : install(task, file, (flags & MFD_CLOEXEC) !== 0);
}

const FLAGS = { MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_HUGETLB, MFD_NOEXEC_SEAL, MFD_EXEC };

export const memfdCalls: readonly Syscall[] = [
  call(
    'memfd_create',
    [string('name'), flags('flags', FLAGS)],
    memfdCreate,
    'no huge pages: MFD_HUGETLB files can hold no data',
  ),
];
