/**
 * The vocabulary of the system call table: what each argument is.
 *
 * One declaration says how the register is read (`width`), how strace prints it (`kind`), and what the stub copies to
 * the kernel before it even asks (strings and buffers that the call reads).
 */
import { type Foreseeable, type ForeseeableCall, foreseeableCall } from '../kernel/habits/step.ts';
import type { Task } from '../kernel/task.ts';
import { type Choice, structAt } from './show.ts';

/**
 * How a register becomes a number: the low 32 bits signed, all 64 bits signed or unsigned, or unsigned and exact in its
 * pages (engine.ts, `arg`).
 */
export const WIDTH_INT = 0;
export const WIDTH_LONG = 1;
export const WIDTH_ULONG = 2;
export const WIDTH_PAGES = 3;

/** Names of a flag word's bits, for strace: `{ O_CREAT: 0o100, ... }`. */
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
  | 'pointer';

/** What strace may look at while it shows an argument. */
export interface Look {
  readonly args: readonly number[];
  /** The call's result; 0 before there is one. */
  readonly result: number;
  /** A copy of the program's memory; null where there is none. */
  memory(address: number, len: number): DataView | null;
  string(address: number): string | null;
}

/** Writes an argument's value. */
export type Show = (value: number, look: Look) => string;
/** Writes a field of the structure at `at`. */
export type ShowField = (view: DataView, at: number, look: Look) => string;

/** A structure in the program's memory. */
export interface Struct {
  readonly size: number;
  readonly show: ShowField;
}

/** Written `[1 => 2]` for the room and the length of an answer, `[1] => [2]` for a counter. */
export type BothWays = 'length' | 'counter';

export interface Arg {
  readonly name: string;
  readonly kind: ArgKind;
  readonly width: number;
  /** How strace writes it, if not as `kind` says. */
  readonly show?: Show;
  /** Whether a call with this result has written it; without this, if it succeeded. */
  readonly written?: (result: number) => boolean;
  /** How strace joins its values before and after the call. */
  readonly bothWays?: BothWays;
  /** Whether the call uses it at all, given the other arguments (open's mode). */
  readonly taken?: (args: readonly number[]) => boolean;
  /** Bytes of a structure that a pointer argument points to, for 'in' and 'out'. */
  readonly size?: number;
  /** Or the index of the argument that holds the length in bytes. */
  readonly lengthArg?: number;
  readonly names?: FlagNames;
  /** A field of a flag word that is a number. */
  readonly choice?: Choice;
}

const arg =
  (kind: ArgKind, width: number) =>
  (name: string): Arg => ({ name, kind, width });

export const int = arg('int', WIDTH_INT);
export const uint = arg('uint', WIDTH_INT);
export const long = arg('long', WIDTH_LONG);
/** Sizes, lengths, unsigned words: values over 2^53 are inexact, but far too large for anything. */
export const ulong = arg('ulong', WIDTH_ULONG);
export const fd = arg('fd', WIDTH_INT);
export const dirfd = arg('dirfd', WIDTH_INT);
export const pid = arg('pid', WIDTH_INT);
export const signal = arg('signal', WIDTH_INT);
export const mode = arg('octal', WIDTH_INT);
export const hex = arg('hex', WIDTH_ULONG);
/** A word of 32 bits, such as an ioctl request. */
export const hex32 = arg('hex', WIDTH_INT);
/** A pointer that the handler follows on its own, or not at all. */
export const pointer = arg('pointer', WIDTH_ULONG);
/** Start and length of a memory range; their sum may exceed 2^64. */
export const address = arg('pointer', WIDTH_PAGES);
export const extent = arg('ulong', WIDTH_PAGES);
/** A file's name (NUL-terminated, up to PATH_MAX). */
export const path = arg('path', WIDTH_ULONG);
/** A null-terminated array of strings; the next argument is another one. */
export const strings = arg('strings', WIDTH_ULONG);
/** Any other NUL-terminated string. */
export const string = arg('string', WIDTH_ULONG);

export const flags = (name: string, names: FlagNames, choice?: Choice): Arg => ({
  name,
  kind: 'flags',
  width: WIDTH_INT,
  names,
  ...(choice && { choice }),
});
/** One of several values (lseek's whence). */
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
/**
 * A structure that the call reads; the pointer may be NULL where the call allows it. If only its size is given, strace
 * shows the address.
 */
export const inStruct = (name: string, struct: Struct | number): Arg => pointed('in', name, struct);
export const outStruct = (name: string, struct: Struct | number): Arg => pointed('out', name, struct);

/** A structure that the call writes for some results only. */
export const outStructIf = (written: (result: number) => boolean, name: string, struct: Struct): Arg => ({
  ...outStruct(name, struct),
  written,
});

/** A pointer that the handler follows on its own, and how strace shows it: before the call, or after it. */
export const shown = (name: string, show: Show): Arg => ({ ...pointer(name), show });
export const shownAfter = (name: string, show: Show): Arg => ({ ...pointer(name), kind: 'out', show });

/** Memory that the call reads and changes; strace shows it as it was before if the call fails. */
export const shownBoth = (name: string, show: Show, bothWays: BothWays): Arg => ({
  ...shown(name, show),
  bothWays,
});

function pointed(kind: 'in' | 'out', name: string, struct: Struct | number): Arg {
  if (typeof struct === 'number') return { name, kind, width: WIDTH_ULONG, size: struct };
  return { name, kind, width: WIDTH_ULONG, size: struct.size, show: structAt(struct) };
}

/**
 * A handler answers the call's result or -errno, as a promise only if it has to wait. After an interrupted sleep, the
 * -ERESTART* of uapi/errno.ts make the signal code restart the call or answer EINTR.
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
  /** How strace writes the result, where it is not a plain number. */
  readonly answer?: (result: number, args: readonly number[]) => string;
  /** What SYSCALLS.md says is missing; '' if all of the man page holds. */
  readonly note: string;
  /** Errors that depend on names alone, and hold until names change (kernel/known-answers.ts). */
  readonly lasting: readonly number[];
  /** What it says of a file holds as long as the file does not change. */
  readonly ofSteady: boolean;
  /** Set if the call can be made before the program asks for it (kernel/habits). */
  readonly foreseeable: Foreseeable | null;
}

export const call = (name: string, args: readonly Arg[], run: Handler, note = ''): Syscall => ({
  name,
  args,
  run,
  note,
  lasting: [],
  ofSteady: false,
  foreseeable: null,
});

export const answering = (row: Syscall, answer: NonNullable<Syscall['answer']>): Syscall => ({
  ...row,
  answer,
});

/** A call that asks about nothing but a file's properties. */
export const ofSteady = (row: Syscall): Syscall => ({ ...row, ofSteady: true });

export const foreseeable = (row: Syscall, how: ForeseeableCall): Syscall => ({
  ...row,
  foreseeable: foreseeableCall(how),
});

export const lasting = (row: Syscall, ...errors: readonly number[]): Syscall => ({ ...row, lasting: errors });
