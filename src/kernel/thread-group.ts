/**
 * Thread groups: processes, as POSIX sees them (signal_struct). They hold what all threads of a process have in common.
 *
 * A group is made with its leader and stays, as a zombie, until its parent has waited for it. The leader's Task stays
 * as long; other threads' Tasks go when they exit.
 */
import type { Cred } from '../core/cred.ts';
import { WaitQueue } from '../core/wait.ts';
import type { PidSubject } from '../ipc/pidfd.ts';
import { Roster } from '../lib/roster.ts';
import { SIGCHLD } from '../uapi/signal.ts';
import { termSignal, WCOREFLAG } from '../uapi/wait.ts';
import { GroupTimers } from './group-timers.ts';
import type { Rlimit } from './rlimit.ts';
import type { ProcessGroup, Session } from './session.ts';
import { SigQueue } from './sig-queue.ts';
import type { SigHand } from './sighand.ts';
import type { Task } from './task.ts';
import { Usage } from './usage.ts';

export interface ThreadGroupInit {
  readonly tgid: number;
  /** Null for process 1 and for the kernel's own. */
  readonly parent: ThreadGroup | null;
  /** The thread of the parent that made it (PR_SET_PDEATHSIG, __WNOTHREAD). */
  readonly creator: Task | null;
  /** The process that it is a copy of, not always its parent (CLONE_PARENT); null as for `parent`. */
  readonly copyOf: ThreadGroup | null;
  readonly processGroup: ProcessGroup;
  readonly sighand: SigHand;
  readonly rlimits: readonly Rlimit[];
  /** Sent to the parent when the process ends (clone(2)); 0 for none. */
  readonly exitSignal: number;
}

export class ThreadGroup implements PidSubject {
  readonly tgid: number;
  parent: ThreadGroup | null;
  creator: Task | null;
  readonly children: Roster<ThreadGroup> = new Roster();
  /** Living threads; the leader is here only until it exits. */
  readonly threads: Set<Task> = new Set();
  processGroup: ProcessGroup;
  exitSignal: number;

  /** Signals sent to the process as a whole. */
  readonly pending: SigQueue = new SigQueue();
  sighand: SigHand;

  /** A stop that threads have to join, or have joined (SIGSTOP and the like). */
  stopping = false;
  /** All threads have stopped; the parent has been told. */
  stopped = false;
  /** The signal that stopped it, as wait reports it; 0 once reported, or when not stopped. */
  stopReport = 0;
  /** The CLD_ code of an ended stop that the parent has not been told of; the first thread to run tells it. */
  untold = 0;
  /** A SIGCONT that wait has not reported yet. */
  continueReport = false;

  /** The thread that writes the core file while all others are stopped (`stopping`). */
  dumping: Task | null = null;

  /** The process is ending, with this status for wait; null while it lives. */
  exiting: number | null;
  /** All threads are gone; wait may take the process. */
  zombie = false;
  /** Each ends the delay of a child that takes its time to end. */
  readonly dying: Roster<() => void> = new Roster();
  /** It has been waited for, or never will be: its numbers may be used again. */
  reaped = false;
  /** What wait reports of a zombie. */
  exitStatus = 0;
  /** A thread in exec that waits for the others to be gone. */
  execing: Task | null = null;

  /** Woken as children change state; wait4 and waitid sleep here. */
  readonly childq: WaitQueue = new WaitQueue();
  /** Woken when the process has ended (pidfd's poll). */
  readonly exitQueue: WaitQueue = new WaitQueue();
  /** Woken as threads leave (exec waits for that). */
  readonly threadq: WaitQueue = new WaitQueue();

  readonly rlimits: Rlimit[];
  /** What ended threads have used, and children that were waited for. */
  readonly usage: Usage = new Usage();
  readonly childUsage: Usage = new Usage();

  readonly timers: GroupTimers = new GroupTimers();

  /** proc_pid_oom_score_adj(5), and the lowest value set with privilege. */
  oomScoreAdj: number;
  oomScoreAdjMin: number;
  /** PR_SET_CHILD_SUBREAPER. */
  subreaper = false;
  /** It has no controlling terminal although its session has one (TIOCNOTTY); setsid(2) clears this. */
  gaveUpTty = false;
  /** It has called execve: its parent's setpgid now fails. */
  execed = false;
  /** Gets only signals that it has handlers for, as process 1 does. A fault of its own ends that. */
  unkillable: boolean;
  /** The kernel's own process 1, for machines that run one command: it has no threads, gets no signals, reaps all. */
  isKernel = false;
  /** Called when the process has ended, before its parent is told. */
  ended: ((status: number) => void) | null = null;

  private first: Task | null = null;

  constructor(init: ThreadGroupInit) {
    this.exiting = null;
    this.tgid = init.tgid;
    this.parent = init.parent;
    this.creator = init.creator;
    this.processGroup = init.processGroup;
    this.sighand = init.sighand;
    this.rlimits = [...init.rlimits];
    this.exitSignal = init.exitSignal;
    this.unkillable = init.tgid === 1;
    this.oomScoreAdj = init.copyOf?.oomScoreAdj ?? 0;
    this.oomScoreAdjMin = init.copyOf?.oomScoreAdjMin ?? 0;
    this.gaveUpTty = init.copyOf?.gaveUpTty ?? false;
    init.parent?.children.add(this);
    init.processGroup.members.add(this);
  }

  /** The thread whose number is the process's; it stays until the process is waited for. */
  get leader(): Task {
    if (this.first === null) throw new Error('a thread group without a leader');
    return this.first;
  }

  get pid(): number {
    return this.tgid;
  }

  get exited(): boolean {
    return this.zombie;
  }

  get cred(): Cred {
    return this.leader.cred;
  }

  get dumpable(): number {
    return this.leader.dumpable;
  }

  get hasDumped(): boolean {
    return this.zombie && termSignal(this.exitStatus) !== 0 && (this.exitStatus & WCOREFLAG) !== 0;
  }

  get pgid(): number {
    return this.processGroup.pgid;
  }

  get session(): Session {
    return this.processGroup.session;
  }

  get ppid(): number {
    return this.parent?.tgid ?? 0;
  }

  /** Process 1 gets no signal that it has no handler for, and must not end. */
  get isInit(): boolean {
    return this.tgid === 1;
  }

  isIgnored(signal: number): boolean {
    return this.sighand.isIgnored(signal);
  }

  /** Adds a new thread; the first becomes the leader. */
  addThread(task: Task): void {
    for (const other of this.threads) other.signals.untell();
    this.first ??= task;
    this.threads.add(task);
  }

  /** For exec by another thread, which takes the leader's place. */
  setLeader(task: Task): void {
    this.first = task;
    this.exitSignal = SIGCHLD;
  }
}
