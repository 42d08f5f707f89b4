/**
 * What --strace prints: a line for each system call, from the table's own declarations, in strace(1)'s manner.
 *
 * A line begins with the task's number and is written when the call answers: what the call reads is shown as it was
 * before, what it writes as it is then.
 */
import type { CallObserver } from '../kernel/entry.ts';
import type { Task } from '../kernel/task.ts';
import {
  ERESTART_RESTARTBLOCK,
  ERESTARTNOHAND,
  ERESTARTNOINTR,
  ERESTARTSYS,
  errnoName,
} from '../uapi/errno.ts';
import { AT_FDCWD } from '../uapi/fcntl.ts';
import { STRERROR } from '../uapi/strerror.ts';
import type { Arg, Look, Syscall } from './args.ts';
import { address, bytesAt, flagWord, hexadecimal, named, octal, quoted, signalName } from './show.ts';

const PATH_MAX = 4096;
/** A result that is none: the call has replaced the registers (execve), or its task is gone. */
const NO_RESULT = -4096;

/** The kernel's own results, of calls that a signal interrupted. */
const RESTARTS: Readonly<Record<number, string>> = {
  [-ERESTARTSYS]: 'ERESTARTSYS (To be restarted if SA_RESTART is set)',
  [-ERESTARTNOINTR]: 'ERESTARTNOINTR (To be restarted)',
  [-ERESTARTNOHAND]: 'ERESTARTNOHAND (To be restarted if no handler)',
  [-ERESTART_RESTARTBLOCK]: 'ERESTART_RESTARTBLOCK (Interrupted by signal)',
};

/** Calls that answer an address. */
const ADDRESSES: ReadonlySet<string> = new Set(['mmap', 'brk', 'mremap', 'shmat']);

/** A call under way: its arguments' texts, null for those that are shown when it answers. */
interface Begun {
  readonly args: readonly number[];
  readonly texts: (string | null)[];
}

export class Strace implements CallObserver {
  private readonly rows: readonly (Syscall | undefined)[];
  private readonly write: (line: string) => void;
  private readonly begun: WeakMap<Task, Begun> = new WeakMap();

  constructor(rows: readonly (Syscall | undefined)[], write: (line: string) => void) {
    this.rows = rows;
    this.write = write;
  }

  enter(task: Task, nr: number, args: readonly number[]): void {
    const row = this.rows[nr];
    const look = lookBefore(task, [...args]);
    const texts = takenArgs(row, args).map((arg, i) => (isOutput(arg) ? null : showArg(arg, args[i]!, look)));
    this.begun.set(task, { args: look.args, texts });
    if (row?.name === 'exit_group' || row?.name === 'exit')
      this.write(`${task.pid} ${row.name}(${texts.join(', ')}) = ?`);
  }

  leave(task: Task, nr: number, result: number): void {
    const call = this.begun.get(task);
    this.begun.delete(task);
    if (task.thread === null || call === undefined) return;
    const row = this.rows[nr];
    const look = lookAfter(task, call.args, result);
    const texts = takenArgs(row, call.args).map((arg, i) => {
      const value = call.args[i]!;
      return call.texts[i] ?? (result < 0 && result > NO_RESULT ? address(value) : showArg(arg, value, look));
    });
    const name = row?.name ?? `syscall_${nr}`;
    this.write(`${task.pid} ${name}(${texts.join(', ')}) = ${showResult(name, result)}`);
  }
}

const isOutput = (arg: Arg): boolean => arg.kind === 'out' || arg.kind === 'inout';

/** The arguments that the call looks at; what is left out comes last. */
const takenArgs = (row: Syscall | undefined, args: readonly number[]): readonly Arg[] =>
  row === undefined ? [] : row.args.filter(arg => arg.taken === undefined || arg.taken(args));

/** Memory as the call finds it. */
function lookBefore(task: Task, args: readonly number[]): Look {
  const { user } = task;
  const memory = (at: number, len: number): DataView | null => {
    const offset = user.in(at, len);
    return offset < 0 ? null : viewOf(user.ram.slice(offset, offset + len));
  };
  return { args, result: 0, memory, string: at => stringAt(task, at) };
}

/** Memory as the call leaves it: what it has written is perhaps not there yet. */
function lookAfter(task: Task, args: readonly number[], result: number): Look {
  const { user, thread, mm } = task;
  const memory = (at: number, len: number): DataView | null => {
    const queued = thread?.queued(at, len) ?? -1;
    if (queued >= 0) return viewOf(user.ram.slice(queued, queued + len));
    const bytes = new Uint8Array(len);
    return mm !== null && mm.space.peek(at, bytes) >= 0 ? viewOf(bytes) : null;
  };
  return { args, result, memory, string: at => stringAt(task, at) };
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function stringAt(task: Task, at: number): string | null {
  const text = at === 0 ? -1 : task.user.string(at, PATH_MAX);
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
    case 'inout':
      return showBuffer(arg, value, look);
    default:
      return String(value);
  }
}

/** A buffer that was filled ends where the result says. */
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
