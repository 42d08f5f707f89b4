/** Registers of a stopped thread, as struct sigcontext has them (asm/sigcontext.h): 64-bit words, by index. */
export const R8 = 0;
export const R9 = 1;
export const R10 = 2;
export const R11 = 3;
export const R12 = 4;
export const R13 = 5;
export const R14 = 6;
export const R15 = 7;
export const RDI = 8;
export const RSI = 9;
export const RBP = 10;
export const RBX = 11;
export const RDX = 12;
export const RAX = 13;
export const RCX = 14;
export const RSP = 15;
export const RIP = 16;
export const EFLAGS = 17;
/** cs, gs, fs, ss: 16 bits each. */
export const SEGMENTS = 18;
export const ERR = 19;
export const TRAPNO = 20;
export const OLDMASK = 21;
export const CR2 = 22;
export const REGISTERS_SIZE = 23 * 8;

const USER_CS = 0x33;
const USER_SS = 0x2b;
/** The flags that a program may set (status, DF, TF, AC, ID), and IF, which is always on. */
const EFLAGS_USER = 0x240dd5;
const EFLAGS_IF = 0x200;
/** Cleared for a signal handler: TF, RF, DF (psABI: the direction flag is clear on entry). */
const EFLAGS_HANDLER = ~0x10500;

const TWO_32 = 2 ** 32;

/** A register as a number: exact below 2^53. */
export const getRegister = (view: DataView, context: number, index: number): number =>
  view.getUint32(context + 8 * index + 4, true) * TWO_32 + view.getUint32(context + 8 * index, true);

/** Stores a number in 64 bits; negative ones (-errno) are sign-extended. */
export function setRegister(view: DataView, context: number, index: number, value: number): void {
  view.setInt32(context + 8 * index, value % TWO_32, true);
  view.setInt32(context + 8 * index + 4, Math.floor(value / TWO_32), true);
}

const CARRY = 1;
const ZERO = 0x40;

/**
 * Sets a call's result. Patched sites leave out the comparison that follows the call (call-site.ts, `after`), so the
 * flags are set as `cmp $-4096,%rax` would: above for an error, below for a result.
 */
export function setResult(view: DataView, context: number, value: number): void {
  setRegister(view, context, RAX, value);
  const flags = view.getUint32(context + 8 * EFLAGS, true) & ~(CARRY | ZERO);
  const isError = value < 0 && value > -4096;
  view.setUint32(context + 8 * EFLAGS, isError ? flags : flags | CARRY, true);
}

export function setSegments(view: DataView, context: number): void {
  view.setUint32(context + 8 * SEGMENTS, USER_CS, true);
  view.setUint32(context + 8 * SEGMENTS + 4, USER_SS << 16, true);
}

/** Leaves only flags that a program may set. */
export function cleanFlags(view: DataView, context: number): void {
  const flags = (view.getUint32(context + 8 * EFLAGS, true) & EFLAGS_USER) | EFLAGS_IF;
  view.setUint32(context + 8 * EFLAGS, flags, true);
  view.setUint32(context + 8 * EFLAGS + 4, 0, true);
}

export function handlerFlags(view: DataView, context: number): void {
  view.setUint32(context + 8 * EFLAGS, view.getUint32(context + 8 * EFLAGS, true) & EFLAGS_HANDLER, true);
}
