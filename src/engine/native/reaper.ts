/**
 * The stub's first process, child of the kernel and parent of all spaces: its start, its pauses and its end, and the
 * spaces' end with it.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Libc } from '../../host/libc.ts';
import { monotonicNow } from '../../host/monotonic.ts';
import { EAGAIN } from '../../uapi/errno.ts';
import { atEnd, endProcesses } from './ending.ts';
import { GLOBAL } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';
import type { Note, Notes } from './notes.ts';
import { NOTE } from './words.ts';

const NR = { kill: 62 } as const;
const SIGCONT = 18;
const SIGSTOP = 19;
const TOO_MANY = 'the host allows no more processes: see ulimit -u';
/** How long the stub may take to start, ns. */
const START_LIMIT = 5e9;

export interface ReaperOptions {
  readonly libc: Libc;
  readonly memory: MemoryFile;
  readonly notes: Notes;
  /** The kernel's own process is about to end. `end` must be called. */
  ending(): void;
  /** The reaper was killed from outside. */
  lost(): void;
}

export class Reaper {
  /** The host's process id; 0 before the start and after the end. */
  pid = 0;
  private readonly options: ReaperOptions;
  private forgetEnd: () => void = () => {};

  constructor(options: ReaperOptions) {
    this.options = options;
  }

  /**
   * Starts the stub's executable, which watches descriptor `watched` for the kernel. Returns the first space's process
   * id, or a sentence if this host cannot run the stub.
   */
  start(stub: string, watched: number): number | string {
    const { memory, notes, ending } = this.options;
    memory.view.setInt32(GLOBAL.G_KERNEL, process.pid, true);
    const stdio = ['ignore', 'ignore', 'ignore', memory.fd, memory.readOnlyFd, notes.peer, watched];
    const child = spawn(stub, [], { stdio: stdio as 'ignore'[], env: {}, cwd: '/' });
    child.on('error', () => {});
    child.on('exit', () => this.gone());
    child.unref();
    if (child.pid === undefined)
      return existsSync(stub) ? TOO_MANY : `there is no ${stub}: run "npm run build"`;
    this.pid = child.pid;
    this.forgetEnd = atEnd(ending);
    const note = this.firstNote();
    if (note === null || note.kind !== NOTE.NOTE_READY) return startFailure(note?.value ?? 0);
    return note.value;
  }

  /** The engine's processes are a process group of their own, which no terminal stops. */
  pause(still: boolean): void {
    if (this.pid !== 0) this.options.libc.syscall(NR.kill, -this.pid, still ? SIGSTOP : SIGCONT);
  }

  /** Ends the reaper and the processes of spaces, of which these are known. */
  end(spaces: readonly number[]): void {
    const { libc, memory, notes } = this.options;
    const reaper = this.pid;
    if (reaper === 0) return;
    this.pid = 0;
    this.forgetEnd();
    endProcesses({ libc, memory, notes, reaper, spaces });
  }

  /** It ends by `end`. Otherwise it was killed from outside. */
  private gone(): void {
    if (this.pid === 0) return;
    this.pid = 0;
    this.forgetEnd();
    this.options.lost();
  }

  /** The reaper's answer to its start. A signal may interrupt the waiting. */
  private firstNote(): Note | null {
    const { notes } = this.options;
    const deadline = monotonicNow() + START_LIMIT;
    let note = notes.next();
    while (note === null && monotonicNow() < deadline) {
      notes.wait(100);
      note = notes.next();
    }
    return note;
  }
}

function startFailure(value: number): string {
  if (value === 0)
    return 'the stub did not start: seccomp filters (Linux 3.17, CONFIG_SECCOMP_FILTER) are needed';
  if ((value & 0xffff) === EAGAIN) return TOO_MANY;
  return `the stub's step ${value >>> 16} failed with error ${value & 0xffff}: seccomp filters, syscall user dispatch and futex_waitv (Linux 5.16) are needed`;
}
