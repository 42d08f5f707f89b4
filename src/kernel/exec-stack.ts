/**
 * What a new program finds on its stack (System V ABI, x86-64, 3.4.1), from the stack pointer up: argc, the
 * pointers to the arguments and to the environment, each ended by a null, the auxiliary vector; above, the strings.
 */
export interface StackRequest {
  readonly top: number;
  readonly argv: readonly string[];
  readonly envp: readonly string[];
  /** The file's name, for AT_EXECFN. */
  readonly execfn: string;
  readonly random: Uint8Array;
  readonly platform: string;
  /** Entries of the auxiliary vector whose values are numbers. */
  readonly auxv: readonly (readonly [number, number])[];
}

export interface StackImage {
  readonly sp: number;
  /** Bytes from `sp` up to the top. */
  readonly bytes: Uint8Array;
  readonly argStart: number;
  readonly argEnd: number;
  readonly envStart: number;
  readonly envEnd: number;
  readonly auxv: Uint8Array;
}

const AT_NULL = 0;
const AT_PLATFORM = 15;
const AT_RANDOM = 25;
const AT_EXECFN = 31;

export function buildStack(r: StackRequest): StackImage {
  const length = (list: readonly string[]): number => list.reduce((n, s) => n + s.length + 1, 0);
  const strings =
    r.execfn.length + 1 + r.platform.length + 1 + r.random.length + length(r.argv) + length(r.envp) + 8;
  const words = 1 + r.argv.length + 1 + r.envp.length + 1 + 2 * (r.auxv.length + 4);
  const sp = Math.floor((r.top - strings - words * 8) / 16) * 16;
  const image = new StackWriter(sp, r.top - sp);
  image.at = r.top - strings;
  const argStart = image.at;
  const args = r.argv.map(s => image.string(s));
  const argEnd = image.at;
  const env = r.envp.map(s => image.string(s));
  const envEnd = image.at;
  const execfn = image.string(r.execfn);
  const platform = image.string(r.platform);
  const random = image.blob(r.random);
  image.at = sp;
  image.words([r.argv.length, ...args, 0, ...env, 0]);
  const auxStart = image.at;
  const pointers: readonly (readonly [number, number])[] = [
    [AT_PLATFORM, platform],
    [AT_RANDOM, random],
    [AT_EXECFN, execfn],
    [AT_NULL, 0],
  ];
  image.words([...r.auxv, ...pointers].flat());
  const auxv = image.bytes.slice(auxStart - sp, image.at - sp);
  return { sp, bytes: image.bytes, argStart, argEnd, envStart: argEnd, envEnd, auxv };
}

class StackWriter {
  readonly bytes: Uint8Array;
  at = 0;
  private readonly base: number;
  private readonly view: DataView;

  constructor(base: number, size: number) {
    this.base = base;
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  string(text: string): number {
    const address = this.at;
    for (let i = 0; i < text.length; i++) this.bytes[address - this.base + i] = text.charCodeAt(i);
    this.at += text.length + 1;
    return address;
  }

  blob(bytes: Uint8Array): number {
    const address = this.at;
    this.bytes.set(bytes, address - this.base);
    this.at += bytes.length;
    return address;
  }

  words(values: readonly number[]): void {
    for (const value of values) {
      this.view.setUint32(this.at - this.base, value % 2 ** 32, true);
      this.view.setUint32(this.at - this.base + 4, Math.floor(value / 2 ** 32), true);
      this.at += 8;
    }
  }
}
