/** /proc/sys/fs: limits of open files, pipes, inotify and POSIX message queues (proc_sys_fs(5), mq_overview(7)). */
import { parseInteger } from '../../fs/proc/context.ts';
import type { Sysctl } from '../../fs/proc/source.ts';
import { PAGE_SIZE } from '../../mm/ram.ts';
import { EINVAL } from '../../uapi/errno.ts';
import { HARD_MSG_MAX, HARD_MSGSIZE_MAX, MIN_MSGSIZE_MAX } from '../../uapi/mqueue.ts';
import type { Kernel } from '../kernel.ts';

const INT_MAX = 2 ** 31 - 1;
/** The bounds of fs.nr_open: the bits of a long, and the most that a table of descriptors can ever hold. */
const LEAST_NR_OPEN = 64;
const MOST_NR_OPEN = 2 ** 30;

/** A number that `of` keeps under `key`; `round` turns the given one into that, null refuses it. */
function limit<K extends string>(
  path: string,
  of: Record<K, number>,
  key: K,
  round: (value: number) => number | null,
): Sysctl {
  return {
    path: `fs/${path}`,
    perm: 0o644,
    get: () => String(of[key]),
    set: text => {
      const given = parseInteger(text);
      const value = given === null ? null : round(given);
      if (value === null) return -EINVAL;
      of[key] = value as (typeof of)[K];
      return 0;
    },
  };
}

const within =
  (min: number, max: number) =>
  (value: number): number | null =>
    value < min || value > max ? null : value;

/** A pipe has a power of two of pages. */
function pipeSize(value: number): number | null {
  if (value < 0 || value > INT_MAX) return null;
  let size = PAGE_SIZE;
  while (size < value) size *= 2;
  return size;
}

export function fileSysctls({ fileLimits, pipeLimits, inotify, queueLimits }: Kernel): Sysctl[] {
  const some = within(0, INT_MAX);
  const any = within(0, Number.MAX_SAFE_INTEGER);
  const messages = within(1, HARD_MSG_MAX);
  const bytes = within(MIN_MSGSIZE_MAX, HARD_MSGSIZE_MAX);
  return [
    limit('nr_open', fileLimits, 'nrOpen', within(LEAST_NR_OPEN, MOST_NR_OPEN)),
    limit('pipe-max-size', pipeLimits, 'size', pipeSize),
    limit('pipe-user-pages-hard', pipeLimits, 'hard', any),
    limit('pipe-user-pages-soft', pipeLimits, 'soft', any),
    limit('inotify/max_queued_events', inotify.limits, 'queued', some),
    limit('inotify/max_user_instances', inotify.limits, 'instances', some),
    limit('inotify/max_user_watches', inotify.limits, 'watches', some),
    limit('mqueue/msg_default', queueLimits, 'defaultMessages', messages),
    limit('mqueue/msg_max', queueLimits, 'messages', messages),
    limit('mqueue/msgsize_default', queueLimits, 'defaultSize', bytes),
    limit('mqueue/msgsize_max', queueLimits, 'size', bytes),
    limit('mqueue/queues_max', queueLimits, 'queues', some),
  ];
}
