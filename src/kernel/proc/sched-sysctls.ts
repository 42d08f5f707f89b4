/**
 * /proc/sys/kernel: limits of realtime threads (sched(7)). The host schedules: these are only stored, but for the time
 * slice, which is reported.
 */
import { parseInteger } from '../../fs/proc/context.ts';
import type { Sysctl } from '../../fs/proc/source.ts';
import { EINVAL } from '../../uapi/errno.ts';
import type { RealtimeRules } from '../sched.ts';

const INT_MAX = 2 ** 31 - 1;
const UNLIMITED = -1;
const USUAL_SLICE = 100;

function row(
  name: string,
  rules: RealtimeRules,
  key: keyof RealtimeRules,
  take: (value: number) => boolean,
): Sysctl {
  return {
    path: `kernel/${name}`,
    perm: 0o644,
    get: () => String(rules[key]),
    set: text => {
      const value = parseInteger(text);
      return value !== null && take(value) ? 0 : -EINVAL;
    },
  };
}

export const schedSysctls = (rules: RealtimeRules): Sysctl[] => [
  row('sched_rt_period_us', rules, 'period', value => {
    if (value < 1 || value > INT_MAX || value < rules.runtime) return false;
    rules.period = value;
    return true;
  }),
  row('sched_rt_runtime_us', rules, 'runtime', value => {
    if (value < UNLIMITED || value > rules.period) return false;
    rules.runtime = value;
    return true;
  }),
  row('sched_rr_timeslice_ms', rules, 'slice', value => {
    if (Math.abs(value) > INT_MAX) return false;
    rules.slice = value <= 0 ? USUAL_SLICE : value;
    return true;
  }),
];
