/** What the addresses and descriptors of one run of a program are relative to (step.ts). */
import type { Mm } from '../../mm/mm.ts';
import { pageUp } from '../../mm/ram.ts';
import { MAP_FIXED, MAP_FIXED_NOREPLACE } from '../../uapi/mman.ts';
import {
  type Act,
  BASE_BREAK,
  BASE_ENTRY,
  BASE_INTERPRETER,
  BASE_MAPPINGS,
  BASE_NONE,
  BASE_OPENED,
  type Sense,
  type Value,
} from './step.ts';

/** Programs and interpreters are not larger than this. */
const NEAR = 2 ** 32;
const AT_BASE = 7;
const AT_ENTRY = 9;

/** Whether these arguments of mmap fix the place. */
export const isFixed = (args: readonly number[]): boolean =>
  (args[3]! & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0;

export interface SavedBases {
  readonly opened: number;
  readonly count: number;
}

/** A value of the auxiliary vector; 0 if it has none of this type. */
function auxWord({ auxv }: Mm, type: number): number {
  for (let i = 0; i < auxv.length; i += 2) if (auxv[i] === type) return auxv[i + 1]!;
  return 0;
}

export class Bases {
  /** The descriptor opened last. */
  opened = -1;
  private readonly from: number[];
  private readonly to: number[];

  constructor(mm: Mm) {
    this.from = [auxWord(mm, AT_BASE), auxWord(mm, AT_ENTRY), mm.brkStart];
    this.to = [0, 0, 0];
  }

  /** Where the interpreter is; 0 if there is none. */
  get interpreter(): number {
    return this.from[BASE_INTERPRETER]!;
  }

  /** Notes a call: what it mapped at a free place, or what it opened. */
  made(act: Act, args: readonly number[], result: number): void {
    if (act === 'open') this.opened = result;
    else if (act === 'map' && !isFixed(args)) {
      this.from.push(result);
      this.to.push(result + pageUp(args[1]!));
    }
  }

  /** For `restore`, when calls are undone. */
  save(): SavedBases {
    return { opened: this.opened, count: this.from.length };
  }

  restore({ opened, count }: SavedBases): void {
    this.opened = opened;
    this.from.length = count;
    this.to.length = count;
  }

  valueOf(sense: Sense, value: number): Value {
    if (sense === 'file' && value === this.opened && value >= 0) return { base: BASE_OPENED, offset: 0 };
    if (sense !== 'place' || value === 0) return { base: BASE_NONE, offset: value };
    for (let i = this.from.length - 1; i >= BASE_MAPPINGS; i--)
      if (value >= this.from[i]! && value < this.to[i]!) return this.relative(i, value);
    const heap = value - this.from[BASE_BREAK]!;
    if (heap >= 0 && heap < NEAR) return this.relative(BASE_BREAK, value);
    for (const base of [BASE_ENTRY, BASE_INTERPRETER])
      if (Math.abs(value - this.from[base]!) < NEAR) return this.relative(base, value);
    return { base: BASE_NONE, offset: value };
  }

  /** Null if one is relative to a missing base. */
  numbersOf(values: readonly Value[]): number[] | null {
    const numbers: number[] = [];
    for (const value of values) {
      const number = this.numberOf(value);
      if (Number.isNaN(number)) return null;
      numbers.push(number);
    }
    return numbers;
  }

  numberOf({ base, offset }: Value): number {
    if (base === BASE_OPENED) return this.opened;
    return base === BASE_NONE ? offset : (this.from[base] ?? Number.NaN) + offset;
  }

  private relative(base: number, value: number): Value {
    return { base, offset: value - this.from[base]! };
  }
}
