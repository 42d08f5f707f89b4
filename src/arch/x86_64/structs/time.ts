/**
 * Times as the caller's memory holds them:
 *
 *   struct timespec (16 bytes):  0 tv_sec s64 | 8 tv_nsec s64
 *   struct timeval (16 bytes):   0 tv_sec s64 | 8 tv_usec s64
 *   struct itimerspec (32):      0 it_interval, a timespec | 16 it_value, a timespec
 *   struct utimbuf (16):         0 actime s64 | 8 modtime s64
 */
import { getInt64, setInt64 } from '../../../lib/int64.ts';

export interface Time {
  readonly sec: number;
  readonly nsec: number;
}

export const TIMESPEC_SIZE = 16;
export const TIMEVAL_SIZE = 16;
export const ITIMERSPEC_SIZE = 32;
export const UTIMBUF_SIZE = 16;

/** As the caller wrote it: fields may be out of range. */
export const readTimespec = (view: DataView, at: number): Time => ({
  sec: getInt64(view, at),
  nsec: getInt64(view, at + 8),
});

export function writeTimespec(view: DataView, at: number, time: Time): void {
  setInt64(view, at, time.sec);
  setInt64(view, at + 8, time.nsec);
}

/** Microseconds are not checked, only multiplied. */
export const readTimeval = (view: DataView, at: number): Time => ({
  sec: getInt64(view, at),
  nsec: getInt64(view, at + 8) * 1000,
});

export function writeTimeval(view: DataView, at: number, time: Time): void {
  setInt64(view, at, time.sec);
  setInt64(view, at + 8, Math.floor(time.nsec / 1000));
}
