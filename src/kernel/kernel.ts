/**
 * The kernel of one machine: what all its tasks share. Everything hangs from here; there is no other state.
 */
import type { Clock, Timers, Timespec } from '../core/clock.ts';
import type { KernelLog } from '../core/log.ts';
import type { Ntp } from '../core/ntp.ts';
import type { SyslogReader } from '../core/syslog.ts';
import type { WaitQueue } from '../core/wait.ts';
import type { Engine, EngineMemory } from '../engine/engine.ts';
import type { AnonSuper } from '../fs/anon.ts';
import type { Mount } from '../fs/mount.ts';
import type { Vfs } from '../fs/vfs.ts';
import type { InotifyHub } from '../ipc/inotify-hub.ts';
import type { PosixQueue, QueueLimits } from '../ipc/mqueue.ts';
import type { PidFs } from '../ipc/pidfs.ts';
import type { PipeLimits } from '../ipc/pipe-limits.ts';
import type { SysvIpc } from '../ipc/sysv/ipc.ts';
import type { NumberTable } from '../lib/number-table.ts';
import type { MmHost } from '../mm/mm-host.ts';
import type { Ram } from '../mm/ram.ts';
import type { TextImages } from '../mm/text-image.ts';
import type { Network } from '../net/family.ts';
import type { SignalInfo } from '../uapi/siginfo.ts';
import type { Accounting } from './accounting.ts';
import type { AioContexts } from './aio.ts';
import type { CoreSettings } from './core-pattern.ts';
import type { FutexTable } from './futex.ts';
import type { Habits } from './habits/habit.ts';
import type { KnownAnswers } from './known-answers.ts';
import type { MemoryRules } from './memory-rules.ts';
import type { OomKiller } from './oom.ts';
import type { PiLocks } from './pi-futex.ts';
import type { PidAllocator } from './pid.ts';
import type { OpenPipes, PipeMeetings } from './pipe-between.ts';
import type { LoadAverages } from './proc/load.ts';
import type { MemoryAccount } from './proc/memory.ts';
import type { Programs } from './programs.ts';
import type { RealtimeRules } from './sched.ts';
import type { JobControl } from './session.ts';
import type { Tally } from './tally.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';
import type { Users } from './user-counts.ts';
import type { Uts } from './uts.ts';
import type { Vdso } from './vdso.ts';
import type { LentWindows } from './window-along.ts';

export type ShutdownKind = 'halt' | 'poweroff' | 'restart';

/** Told of what happens to tasks apart from their calls; for strace. */
export interface TaskObserver {
  /** The first program of a process that the kernel itself made has started. */
  started(task: Task, path: string, argv: readonly string[], envp: readonly string[]): void;
  /** A signal has reached a task; its effect, if any, comes next. */
  signal(task: Task, info: SignalInfo): void;
  /** A signal has stopped the task. */
  stopped(task: Task, signal: number): void;
  /** `status` as in wait(2). */
  ended(task: Task, status: number): void;
}

export interface Kernel {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Woken when CLOCK_REALTIME was set. */
  readonly clockSet: WaitQueue;
  readonly printk: KernelLog;
  /** The reader that all callers of syslog(2) share. */
  readonly syslog: SyslogReader;
  readonly vfs: Vfs;
  /** Where pipes live, and files that have no inode of their own (epoll, eventfd and the like). */
  readonly pipefs: AnonSuper;
  readonly mqueues: AnonSuper;
  readonly anonInodes: AnonSuper;
  readonly pidfs: PidFs;
  /** The tmpfs of memfd_create(2) and shared memory, mounted nowhere. */
  readonly shmem: Mount;
  readonly inotify: InotifyHub;
  readonly ipc: SysvIpc;
  readonly aio: AioContexts;
  /** What execve(2) makes of files. */
  readonly programs: Programs;
  /** POSIX message queues by name. */
  readonly queues: Map<string, PosixQueue>;
  /** All of them, those that are only open, too. */
  readonly livingQueues: Set<PosixQueue>;
  readonly queueLimits: QueueLimits;
  readonly net: Network;
  /** Tasks by thread number, and thread groups by process number, zombies included. */
  readonly tasks: NumberTable<Task>;
  readonly groups: NumberTable<ThreadGroup>;
  /** The task whose call began last; that call runs until its first wait. Code after a wait must not read this. */
  current: Task | null;
  readonly observer: TaskObserver | null;
  readonly tally: Tally;
  readonly loads: LoadAverages;
  /** How the machine's memory is used. */
  readonly account: MemoryAccount;
  readonly pids: PidAllocator;
  readonly jobs: JobControl;
  readonly users: Users;
  readonly uts: Uts;
  /** Processor features that programs learn of (getauxval(3)). */
  readonly cpu: { readonly hwcap: number; readonly hwcap2: number; readonly minSigStack: number };
  /** Processors that the guest sees. */
  readonly ncpus: number;
  /** The machine's memory, as the engine shares it with guests. */
  readonly memory: EngineMemory;
  readonly ram: Ram;
  readonly engine: Engine;
  /** Null if the engine always asks. */
  readonly known: KnownAnswers | null;
  /** Offset in memory of a page that no program can reach; -1: there is none. */
  readonly scratch: number;
  /** How programs began (kernel/habits). */
  readonly habits: Habits;
  /** Windows that threads use on their own. */
  readonly lentWindows: LentWindows;
  readonly openPipes: OpenPipes;
  readonly pipeMeetings: PipeMeetings;
  readonly images: TextImages;
  readonly vdso: Vdso;
  readonly futexes: FutexTable;
  readonly piLocks: PiLocks;
  readonly oom: OomKiller;
  readonly memoryRules: MemoryRules;
  readonly core: CoreSettings;
  /** fs.nr_open: the most descriptors of a process. */
  readonly fileLimits: { nrOpen: number };
  readonly pipeLimits: PipeLimits;
  readonly realtime: RealtimeRules;
  readonly accounting: Accounting;
  /** What the address spaces share. */
  readonly mmHost: MmHost;
  /** Fills a window with random bytes that no guest can guess. */
  fillRandom(buf: Uint8Array, off: number, len: number): void;
  /** clock_settime(CLOCK_REALTIME): sets it, then wakes `clockSet`. */
  setRealtime(time: Timespec): void;
  /** adjtimex(2): lets `look` see, and change, how CLOCK_REALTIME is steered. */
  steerRealtime(look: (ntp: Ntp, now: number) => void): void;
  /** Where a task's program has its stack now, for sigaltstack(2). */
  stackPointer(task: Task): number;
  /** reboot(2): ends the machine. */
  shutdown(kind: ShutdownKind): void;
  /** Process 1 has died: panics, or powers off when the machine was to run one command. */
  initExited(status: number): void;
  /**
   * Takes from an exiting task what it holds: memory (clear_child_tid, robust futexes first), descriptors, file system
   * context, its engine thread. Called once, before the exit is reported to anyone.
   */
  releaseTask(task: Task): void;
  /** Called when a promise that a handler waits for is resolved, so that the loop lets it run. */
  promiseResolved(): void;
}
