/** Times (timespec(3), timeval(3type), times(2)), as strace shows them. */
import { TIMESPEC_SIZE, TIMEVAL_SIZE } from '../../arch/x86_64/structs/time.ts';
import * as time from '../../uapi/time.ts';
import type { Struct } from '../args.ts';
import { namesIn, struct } from '../show.ts';
import { inside, s32, s64 } from './fields.ts';

export const TIMESPEC = struct(TIMESPEC_SIZE, { tv_sec: s64(0), tv_nsec: s64(8) });
export const TIMEVAL = struct(TIMEVAL_SIZE, { tv_sec: s64(0), tv_usec: s64(8) });
export const TIMEZONE = struct(8, { tz_minuteswest: s32(0), tz_dsttime: s32(4) });
export const ITIMERSPEC = struct(32, { it_interval: inside(0, TIMESPEC), it_value: inside(16, TIMESPEC) });
export const ITIMERVAL = struct(32, { it_interval: inside(0, TIMEVAL), it_value: inside(16, TIMEVAL) });
export const UTIMBUF = struct(16, { actime: s64(0), modtime: s64(8) });
export const CLOCKS = namesIn(time, /^CLOCK_/);
/** The two times of utimensat(2) and utimes(2). */
export const TIMESPECS = pair(TIMESPEC);
export const TIMEVALS = pair(TIMEVAL);
export const TMS = struct(32, {
  tms_utime: s64(0),
  tms_stime: s64(8),
  tms_cutime: s64(16),
  tms_cstime: s64(24),
});

function pair(one: Struct): Struct {
  return {
    size: 2 * one.size,
    show: (view, at, look) => `[${one.show(view, at, look)}, ${one.show(view, at + one.size, look)}]`,
  };
}
