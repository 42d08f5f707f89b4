/** The kernel state of one machine (kernel/kernel.ts has the contract), and the end of its tasks. */
import type { Timespec } from '../core/clock.ts';
import type { KernelLog } from '../core/log.ts';
import type { Ntp } from '../core/ntp.ts';
import { SyslogReader } from '../core/syslog.ts';
import { TimerHeap } from '../core/timers.ts';
import { WaitQueue } from '../core/wait.ts';
import type { Engine, EngineMemory } from '../engine/engine.ts';
import {
  ANON_INODE_FS_MAGIC,
  AnonInodeFs,
  AnonSuper,
  MQUEUE_MAGIC,
  PIPEFS_MAGIC,
  SOCKFS_MAGIC,
} from '../fs/anon.ts';
import type { Mount } from '../fs/mount.ts';
import { makeMount } from '../fs/mounts.ts';
import { tmpfsType } from '../fs/tmpfs/super.ts';
import { Vfs } from '../fs/vfs.ts';
import { InotifyHub } from '../ipc/inotify-hub.ts';
import { type PosixQueue, QueueLimits } from '../ipc/mqueue.ts';
import { PidFs } from '../ipc/pidfs.ts';
import { openFifo } from '../ipc/pipe-file.ts';
import { PipeLimits } from '../ipc/pipe-limits.ts';
import { SysvIpc } from '../ipc/sysv/ipc.ts';
import { Accounting } from '../kernel/accounting.ts';
import { AioContexts } from '../kernel/aio.ts';
import { settleNameless } from '../kernel/along.ts';
import { CoreSettings } from '../kernel/core-pattern.ts';
import { untellAll } from '../kernel/facts.ts';
import { FutexTable, wakeFutex } from '../kernel/futex.ts';
import { Habits } from '../kernel/habits/habit.ts';
import type { Kernel, ShutdownKind, TaskObserver } from '../kernel/kernel.ts';
import { KnownAnswers } from '../kernel/known-answers.ts';
import { MemoryRules } from '../kernel/memory-rules.ts';
import { OomKiller } from '../kernel/oom.ts';
import { PiLocks } from '../kernel/pi-futex.ts';
import { PidAllocator } from '../kernel/pid.ts';
import { OpenPipes, PipeMeetings } from '../kernel/pipe-between.ts';
import { LoadAverages } from '../kernel/proc/load.ts';
import { MemoryAccount } from '../kernel/proc/memory.ts';
import { Programs } from '../kernel/programs.ts';
import { leaveLocks } from '../kernel/robust-list.ts';
import { RealtimeRules } from '../kernel/sched.ts';
import { JobControl } from '../kernel/session.ts';
import { Tally } from '../kernel/tally.ts';
import type { Task } from '../kernel/task.ts';
import type { ThreadGroup } from '../kernel/thread-group.ts';
import { Users } from '../kernel/user-counts.ts';
import type { Uts } from '../kernel/uts.ts';
import { Vdso } from '../kernel/vdso.ts';
import { LentWindows } from '../kernel/window-along.ts';
import { NumberTable } from '../lib/number-table.ts';
import type { MmHost } from '../mm/mm-host.ts';
import { PhysicalMemory } from '../mm/physical.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { TextImages } from '../mm/text-image.ts';
import { Network } from '../net/family.ts';
import { UnixDomain } from '../net/unix/domain.ts';
import type { MachineClock } from './machine-clock.ts';

export interface KernelParts {
  readonly engine: Engine;
  readonly clock: MachineClock;
  readonly log: KernelLog;
  readonly uts: Uts;
  readonly mem: number;
  readonly ncpus: number;
  readonly cpu: Kernel['cpu'];
  readonly observer: TaskObserver | null;
  fillRandom(buf: Uint8Array, off: number, len: number): void;
  /** The machine is to end, as reboot(2) asks. */
  ended(kind: ShutdownKind): void;
  initExited(status: number): void;
}

export class MachineKernel implements Kernel {
  readonly clock: MachineClock;
  readonly timers: TimerHeap;
  readonly clockSet: WaitQueue = new WaitQueue();
  readonly printk: KernelLog;
  readonly vfs: Vfs;
  readonly known: KnownAnswers | null;
  readonly scratch: number;
  readonly pipefs: AnonSuper;
  readonly mqueues: AnonSuper;
  readonly sockfs: AnonSuper;
  readonly anonInodes: AnonSuper;
  readonly pidfs: PidFs;
  readonly tasks: NumberTable<Task> = new NumberTable();
  readonly groups: NumberTable<ThreadGroup> = new NumberTable();
  readonly jobs: JobControl = new JobControl();
  readonly users: Users = new Users();
  readonly futexes: FutexTable = new FutexTable();
  readonly piLocks: PiLocks = new PiLocks();
  current: Task | null = null;
  readonly observer: TaskObserver | null;
  readonly tally: Tally = new Tally();
  readonly loads: LoadAverages;
  readonly account: MemoryAccount;
  readonly pids: PidAllocator;
  readonly uts: Uts;
  readonly ncpus: number;
  readonly cpu: Kernel['cpu'];
  readonly memory: EngineMemory;
  readonly ram: PhysicalMemory;
  readonly engine: Engine;
  readonly images: TextImages;
  readonly vdso: Vdso = new Vdso(() => this.engine.vdso);
  readonly oom: OomKiller = new OomKiller(this);
  readonly memoryRules: MemoryRules = new MemoryRules(this);
  readonly core: CoreSettings = new CoreSettings();
  readonly fileLimits = { nrOpen: 1 << 20 };
  readonly pipeLimits: PipeLimits = new PipeLimits();
  readonly realtime: RealtimeRules = new RealtimeRules();
  readonly accounting: Accounting = new Accounting();
  readonly mmHost: MmHost;
  readonly shmem: Mount;
  readonly inotify: InotifyHub;
  readonly ipc: SysvIpc;
  readonly aio: AioContexts = new AioContexts();
  readonly programs: Programs = new Programs();
  readonly habits: Habits = new Habits();
  readonly lentWindows: LentWindows = new LentWindows(this);
  readonly openPipes: OpenPipes = new OpenPipes(this);
  readonly pipeMeetings: PipeMeetings = new PipeMeetings();
  readonly queues: Map<string, PosixQueue> = new Map();
  readonly livingQueues: Set<PosixQueue> = new Set();
  readonly queueLimits: QueueLimits = new QueueLimits();
  readonly net: Network;
  readonly syslog: SyslogReader;
  /** A call waits for a promise: the loop must give promises a chance to run. */
  promisesWait = false;
  private readonly parts: KernelParts;
  private lastDev = 0;

  constructor(parts: KernelParts) {
    this.parts = parts;
    this.clock = parts.clock;
    this.timers = new TimerHeap(parts.clock);
    this.printk = parts.log;
    this.uts = parts.uts;
    this.ncpus = parts.ncpus;
    this.cpu = parts.cpu;
    this.observer = parts.observer;
    this.engine = parts.engine;
    this.memory = parts.engine.memory;
    this.ram = new PhysicalMemory(this.memory, parts.mem, done => parts.engine.whenAllDone(done));
    this.images = new TextImages(this.ram, parts.engine.callSites);
    this.mmHost = mmHostOf(parts.engine, this.images, this.oom);
    this.pids = new PidAllocator(pid => this.tasks.has(pid) || this.groups.has(pid) || this.jobs.uses(pid));
    this.vfs = new Vfs({ clock: this.clock, ram: this.ram, newDev: () => this.newDev() });
    this.scratch = parts.engine.known === null ? -1 : this.ram.alloc(PAGE_SIZE);
    this.known = this.newKnownAnswers();
    this.listenToVfs();
    this.vfs.registerFileSystem(tmpfsType());
    this.shmem = mountShmem(this.vfs);
    this.inotify = new InotifyHub(this.vfs);
    this.ipc = new SysvIpc(this.ram, () => ({
      pid: this.current?.tgid ?? 0,
      now: this.clock.realtime().sec,
    }));
    this.pipefs = new AnonSuper('pipefs', PIPEFS_MAGIC, this.newDev(), this.clock);
    this.mqueues = new AnonSuper('mqueue', MQUEUE_MAGIC, this.newDev(), this.clock);
    this.sockfs = new AnonSuper('sockfs', SOCKFS_MAGIC, this.newDev(), this.clock);
    this.net = new Network(this.sockfs, this.groups);
    this.net.register(new UnixDomain(this.net));
    this.loads = new LoadAverages(this.clock, this.timers, () => this.engine.runningCount);
    this.account = new MemoryAccount(this);
    this.syslog = new SyslogReader(parts.log);
    this.anonInodes = new AnonInodeFs('anon_inodefs', ANON_INODE_FS_MAGIC, this.newDev(), this.clock);
    this.pidfs = new PidFs(this.newDev(), this.clock);
  }

  /** null: the engine has no table for them, or there was no page to prepare them in. */
  private newKnownAnswers(): KnownAnswers | null {
    const { known } = this.engine;
    if (known === null || this.scratch < 0) return null;
    return new KnownAnswers(known, this.vfs, this.scratch, this.parts.fillRandom);
  }

  private listenToVfs(): void {
    const { vfs } = this;
    vfs.dcache.onForget = () => this.habits.stopAll();
    vfs.onNameless = inode => settleNameless(this, inode);
    vfs.onWatch = () => this.lentWindows.recall();
    vfs.openFifo = (inode, flags, { cred }) => openFifo(inode, flags, cred, this.pipeLimits);
  }

  newDev(): number {
    return ++this.lastDev;
  }

  fillRandom(buf: Uint8Array, off: number, len: number): void {
    this.parts.fillRandom(buf, off, len);
  }

  setRealtime(time: Timespec): void {
    this.parts.clock.setRealtime(time);
    this.vdso.retire(this.tasks.values());
    this.clockSet.wake();
  }

  steerRealtime(look: (ntp: Ntp, now: number) => void): void {
    if (this.parts.clock.steer(look)) this.vdso.retire(this.tasks.values());
  }

  stackPointer(task: Task): number {
    return task.thread?.stackPointer ?? 0;
  }

  shutdown(kind: ShutdownKind): void {
    this.parts.ended(kind);
  }

  initExited(status: number): void {
    this.parts.initExited(status);
  }

  releaseTask(task: Task): void {
    const { thread, mm } = task;
    if (mm !== null) leaveLocks(task);
    if (task.clearChildTid !== 0 && mm !== null && mm.users > 1) clearTid(task);
    untellAll(task);
    task.thread = null;
    task.leaveMemory();
    task.execDone?.();
    task.execDone = null;
    if (thread !== null && mm !== null) {
      if (--mm.users > 0) thread.park();
      else {
        // The space may outlive this by some time; the task must not be kept alive by it.
        thread.owner = null;
        mm.destroy();
      }
    }
    task.files.put();
    task.fs.tasks.delete(task);
    task.fs.put();
  }

  promiseResolved(): void {
    this.promisesWait = true;
  }
}

function mmHostOf(engine: Engine, images: TextImages, oom: OomKiller): MmHost {
  const { memory } = engine;
  return {
    images,
    bytes: memory.bytes,
    vdso: () => engine.vdso,
    touched: (offset, out) => memory.touched(offset, out),
    promise: pages => oom.promise(pages),
    makeRoom: () => oom.makeRoom(),
  };
}

/** The tmpfs that holds shared memory; no name leads there. */
function mountShmem(vfs: Vfs): Mount {
  const shmem = makeMount(vfs, 'tmpfs', 'tmpfs', 0, 'size=100%');
  if (typeof shmem === 'number') throw new Error('no memory for shared memory');
  return shmem;
}

/** set_tid_address(2): clears the thread ID and wakes whoever waits for that (pthread_join). */
function clearTid(task: Task): void {
  const { mm, thread, kernel } = task;
  if (mm === null || thread === null) return;
  const offset = thread.stageOut(4);
  if (offset < 0) return;
  kernel.memory.view.setInt32(offset, 0, true);
  if (mm.space.write(task.clearChildTid, offset, 4) === 0) wakeFutex(task, task.clearChildTid, 1);
}
