/** A kernel without an engine, a filesystem or memory management: tables, a clock that stands still, and tasks. */

import { BufferMemory } from '../../../src/core/buffer-memory.ts';
import { NSEC_PER_SEC, type Timespec } from '../../../src/core/clock.ts';
import { type Cred, ROOT_CRED } from '../../../src/core/cred.ts';
import { KernelLog } from '../../../src/core/log.ts';
import { Ntp } from '../../../src/core/ntp.ts';
import { SyslogReader } from '../../../src/core/syslog.ts';
import { TimerHeap } from '../../../src/core/timers.ts';
import { WaitQueue } from '../../../src/core/wait.ts';
import { Dcache } from '../../../src/fs/dcache.ts';
import { FilesStruct } from '../../../src/fs/fd-table.ts';
import { InotifyHub } from '../../../src/ipc/inotify-hub.ts';
import { SysvIpc } from '../../../src/ipc/sysv/ipc.ts';
import { Accounting } from '../../../src/kernel/accounting.ts';
import { registerTask } from '../../../src/kernel/exit.ts';
import { inheritSigHand, inheritThreadState } from '../../../src/kernel/inherit.ts';
import type { Kernel } from '../../../src/kernel/kernel.ts';
import { PidAllocator } from '../../../src/kernel/pid.ts';
import { bootLimits } from '../../../src/kernel/rlimit.ts';
import { JobControl } from '../../../src/kernel/session.ts';
import { SigHand } from '../../../src/kernel/sighand.ts';
import { SignalState } from '../../../src/kernel/signal-state.ts';
import { Tally } from '../../../src/kernel/tally.ts';
import { Task } from '../../../src/kernel/task.ts';
import { ThreadGroup } from '../../../src/kernel/thread-group.ts';
import { Users } from '../../../src/kernel/user-counts.ts';
import { Uts } from '../../../src/kernel/uts.ts';
import { NumberTable } from '../../../src/lib/number-table.ts';
import type { Syscall } from '../../../src/syscalls/args.ts';
import { CLONE_SIGHAND, CLONE_THREAD, CLONE_VM } from '../../../src/uapi/sched.ts';
import { SIGCHLD } from '../../../src/uapi/signal.ts';
import { TestRam } from '../fs/machine.ts';

export const MEMORY = 1 << 16;

export class FakeMachine {
  now = 1_000_000_000;
  wall: Timespec = { sec: 1_700_000_000, nsec: 0 };
  readonly released: number[] = [];
  readonly initStatus: number[] = [];
  readonly shutdowns: string[] = [];
  readonly timers: TimerHeap;
  readonly kernel: Kernel;
  readonly init: Task;

  constructor() {
    const clock = {
      monotonic: () => this.now,
      realtime: () => this.wall,
      coarse: () => this.wall,
    };
    this.timers = new TimerHeap(clock);
    const printk = new KernelLog(clock);
    const tasks = new NumberTable<Task>();
    const groups = new NumberTable<ThreadGroup>();
    const jobs = new JobControl();
    const ntp = new Ntp(0);
    const parts = {
      clock,
      timers: this.timers,
      clockSet: new WaitQueue(),
      printk,
      syslog: new SyslogReader(printk),
      tasks,
      groups,
      pids: new PidAllocator(pid => tasks.has(pid) || groups.has(pid) || jobs.uses(pid)),
      jobs,
      users: new Users(),
      inotify: new InotifyHub({ notify: null, onWatch: () => {} }),
      ipc: new SysvIpc(new TestRam(), () => ({ pid: 0, now: 0 })),
      uts: new Uts('guest', '6.18.0', '#1', 'x86_64'),
      ncpus: 2,
      current: null,
      observer: null,
      tally: new Tally(),
      accounting: new Accounting(),
      vfs: { dcache: new Dcache() },
      fillRandom: (buf: Uint8Array, off: number, len: number) => void buf.fill(0x5a, off, off + len),
      steerRealtime: (look: (ntp: Ntp, now: number) => void) => look(ntp, 0),
      setRealtime: (time: Timespec) => {
        this.wall = time;
        this.kernel.clockSet.wake();
      },
      stackPointer: () => 0,
      shutdown: (kind: string) => void this.shutdowns.push(kind),
      initExited: (status: number) => void this.initStatus.push(status),
      releaseTask: (task: Task) => void this.released.push(task.pid),
      promiseResolved: () => {},
    };
    this.kernel = parts as unknown as Kernel;
    this.init = this.process(null);
  }

  /** Time passes, and timers fire in their order. */
  advance(ns: number): void {
    const end = this.now + ns;
    while (this.timers.next() <= end) {
      this.pass(Math.max(0, this.timers.next() - this.now));
      this.timers.run();
    }
    this.pass(end - this.now);
  }

  private pass(ns: number): void {
    this.now += ns;
    const nsec = this.wall.nsec + ns;
    this.wall = { sec: this.wall.sec + Math.floor(nsec / NSEC_PER_SEC), nsec: nsec % NSEC_PER_SEC };
  }

  /** A process as fork makes it; with `flags` as clone does. */
  process(parent: Task | null, flags = 0, exitSignal = SIGCHLD): Task {
    const pid = this.kernel.pids.alloc();
    const processGroup = parent?.group.processGroup ?? this.kernel.jobs.newSession(pid);
    const group = new ThreadGroup({
      tgid: pid,
      parent: parent?.group ?? null,
      creator: parent,
      copyOf: parent?.group ?? null,
      processGroup,
      sighand: parent === null ? new SigHand() : inheritSigHand(parent, flags),
      rlimits: parent?.group.rlimits ?? bootLimits(100),
      exitSignal,
    });
    if (parent === null) group.session.leader = group;
    return this.task(parent, pid, group, flags, parent?.cred ?? ROOT_CRED);
  }

  thread(of: Task): Task {
    return this.task(
      of,
      this.kernel.pids.alloc(),
      of.group,
      CLONE_VM | CLONE_SIGHAND | CLONE_THREAD,
      of.cred,
    );
  }

  private task(parent: Task | null, pid: number, group: ThreadGroup, flags: number, cred: Cred): Task {
    const task = new Task(this.kernel, pid, group, {
      comm: 'test',
      cred,
      mm: null,
      files: new FilesStruct(),
      fs: { tasks: new Set() } as unknown as Task['fs'],
      user: () => new BufferMemory(new Uint8Array(MEMORY)) as unknown as Task['user'],
      signals: new SignalState(group),
    });
    if (parent !== null) inheritThreadState(parent, task, flags);
    registerTask(task);
    return task;
  }
}

/** Calls a system call by its name. */
export function caller(table: readonly Syscall[]) {
  const rows = new Map(table.map(row => [row.name, row]));
  return (task: Task, name: string, ...args: number[]): number | Promise<number> => {
    const row = rows.get(name);
    if (row === undefined) throw new Error(`no call ${name}`);
    const a = [...args, 0, 0, 0, 0, 0, 0];
    return row.run(task, a[0]!, a[1]!, a[2]!, a[3]!, a[4]!, a[5]!);
  };
}

/** Lets promises that are resolved run their continuations. */
export const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
