/**
 * struct acct_v3 (acct(5), linux/acct.h), 64 bytes:
 *
 *   0 flag u8 | 1 version u8 | 2 tty u16 | 4 exitcode u32 | 8 uid u32 | 12 gid u32 | 16 pid u32 | 20 ppid u32 | 24 btime u32
 *   28 etime float | 32 utime | 34 stime | 36 mem | 38 io | 40 rw | 42 minflt | 44 majflt | 46 swaps (comp_t) | 48 comm (16)
 */
export const ACCT_SIZE = 64;
const VERSION = 3;
const COMM_ROOM = 16;

/** Flags: the process never executed a program; it left a core file; a signal ended it. */
export const AFORK = 1;
export const ACORE = 8;
export const AXSIG = 16;

/** The record of a process that has ended. Times are in hundredths of a second, `mem` in KiB. */
export interface AcctRecord {
  readonly flags: number;
  readonly tty: number;
  readonly exitcode: number;
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
  readonly ppid: number;
  /** Seconds since the epoch. */
  readonly btime: number;
  readonly etime: number;
  readonly utime: number;
  readonly stime: number;
  readonly mem: number;
  readonly minflt: number;
  readonly majflt: number;
  readonly comm: string;
}

const FRACTION_BITS = 13;
const FRACTION_MAX = 2 ** FRACTION_BITS - 1;
const EXPONENT_BITS = 3;

/** comp_t: a mantissa of 13 bits and an exponent of 3 bits, to base 8. */
export function compT(value: number): number {
  let [fraction, exponent, half] = [value, 0, false];
  while (fraction > FRACTION_MAX) {
    half = Math.floor(fraction / 2 ** (EXPONENT_BITS - 1)) % 2 !== 0;
    fraction = Math.floor(fraction / 2 ** EXPONENT_BITS);
    exponent++;
  }
  if (half && ++fraction > FRACTION_MAX) {
    fraction = Math.floor(fraction / 2 ** EXPONENT_BITS);
    exponent++;
  }
  return exponent < 2 ** EXPONENT_BITS ? exponent * 2 ** FRACTION_BITS + fraction : 0xffff;
}

export function acctBytes(from: AcctRecord): Uint8Array {
  const bytes = new Uint8Array(ACCT_SIZE);
  const view = new DataView(bytes.buffer);
  bytes[0] = from.flags;
  bytes[1] = VERSION;
  view.setUint16(2, from.tty, true);
  const words = [from.exitcode, from.uid, from.gid, from.pid, from.ppid, from.btime];
  for (const [i, word] of words.entries()) view.setUint32(4 + i * 4, word, true);
  view.setFloat32(28, from.etime, true);
  const small = [from.utime, from.stime, from.mem, 0, 0, from.minflt, from.majflt, 0];
  for (const [i, value] of small.entries()) view.setUint16(32 + i * 2, compT(value), true);
  for (let i = 0; i < Math.min(from.comm.length, COMM_ROOM - 1); i++) bytes[48 + i] = from.comm.charCodeAt(i);
  return bytes;
}
