/**
 * What signal calls pass in memory:
 *
 *   sigset_t of the kernel (8):       0 signals 1 to 32 | 4 signals 33 to 64
 *   struct sigaction (32):            0 sa_handler | 8 sa_flags u64 | 16 sa_restorer | 24 sa_mask
 *   stack_t (24):                     0 ss_sp | 8 ss_flags s32 | 16 ss_size u64
 *   struct sigevent (64):             0 sigev_value (8) | 8 sigev_signo s32 | 12 sigev_notify s32 | 16 thread s32
 */
import { getUint64, setInt64 } from '../../../lib/int64.ts';

export const SIGSET_SIZE = 8;
export const SIGACTION_SIZE = 32;
export const STACK_SIZE = 24;
export const SIGEVENT_SIZE = 64;

export interface SigActionFields {
  readonly handler: number;
  readonly flags: number;
  readonly restorer: number;
  readonly maskLo: number;
  readonly maskHi: number;
}

export const readSigAction = (view: DataView, at: number): SigActionFields => ({
  handler: getUint64(view, at),
  flags: view.getInt32(at + 8, true),
  restorer: getUint64(view, at + 16),
  maskLo: view.getInt32(at + 24, true),
  maskHi: view.getInt32(at + 28, true),
});

export function writeSigAction(view: DataView, at: number, action: SigActionFields): void {
  setInt64(view, at, action.handler);
  setInt64(view, at + 8, action.flags >>> 0);
  setInt64(view, at + 16, action.restorer);
  view.setInt32(at + 24, action.maskLo, true);
  view.setInt32(at + 28, action.maskHi, true);
}

export interface StackFields {
  readonly sp: number;
  readonly flags: number;
  readonly size: number;
}

export const readStack = (view: DataView, at: number): StackFields => ({
  sp: getUint64(view, at),
  flags: view.getInt32(at + 8, true),
  size: getUint64(view, at + 16),
});

export function writeStack(view: DataView, at: number, stack: StackFields): void {
  setInt64(view, at, stack.sp);
  view.setInt32(at + 8, stack.flags, true);
  view.setInt32(at + 12, 0, true);
  setInt64(view, at + 16, stack.size);
}

export interface SigEventFields {
  readonly valueLo: number;
  readonly valueHi: number;
  readonly signal: number;
  readonly notify: number;
  readonly thread: number;
}

export const readSigEvent = (view: DataView, at: number): SigEventFields => ({
  valueLo: view.getInt32(at, true),
  valueHi: view.getInt32(at + 4, true),
  signal: view.getInt32(at + 8, true),
  notify: view.getInt32(at + 12, true),
  thread: view.getInt32(at + 16, true),
});
