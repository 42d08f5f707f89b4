/** /proc/sys/kernel: numbers of processes (proc_sys_kernel(5), pid_namespaces(7)). */
import { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN, capable } from '../../core/cred.ts';
import { parseInteger } from '../../fs/proc/context.ts';
import type { Sysctl } from '../../fs/proc/source.ts';
import { EINVAL, EPERM } from '../../uapi/errno.ts';
import type { PidAllocator } from '../pid.ts';

/** The least pid_max leaves one number beyond those reserved at boot. */
const LEAST_MAX = 301;
const LARGEST_MAX = 4194304;

export const pidSysctls = (pids: PidAllocator): Sysctl[] => [
  {
    path: 'kernel/pid_max',
    perm: 0o644,
    get: () => String(pids.pidMax),
    set: text => {
      const value = parseInteger(text);
      if (value === null || value < LEAST_MAX || value > LARGEST_MAX) return -EINVAL;
      pids.pidMax = value;
      return 0;
    },
  },
  {
    path: 'kernel/ns_last_pid',
    perm: 0o666,
    get: () => String(pids.latest),
    set: (text, cred) => {
      const value = parseInteger(text);
      if (!capable(cred, CAP_SYS_ADMIN) && !capable(cred, CAP_CHECKPOINT_RESTORE)) return -EPERM;
      if (value === null || value < 0 || value >= pids.pidMax) return -EINVAL;
      pids.latest = value;
      return 0;
    },
  },
];
