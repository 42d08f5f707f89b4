/** Steering the clock (adjtimex(2), clock_adjtime(2)). Its discipline is core/ntp.ts. */

import { writeMicros } from '../arch/x86_64/structs/resource.ts';
import { CAP_SYS_TIME, capable } from '../core/cred.ts';
import { type Adjustment, MAX_FREQ, type Ntp } from '../core/ntp.ts';
import { isCpuClock } from '../kernel/clock-ids.ts';
import type { Task } from '../kernel/task.ts';
import { getInt64, setInt64 } from '../lib/int64.ts';
import { EINVAL, EOPNOTSUPP, EPERM } from '../uapi/errno.ts';
import * as t from '../uapi/time.ts';
import * as x from '../uapi/timex.ts';
import { call, oneOf, pointer, type Syscall } from './args.ts';
import { MAX_SECONDS } from './clock.ts';
import { CLOCKS } from './structs/time.ts';

/**
 * struct timex: 0 modes u32 | 8 offset | 16 freq | 24 maxerror | 32 esterror | 40 status s32 | 48 constant | 56 precision |
 * 64 tolerance | 72 time, a timeval | 88 tick | 160 tai s32; what is not said is a long.
 */
const TIMEX_SIZE = 208;
const PRECISION = 1;
/** A tick may be a tenth longer or shorter, us. */
const SHORTEST_TICK = 9_000;
const LONGEST_TICK = 11_000;
/** Frequencies beyond what 64 bits hold, in the kernel's own unit of ns a second times 2^32, are refused; up to there they are cut. */
const FREQ_LIMIT = 2 ** 63 / 65_536_000;

interface Timex extends Adjustment {
  readonly sec: number;
  readonly fraction: number;
}

function readTimex(view: DataView, at: number): Timex {
  return {
    modes: view.getUint32(at, true),
    offset: getInt64(view, at + 8),
    freq: getInt64(view, at + 16),
    maxerror: getInt64(view, at + 24),
    esterror: getInt64(view, at + 32),
    status: view.getInt32(at + 40, true),
    constant: getInt64(view, at + 48),
    sec: getInt64(view, at + 72),
    fraction: getInt64(view, at + 80),
    tick: getInt64(view, at + 88),
  };
}

/** 0, or the errno of what may not be asked for. */
function refused(task: Task, timex: Timex): number {
  const { modes, tick, freq } = timex;
  const maySteer = capable(task.cred, CAP_SYS_TIME);
  if (modes & x.ADJ_ADJTIME) {
    if (!(modes & x.ADJ_OFFSET)) return -EINVAL;
    if (!(modes & x.ADJ_OFFSET_READONLY) && !maySteer) return -EPERM;
  } else {
    if (modes !== 0 && !maySteer) return -EPERM;
    if (modes & x.ADJ_TICK && (tick < SHORTEST_TICK || tick > LONGEST_TICK)) return -EINVAL;
  }
  if (modes & x.ADJ_SETOFFSET) {
    if (!maySteer) return -EPERM;
    if (timex.fraction < 0 || timex.fraction >= (modes & x.ADJ_NANO ? 1e9 : 1e6)) return -EINVAL;
  }
  return modes & x.ADJ_FREQUENCY && Math.abs(freq) > FREQ_LIMIT ? -EINVAL : 0;
}

function adjtimex(task: Task, addr: number): number {
  const { user, kernel, clock } = task;
  const at = user.in(addr, TIMEX_SIZE);
  if (at < 0) return at;
  const asked = readTimex(user.view, at);
  const failed = refused(task, asked);
  if (failed < 0) return failed;
  if (asked.modes & x.ADJ_SETOFFSET && !shift(task, asked)) return -EINVAL;
  const out = user.out(addr, TIMEX_SIZE);
  if (out < 0) return out;
  let state: number = x.TIME_OK;
  kernel.steerRealtime((ntp, now) => {
    const offset = change(ntp, asked, now);
    writeTimex(user.view, out, asked.modes, ntp, offset);
    state = ntp.state;
  });
  writeNow(user.view, out, clock.realtime(), (user.view.getInt32(out + 40, true) & x.STA_NANO) !== 0);
  return state;
}

/** ADJ_SETOFFSET: sets the clock by a difference; false if that leads to where no clock can be. */
function shift({ kernel, clock }: Task, { modes, sec, fraction }: Timex): boolean {
  const now = clock.realtime();
  const nsec = now.nsec + (modes & x.ADJ_NANO ? fraction : fraction * 1000);
  const carry = nsec >= 1e9 ? 1 : 0;
  const time = { sec: now.sec + sec + carry, nsec: nsec - carry * 1e9 };
  if (time.sec < 0 || time.sec > MAX_SECONDS) return false;
  kernel.setRealtime(time);
  return true;
}

/** Answers the offset that the caller is told of: of adjtime(3) what was left before. */
function change(ntp: Ntp, asked: Timex, now: number): number {
  if (!(asked.modes & x.ADJ_ADJTIME)) {
    ntp.adjust(asked, now);
    return ntp.offset;
  }
  const { left } = ntp;
  if (!(asked.modes & x.ADJ_OFFSET_READONLY)) ntp.left = asked.offset;
  return left;
}

function writeTimex(view: DataView, at: number, modes: number, ntp: Ntp, offset: number): void {
  for (let i = 0; i < TIMEX_SIZE; i += 8) setInt64(view, at + i, 0);
  view.setUint32(at, modes, true);
  setInt64(view, at + 8, offset);
  setInt64(view, at + 16, Math.trunc(ntp.freq));
  setInt64(view, at + 24, ntp.maxerror);
  setInt64(view, at + 32, ntp.esterror);
  view.setInt32(at + 40, ntp.status, true);
  setInt64(view, at + 48, ntp.constant);
  setInt64(view, at + 56, PRECISION);
  setInt64(view, at + 64, MAX_FREQ);
  setInt64(view, at + 88, ntp.tick);
  view.setInt32(at + 160, ntp.tai, true);
}

function writeNow(view: DataView, at: number, now: { sec: number; nsec: number }, nano: boolean): void {
  setInt64(view, at + 72, now.sec);
  if (nano) setInt64(view, at + 80, now.nsec);
  else writeMicros(view, at + 72, now.nsec);
}

/** Clocks that there are, but that nobody steers. */
const OTHERS: readonly number[] = [
  t.CLOCK_MONOTONIC,
  t.CLOCK_PROCESS_CPUTIME_ID,
  t.CLOCK_THREAD_CPUTIME_ID,
  t.CLOCK_MONOTONIC_RAW,
  t.CLOCK_REALTIME_COARSE,
  t.CLOCK_MONOTONIC_COARSE,
  t.CLOCK_BOOTTIME,
  t.CLOCK_REALTIME_ALARM,
  t.CLOCK_BOOTTIME_ALARM,
  t.CLOCK_TAI,
];

function clockAdjtime(task: Task, id: number, addr: number): number {
  if (id === t.CLOCK_REALTIME) return adjtimex(task, addr);
  return OTHERS.includes(id) || isCpuClock(id) ? -EOPNOTSUPP : -EINVAL;
}

const NOTE = 'no leap seconds and no pulse-per-second signals';

export const adjtimexCalls: readonly Syscall[] = [
  call('adjtimex', [pointer('buf')], adjtimex, NOTE),
  call('clock_adjtime', [oneOf('clockid', CLOCKS), pointer('buf')], clockAdjtime, NOTE),
];
