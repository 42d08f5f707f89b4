/**
 * A small assembler for seccomp programs: jumps go to labels instead of counted distances.
 * Instructions are struct sock_filter: code u16, jt u8, jf u8, k u32 (linux/filter.h).
 */
export type Line =
  | { readonly op: 'label'; readonly name: string }
  | { readonly op: 'load'; readonly offset: number }
  | {
      readonly op: 'jump';
      readonly test: number;
      readonly k: number;
      readonly yes: string;
      readonly no: string;
    }
  | { readonly op: 'return'; readonly k: number }
  | { readonly op: 'plain'; readonly code: number; readonly k: number };

export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_EQUAL = 0x35;
const JUMP_SET = 0x45;
const RETURN = 0x06;
/** The next line. */
const NEXT = '';

/** Offsets in struct seccomp_data (seccomp(2)). */
export const DATA = {
  nr: 0,
  arch: 4,
  ipLow: 8,
  ipHigh: 12,
  arg: (n: number): number => 16 + 8 * n,
  argHigh: (n: number): number => 20 + 8 * n,
} as const;

export const RET_TRAP = 0x00030000;
export const RET_ALLOW = 0x7fff0000;

export const label = (name: string): Line => ({ op: 'label', name });
export const load = (offset: number): Line => ({ op: 'load', offset });
/** X = A, A += X, A += k: sums wrap at 32 bits. */
export const tax: Line = { op: 'plain', code: 0x07, k: 0 };
export const addX: Line = { op: 'plain', code: 0x0c, k: 0 };
export const add = (k: number): Line => ({ op: 'plain', code: 0x04, k });
export const ret = (k: number): Line => ({ op: 'return', k });

const jump = (test: number, k: number, yes: string, no: string): Line => ({
  op: 'jump',
  test,
  k: k >>> 0,
  yes,
  no,
});
export const jeq = (k: number, to: string): Line => jump(JUMP_EQUAL, k, to, NEXT);
export const jne = (k: number, to: string): Line => jump(JUMP_EQUAL, k, NEXT, to);
export const jge = (k: number, to: string): Line => jump(JUMP_GREATER_EQUAL, k, to, NEXT);
export const jlt = (k: number, to: string): Line => jump(JUMP_GREATER_EQUAL, k, NEXT, to);
/** Jumps when any bit of `k` is set. */
export const jset = (k: number, to: string): Line => jump(JUMP_SET, k, to, NEXT);

/** Throws if a label is missing or too far (a jump reaches 255 instructions, forward only). */
export function assemble(lines: readonly Line[]): Instruction[] {
  const places = new Map<string, number>();
  let count = 0;
  for (const line of lines) {
    if (line.op === 'label') places.set(line.name, count);
    else count++;
  }
  const out: Instruction[] = [];
  const distance = (to: string): number => {
    if (to === NEXT) return 0;
    const place = places.get(to);
    const far = place === undefined ? -1 : place - out.length - 1;
    if (far < 0 || far > 255) throw new Error(`no forward jump to ${to}`);
    return far;
  };
  for (const line of lines) {
    if (line.op === 'load') out.push({ code: LOAD_WORD, jt: 0, jf: 0, k: line.offset });
    else if (line.op === 'plain') out.push({ code: line.code, jt: 0, jf: 0, k: line.k });
    else if (line.op === 'return') out.push({ code: RETURN, jt: 0, jf: 0, k: line.k });
    else if (line.op === 'jump')
      out.push({ code: line.test, jt: distance(line.yes), jf: distance(line.no), k: line.k });
  }
  return out;
}
