/**
 * Limits and usage as the caller's memory holds them:
 *
 *   struct rlimit (16):   0 rlim_cur u64 | 8 rlim_max u64; all ones: no limit
 *   struct rusage (144):  0 ru_utime, a timeval | 16 ru_stime | then longs: 32 maxrss (KiB) | 64 minflt | 72 majflt
 *                         88 inblock | 96 oublock | 128 nvcsw | 136 nivcsw; what lies between is always 0
 *   struct tms (32):      0 tms_utime, ticks | 8 tms_stime | 16 tms_cutime | 24 tms_cstime
 */
import { getUint64, setInt64 } from '../../../lib/int64.ts';

const NSEC_PER_SEC = 1_000_000_000;

export const RLIMIT_SIZE = 16;
export const RUSAGE_SIZE = 144;
export const TMS_SIZE = 32;

export interface RlimitFields {
  readonly soft: number;
  readonly hard: number;
}

export function readRlimit(view: DataView, at: number): RlimitFields {
  return { soft: readLimit(view, at), hard: readLimit(view, at + 8) };
}

export function writeRlimit(view: DataView, at: number, limit: RlimitFields): void {
  writeLimit(view, at, limit.soft);
  writeLimit(view, at + 8, limit.hard);
}

/** From 2^53 on a value means no limit, as no resource comes near it. */
function readLimit(view: DataView, at: number): number {
  const limit = getUint64(view, at);
  return limit > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : limit;
}

function writeLimit(view: DataView, at: number, limit: number): void {
  if (Number.isFinite(limit)) setInt64(view, at, limit);
  else view.setBigInt64(at, -1n, true);
}

export interface UsageFields {
  /** ns */
  readonly user: number;
  readonly system: number;
  readonly maxrss: number;
  readonly minflt: number;
  readonly majflt: number;
  readonly inblock: number;
  readonly oublock: number;
  readonly nvcsw: number;
  readonly nivcsw: number;
}

export function writeRusage(view: DataView, at: number, usage: UsageFields): void {
  new Uint8Array(view.buffer, view.byteOffset + at, RUSAGE_SIZE).fill(0);
  writeMicros(view, at, usage.user);
  writeMicros(view, at + 16, usage.system);
  setInt64(view, at + 32, usage.maxrss);
  setInt64(view, at + 64, usage.minflt);
  setInt64(view, at + 72, usage.majflt);
  setInt64(view, at + 88, usage.inblock);
  setInt64(view, at + 96, usage.oublock);
  setInt64(view, at + 128, usage.nvcsw);
  setInt64(view, at + 136, usage.nivcsw);
}

/** Writes nanoseconds as a struct timeval. */
export function writeMicros(view: DataView, at: number, ns: number): void {
  const sec = Math.floor(ns / NSEC_PER_SEC);
  setInt64(view, at, sec);
  setInt64(view, at + 8, Math.floor((ns - sec * NSEC_PER_SEC) / 1000));
}
