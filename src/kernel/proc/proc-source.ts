/** What /proc shows of a machine (fs/proc/source.ts has the contract), read from its kernel. */
import type { Clock } from '../../core/clock.ts';
import type { KernelLog } from '../../core/log.ts';
import type { SyslogReader } from '../../core/syslog.ts';
import type { WaitQueue } from '../../core/wait.ts';
import { Tty } from '../../drivers/tty/tty.ts';
import type { Path } from '../../fs/dentry.ts';
import type { FilesStruct } from '../../fs/fd-table.ts';
import type { Entry } from '../../fs/kernfs/entry.ts';
import type {
  BlockDevice,
  CpuTimes,
  MemInfo,
  NetSource,
  ProcSource,
  ProcTask,
  Sysctl,
  TtyDriver,
  UnixSocket,
} from '../../fs/proc/source.ts';
import type { Vfs } from '../../fs/vfs.ts';
import type { Mm } from '../../mm/mm.ts';
import { settleEverybody } from '../along.ts';
import { coreSysctls } from '../core-pattern.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { Usage } from '../usage.ts';
import { type Uts, utsOf } from '../uts.ts';
import { fileSysctls } from './file-sysctls.ts';
import { memorySysctls } from './memory-sysctls.ts';
import { pidSysctls } from './pid-sysctls.ts';
import { MmView } from './proc-mm.ts';
import { TaskView } from './proc-task.ts';
import { schedSysctls } from './sched-sysctls.ts';
import { SortedNumbers } from './sorted.ts';
import { ipcSysctls, sysvipcDir } from './sysvipc.ts';

/** What the kernel itself does not know. */
export interface ProcFacts {
  readonly cmdline: string;
  /** CLOCK_MONOTONIC at boot, ns, and CLOCK_REALTIME, seconds. */
  readonly bootMonotonic: number;
  readonly bootTime: number;
  readonly bootId: Uint8Array;
  readonly builder: string;
  cpuinfo(): string;
  readonly ttyDrivers: readonly TtyDriver[];
  readonly consoles: ProcSource['consoles'];
}

export class KernelProc implements ProcSource {
  readonly kernel: Kernel;
  readonly miscDevices: ProcSource['miscDevices'] = [];
  readonly disks: Iterable<BlockDevice> = [];
  readonly unixSockets: Iterable<UnixSocket> = [];
  readonly net: NetSource | null = null;
  readonly sysctls: Iterable<Sysctl>;
  readonly extra: readonly Entry<ProcSource>[];
  private readonly facts: ProcFacts;
  private readonly tasks: WeakMap<Task, TaskView> = new WeakMap();
  private readonly spaces: WeakMap<Mm, MmView> = new WeakMap();
  private readonly pids = new SortedNumbers();
  private rootPath: Path | null = null;

  constructor(kernel: Kernel, facts: ProcFacts) {
    this.kernel = kernel;
    this.facts = facts;
    this.sysctls = [
      ...ipcSysctls(kernel.ipc),
      ...memorySysctls(kernel.memoryRules, kernel.ram, kernel.vfs.dcache),
      ...coreSysctls(kernel.core),
      ...fileSysctls(kernel),
      ...pidSysctls(kernel.pids),
      ...schedSysctls(kernel.realtime),
    ];
    this.extra = [sysvipcDir(kernel.ipc)];
  }

  view(task: Task): TaskView {
    let view = this.tasks.get(task);
    if (view === undefined) {
      view = new TaskView(this, task);
      this.tasks.set(task, view);
    }
    return view;
  }

  /** A new view for each program, even in the same memory: a reader may be allowed to look into only one of them. */
  mmView(mm: Mm): MmView {
    let view = this.spaces.get(mm);
    if (view?.isOfNow !== true) {
      view = new MmView(mm, () => this.kernel.clock.monotonic());
      this.spaces.set(mm, view);
    }
    return view;
  }

  /** The controlling terminal's device number and foreground group. */
  terminalOf(task: Task): { rdev: number; foreground: number } | null {
    const { tty } = task;
    return tty instanceof Tty ? { rdev: tty.driver.rdev, foreground: tty.foreground } : null;
  }

  get clock(): Clock {
    return this.kernel.clock;
  }

  get current(): ProcTask | null {
    const { current } = this.kernel;
    return current === null ? null : this.view(current);
  }

  task(tid: number): ProcTask | null {
    const task = this.kernel.tasks.get(tid);
    return task === undefined ? null : this.view(task);
  }

  nextProcess(pid: number): ProcTask | null {
    const { groups, tally } = this.kernel;
    const next = this.pids.next(pid, `${groups.size} ${tally.forks}`, () =>
      Array.from(groups.values(), group => group.tgid),
    );
    return next < 0 ? null : this.task(next);
  }

  get processCount(): number {
    return this.kernel.groups.size;
  }

  get threadCount(): number {
    return this.kernel.tasks.size;
  }

  /** The asking task runs, too. */
  get runningCount(): number {
    return this.kernel.engine.runningCount + 1;
  }

  get blockedCount(): number {
    return 0;
  }

  get lastPid(): number {
    return this.kernel.pids.latest;
  }

  get forks(): number {
    return this.kernel.tally.forks;
  }

  get contextSwitches(): number {
    const { nvcsw, nivcsw } = this.total();
    return nvcsw + nivcsw;
  }

  get interrupts(): number {
    return 0;
  }

  get bootTime(): number {
    return this.facts.bootTime;
  }

  get loadAverages(): readonly [number, number, number] {
    return this.kernel.loads.values;
  }

  /** All processors look alike: only the host knows on which one a program ran, and when. */
  get cpuTimes(): readonly CpuTimes[] {
    const { ncpus, clock } = this.kernel;
    const { user, system } = this.total();
    const each = clock.monotonic() - this.facts.bootMonotonic;
    const idle = Math.max(0, each - (user + system) / ncpus);
    const one: CpuTimes = { user: user / ncpus, nice: 0, system: system / ncpus, idle, iowait: 0 };
    return new Array<CpuTimes>(ncpus).fill(one);
  }

  get cpuinfo(): string {
    return this.facts.cpuinfo();
  }

  get memory(): MemInfo {
    return this.kernel.account.info;
  }

  get sysname(): string {
    return this.kernel.uts.sysname;
  }

  get release(): string {
    return this.kernel.uts.release;
  }

  get version(): string {
    return this.kernel.uts.version;
  }

  get machine(): string {
    return this.kernel.uts.machine;
  }

  get builder(): string {
    return this.facts.builder;
  }

  get hostname(): string {
    return this.uts.nodename;
  }

  set hostname(name: string) {
    this.uts.nodename = name;
  }

  get domainname(): string {
    return this.uts.domainname;
  }

  set domainname(name: string) {
    this.uts.domainname = name;
  }

  /** The names that the asking task sees. */
  private get uts(): Uts {
    const { current } = this.kernel;
    return current === null ? this.kernel.uts : utsOf(current);
  }

  get cmdline(): string {
    return this.facts.cmdline;
  }

  get bootId(): Uint8Array {
    return this.facts.bootId;
  }

  fillRandom(buf: Uint8Array, off: number, len: number): void {
    this.kernel.fillRandom(buf, off, len);
  }

  get vfs(): Vfs {
    return this.kernel.vfs;
  }

  get root(): Path {
    if (this.rootPath === null) throw new Error('/proc is read before there is a root');
    return this.rootPath;
  }

  /** Called once the root is mounted. */
  setRoot(root: Path): void {
    this.rootPath = root;
  }

  get consoles(): ProcSource['consoles'] {
    return this.facts.consoles;
  }

  get mountsChanged(): WaitQueue {
    return this.kernel.vfs.mountsChanged;
  }

  get mountGeneration(): number {
    return this.kernel.vfs.mountGeneration;
  }

  get log(): KernelLog {
    return this.kernel.printk;
  }

  get syslog(): SyslogReader {
    return this.kernel.syslog;
  }

  get ttyDrivers(): Iterable<TtyDriver> {
    return this.facts.ttyDrivers;
  }

  get pageFaults(): number {
    const { minflt, majflt } = this.total();
    return minflt + majflt;
  }

  get majorFaults(): number {
    return this.total().majflt;
  }

  /** Open descriptors; files only mapped, or on their way between sockets, are left out. */
  get openFiles(): number {
    settleEverybody(this.kernel);
    const tables = new Set<FilesStruct>();
    for (const task of this.kernel.tasks.values()) if (task.mm !== null) tables.add(task.files);
    let count = 0;
    for (const table of tables) count += table.count;
    return count;
  }

  /** As on Linux: a tenth of memory, at a KiB a file. */
  get maxFiles(): number {
    return Math.max(8192, Math.floor((this.kernel.ram.totalPages * 4) / 10));
  }

  sysrq(_key: string): void {}

  /** The usage of all tasks since boot. */
  private total(): Usage {
    const sum = new Usage();
    sum.add(this.kernel.tally.ended);
    for (const task of this.kernel.tasks.values()) if (task.thread !== null) sum.add(task.usageNow());
    return sum;
  }
}
