/**
 * What --strace prints: a line for each system call, from the table's declarations, in the style of strace(1).
 *
 * A line begins with the task's number and is written when the call answers. It shows what the call reads as it was
 * before, and what the call writes as it is afterwards. The beginning of a call that waits is printed at once; if
 * another task's line comes in between, the line is cut and continues in a line of its own. A signal that comes during
 * the call gets its line after the call's.
 */
import { NR } from '../arch/x86_64/unistd.ts';
import type { CallObserver } from '../kernel/entry.ts';
import type { TaskObserver } from '../kernel/kernel.ts';
import type { Task } from '../kernel/task.ts';
import {
  ERESTART_RESTARTBLOCK,
  ERESTARTNOHAND,
  ERESTARTNOINTR,
  ERESTARTSYS,
  errnoName,
} from '../uapi/errno.ts';
import { AT_FDCWD } from '../uapi/fcntl.ts';
import type { SignalInfo } from '../uapi/siginfo.ts';
import { STRERROR } from '../uapi/strerror.ts';
import { exitCode, termSignal, WCOREFLAG } from '../uapi/wait.ts';
import type { Arg, BothWays, Look, Syscall } from './args.ts';
import { nameAt } from './names.ts';
import {
  abbreviated,
  address,
  bytesAt,
  flagWord,
  hexadecimal,
  named,
  nameOf,
  octal,
  quoted,
  signalName,
  signalSet,
} from './show.ts';
import { showSiginfo } from './show-siginfo.ts';

/** Stands for no result: the call has replaced the registers (execve), or its task is gone. */
const NO_RESULT = -4096;

/** The kernel's internal results of calls that a signal interrupted. */
const RESTARTS: Readonly<Record<number, string>> = {
  [-ERESTARTSYS]: 'ERESTARTSYS (To be restarted if SA_RESTART is set)',
  [-ERESTARTNOINTR]: 'ERESTARTNOINTR (To be restarted)',
  [-ERESTARTNOHAND]: 'ERESTARTNOHAND (To be restarted if no handler)',
  [-ERESTART_RESTARTBLOCK]: 'ERESTART_RESTARTBLOCK (Interrupted by signal)',
};

/** Calls that return an address. */
const ADDRESSES: ReadonlySet<string> = new Set(['mmap', 'brk', 'mremap', 'shmat']);

/** The column of results, if there is room. */
const RESULT_COLUMN = 40;

/** The smallest part of a structure that calls change, in bytes. */
const WORD = 4;

/** An argument that the call uses. */
interface Taken {
  readonly arg: Arg;
  readonly value: number;
}

/** A call under way. */
interface Begun {
  readonly name: string;
  readonly args: readonly number[];
  readonly taken: readonly Taken[];
  /** The arguments' texts; null for those that are shown when the call answers. */
  readonly texts: readonly (string | null)[];
  /** How many of them, from the first, do not depend on the answer. */
  readonly known: number;
  /** What is already written of its line, or of the continuing line if it was cut. */
  line: string;
  /** Signals that have come during the call. */
  readonly signals: SignalInfo[];
}

export class Strace implements CallObserver, TaskObserver {
  private readonly rows: readonly (Syscall | undefined)[];
  private readonly write: (text: string) => void;
  private readonly begun: WeakMap<Task, Begun> = new WeakMap();
  /** The task whose call has begun and may continue in its line, as nothing else was written since. */
  private last: Task | null = null;

  constructor(rows: readonly (Syscall | undefined)[], write: (text: string) => void) {
    this.rows = rows;
    this.write = write;
  }

  enter(task: Task, nr: number, args: readonly number[]): void {
    this.cut();
    const row = this.rows[nr];
    const name = row?.name ?? nameOf(nr, NR) ?? `syscall_${nr}`;
    const look = lookBefore(task, [...args]);
    const taken = takenArgs(row, look.args);
    const texts = taken.map(({ arg, value }) => (isOutput(arg) ? null : showArg(arg, value, look)));
    const open = taken.findIndex(({ arg }, i) => texts[i] === null || arg.bothWays !== undefined);
    const known = open < 0 ? texts.length : open;
    const call = { name, args: look.args, taken, texts, known, line: '', signals: [] };
    this.begun.set(task, call);
    this.last = task;
    if (name === 'exit_group' || name === 'exit') this.end(task, call, ')', '?');
  }

  waits(task: Task): void {
    const call = this.begun.get(task);
    if (this.last === task && call !== undefined) this.write(this.lineOf(task, call));
  }

  leave(task: Task, nr: number, result: number): void {
    const call = this.begun.get(task);
    if (call === undefined || task.thread === null || dies(task)) return;
    const look = lookAfter(task, call.args, result);
    const failed = result < 0 && result > NO_RESULT;
    const texts = call.taken.slice(call.known).map(({ arg, value }, i) => {
      const before = call.texts[call.known + i] ?? null;
      if (before !== null)
        return arg.bothWays && !failed ? bothWays(arg.bothWays, before, showArg(arg, value, look)) : before;
      const written = arg.written?.(result) ?? !failed;
      return written ? showArg(arg, value, look) : address(value);
    });
    if (call.name === 'rt_sigreturn') texts.push(`{mask=${blockedSignals(task)}}`);
    const answer = result < 0 ? undefined : this.rows[nr]?.answer?.(result, call.args);
    this.end(task, call, `${texts.join(', ')})`, answer ?? showResult(call.name, result));
  }

  /** No program has called execve(2), but under strace(1) one would have. */
  started(task: Task, path: string, argv: readonly string[], envp: readonly string[]): void {
    const vars = `${address(task.mm?.envStart ?? 0)} /* ${envp.length} vars */`;
    const call = `execve(${quoted(path)}, [${argv.map(abbreviated).join(', ')}], ${vars})`;
    this.line(task, withResult(lead(task).length, call, '0'));
  }

  signal(task: Task, info: SignalInfo): void {
    const call = this.begun.get(task);
    if (call !== undefined) call.signals.push(info);
    else this.line(task, `--- ${signalName(info.signo)} ${showSiginfo(info)} ---`);
  }

  stopped(task: Task, signal: number): void {
    this.line(task, `--- stopped by ${signalName(signal)} ---`);
  }

  ended(task: Task, status: number): void {
    const call = this.begun.get(task);
    if (call !== undefined)
      this.end(task, call, call.known === call.texts.length ? ')' : ' <unfinished ...>)', '?');
    const signal = termSignal(status);
    const core = (status & WCOREFLAG) === 0 ? '' : ' (core dumped)';
    this.line(
      task,
      signal === 0
        ? `+++ exited with ${exitCode(status)} +++`
        : `+++ killed by ${signalName(signal)}${core} +++`,
    );
  }

  /** The beginning of a call's line, unless it is already written. */
  private lineOf(task: Task, call: Begun): string {
    if (call.line !== '') return '';
    const { name, texts, known } = call;
    const more = known > 0 && known < texts.length ? ', ' : '';
    call.line = `${lead(task)}${name}(${texts.slice(0, known).join(', ')}${more}`;
    return call.line;
  }

  /** Ends the last line if it is unfinished, because something else comes next. */
  private cut(): void {
    const { last } = this;
    this.last = null;
    const call = last === null ? undefined : this.begun.get(last);
    if (call !== undefined) this.write(`${this.lineOf(last!, call)} <unfinished ...>\n`);
  }

  private end(task: Task, call: Begun, rest: string, result: string): void {
    const isCut = this.last !== task;
    if (isCut) {
      this.cut();
      call.line = `${lead(task)}<... ${call.name} resumed>`;
    }
    const unwritten = isCut ? call.line : this.lineOf(task, call);
    this.write(`${unwritten}${withResult(call.line.length, rest, result)}\n`);
    this.last = null;
    this.begun.delete(task);
    for (const info of call.signals) this.signal(task, info);
  }

  private line(task: Task, text: string): void {
    this.cut();
    this.write(`${lead(task)}${text}\n`);
  }
}

/** The rest of a line of which `written` characters are already written. */
const withResult = (written: number, rest: string, result: string): string =>
  `${`${rest} `.padEnd(RESULT_COLUMN - written)}= ${result}`;

/** Whether the task dies instead of returning from the call, which then has no result. */
const dies = ({ group, signals }: Task): boolean => group.exiting !== null || signals.mustDie();

const blockedSignals = ({ signals: { blocked } }: Task): string => signalSet(blocked.lo, blocked.hi);

/** The beginning of the task's lines. */
const lead = (task: Task): string => `${task.pid} `.padEnd(6);

const isOutput = (arg: Arg): boolean => arg.kind === 'out';

/** The arguments that the call uses. */
const takenArgs = (row: Syscall | undefined, args: readonly number[]): readonly Taken[] =>
  (row?.args ?? [])
    .map((arg, i) => ({ arg, value: args[i]! }))
    .filter(({ arg }) => arg.taken === undefined || arg.taken(args));

function bothWays(how: BothWays, before: string, after: string): string {
  if (how === 'counter') return before === after ? after : `${before} => ${after}`;
  const isList = before.endsWith(']') && after.startsWith('[');
  return before === after || !isList ? after : `${before.slice(0, -1)} => ${after.slice(1)}`;
}

/** Memory before the call. */
function lookBefore(task: Task, args: readonly number[]): Look {
  const { user } = task;
  const memory = (at: number, len: number): DataView | null => {
    const offset = user.in(at, len);
    return offset < 0 ? null : viewOf(user.ram.slice(offset, offset + len));
  };
  return { args, result: 0, memory, string: at => stringAt(task, at) };
}

/** Memory after the call; what the call has written may still be queued in the thread's slot. */
function lookAfter(task: Task, args: readonly number[], result: number): Look {
  const { user, thread, mm } = task;
  const memory = (at: number, len: number): DataView | null => {
    const written = (from: number, size: number): number => thread?.queued(from, size) ?? -1;
    const whole = written(at, len);
    if (whole >= 0) return viewOf(user.ram.slice(whole, whole + len));
    const bytes = new Uint8Array(len);
    if (mm === null || mm.space.peek(at, bytes) < 0) return null;
    for (let off = 0; off + WORD <= len; off += WORD) {
      const word = written(at + off, WORD);
      if (word >= 0) bytes.set(user.ram.subarray(word, word + WORD), off);
    }
    return viewOf(bytes);
  };
  return { args, result, memory, string: at => stringAt(task, at) };
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function stringAt(task: Task, at: number): string | null {
  const text = at === 0 ? -1 : nameAt(task, at);
  return typeof text === 'number' ? null : text;
}

function showArg(arg: Arg, value: number, look: Look): string {
  if (arg.show !== undefined) return arg.show(value, look);
  switch (arg.kind) {
    case 'path':
    case 'string': {
      const text = look.string(value);
      return text === null ? address(value) : quoted(text);
    }
    case 'dirfd':
      return value === AT_FDCWD ? 'AT_FDCWD' : String(value);
    case 'signal':
      return signalName(value);
    case 'octal':
      return octal(value);
    case 'flags':
      return flagWord(value, arg.names ?? {}, arg.choice);
    case 'enum':
      return named(arg.names ?? {})(value);
    case 'hex':
      return value === 0 ? '0' : hexadecimal(value);
    case 'pointer':
      return address(value);
    case 'in':
    case 'out':
      return showBuffer(arg, value, look);
    default:
      return String(value);
  }
}

/** Shows a buffer; the result says how much of an output buffer was filled. */
function showBuffer(arg: Arg, value: number, look: Look): string {
  if (arg.lengthArg === undefined) return address(value);
  const room = look.args[arg.lengthArg] ?? 0;
  return bytesAt(value, arg.kind === 'in' ? room : Math.min(room, look.result), look);
}

function showResult(name: string, result: number): string {
  if (result === NO_RESULT) return '0';
  if (result < NO_RESULT) return '?';
  const restart = RESTARTS[result];
  if (restart !== undefined) return `? ${restart}`;
  if (result < 0) return `-1 ${errnoName(-result)} (${STRERROR[-result] ?? 'Unknown error'})`;
  if (ADDRESSES.has(name)) return hexadecimal(result);
  return name === 'umask' ? octal(result) : String(result);
}
