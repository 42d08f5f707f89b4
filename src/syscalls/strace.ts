/**
 * What --strace prints: a line for each system call, from the table's own declarations, in strace(1)'s manner.
 *
 * A call that waits shows when it answers; lines of several tasks begin with the task's number.
 */
import type { CallObserver } from '../kernel/entry.ts';
import type { Task } from '../kernel/task.ts';
import { errnoName } from '../uapi/errno.ts';
import type { Arg, FlagNames, Syscall } from './args.ts';

const AT_FDCWD = -100;
/** The kernel's own results: a restart after a signal (strace(1) shows them so). */
const RESTART_FIRST = -516;
const RESTART_LAST = -512;

export class Strace implements CallObserver {
  private readonly rows: readonly (Syscall | undefined)[];
  private readonly write: (line: string) => void;
  /** Lines of calls that have not answered yet. */
  private readonly pending: WeakMap<Task, string> = new WeakMap();

  constructor(rows: readonly (Syscall | undefined)[], write: (line: string) => void) {
    this.rows = rows;
    this.write = write;
  }

  enter(task: Task, nr: number, args: readonly number[]): void {
    const row = this.rows[nr];
    const text = row === undefined ? `syscall_${nr}(` : `${row.name}(${showArgs(task, row, args)}`;
    this.pending.set(task, text);
    if (row?.name === 'exit_group' || row?.name === 'exit') this.write(`${task.pid} ${text}) = ?`);
  }

  leave(task: Task, _nr: number, result: number): void {
    const text = this.pending.get(task) ?? '';
    this.pending.delete(task);
    if (task.thread !== null) this.write(`${task.pid} ${text}) = ${showResult(result)}`);
  }
}

function showArgs(task: Task, row: Syscall, args: readonly number[]): string {
  return row.args.map((arg, i) => showArg(task, arg, args[i] ?? 0)).join(', ');
}

function showArg(task: Task, arg: Arg, value: number): string {
  switch (arg.kind) {
    case 'path':
    case 'string':
      return showString(task, value);
    case 'dirfd':
      return value === AT_FDCWD ? 'AT_FDCWD' : String(value);
    case 'octal':
      return `0${(value >>> 0).toString(8)}`;
    case 'flags':
      return showFlags(value, arg.names ?? {});
    case 'enum':
      return nameOf(value, arg.names ?? {}) ?? String(value);
    case 'hex':
      return `0x${value.toString(16)}`;
    case 'pointer':
    case 'in':
    case 'out':
    case 'inout':
      return value === 0 ? 'NULL' : `0x${value.toString(16)}`;
    default:
      return String(value);
  }
}

function showString(task: Task, address: number): string {
  if (address === 0) return 'NULL';
  const text = task.user.string(address, 4096);
  return typeof text === 'number' ? `0x${address.toString(16)}` : JSON.stringify(text);
}

function showFlags(value: number, names: FlagNames): string {
  let rest = value;
  const words: string[] = [];
  for (const [name, bits] of Object.entries(names)) {
    if (bits === 0 || (rest & bits) !== bits) continue;
    words.push(name);
    rest &= ~bits;
  }
  if (rest !== 0) words.push(`0x${(rest >>> 0).toString(16)}`);
  return words.length === 0 ? '0' : words.join('|');
}

const nameOf = (value: number, names: FlagNames): string | undefined =>
  Object.entries(names).find(([, v]) => v === value)?.[0];

function showResult(result: number): string {
  if (result >= RESTART_FIRST && result <= RESTART_LAST) return '? ERESTART';
  if (result < 0 && result > -4096) return `-1 ${errnoName(-result)}`;
  if (result <= -4096) return '0';
  return result > 0xffffff ? `0x${result.toString(16)}` : String(result);
}
