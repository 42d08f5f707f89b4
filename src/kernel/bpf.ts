/**
 * Classic BPF programs as seccomp(2) takes them: an accumulator A, an index X and 16 words of memory, over data of
 * whole words. Jumps lead only forwards, so a program ends after as many steps as it has instructions.
 */
export interface BpfProgram {
  readonly codes: Uint16Array;
  readonly jumps: Uint8Array;
  readonly values: Uint32Array;
}

export const MOST_INSTRUCTIONS = 4096;
const MEMORY = 16;

const LD = 0x00;
const LDX = 0x01;
const ST = 0x02;
const STX = 0x03;
const ALU = 0x04;
const JMP = 0x05;
const RET = 0x06;
const MISC = 0x07;
const IMM = 0x00;
const ABS = 0x20;
const MEM = 0x60;
const LEN = 0x80;
const X = 0x08;
const RET_A = 0x10;
const TXA = 0x80;
const ADD = 0x00;
const SUB = 0x10;
const MUL = 0x20;
const DIV = 0x30;
const OR = 0x40;
const AND = 0x50;
const LSH = 0x60;
const RSH = 0x70;
const NEG = 0x80;
const XOR = 0xa0;
const JA = 0x00;
const JEQ = 0x10;
const JGT = 0x20;
const JGE = 0x30;
const JSET = 0x40;

const ALU_OPERATIONS = [ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, XOR];
/** All instructions that seccomp allows; loads are of words. */
const KNOWN: ReadonlySet<number> = new Set([
  ...[LD | IMM, LD | ABS, LD | MEM, LD | LEN, LDX | IMM, LDX | MEM, LDX | LEN, ST, STX],
  ...ALU_OPERATIONS.flatMap(op => [ALU | op, ALU | op | X]),
  ...[ALU | NEG, JMP | JA, RET, RET | RET_A, MISC, MISC | TXA],
  ...[JEQ, JGT, JGE, JSET].flatMap(op => [JMP | op, JMP | op | X]),
]);

/** Whether the program may run on `size` bytes of data. */
export function isValid(program: BpfProgram, size: number): boolean {
  const { codes, jumps, values } = program;
  const last = codes.length - 1;
  for (let pc = 0; pc <= last; pc++) {
    const [code, k, left] = [codes[pc]!, values[pc]!, last - pc];
    if (!KNOWN.has(code)) return false;
    if (code === (LD | ABS) && (k >= size || k % 4 !== 0)) return false;
    if (code === (ALU | DIV) && k === 0) return false;
    if ((code === (ALU | LSH) || code === (ALU | RSH)) && k >= 32) return false;
    if (usesMemory(code) && k >= MEMORY) return false;
    if (code === (JMP | JA) && k >= left) return false;
    if ((code & 7) === JMP && code !== (JMP | JA) && Math.max(jumps[2 * pc]!, jumps[2 * pc + 1]!) >= left)
      return false;
  }
  return (codes[last]! & 7) === RET && readsWhatWasWritten(program);
}

const loadsMemory = (code: number): boolean => code === (LD | MEM) || code === (LDX | MEM);
const storesMemory = (code: number): boolean => code === ST || code === STX;
const usesMemory = (code: number): boolean => loadsMemory(code) || storesMemory(code);

/** Whether every word of memory is written before it is read, whichever way a program goes. */
function readsWhatWasWritten({ codes, jumps, values }: BpfProgram): boolean {
  const written = new Uint16Array(codes.length).fill(0xffff);
  let now = 0;
  for (let pc = 0; pc < codes.length; pc++) {
    const [code, k] = [codes[pc]!, values[pc]!];
    now &= written[pc]!;
    if (loadsMemory(code) && (now & (1 << k)) === 0) return false;
    if (storesMemory(code)) now |= 1 << k;
    if ((code & 7) !== JMP) continue;
    const targets = code === (JMP | JA) ? [k] : [jumps[2 * pc]!, jumps[2 * pc + 1]!];
    for (const target of targets) written[pc + 1 + target]! &= now;
    now = 0xffff;
  }
  return true;
}

/** The result of a valid program for `data`. */
export function runBpf({ codes, jumps, values }: BpfProgram, data: Uint32Array): number {
  const memory = new Uint32Array(MEMORY);
  let a = 0;
  let x = 0;
  for (let pc = 0; pc < codes.length; pc++) {
    const code = codes[pc]!;
    const k = values[pc]!;
    switch (code & 7) {
      case LD:
        a = load(code, k, memory, data);
        break;
      case LDX:
        x = load(code, k, memory, data);
        break;
      case ST:
        memory[k] = a;
        break;
      case STX:
        memory[k] = x;
        break;
      case ALU: {
        const operand = (code & X) !== 0 ? x : k;
        if ((code & 0xf0) === DIV && operand === 0) return 0;
        a = calculate(code & 0xf0, a, operand);
        break;
      }
      case JMP:
        pc += (code & 0xf0) === JA ? k : jumps[2 * pc + (holds(code, a, (code & X) !== 0 ? x : k) ? 0 : 1)]!;
        break;
      case RET:
        return (code & RET_A) !== 0 ? a : k;
      case MISC:
        if ((code & TXA) !== 0) a = x;
        else x = a;
    }
  }
  return 0;
}

function load(code: number, k: number, memory: Uint32Array, data: Uint32Array): number {
  switch (code & 0xe0) {
    case ABS:
      return data[k >>> 2]!;
    case MEM:
      return memory[k]!;
    case LEN:
      return data.byteLength;
    default:
      return k;
  }
}

function calculate(operation: number, a: number, b: number): number {
  switch (operation) {
    case ADD:
      return (a + b) >>> 0;
    case SUB:
      return (a - b) >>> 0;
    case MUL:
      return Math.imul(a, b) >>> 0;
    case DIV:
      return Math.floor(a / b);
    case OR:
      return (a | b) >>> 0;
    case AND:
      return (a & b) >>> 0;
    case LSH:
      return (a << (b & 31)) >>> 0;
    case RSH:
      return a >>> (b & 31);
    case XOR:
      return (a ^ b) >>> 0;
    default:
      return -a >>> 0;
  }
}

function holds(code: number, a: number, b: number): boolean {
  switch (code & 0xf0) {
    case JEQ:
      return a === b;
    case JGT:
      return a > b;
    case JGE:
      return a >= b;
    default:
      return (a & b) !== 0;
  }
}
