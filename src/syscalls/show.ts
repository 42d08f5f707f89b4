/**
 * How strace writes values: numbers by name, bytes as in C, structures by their fields. structs/ defines what
 * structures look like; the table's rows say which arguments are structures.
 */
import { latin1 } from '../lib/latin1.ts';
import * as signals from '../uapi/signal.ts';
import type { FlagNames, Look, Show, ShowField, Struct } from './args.ts';

/** The most bytes of a buffer, and elements of an array, that are shown. */
export const MOST_BYTES = 32;
const MOST_ELEMENTS = 16;
/** The most bytes of a set of bits. */
const MOST_SET = 1024;

export const hexadecimal = (value: number): string =>
  value < 0 ? `0x${(value >>> 0).toString(16)}` : `0x${value.toString(16)}`;
/** A mode, in three digits at least. */
export const octal = (value: number): string => `0${(value >>> 0).toString(8)}`.padStart(3, '0');

/** A pointer that is not followed. */
export const address = (value: number): string => (value === 0 ? 'NULL' : hexadecimal(value));

export const nameOf = (value: number, names: FlagNames): string | undefined =>
  Object.entries(names).find(([, v]) => v === value)?.[0];

/** Shows one of several values by its name, others in hexadecimal. */
export const named =
  (names: FlagNames): ((value: number) => string) =>
  value =>
    nameOf(value, names) ?? hexadecimal(value);

/** Shows bits by name; a name for 0 stands for no bits. The field of `choice` comes first, or last if it says so. */
export function flagWord(value: number, names: FlagNames, choice?: Choice): string {
  const words: string[] = [];
  const chosen = choice === undefined ? '' : choice.show(value & choice.mask);
  let rest = choice === undefined ? value : value & ~choice.mask;
  if (choice?.last !== true) words.push(chosen);
  for (const [name, bits] of Object.entries(names)) {
    if (bits === 0 || (rest & bits) !== bits) continue;
    words.push(name);
    rest &= ~bits;
  }
  if (rest !== 0) words.push(hexadecimal(rest >>> 0));
  if (choice?.last === true) words.push(chosen);
  return words.filter(word => word !== '').join('|') || nameOf(0, names) || '0';
}

/** A field of a flag word that is a number, such as the access mode of O_* flags. */
export interface Choice {
  readonly mask: number;
  readonly show: (value: number) => string;
  /** Written after the flags. */
  readonly last?: boolean;
}

/** The numbers in a module of uapi/ whose names match, in ascending order. */
export const namesIn = (module: object, like: RegExp): FlagNames =>
  Object.fromEntries(
    Object.entries(module)
      .filter(([name]) => like.test(name))
      .sort(([, a], [, b]) => (a >>> 0) - (b >>> 0)),
  );

const SIGNALS = namesIn(signals, /^SIG(?!RTMIN)[A-Z0-9]+$/);

export function signalName(signal: number): string {
  if (signal === signals.SIGRTMIN) return 'SIGRTMIN';
  if (signal > signals.SIGRTMIN && signal <= signals.NSIG) return `SIGRT_${signal - signals.SIGRTMIN}`;
  return nameOf(signal, SIGNALS) ?? String(signal);
}

/** Shows a signal set from its two words; if it is more than half full, by what it lacks. */
export function signalSet(lo: number, hi: number): string {
  const all = Array.from({ length: signals.NSIG }, (_, i) => i + 1);
  const has = (signal: number): boolean =>
    ((signal <= 32 ? lo >>> (signal - 1) : hi >>> (signal - 33)) & 1) !== 0;
  const inside = all.filter(has);
  const few = inside.length <= signals.NSIG / 2;
  const shown = few ? inside : all.filter(signal => !has(signal));
  return `${few ? '' : '~'}[${shown.map(signal => signalName(signal).slice(3)).join(' ')}]`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
  '\v': '\\v',
  '\f': '\\f',
  '"': '\\"',
  '\\': '\\\\',
};

/** A byte string (one character per byte) as C writes it. */
export function quoted(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    const code = char.charCodeAt(0);
    if (ESCAPES[char] !== undefined) out += ESCAPES[char];
    else if (code >= 0x20 && code < 0x7f) out += char;
    else out += `\\${code.toString(8).padStart(/[0-7]/.test(text[i + 1] ?? '') ? 3 : 1, '0')}`;
  }
  return `"${out}"`;
}

/** The first bytes of a string. */
export const abbreviated = (text: string): string =>
  quoted(text.slice(0, MOST_BYTES)) + (text.length > MOST_BYTES ? '...' : '');

/** Shows bytes that are not text, in hexadecimal. */
export const numbersAt =
  (lengthArg: number): Show =>
  (at, look) => {
    const len = Math.min(look.args[lengthArg] ?? 0, look.result, MOST_BYTES);
    const view = at === 0 || len < 0 ? null : look.memory(at, len);
    if (view === null) return address(at);
    const bytes = Array.from({ length: len }, (_, i) => view.getUint8(i).toString(16).padStart(2, '0'));
    return `"${bytes.map(byte => `\\x${byte}`).join('')}"${look.result > len ? '...' : ''}`;
  };

/** The numbers of the bits that are set in `len` bytes. */
export const bitsAt =
  (len: (look: Look) => number): Show =>
  (at, look) => {
    const size = len(look);
    const view = at === 0 || size < 0 || size > MOST_SET ? null : look.memory(at, size);
    if (view === null) return address(at);
    const all = Array.from({ length: 8 * size }, (_, bit) => bit);
    return `[${all.filter(bit => (view.getUint8(bit >> 3) >> (bit & 7)) & 1).join(' ')}]`;
  };

/** An unsigned 32-bit number. */
export const NUMBER: Struct = { size: 4, show: (view, at) => String(view.getUint32(at, true)) };

/** The first bytes of a buffer. */
export function bytesAt(at: number, len: number, look: Look): string {
  const view = at === 0 ? null : look.memory(at, Math.min(Math.max(len, 0), MOST_BYTES));
  if (view === null) return address(at);
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return quoted(latin1(bytes, 0, bytes.length)) + (len > MOST_BYTES ? '...' : '');
}

/** A structure of the program's memory. */
export const structAt =
  (struct: Struct): Show =>
  (at, look) => {
    const view = at === 0 ? null : look.memory(at, struct.size);
    return view === null ? address(at) : struct.show(view, 0, look);
  };

/** An array of `count` structures. */
export const arrayAt =
  (struct: Struct, count: (look: Look) => number): Show =>
  (at, look) => {
    const n = count(look);
    const shown = Math.min(n, MOST_ELEMENTS);
    const view = at === 0 || n < 0 || n > 0xffff ? null : look.memory(at, shown * struct.size);
    if (view === null) return address(at);
    const all = Array.from({ length: shown }, (_, i) => struct.show(view, i * struct.size, look));
    return `[${all.join(', ')}${n > shown ? ', ...' : ''}]`;
  };

/** A structure by its fields; `more`: it has fields that are not shown. */
export const struct = (size: number, fields: Readonly<Record<string, ShowField>>, more = false): Struct => ({
  size,
  show: (view, at, look) => {
    const all = Object.entries(fields).map(([name, show]) => `${name}=${show(view, at, look)}`);
    return `{${all.join(', ')}${more ? ', ...' : ''}}`;
  },
});
