/**
 * What a program has used, as its thread brought it along with a call: struct rusage (getrusage(2), x86-64), 144 bytes:
 * utime 0 and stime 16, {s64 seconds, s64 us} each; maxrss 32, KiB; minflt 64; majflt 72.
 *
 * The guest can write anything there. That deceives only those who ask about it.
 */
import { getUint64 } from '../../lib/int64.ts';

export const RUSAGE_SIZE = 144;
const UTIME = 0;
const STIME = 16;
const MAXRSS = 32;
const MINFLT = 64;
const MAJFLT = 72;
/** Nothing runs for longer, has more memory, or faults more often. */
const MOST_SECONDS = 2 ** 31;
const MOST_KIB = 2 ** 40;
const MOST_FAULTS = 2 ** 48;

export interface BroughtUsage {
  /** ns. */
  readonly user: number;
  readonly system: number;
  readonly minflt: number;
  readonly majflt: number;
  /** Bytes. */
  readonly peak: number;
}

export function readUsage(view: DataView, at: number): BroughtUsage {
  const field = (offset: number, most: number): number => Math.min(getUint64(view, at + offset), most);
  const time = (offset: number): number =>
    field(offset, MOST_SECONDS) * 1e9 + field(offset + 8, 999_999) * 1000;
  return {
    user: time(UTIME),
    system: time(STIME),
    minflt: field(MINFLT, MOST_FAULTS),
    majflt: field(MAJFLT, MOST_FAULTS),
    peak: field(MAXRSS, MOST_KIB) * 1024,
  };
}
