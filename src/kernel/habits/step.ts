/**
 * Calls of a program's beginning, as they are remembered: programs mostly begin as they did the last time (the dynamic loader,
 * locales, a compiler's headers). What differs from run to run, addresses and descriptors, is said relative to what does too.
 */
import { COMPARE_INT, COMPARE_WORD, type ForeseenAct } from '../../engine/answers.ts';
import type { LedTo } from '../../fs/open.ts';
import type { Task } from '../task.ts';

/**
 * What an argument is: an address, a number of 64 or 32 bits, the descriptor of a file that the program opened before, a
 * file's name, where the call writes, or of no matter.
 */
export type Sense = 'place' | 'word' | 'int' | 'file' | 'name' | 'out' | 'any';

/**
 * What a call does that can be made before the program asks for it: `query` changes nothing, and nobody but the
 * program could change the answer.
 */
export type Act = 'map' | 'unmap' | 'protect' | 'open' | 'query';

/** How a call of the table can be made before the program asks for it. */
export interface ForeseeableCall {
  readonly act: Act;
  readonly args: readonly Sense[];
  /** Of `query`: whether this answer is such a one. */
  readonly lasts?: ((args: readonly number[], result: number) => boolean) | undefined;
  /** Makes it, by its arguments; the one that is a name is the step's. */
  readonly run: (task: Task, args: readonly number[], step: Step) => number | Promise<number>;
}

/** The same, with what follows from it. */
export interface Foreseeable extends ForeseeableCall {
  /** Which arguments are compared, as the engine has it. */
  readonly compared: number;
  /** Which one is the name, and which says where it writes; -1: none. */
  readonly name: number;
  readonly out: number;
}

export function foreseeableCall({ act, args, lasts, run }: ForeseeableCall): Foreseeable {
  const compared = args.reduce((bits, sense, i) => bits | (COMPARED[sense] << i), 0);
  return { act, args, lasts, run, compared, name: args.indexOf('name'), out: args.indexOf('out') };
}

/** Relative to what an address is said: where the interpreter is, where the program begins, the first break, a mapping. */
export const BASE_NONE = -1;
export const BASE_INTERPRETER = 0;
export const BASE_ENTRY = 1;
export const BASE_BREAK = 2;
export const BASE_MAPPINGS = 3;
/** A descriptor: the one that was opened last. */
export const BASE_OPENED = -2;

/** `base` and how far from it. */
export interface Value {
  readonly base: number;
  readonly offset: number;
}

export interface Step {
  readonly nr: number;
  /** Null: it is no call that can be made before; nothing more is known of it. */
  readonly how: Foreseeable | null;
  readonly args: readonly Value[];
  readonly name: string;
  /** Where that led when it was followed last. */
  readonly led: LedTo;
  /** The program had closed its file before it, without asking. */
  readonly afterClose: boolean;
  /** Of `map`: the program's loader keeps the place for pieces, and does not look at it before they are there. */
  readonly reserves: boolean;
  /** Of `open`: the program closed it without asking. */
  closes: boolean;
  /** It came at this place the last two times, at least, or when the program was run for the first time. */
  confirmed: boolean;
}

/** How much of an argument says whether it is the same call. */
const COMPARED: Readonly<Record<Sense, number>> = {
  place: COMPARE_WORD,
  word: COMPARE_WORD,
  int: COMPARE_INT,
  file: COMPARE_INT,
  name: 0,
  out: 0,
  any: 0,
};

/** What is left to the thread when it comes to it. */
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
