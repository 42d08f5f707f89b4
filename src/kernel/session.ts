/**
 * Sessions and process groups (setsid(2), setpgid(2), credentials(7)): what job control acts on.
 *
 * `JobControl` is the table of both. A group or a session exists while it has a member, zombies included.
 */
import type { ProcessGroups, Session as SessionOfTty } from '../core/current.ts';
import { NumberTable } from '../lib/number-table.ts';
import { Roster } from '../lib/roster.ts';
import { ESRCH } from '../uapi/errno.ts';
import { kernelInfo } from '../uapi/siginfo.ts';
import { sendToGroup } from './signal.ts';
import type { ThreadGroup } from './thread-group.ts';

export class Session implements SessionOfTty {
  readonly sid: number;
  tty: object | null = null;
  /** The process groups of the session. */
  readonly groups: Roster<ProcessGroup> = new Roster();
  /** The leader, until it has exited. */
  leader: ThreadGroup | null = null;

  constructor(sid: number) {
    this.sid = sid;
  }
}

export class ProcessGroup {
  readonly pgid: number;
  readonly session: Session;
  readonly members: Roster<ThreadGroup> = new Roster();

  constructor(pgid: number, session: Session) {
    this.pgid = pgid;
    this.session = session;
  }
}

/** Called when a session has lost its leader: its terminal hangs up and belongs to no session. */
export type SessionEnded = (session: Session) => void;

export class JobControl implements ProcessGroups {
  private readonly groups: NumberTable<ProcessGroup> = new NumberTable();
  private readonly sessions: NumberTable<Session> = new NumberTable();
  /** Set by the terminal layer. */
  sessionEnded: SessionEnded = () => {};

  group(pgid: number): ProcessGroup | null {
    return this.groups.get(pgid) ?? null;
  }

  session(sid: number): Session | null {
    return this.sessions.get(sid) ?? null;
  }

  /** Whether a number is in use for a group or a session. */
  uses(id: number): boolean {
    return this.groups.has(id) || this.sessions.has(id);
  }

  /** A new session with one empty process group, both numbered `id`. The first process is made with it. */
  newSession(id: number): ProcessGroup {
    const session = new Session(id);
    this.sessions.set(id, session);
    return this.newGroup(id, session);
  }

  newGroup(pgid: number, session: Session): ProcessGroup {
    const group = new ProcessGroup(pgid, session);
    this.groups.set(pgid, group);
    session.groups.add(group);
    return group;
  }

  /** Moves a process to another group. */
  move(process: ThreadGroup, to: ProcessGroup): void {
    if (process.processGroup === to) return;
    this.leave(process);
    process.processGroup = to;
    to.members.add(process);
  }

  /** Removes a process that has been waited for, or moves. */
  leave(process: ThreadGroup): void {
    const group = process.processGroup;
    group.members.delete(process);
    if (group.members.size > 0) return;
    this.groups.delete(group.pgid);
    group.session.groups.delete(group);
    if (group.session.groups.size === 0) this.sessions.delete(group.session.sid);
  }

  exists(pgid: number): boolean {
    return this.groups.has(pgid);
  }

  groupInSession(pgid: number, sid: number): boolean {
    return this.groups.get(pgid)?.session.sid === sid;
  }

  isOrphaned(pgid: number): boolean {
    const group = this.groups.get(pgid);
    return group === undefined || isOrphaned(group, null);
  }

  signalGroup(pgid: number, signal: number): number {
    const group = this.groups.get(pgid);
    if (group === undefined) return -ESRCH;
    for (const process of group.members) sendToGroup(process, kernelInfo(signal));
    return 0;
  }

  signalSessionLeader(sid: number, signal: number): void {
    const leader = this.sessions.get(sid)?.leader;
    if (leader != null) sendToGroup(leader, kernelInfo(signal));
  }
}

/**
 * Whether no member's parent is in another process group of the same session (POSIX, 3.264: Orphaned Process Group).
 * `without` is about to go and does not count.
 */
export function isOrphaned(group: ProcessGroup, without: ThreadGroup | null): boolean {
  for (const member of group.members) {
    if (member === without || member.zombie || member.parent === null || member.parent.isInit) continue;
    const theirs = member.parent.processGroup;
    if (theirs !== group && theirs.session === group.session) return false;
  }
  return true;
}
