/**
 * Tasks: a thread of a program, as the kernel sees it (task_struct), and the thread group that it belongs to.
 *
 * A task owns what each thread has of its own, and refers to what threads may share (clone(2)): memory, descriptors,
 * file system context, signal dispositions. What all threads of a process have in common is in `ThreadGroup`.
 */
import type { Clock } from '../core/clock.ts';
import type { Cred } from '../core/cred.ts';
import type { Current, Session } from '../core/current.ts';
import type { Sleeper, Waiter, WaitQueue } from '../core/wait.ts';
import type { EngineThread } from '../engine/engine.ts';
import type { Path } from '../fs/dentry.ts';
import type { FilesStruct } from '../fs/fd-table.ts';
import type { File } from '../fs/file.ts';
import type { FsStruct } from '../fs/fs-struct.ts';
import type { MountNamespace } from '../fs/namespace.ts';
import type { SignalSource } from '../ipc/signalfd.ts';
import type { Mm } from '../mm/mm.ts';
import { ERESTARTSYS, ETIMEDOUT } from '../uapi/errno.ts';
import type { SignalInfo } from '../uapi/siginfo.ts';
import type { OpenedAlong } from './along.ts';
import { TaskAttributes } from './attributes.ts';
import { CallShare } from './call-time.ts';
import { takeFrom } from './dequeue.ts';
import type { EntryCall } from './entry.ts';
import type { Follower } from './habits/follower.ts';
import type { Kernel } from './kernel.ts';
import type { PipeGoesAlong } from './pipe-along.ts';
import type { PipesBetween } from './pipe-between.ts';
import type { SignalState } from './signal-state.ts';
import type { ThreadGroup } from './thread-group.ts';
import { type CpuTimes, Usage } from './usage.ts';
import type { UserAccess } from './user-access.ts';
import type { WindowGoesAlong } from './window-along.ts';

/** What a task is doing, with proc(5)'s letters. */
export type TaskState = 'R' | 'S' | 'D' | 'T' | 't' | 'Z' | 'X';

/** A task that lived no longer, ns, counts as having used nothing: asking takes longer. */
const NO_LIFE = 1e6;
/** After a life no longer, ns, the host is not asked about memory and faults (getrusage(2): zeros). */
const SHORT_LIFE = 1e7;
/** Processor time, ns, above which the kernel asks for the peak of memory. */
const LONG_LIFE = 5e6;

/**
 * Six zeros, in an array that has held something else. V8 would turn an array of numbers alone into one of fractions
 * with the first address, small integers included, and would keep and compute everything made of them as fractions.
 */
function noArguments(): number[] {
  const args: (number | null)[] = [null, 0, 0, 0, 0, 0];
  args[0] = 0;
  return args as number[];
}

export class Task implements Current, Sleeper, SignalSource {
  readonly kernel: Kernel;
  /** The thread's own number (gettid). Changes only when a thread takes its leader's place in exec. */
  pid: number;
  readonly group: ThreadGroup;
  state: TaskState = 'R';
  comm: string;
  /** Null once the task has exited, and for kernel tasks. */
  mm: Mm | null;
  files: FilesStruct;
  /** The engine's thread that runs the program; null once it has exited. */
  thread: EngineThread | null = null;
  /** The caller's memory, for system call handlers. */
  readonly user: UserAccess;
  /** This thread's blocked and pending signals, alternate stack. See kernel/signal-state.ts. */
  readonly signals: SignalState;
  /** CLOCK_MONOTONIC when the task was made, ns. */
  readonly startTime: number;
  /** clone(CLONE_CHILD_CLEARTID), set_robust_list(2). */
  private ownClearTid: number;
  private ownRobustList: number;
  /** How restart_syscall(2) resumes an interrupted call (-ERESTART_RESTARTBLOCK). */
  restart: (() => number | Promise<number>) | null = null;
  /** prctl, scheduling and the like. */
  attributes: TaskAttributes;
  /** The system call that the task is in, or was in last, with its arguments. */
  callNumber = -1;
  readonly callArgs: number[] = noArguments();
  /** A call, or a result, that waits for all registers (kernel/entry.ts). */
  awaitsFrame: EntryCall | null = null;
  pendingResult: number | null = null;
  /** Called when the task has become another program, or has gone: ends the wait of vfork's parent. */
  execDone: (() => void) | null = null;
  /** A file that goes along with answers (kernel/along.ts). */
  openedAlong: OpenedAlong | null = null;
  /** A pipe that goes along (kernel/pipe-along.ts). */
  pipeAlong: PipeGoesAlong | null;
  /** Pipes that it shares with another task (kernel/pipe-between.ts). */
  pipesBetween: PipesBetween | null;
  /** A file that it reads and writes through a window (kernel/window-along.ts). */
  windowAlong: WindowGoesAlong | null = null;
  /** Follows what the program did before (kernel/habits). */
  follower: Follower | null = null;
  /** The result of the latest call. */
  lastResult: number;
  /**
   * The file to or from which the latest answer had the program copy on its own, and how far that moved the file's
   * position.
   */
  wentThrough: File | null = null;
  movedThrough = 0;
  /** What it has used so far; `cpuTimes` reports processor times. */
  readonly usage: Usage = new Usage();
  readonly callShare: CallShare = new CallShare();
  private lastDumpable: number;
  private credentials: Cred;
  private places: FsStruct;
  /** Ends the sleep under way, if there is one; signals call this. */
  private interruptSleep: (() => void) | null = null;

  constructor(kernel: Kernel, pid: number, group: ThreadGroup, init: TaskInit) {
    this.kernel = kernel;
    this.pid = pid;
    this.group = group;
    this.comm = init.comm;
    this.credentials = init.cred;
    this.mm = init.mm;
    this.files = init.files;
    this.places = init.fs;
    init.fs.tasks.add(this);
    this.user = init.user(this);
    this.signals = init.signals;
    this.startTime = kernel.clock.monotonic();
    this.ownClearTid = 0;
    this.ownRobustList = 0;
    this.lastDumpable = 1;
    this.attributes = new TaskAttributes();
    this.pipeAlong = null;
    this.pipesBetween = null;
    this.lastResult = 0;
  }

  get cred(): Cred {
    return this.credentials;
  }

  set cred(cred: Cred) {
    if (cred === this.credentials) return;
    this.credentials = cred;
    this.thread?.facts?.untellIds();
    this.moved();
  }

  get fs(): FsStruct {
    return this.places;
  }

  set fs(fs: FsStruct) {
    this.places.tasks.delete(this);
    fs.tasks.add(this);
    this.places = fs;
    this.moved();
  }

  /** Called when its rights or places change: what it knew of names no longer holds (kernel/known-answers.ts). */
  moved(): void {
    if (this.thread !== null) this.thread.knownBy = null;
  }

  get clearChildTid(): number {
    return this.thread?.facts?.clearTid ?? this.ownClearTid;
  }

  get robustList(): number {
    return this.thread?.facts?.robustList ?? this.ownRobustList;
  }

  /** Keeps the rest of what the thread said on its own. */
  setTidAddress(address: number): void {
    this.keepSaid();
    this.ownClearTid = address;
  }

  setRobustList(head: number): void {
    this.keepSaid();
    this.ownRobustList = head;
  }

  private keepSaid(): void {
    const { clearChildTid, robustList } = this;
    this.thread?.facts?.unsay();
    this.ownClearTid = clearChildTid;
    this.ownRobustList = robustList;
  }

  /** PR_SET_DUMPABLE(2const): of its memory, so all that share that share this; what it was last once that is gone. */
  get dumpable(): number {
    return this.mm?.dumpable ?? this.lastDumpable;
  }

  set dumpable(value: number) {
    if (this.mm !== null) this.mm.dumpable = value;
  }

  /** For when it has exited. */
  leaveMemory(): void {
    this.lastDumpable = this.dumpable;
    this.mm = null;
  }

  get tgid(): number {
    return this.group.tgid;
  }

  get pgid(): number {
    return this.group.pgid;
  }

  get session(): Session {
    return this.group.session;
  }

  get isSessionLeader(): boolean {
    return this.group.session.sid === this.group.tgid;
  }

  get tty(): object | null {
    return this.group.gaveUpTty ? null : this.session.tty;
  }

  giveUpTty(): void {
    this.group.gaveUpTty = true;
  }

  get clock(): Clock {
    return this.kernel.clock;
  }

  /** For path walks on its own behalf. */
  get current(): Current {
    return this;
  }

  get root(): Path {
    return this.fs.root;
  }

  get namespace(): MountNamespace | null {
    return this.fs.namespace;
  }

  get cwd(): Path {
    return this.fs.cwd;
  }

  get umask(): number {
    return this.fs.umask;
  }

  ignoresOrBlocks(signal: number): boolean {
    return this.signals.isBlocked(signal) || this.group.isIgnored(signal);
  }

  /** A soft limit of getrlimit(2); Infinity for RLIM_INFINITY. */
  rlimit(resource: number): number {
    return this.group.rlimits[resource]!.soft;
  }

  /** Processor time of this thread, ns. */
  cpuTimes(): CpuTimes {
    if (this.thread === null) return this.usage;
    const { user, system } = this.timesOf(this.thread);
    return { user: this.usage.user + user, system: this.usage.system + system };
  }

  private timesOf(thread: EngineThread): CpuTimes {
    return this.callShare.split(thread.cpuTimes(), this.kernel.tally.callTime.average);
  }

  /** Everything that it has used, including by its present engine thread. */
  usageNow(): Usage {
    const sum = new Usage();
    sum.add(this.usage);
    const { thread } = this;
    if (thread === null) return sum;
    const lived = this.clock.monotonic() - this.startTime;
    if (!thread.saysUsage && lived < NO_LIFE) return sum;
    const { user, system } = this.timesOf(thread);
    sum.user += user;
    sum.system += system;
    // What takes the host's /proc to learn is not asked about so short a life.
    if (!thread.saysUsage && lived < SHORT_LIFE) return sum;
    const { minflt, majflt, rss, peak: known } = thread.usage();
    sum.minflt += minflt;
    sum.majflt += majflt;
    // Asking for the peak is expensive, and a short life hardly had one.
    const peak = known ?? (user + system > LONG_LIFE ? thread.space.usage().peak : rss);
    sum.maxrss = Math.max(sum.maxrss, Math.floor(peak / 1024));
    return sum;
  }

  /** Called before the engine's thread is given back: `usage` takes over what that has used. */
  settleUsage(): void {
    const now = this.usageNow();
    this.usage.clear();
    this.usage.add(now);
    this.callShare.clear();
  }

  /** What signalfd(2) reads: this thread's pending signals and its process's. */
  get signalQueue(): WaitQueue {
    return this.group.sighand.signalfd;
  }

  isPending(lo: number, hi: number): boolean {
    const { set: own } = this.signals.pending;
    const { set: shared } = this.group.pending;
    return (((own.lo | shared.lo) & lo) | ((own.hi | shared.hi) & hi)) !== 0;
  }

  dequeueSignal(lo: number, hi: number): SignalInfo | null {
    return takeFrom(this, lo, hi);
  }

  sleepOn(queues: readonly WaitQueue[], deadline = Number.POSITIVE_INFINITY, events = ~0): Promise<number> {
    return this.sleepUntil(deadline, end => {
      const waiter: Waiter = {
        woken: happened => {
          if ((happened & events) === 0) return false;
          end(0);
          return true;
        },
      };
      for (const queue of queues) queue.add(waiter);
      return () => {
        for (const queue of queues) queue.remove(waiter);
      };
    });
  }

  /**
   * Sleeps until what `listen` set up calls its argument, the deadline comes (-ETIMEDOUT) or a signal arrives
   * (-ERESTARTSYS). `listen` returns a function that stops listening, which is called once, whatever ends the sleep.
   */
  sleepUntil(deadline: number, listen: (end: (result: number) => void) => () => void): Promise<number> {
    return new Promise(resolve => {
      if (this.signals.mustWake()) {
        resolve(-ERESTARTSYS);
        return;
      }
      let over = false;
      const end = (result: number): void => {
        if (over) return;
        over = true;
        stop();
        timer?.cancel();
        this.interruptSleep = null;
        this.state = 'R';
        this.kernel.promiseResolved();
        resolve(result);
      };
      const stop = listen(end);
      const timer = Number.isFinite(deadline) ? this.kernel.timers.at(deadline, () => end(-ETIMEDOUT)) : null;
      this.state = 'S';
      this.usage.nvcsw++;
      this.interruptSleep = () => end(-ERESTARTSYS);
      if (this.group.dying.size > 0) for (const finish of [...this.group.dying]) finish();
    });
  }

  /** A signal needs attention: ends a sleep, or makes the running program enter the kernel. */
  wakeForSignal(): void {
    this.pipesBetween?.close();
    if (this.interruptSleep !== null) this.interruptSleep();
    else this.thread?.interrupt();
  }
}

export interface TaskInit {
  readonly comm: string;
  readonly cred: Cred;
  readonly mm: Mm | null;
  readonly files: FilesStruct;
  readonly fs: FsStruct;
  /** Makes the task's access to its program's memory. */
  readonly user: (task: Task) => UserAccess;
  readonly signals: SignalState;
}
