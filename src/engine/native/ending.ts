/**
 * The end of the engine's host processes: they are killed, and reaped by the reaper, so that none is left, not even a
 * zombie where nothing reaps orphans. This holds however our own process ends, except by SIGKILL, which leaves it to
 * the host (PR_SET_PDEATHSIG).
 */
import type { Libc } from '../../host/libc.ts';
import { monotonicNow } from '../../host/monotonic.ts';
import { GLOBAL } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';
import type { Notes } from './notes.ts';
import { NOTE } from './words.ts';

const NR = { kill: 62, wait4: 61, futex: 202 } as const;
const SIGKILL = 9;
const FUTEX_WAKE = 1;
const EVERYBODY = 0x7fffffff;
const WNOHANG = 1;
/** How long the reaper may take, ns. */
const LIMIT = 2e9;
const FATAL = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const;

export interface Processes {
  readonly libc: Libc;
  readonly memory: MemoryFile;
  readonly notes: Notes;
  readonly reaper: number;
  /** The processes of spaces, as far as they are known. Others send a note when they are born. */
  readonly spaces: readonly number[];
}

export function endProcesses({ libc, memory, notes, reaper, spaces }: Processes): void {
  const { i32, address } = memory;
  Atomics.store(i32, GLOBAL.G_END / 4, 1);
  for (const pid of spaces) libc.syscall(NR.kill, pid, SIGKILL);
  Atomics.store(i32, GLOBAL.G_HOST_EVENTS / 4, 0);
  libc.syscall(NR.futex, address + GLOBAL.G_HOST_EVENTS, FUTEX_WAKE, EVERYBODY);
  for (
    const deadline = monotonicNow() + LIMIT;
    libc.syscall(NR.wait4, reaper, 0, WNOHANG, 0) === 0;
    notes.wait(1)
  ) {
    for (let note = notes.next(); note !== null; note = notes.next()) {
      if (note.kind === NOTE.NOTE_BORN) libc.syscall(NR.kill, note.pid, SIGKILL);
    }
    if (monotonicNow() < deadline) continue;
    libc.syscall(NR.kill, reaper, SIGKILL);
    libc.syscall(NR.wait4, reaper, 0, 0, 0);
    return;
  }
}

/** Calls `shutdown` when this process is about to end. Returns a function that undoes this. */
export function atEnd(shutdown: () => void): () => void {
  const onSignal = (signal: NodeJS.Signals): void => {
    undo();
    shutdown();
    process.kill(process.pid, signal);
  };
  const undo = (): void => {
    process.off('exit', shutdown);
    for (const signal of FATAL) process.off(signal, onSignal);
  };
  process.on('exit', shutdown);
  for (const signal of FATAL) process.on(signal, onSignal);
  return undo;
}
