/**
 * What a new program finds on its stack (System V ABI, x86-64, 3.4.1), from the stack pointer up: argc, the
 * pointers to the arguments and to the environment, each ended by a null, the auxiliary vector; above, the strings.
 */
import { setInt64 } from '../lib/int64.ts';

export interface StackRequest {
  readonly top: number;
  readonly argv: readonly string[];
  readonly envp: readonly string[];
  /** The file's name, for AT_EXECFN. */
  readonly execfn: string;
  readonly platform: string;
  /** Entries of the auxiliary vector whose values are numbers. */
  readonly auxv: readonly (readonly [number, number])[];
}

/** Where a stack is written: from `offset` on, where the stack pointer will point. */
export interface StackWindow {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly offset: number;
  /** Where AT_RANDOM's bytes are, in the same array. */
  readonly random: number;
}

export interface StackImage {
  readonly argStart: number;
  readonly argEnd: number;
  readonly envStart: number;
  readonly envEnd: number;
  /** The auxiliary vector, its pointers included: words. */
  readonly auxv: readonly number[];
}

const AT_NULL = 0;
const AT_PLATFORM = 15;
const AT_RANDOM = 25;
const AT_EXECFN = 31;
const RANDOM_SIZE = 16;

/** Bytes that the strings and AT_RANDOM's bytes take. */
function stringsSize({ execfn, platform, argv, envp }: StackRequest): number {
  let size = execfn.length + 1 + platform.length + 1 + RANDOM_SIZE + 8;
  for (const s of argv) size += s.length + 1;
  for (const s of envp) size += s.length + 1;
  return size;
}

/** The stack pointer; the stack reaches from there to `top`. */
export function stackPointerFor(r: StackRequest): number {
  const words = 1 + r.argv.length + 1 + r.envp.length + 1 + 2 * (r.auxv.length + 4);
  return Math.floor((r.top - stringsSize(r) - words * 8) / 16) * 16;
}

export function writeStack(r: StackRequest, sp: number, window: StackWindow): StackImage {
  const out = new StackWriter(sp, r.top, window);
  out.at = r.top - stringsSize(r);
  const argStart = out.at;
  const args = r.argv.map(s => out.string(s));
  const argEnd = out.at;
  const env = r.envp.map(s => out.string(s));
  const envEnd = out.at;
  const pointers: readonly (readonly [number, number])[] = [
    [AT_EXECFN, out.string(r.execfn)],
    [AT_PLATFORM, out.string(r.platform)],
    [AT_RANDOM, out.random()],
    [AT_NULL, 0],
  ];
  const auxv: number[] = [];
  for (const list of [r.auxv, pointers]) for (const [type, value] of list) auxv.push(type, value);
  out.at = sp;
  out.word(args.length);
  for (const list of [args, env]) {
    for (const address of list) out.word(address);
    out.word(0);
  }
  for (const word of auxv) out.word(word);
  return { argStart, argEnd, envStart: argEnd, envEnd, auxv };
}

class StackWriter {
  at = 0;
  private readonly window: StackWindow;
  /** What to add to an address to get its place in the window. */
  private readonly shift: number;

  constructor(sp: number, top: number, window: StackWindow) {
    this.window = window;
    this.shift = window.offset - sp;
    window.bytes.fill(0, window.offset, top + this.shift);
  }

  string(text: string): number {
    const { bytes } = this.window;
    const address = this.at;
    const to = address + this.shift;
    for (let i = 0; i < text.length; i++) bytes[to + i] = text.charCodeAt(i);
    this.at += text.length + 1;
    return address;
  }

  random(): number {
    const { bytes, random } = this.window;
    const address = this.at;
    bytes.copyWithin(address + this.shift, random, random + RANDOM_SIZE);
    this.at += RANDOM_SIZE;
    return address;
  }

  word(value: number): void {
    setInt64(this.window.view, this.at + this.shift, value);
    this.at += 8;
  }
}
