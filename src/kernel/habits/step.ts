/**
 * Remembered calls of a program's beginning: programs mostly begin as they did the last time (the dynamic loader,
 * locales, a compiler's headers). Addresses and descriptors, which differ from run to run, are stored relative to bases
 * that differ, too.
 */
import { COMPARE_INT, COMPARE_WORD, type ForeseenAct } from '../../engine/answers.ts';
import type { LedTo } from '../../fs/open.ts';
import type { Task } from '../task.ts';

/**
 * What an argument is: an address, a number of 64 or 32 bits, the descriptor of a file that the program opened before,
 * a file's name, where the call writes, or irrelevant.
 */
export type Sense = 'place' | 'word' | 'int' | 'file' | 'name' | 'out' | 'any';

/**
 * What a call does that can be made before the program asks for it. `query` changes nothing, and only the program could
 * change its answer.
 */
export type Act = 'map' | 'unmap' | 'protect' | 'open' | 'query';

/** How a call of the table can be made before the program asks for it. */
export interface ForeseeableCall {
  readonly act: Act;
  readonly args: readonly Sense[];
  /** For `query`: whether only the program can change this answer. */
  readonly lasts?: ((args: readonly number[], result: number) => boolean) | undefined;
  /** Makes the call with these arguments; the name is taken from the step. */
  readonly run: (task: Task, args: readonly number[], step: Step) => number | Promise<number>;
}

/** The same, with what follows from it. */
export interface Foreseeable extends ForeseeableCall {
  /** Which arguments are compared, in the engine's form. */
  readonly compared: number;
  /** The argument that is the name, and the one that says where it writes; -1: none. */
  readonly name: number;
  readonly out: number;
}

export function foreseeableCall({ act, args, lasts, run }: ForeseeableCall): Foreseeable {
  const compared = args.reduce((bits, sense, i) => bits | (COMPARED[sense] << i), 0);
  return { act, args, lasts, run, compared, name: args.indexOf('name'), out: args.indexOf('out') };
}

/** What an address is relative to: the interpreter, the program's entry point, the first break, a mapping. */
export const BASE_NONE = -1;
export const BASE_INTERPRETER = 0;
export const BASE_ENTRY = 1;
export const BASE_BREAK = 2;
export const BASE_MAPPINGS = 3;
/** For a descriptor: the one opened last. */
export const BASE_OPENED = -2;

/** `base`, and the distance from it. */
export interface Value {
  readonly base: number;
  readonly offset: number;
}

export interface Step {
  readonly nr: number;
  /** Null: the call cannot be made ahead, and nothing more is known of it. */
  readonly how: Foreseeable | null;
  readonly args: readonly Value[];
  readonly name: string;
  /** Where the name led when it was last followed. */
  readonly led: LedTo;
  /** Before this call, the program had closed its file without asking. */
  readonly afterClose: boolean;
  /** For `map`: the program's loader reserves the place for pieces, and does not look at it before they are there. */
  readonly reserves: boolean;
  /** For `open`: the program closed the file without asking. */
  closes: boolean;
  /** The call came at this place the last two times at least, or in the program's first run. */
  confirmed: boolean;
}

/** How much of an argument counts when calls are compared. */
const COMPARED: Readonly<Record<Sense, number>> = {
  place: COMPARE_WORD,
  word: COMPARE_WORD,
  int: COMPARE_INT,
  file: COMPARE_INT,
  name: 0,
  out: 0,
  any: 0,
};

/** What is left to the thread when it comes to the call. */
export const LEFT: Readonly<Record<Act, ForeseenAct>> = {
  map: 'nothing',
  unmap: 'call',
  query: 'nothing',
  protect: 'call',
  open: 'open',
};

export function isSameStep(a: Step, b: Step): boolean {
  if (a === b) return true;
  if (a.nr !== b.nr || a.how !== b.how || a.name !== b.name || a.afterClose !== b.afterClose) return false;
  return a.args.every((value, i) => value.base === b.args[i]!.base && value.offset === b.args[i]!.offset);
}
