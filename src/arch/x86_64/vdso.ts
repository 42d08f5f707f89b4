/**
 * The vDSO as code (vdso(7), "x86-64 functions"): where its functions are, and code that asks the kernel instead.
 * The image is read from a program's memory, so it may hold anything.
 */
import { getUint64 } from '../../lib/int64.ts';
import { EHDR_SIZE } from './elf.ts';
import { NR } from './unistd.ts';

const SHDR_SIZE = 64;
const SHT_DYNSYM = 11;
const SYM_SIZE = 24;
const CODE_SIZE = 8;

/** The functions that tell the time of day, and the calls that they stand for. */
export const TIME_FUNCTIONS: readonly (readonly [name: string, nr: number])[] = [
  ['__vdso_clock_gettime', NR.clock_gettime],
  ['__vdso_gettimeofday', NR.gettimeofday],
  ['__vdso_time', NR.time],
];

/** Words past the image's end read as zero. */
const word = (image: DataView, at: number): number => (at + 8 <= image.byteLength ? getUint64(image, at) : 0);
const half = (image: DataView, at: number): number =>
  at + 4 <= image.byteLength ? image.getUint32(at, true) : 0;

/** Length of the image with this header: up to the end of its section headers. */
export const vdsoSize = (header: DataView): number =>
  word(header, 40) + header.getUint16(58, true) * header.getUint16(60, true);

/** Offset of a function in the image, or -1. */
export function findFunction(image: DataView, name: string): number {
  if (image.byteLength < EHDR_SIZE) return -1;
  const sections = word(image, 40);
  for (let i = 0; i < image.getUint16(60, true); i++) {
    const at = sections + i * SHDR_SIZE;
    if (half(image, at + 4) === SHT_DYNSYM) return findSymbol(image, sections, at, name);
  }
  return -1;
}

function findSymbol(image: DataView, sections: number, table: number, name: string): number {
  const symbols = word(image, table + 24);
  const strings = word(image, sections + half(image, table + 40) * SHDR_SIZE + 24);
  const end = Math.min(symbols + word(image, table + 32), image.byteLength);
  for (let at = symbols; at < end; at += SYM_SIZE) {
    if (!isNamed(image, strings + half(image, at), name)) continue;
    const offset = word(image, at + 8);
    return offset + CODE_SIZE <= image.byteLength ? offset : -1;
  }
  return -1;
}

function isNamed(image: DataView, at: number, name: string): boolean {
  if (at + name.length >= image.byteLength) return false;
  for (let i = 0; i < name.length; i++) if (image.getUint8(at + i) !== name.charCodeAt(i)) return false;
  return image.getUint8(at + name.length) === 0;
}

/** mov $nr, %eax; syscall; ret: the arguments are the function's own. */
export const asksKernel = (nr: number): Uint8Array =>
  Uint8Array.of(0xb8, nr & 255, nr >> 8, 0, 0, 0x0f, 0x05, 0xc3);
