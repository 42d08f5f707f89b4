/** sysfs(2): filesystem types by number and by name. Obsolete; /proc/filesystems has the same information. */
import { copyOutString } from '../core/user-copy.ts';
import { PATH_MAX } from '../fs/namei.ts';
import type { Task } from '../kernel/task.ts';
import { EINVAL } from '../uapi/errno.ts';
import { call, int, pointer, type Syscall, ulong } from './args.ts';

const INDEX_OF_NAME = 1;
const NAME_OF_INDEX = 2;
const COUNT = 3;

function sysfs(task: Task, option: number, arg: number, addr: number): number {
  const names = [...task.kernel.vfs.types.keys()];
  switch (option) {
    case INDEX_OF_NAME: {
      const name = task.user.string(arg, PATH_MAX);
      if (typeof name === 'number') return name;
      const index = names.indexOf(name);
      return index < 0 ? -EINVAL : index;
    }
    case NAME_OF_INDEX: {
      const name = names[arg];
      return name === undefined ? -EINVAL : copyOutString(task.user, addr, `${name}\0`);
    }
    case COUNT:
      return names.length;
    default:
      return -EINVAL;
  }
}

export const sysfsCalls: readonly Syscall[] = [
  call('sysfs', [int('option'), ulong('arg'), pointer('buf')], sysfs),
];
