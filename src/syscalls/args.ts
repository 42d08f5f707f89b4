/**
 * The vocabulary of the system call table: what each argument is.
 *
 * From one declaration derive: how the register is read (`width`), how strace prints it (`kind`), and what the
 * stub copies to us before it even asks (`prefetch`: strings and buffers that the call reads).
 */
import type { Task } from '../kernel/task.ts';

/**
 * How a register becomes a number: the low 32 bits signed, or all 64 bits signed or unsigned, or such that it is
 * exact in its pages (engine.ts, `arg`).
 */
export const WIDTH_INT = 0;
export const WIDTH_LONG = 1;
export const WIDTH_ULONG = 2;
export const WIDTH_PAGES = 3;

/** Names of the bits of a flag word, for strace: `{ O_CREAT: 0o100, ... }`. */
export type FlagNames = Readonly<Record<string, number>>;

export type ArgKind =
  | 'int'
  | 'uint'
  | 'long'
  | 'ulong'
  | 'octal'
  | 'hex'
  | 'fd'
  | 'dirfd'
  | 'pid'
  | 'signal'
  | 'flags'
  | 'enum'
  | 'path'
  | 'string'
  | 'strings'
  | 'in'
  | 'out'
  | 'inout'
  | 'pointer';

export interface Arg {
  readonly name: string;
  readonly kind: ArgKind;
  readonly width: number;
  /** Bytes of a structure that a pointer argument points to, for 'in', 'out', 'inout'. */
  readonly size?: number;
  /** Or the index of the argument that holds the length in bytes. */
  readonly lengthArg?: number;
  readonly names?: FlagNames;
}

const arg =
  (kind: ArgKind, width: number) =>
  (name: string): Arg => ({ name, kind, width });

export const int = arg('int', WIDTH_INT);
export const uint = arg('uint', WIDTH_INT);
export const long = arg('long', WIDTH_LONG);
/** Sizes, lengths, unsigned words: what does not fit 2^53 becomes a number far too large for anything. */
export const ulong = arg('ulong', WIDTH_ULONG);
export const fd = arg('fd', WIDTH_INT);
export const dirfd = arg('dirfd', WIDTH_INT);
export const pid = arg('pid', WIDTH_INT);
export const signal = arg('signal', WIDTH_INT);
export const mode = arg('octal', WIDTH_INT);
export const hex = arg('hex', WIDTH_ULONG);
/** A word of 32 bits, such as an ioctl request. */
export const hex32 = arg('hex', WIDTH_INT);
/** A pointer that the kernel follows by itself, or not at all. */
export const pointer = arg('pointer', WIDTH_ULONG);
/** Where a range of memory begins, and how long it is: they may add up to more than 2^64. */
export const address = arg('pointer', WIDTH_PAGES);
export const extent = arg('ulong', WIDTH_PAGES);
/** A file's name (NUL-terminated, up to PATH_MAX). */
export const path = arg('path', WIDTH_ULONG);
/** An array of strings with a null at its end; the next argument is another one. */
export const strings = arg('strings', WIDTH_ULONG);
/** Any other NUL-terminated string. */
export const string = arg('string', WIDTH_ULONG);

export const flags = (name: string, names: FlagNames): Arg => ({
  name,
  kind: 'flags',
  width: WIDTH_INT,
  names,
});
/** One of some values (lseek's whence). */
export const oneOf = (name: string, names: FlagNames): Arg => ({
  name,
  kind: 'enum',
  width: WIDTH_INT,
  names,
});

/** A buffer that the call reads; its length is in argument `lengthArg` (counted from 0). */
export const inBuffer = (name: string, lengthArg: number): Arg => ({
  name,
  kind: 'in',
  width: WIDTH_ULONG,
  lengthArg,
});
export const outBuffer = (name: string, lengthArg: number): Arg => ({
  name,
  kind: 'out',
  width: WIDTH_ULONG,
  lengthArg,
});
/** A structure of `size` bytes that the call reads; the pointer may be NULL where the call allows it. */
export const inStruct = (name: string, size: number): Arg => ({ name, kind: 'in', width: WIDTH_ULONG, size });
export const outStruct = (name: string, size: number): Arg => ({
  name,
  kind: 'out',
  width: WIDTH_ULONG,
  size,
});
export const inOutStruct = (name: string, size: number): Arg => ({
  name,
  kind: 'inout',
  width: WIDTH_ULONG,
  size,
});

/**
 * A handler answers the call's result or -errno; a promise only when it has to wait. -ERESTART* of
 * uapi/errno.ts after an interrupted sleep make the signal code restart the call or answer EINTR.
 * Arguments are numbers as their `width` says.
 */
export type Handler = (
  task: Task,
  a0: number,
  a1: number,
  a2: number,
  a3: number,
  a4: number,
  a5: number,
) => number | Promise<number>;

export interface Syscall {
  readonly name: string;
  readonly args: readonly Arg[];
  readonly run: Handler;
  /** '' when all of the man page holds, else what is missing: the generated page of what is supported says it. */
  readonly note: string;
}

export const call = (name: string, args: readonly Arg[], run: Handler, note = ''): Syscall => ({
  name,
  args,
  run,
  note,
});
