/**
 * The calling task as the layers below `kernel/` see it. `kernel/task.ts` implements it.
 */
import type { Clock } from './clock.ts';
import type { Cred } from './cred.ts';

/** A session and its process groups, as terminals see them. Made and owned by kernel/. */
export interface Session {
  readonly sid: number;
  /** The controlling terminal: an object of the tty layer, or null. */
  tty: object | null;
}

export interface Current {
  readonly pid: number;
  readonly tgid: number;
  readonly pgid: number;
  readonly session: Session;
  readonly isSessionLeader: boolean;
  readonly cred: Cred;
  readonly comm: string;
  readonly clock: Clock;
  /** The controlling terminal of this process: its session's, unless the process has given it up. */
  readonly tty: object | null;
  /** TIOCNOTTY by a process that leads no session: it and its future children have no terminal until setsid(2). */
  giveUpTty(): void;
  /** Whether `signal` is blocked or ignored by this task (job control asks for SIGTTIN and SIGTTOU). */
  ignoresOrBlocks(signal: number): boolean;
}

/** What the tty layer needs of the process table. */
export interface ProcessGroups {
  /** Sends `signal` to all members of a process group; 0 or -ESRCH. */
  signalGroup(pgid: number, signal: number): number;
  signalSessionLeader(sid: number, signal: number): void;
  /** Whether no member of the group has its parent in another group of the same session (POSIX: orphaned). */
  isOrphaned(pgid: number): boolean;
  exists(pgid: number): boolean;
  /** Whether the group exists in that session. */
  groupInSession(pgid: number, sid: number): boolean;
}
