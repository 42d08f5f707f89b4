/**
 * System call sites that can be replaced by a jump of seven bytes (`ff 24 25 abs32`).
 *
 * - `before`: `mov $nr,%eax; syscall` (b8 nr32, 0f 05). The jump's last two bytes lie where the syscall was, and are
 *   no instruction, so that a jump to the old place is noticed.
 * - `after`: `syscall; cmp $-4096,%rax` or `$-4095` (0f 05, 48 3d imm32), where libc's `ja` or `jae` follows. The
 *   engine's return does the comparison. Only where nothing in the text jumps into the comparison.
 */
// A jump is seven bytes long.

export type SiteKind = 'before' | 'after';

export interface CallSite {
  readonly kind: SiteKind;
  /** Where the jump goes, relative to the byte after the syscall instruction (where `rip` is during the call). */
  readonly start: number;
  /** Where the program goes on, relative to the same. */
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

/** Offsets in `text` of what follows the syscall instruction of `after` sites (eight bytes that mean nothing else). */
export function findAfter(text: Buffer): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(SYSCALL_COMPARE); at >= 0; at = text.indexOf(SYSCALL_COMPARE, at + 8)) {
    const low = text[at + 4];
    const rest = text[at + 5] === 0xf0 && text[at + 6] === 0xff && text[at + 7] === 0xff;
    if (rest && (low === 0 || low === 1)) found.push(at + 2);
  }
  return found;
}

/**
 * Whether any direct jump in text[from, to) could lead into the marked bytes (`marks[i]` non-zero): the marks that are
 * hit are set to 2. Every byte is tried as a jump, so data in the text can only make us more careful.
 */
export function markJumpTargets(text: Uint8Array, marks: Uint8Array): void {
  const end = text.length - 6;
  for (let i = 0; i < end; i++) {
    const op = text[i]!;
    let target = -1;
    if (op === 0xeb || (op & 0xf0) === 0x70) target = i + 2 + ((text[i + 1]! << 24) >> 24);
    else if (op === 0xe9) target = i + 5 + word(text, i + 1);
    else if (op === 0x0f && (text[i + 1]! & 0xf0) === 0x80) target = i + 6 + word(text, i + 2);
    if (target >= 0 && target < marks.length && marks[target] === 1) marks[target] = 2;
  }
}

/** syscall; cmp imm32,%rax */
const SYSCALL_COMPARE = Buffer.from([0x0f, 0x05, 0x48, 0x3d]);
const word = (text: Uint8Array, at: number): number =>
  text[at]! | (text[at + 1]! << 8) | (text[at + 2]! << 16) | (text[at + 3]! << 24);
