/**
 * System call sites that can be replaced by a jump of seven bytes (`ff 24 25 abs32`).
 *
 * - `before`: `mov $nr,%eax; syscall` (b8 nr32, 0f 05). The jump's last two bytes are where the syscall was, and are
 *   not an instruction, so that a jump to the old place is noticed.
 * - `after`: `syscall; cmp $-4096,%rax` or `$-4095` (0f 05, 48 3d imm32), which libc's `ja` or `jae` follows. The
 *   engine's return does the comparison. Only where nothing in the text jumps into the comparison.
 */

export type SiteKind = 'before' | 'after';

export interface CallSite {
  readonly kind: SiteKind;
  /** Where the jump goes, relative to the byte after the syscall instruction (where `rip` is during the call). */
  readonly start: number;
  /** Where the program goes on, relative to the same byte. */
  readonly next: number;
}

export const BEFORE: CallSite = { kind: 'before', start: -7, next: 0 };
export const AFTER: CallSite = { kind: 'after', start: -2, next: 6 };

/** Whether the seven bytes before `rip` load `nr` and make the call. */
export function isBefore(bytes: Uint8Array, nr: number): boolean {
  const number = bytes[1]! | (bytes[2]! << 8) | (bytes[3]! << 16) | (bytes[4]! << 24);
  return bytes[0] === 0xb8 && number === nr && bytes[5] === 0x0f && bytes[6] === 0x05;
}

export const BEFORE_SIZE = 7;

/**
 * Offsets in `text` of what follows the syscall instruction of `after` sites (eight bytes that mean nothing else). The
 * search is for their last bytes, which are rarer in code than the first: that makes it ten times as fast in a library.
 */
export function findAfter(text: Buffer): number[] {
  const found: number[] = [];
  for (const compare of COMPARES)
    for (let at = text.indexOf(compare); at >= 0; at = text.indexOf(compare, at + compare.length))
      if (text[at - 3] === 0x0f && text[at - 2] === 0x05 && text[at - 1] === 0x48) found.push(at - 1);
  return found;
}

/** How far an 8-bit jump reaches, plus its own length. */
const SHORT = 128 + 2;
const MARKED = 1;
const HIT = 2;
/** The first byte of a piece, where alone an instruction begins. */
const FIRST = 3;

/**
 * Which of the pieces of `length` bytes that begin at `starts` a direct jump of the text could lead into. Every byte is
 * tried as a jump, so data in the text can only make us more careful. As a text has millions of bytes and few such
 * pieces, short jumps are searched for only around these. Compilers make no loop and no jrcxz, and such bytes mostly
 * mean something else (`and $-9,%eax` not far behind a call, in libc): they count only if they lead to the first byte.
 */
export function jumpedInto(text: Uint8Array, starts: readonly number[], length: number): Set<number> {
  if (starts.length === 0) return new Set();
  const marks = new Uint8Array(text.length);
  for (const start of starts) {
    marks.fill(MARKED, start, start + length);
    marks[start] = FIRST;
  }
  for (const start of starts) markShort(text, marks, start - SHORT, start + length + SHORT);
  markLong(text, marks);
  return new Set(starts.filter(start => marks.subarray(start, start + length).includes(HIT)));
}

function markShort(text: Uint8Array, marks: Uint8Array, from: number, to: number): void {
  const end = Math.min(to, text.length - 1);
  for (let i = Math.max(0, from); i < end; i++) {
    const op = text[i]!;
    const target = i + 2 + ((text[i + 1]! << 24) >> 24);
    if (op === 0xeb || (op & 0xf0) === 0x70) hit(marks, target);
    else if ((op & 0xfc) === 0xe0 && marks[target] === FIRST) marks[target] = HIT;
  }
}

/** Sums of 32 bits: one that overflows lies outside the text either way, and V8 need not provide for it. */
function markLong(text: Uint8Array, marks: Uint8Array): void {
  const last = text.length - 5;
  for (let i = 0; i < last; i++) {
    const op = text[i]!;
    if (op === 0xe9) hit(marks, (i + 5 + word(text, i + 1)) | 0);
    else if (op === 0x0f && (text[i + 1]! & 0xf0) === 0x80) hit(marks, (i + 6 + word(text, i + 2)) | 0);
  }
  // Only the shorter of the two has room here.
  if (last >= 0 && text[last] === 0xe9) hit(marks, (last + 5 + word(text, last + 1)) | 0);
}

function hit(marks: Uint8Array, target: number): void {
  if (target >= 0 && target < marks.length && marks[target] !== 0) marks[target] = HIT;
}

/** The last five bytes of `syscall; cmp imm32,%rax` (0f 05, 48 3d imm32), for -4096 and -4095. */
const COMPARES = [0, 1].map(low => Buffer.from([0x3d, low, 0xf0, 0xff, 0xff]));
const word = (text: Uint8Array, at: number): number =>
  text[at]! | (text[at + 1]! << 8) | (text[at + 2]! << 16) | (text[at + 3]! << 24);
