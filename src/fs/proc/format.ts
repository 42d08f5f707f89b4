/** How proc(5) writes things: clock ticks, kibibytes, sets, signals, addresses. */
import type { Bits } from './source.ts';

/** Times in /proc are in ticks of 1/100 s, sysconf(_SC_CLK_TCK). */
const NSEC_PER_TICK = 10_000_000;

export const ticks = (ns: number): number => Math.floor(ns / NSEC_PER_TICK);

export const kib = (bytes: number): number => Math.floor(bytes / 1024);

/** A label and a size in eight columns, as meminfo, status and smaps show them. */
export const kibLine = (label: string, bytes: number): string =>
  `${label}${String(kib(bytes)).padStart(8)} kB\n`;

/** The same with the label padded to 16 columns. */
export const kibRow = (name: string, bytes: number): string => kibLine(`${name}:`.padEnd(16), bytes);

export const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '0');

export const hexBits = (bits: Bits): string => hex(bits.hi >>> 0, 8) + hex(bits.lo >>> 0, 8);

/** Seconds with two decimals. */
export const centiseconds = (ns: number): string => {
  const hundredths = ticks(ns);
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`;
};

/** Sorted numbers as cpuset(7)'s list: '0-1,4'. */
export function listFormat(numbers: readonly number[]): string {
  const ranges: string[] = [];
  for (let i = 0; i < numbers.length; ) {
    let j = i;
    while (j + 1 < numbers.length && numbers[j + 1] === numbers[j]! + 1) j++;
    ranges.push(i === j ? `${numbers[i]}` : `${numbers[i]}-${numbers[j]}`);
    i = j + 1;
  }
  return ranges.join(',');
}

/** Small numbers as cpuset(7)'s mask: words of 32 bits, the highest first; `width` numbers are possible. */
export function maskFormat(numbers: readonly number[], width: number): string {
  const words = new Uint32Array(Math.max(1, Math.ceil(width / 32)));
  for (const n of numbers) if (n < words.length * 32) words[n >>> 5]! |= 1 << (n & 31);
  const [top, ...rest] = [...words].reverse();
  const digits = Math.ceil((((width - 1) & 31) + 1) / 4);
  return [hex(top!, digits), ...rest.map(word => hex(word, 8))].join(',');
}

/** Replaces blanks that would break up a line by octal escapes: '\040'. */
export const escapeBlanks = (text: string, which: RegExp = /[ \t\n\\]/g): string =>
  text.replace(which, c => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);

/** How unlimited values are shown: 2^64 - 1, which a double cannot hold. */
export const ULONG_MAX = '18446744073709551615';
