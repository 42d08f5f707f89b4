/**
 * The arguments and environment of execve(2), two arrays of strings. Small ones come with the call; larger ones are
 * read page by page.
 */

import type { Task } from '../kernel/task.ts';
import { latin1 } from '../lib/latin1.ts';
import { TASK_SIZE } from '../mm/places.ts';
import { E2BIG, EFAULT } from '../uapi/errno.ts';

/** The most bytes of all strings, and of one. */
const MAX_STRINGS = 6 * 1024 * 1024;
const MAX_ARG_STRLEN = 32 * 4096;
/** Bytes before the strings that came with the call: the lengths of both arrays, 32 bits each. */
const COUNTS = 8;

export interface ExecStrings {
  readonly argv: readonly string[];
  readonly envp: readonly string[];
}

export function readStrings(task: Task, argv: number, envp: number): ExecStrings | number {
  const brought = broughtStrings(task, argv);
  if (brought !== null) return brought;
  const reader = new StringReader(task);
  const args = reader.list(argv);
  if (typeof args === 'number') return args;
  const env = reader.list(envp);
  return typeof env === 'number' ? env : { argv: args, envp: env };
}

/** Both arrays from the caller's window, read only once, because the caller may still be writing it. */
function broughtStrings(task: Task, argv: number): ExecStrings | null {
  const { thread, kernel } = task;
  const size = thread?.prefetchedStrings(argv) ?? 0;
  if (thread === null || size < COUNTS) return null;
  const { bytes, view } = kernel.memory;
  const at = thread.stringsWindow;
  const [args, env] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
  const all = latin1(bytes, at + COUNTS, size - COUNTS).split('\0');
  if (args + env !== all.length - 1) return null;
  return { argv: all.slice(0, args), envp: all.slice(args, args + env) };
}

/** Reads arrays of strings page by page: the strings of one program lie close together. */
class StringReader {
  private readonly task: Task;
  private readonly pages: Map<number, Uint8Array> = new Map();
  private total = 0;

  constructor(task: Task) {
    this.task = task;
  }

  list(address: number): string[] | number {
    const out: string[] = [];
    if (address === 0) return out;
    for (let at = address; ; at += 8) {
      const pointer = this.word(at);
      if (pointer < 0) return pointer;
      if (pointer === 0) return out;
      const text = this.string(pointer);
      if (typeof text === 'number') return text;
      out.push(text);
      this.total += text.length + 1 + 8;
      if (this.total > MAX_STRINGS) return -E2BIG;
    }
  }

  private word(at: number): number {
    let value = 0;
    for (let i = 7; i >= 0; i--) {
      const byte = this.byte(at + i);
      if (byte < 0) return byte;
      value = value * 256 + byte;
    }
    return value;
  }

  private string(at: number): string | number {
    let text = '';
    for (let i = at; ; ) {
      const page = this.page(i);
      if (typeof page === 'number') return page;
      const from = i % 4096;
      const end = page.indexOf(0, from);
      const stop = end < 0 ? 4096 : end;
      for (let j = from; j < stop; j++) text += String.fromCharCode(page[j]!);
      if (end >= 0) return text;
      if (text.length > MAX_ARG_STRLEN) return -E2BIG;
      i += stop - from;
    }
  }

  private byte(at: number): number {
    const page = this.page(at);
    return typeof page === 'number' ? page : page[at % 4096]!;
  }

  private page(at: number): Uint8Array | number {
    if (!(at >= 0 && at < TASK_SIZE)) return -EFAULT;
    const start = Math.floor(at / 4096) * 4096;
    const known = this.pages.get(start);
    if (known !== undefined) return known;
    const offset = this.task.user.in(start, 4096);
    if (offset < 0) return offset;
    const copy = this.task.user.ram.slice(offset, offset + 4096);
    this.pages.set(start, copy);
    return copy;
  }
}
