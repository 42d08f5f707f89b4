/** A process table of the smallest kind: sessions, groups, and the signals that were sent. */
import type { Clock } from '../../../src/core/clock.ts';
import { type Cred, ROOT_CRED } from '../../../src/core/cred.ts';
import type { Current, ProcessGroups, Session } from '../../../src/core/current.ts';
import { ESRCH } from '../../../src/uapi/errno.ts';

export class FakeProcess implements Current {
  readonly pid: number;
  readonly comm = 'test';
  readonly clock: Clock;
  readonly parent: FakeProcess | null;
  pgid: number;
  session: Session;
  cred: Cred = ROOT_CRED;
  gaveUp = false;
  readonly blocked: Set<number> = new Set();
  /** The signals that it got. */
  readonly got: number[] = [];

  constructor(pid: number, parent: FakeProcess | null, clock: Clock) {
    this.pid = pid;
    this.parent = parent;
    this.clock = clock;
    this.pgid = parent?.pgid ?? pid;
    this.session = parent?.session ?? { sid: pid, tty: null };
  }

  get tgid(): number {
    return this.pid;
  }

  get isSessionLeader(): boolean {
    return this.session.sid === this.pid;
  }

  get tty(): object | null {
    return this.gaveUp ? null : this.session.tty;
  }

  giveUpTty(): void {
    this.gaveUp = true;
  }

  ignoresOrBlocks(signal: number): boolean {
    return this.blocked.has(signal);
  }

  setsid(): void {
    this.session = { sid: this.pid, tty: null };
    this.pgid = this.pid;
  }

  /** Signals since the last time. */
  take(): number[] {
    return this.got.splice(0);
  }
}

export class FakeTable implements ProcessGroups {
  readonly processes: FakeProcess[] = [];
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  fork(parent: FakeProcess | null = null): FakeProcess {
    const child = new FakeProcess(100 + this.processes.length, parent, this.clock);
    this.processes.push(child);
    return child;
  }

  signalGroup(pgid: number, signal: number): number {
    const members = this.members(pgid);
    for (const member of members) member.got.push(signal);
    return members.length > 0 ? 0 : -ESRCH;
  }

  signalSessionLeader(sid: number, signal: number): void {
    this.processes.find(p => p.pid === sid)?.got.push(signal);
  }

  isOrphaned(pgid: number): boolean {
    return this.members(pgid).every(
      ({ parent, session }) => parent === null || parent.pgid === pgid || parent.session !== session,
    );
  }

  exists(pgid: number): boolean {
    return this.members(pgid).length > 0;
  }

  groupInSession(pgid: number, sid: number): boolean {
    return this.members(pgid).some(p => p.session.sid === sid);
  }

  private members(pgid: number): FakeProcess[] {
    return this.processes.filter(p => p.pgid === pgid);
  }
}
