/**
 * What procfs asks of the kernel. The layers above implement these; procfs only formats.
 *
 * Units: times are nanoseconds, sizes are bytes, unless a field says otherwise. All values are current: procfs
 * asks anew for each read. Strings are latin1 (one character a byte). A task or an address space is always the
 * same object: procfs compares them, and caches what it made for them. Once a task has been waited for, `reaped`
 * is true and procfs asks it nothing else.
 */
import type { Clock } from '../../core/clock.ts';
import type { Cred } from '../../core/cred.ts';
import type { KernelLog } from '../../core/log.ts';
import type { SyslogReader } from '../../core/syslog.ts';
import type { WaitQueue } from '../../core/wait.ts';
import type { Mm } from '../../mm/mm.ts';
import type { Backing, Vma } from '../../mm/vma.ts';
import type { Path } from '../dentry.ts';
import type { FilesStruct } from '../fd-table.ts';
import type { File } from '../file.ts';
import type { Entry } from '../kernfs/entry.ts';
import type { MountNamespace } from '../namespace.ts';
import type { Vfs } from '../vfs.ts';

/** A 64-bit set, e.g. of signals (signal n is bit n - 1) or capabilities. */
export interface Bits {
  readonly lo: number;
  readonly hi: number;
}

/** 'R' running, 'S' asleep, 'D' uninterruptible, 'T' stopped, 't' traced, 'Z' zombie, 'X' dead, 'I' idle. */
export type TaskState = 'R' | 'S' | 'D' | 'T' | 't' | 'Z' | 'X' | 'I';

/**
 * One thread. Procfs may ask any thread about its process.
 * Procfs sets the fields that are not readonly, after it has checked values and privilege.
 */
export interface ProcTask {
  /** Thread id; equal to `tgid` for the leader, which stands for the process. */
  readonly pid: number;
  readonly tgid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** It has been waited for: only this object still exists. */
  readonly reaped: boolean;
  readonly state: TaskState;
  /** At most 15 bytes. */
  readonly comm: string;
  /** PR_SET_NAME; cut to 15 bytes by the callee. */
  setComm(name: string): void;
  readonly cred: Cred;
  /** PR_GET_DUMPABLE is 1: other processes of the same user may look into it. */
  readonly dumpable: boolean;
  /** Tracer's pid, or 0. */
  readonly tracer: number;
  /** Device number (makedev) of the controlling terminal, 0 for none; and its foreground process group, or -1. */
  readonly tty: number;
  readonly foregroundGroup: number;
  /** PF_* of linux/sched.h as /proc/PID/stat shows them: 0x40 forked without exec, 0x40000000 random addresses... */
  readonly flags: number;
  /** The signal sent to the parent at exit (the low byte of clone's flags), -1 for a thread. */
  readonly exitSignal: number;
  /** As wait(2) reports it; shown to callers that may trace the task. */
  readonly exitCode: number;
  readonly nice: number;
  /** SCHED_OTHER 0, SCHED_FIFO 1, SCHED_RR 2, SCHED_BATCH 3, SCHED_IDLE 5. */
  readonly policy: number;
  /** 1 to 99 under a real-time policy, or 0. */
  readonly rtPriority: number;
  /** The processor it last ran on, and those it may run on. */
  readonly processor: number;
  readonly cpusAllowed: readonly number[];
  /** CLOCK_MONOTONIC at its start. */
  readonly startTime: number;
  /** Of this thread alone, and of the whole process, including threads that have ended. */
  readonly usage: TaskUsage;
  readonly processUsage: TaskUsage;
  /** Of children that were waited for. */
  readonly childUsage: TaskUsage;
  readonly signals: TaskSignals;
  readonly noNewPrivs: boolean;
  /** PR_GET_SECCOMP, and the number of filters in force. */
  readonly seccompMode: number;
  readonly seccompFilters: number;
  /** Of personality(2). */
  readonly personality: number;
  /** PR_SET_TIMERSLACK; the setter takes 0 for the default. */
  timerSlack: number;
  readonly umask: number;
  /** Sixteen limits in the order of RLIMIT_CPU 0 ... RLIMIT_RTTIME 15; Infinity: unlimited. */
  readonly limits: readonly TaskLimit[];
  readonly io: TaskIo;
  /** -1000 to 1000; and the least value that can be set without CAP_SYS_RESOURCE. */
  oomScoreAdj: number;
  oomScoreAdjMin: number;
  /** getauid(3): 0xffffffff when unset. */
  loginuid: number;
  readonly auditSession: number;
  /** The kernel function in which it sleeps ('do_wait', 'futex_wait'...); '' while it runs. */
  readonly wchan: string;
  /** The system call in which it sleeps; null while it runs. */
  readonly syscall: TaskSyscall | null;
  /** Lines of proc_pid_cgroup(5): '0::/\n'. */
  readonly cgroup: string;
  /** null for a zombie or a kernel thread. */
  readonly mm: ProcMm | null;
  /** Working and root directory; null for a zombie. Not referenced: procfs takes its own reference. */
  readonly cwd: Path | null;
  readonly root: Path | null;
  /** null for a zombie. */
  readonly files: FilesStruct | null;
  readonly threadCount: number;
  /** The thread of this process with the least tid >= `tid`; null if there is none. */
  nextThread(tid: number): ProcTask | null;
  /** Children of this thread, for task/TID/children. */
  readonly children: readonly number[];
  readonly mountNamespace: MountNamespace;
  /** The inode number of each of its namespaces. */
  namespace(kind: NamespaceKind): number;
  /** The namespace, for kinds of which there are several (a MountNamespace for 'mnt'); else null. */
  namespaceObject(kind: NamespaceKind): object | null;
  /** Lines of user_namespaces(7), for the process's user namespace. */
  readonly uidMap: readonly IdMapping[];
  readonly gidMap: readonly IdMapping[];
}

export const NAMESPACES = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'] as const;
export type NamespaceKind = (typeof NAMESPACES)[number];

export interface IdMapping {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

export interface TaskUsage {
  readonly user: number;
  readonly system: number;
  /** Faults that needed no input or output, and those that did. */
  readonly minflt: number;
  readonly majflt: number;
  /** Voluntary and involuntary switches to other tasks. */
  readonly nvcsw: number;
  readonly nivcsw: number;
}

export interface TaskSignals {
  /** Pending for this thread, and for the process. */
  readonly pending: Bits;
  readonly shared: Bits;
  readonly blocked: Bits;
  readonly ignored: Bits;
  readonly caught: Bits;
  /** Signals queued for the real user. */
  readonly queued: number;
}

export interface TaskLimit {
  readonly soft: number;
  readonly hard: number;
}

/** proc_pid_io(5). */
export interface TaskIo {
  readonly readChars: number;
  readonly writeChars: number;
  readonly readCalls: number;
  readonly writeCalls: number;
  readonly readBytes: number;
  readonly writeBytes: number;
}

/** Six arguments, the stack pointer and the program counter. Number -1 without arguments: asleep outside a call. */
export interface TaskSyscall {
  readonly number: number;
  readonly args: readonly number[];
  readonly sp: number;
  readonly pc: number;
}

/** The fields of mm/mm.ts that procfs reads. */
export type MmLayout = Pick<
  Mm,
  | 'vmas'
  | 'brkStart'
  | 'startCode'
  | 'endCode'
  | 'startData'
  | 'endData'
  | 'startStack'
  | 'argStart'
  | 'argEnd'
  | 'envStart'
  | 'envEnd'
  | 'auxv'
>;

/** An address space. Its layout is the Mm itself; the engine answers the rest. */
export interface ProcMm {
  readonly layout: MmLayout;
  /**
   * Areas that end above `from`, in ascending order, as Linux shows them: only the used part of a stack, and the
   * vDSO with its data. Areas may come and go during the iteration.
   */
  areas(from: number): Iterable<Vma>;
  /** Total bytes of the areas, now and at their peak. */
  readonly size: number;
  readonly peakSize: number;
  /** The file of an area that has a backing; null for shared anonymous memory. */
  fileOf(backing: Backing): File | null;
  /** What is resident: in total, and of one area, which costs more. */
  readonly rss: Resident;
  resident(vma: Vma): Resident;
  /** The peak of `rss`, and the size of the page tables. */
  readonly peakRss: number;
  readonly pageTables: number;
  /** Bytes copied from `addr` into buf[off, off + len); fewer at an unmapped page, -EIO if the first page is. */
  read(addr: number, buf: Uint8Array, off: number, len: number): number;
  /** The same for writing; as a debugger does, it also writes to write-protected pages. */
  write(addr: number, buf: Uint8Array, off: number, len: number): number;
  /** PAGE_PRESENT and PAGE_FILE of the page at `addr`. */
  pageState(addr: number): number;
  /** The kinds of areas that a core dump has (core(5)). */
  coredumpFilter: number;
  /** The program; null if it has none. Not referenced. */
  readonly exe: Path | null;
}

/** In bytes: anonymous pages, pages of files, and of shared memory. */
export interface Resident {
  readonly anonymous: number;
  readonly file: number;
  readonly shmem: number;
}

export const PAGE_PRESENT = 1;
/** A page of a file, or of shared memory. */
export const PAGE_FILE = 2;

/** /proc/meminfo, in bytes. */
export interface MemInfo {
  readonly total: number;
  readonly free: number;
  /** Pages of files; pages of tmpfs and shared memory (part of `cached`); anonymous pages in address spaces. */
  readonly cached: number;
  readonly shmem: number;
  readonly anonymous: number;
  /** Pages of files that some address space maps. */
  readonly mapped: number;
  readonly pageTables: number;
  /** Memory promised to programs. */
  readonly committed: number;
  /** The limit on `committed` under strict accounting (vm.overcommit_memory 2). */
  readonly commitLimit: number;
}

/** The times of one processor since boot (proc_stat(5)). */
export interface CpuTimes {
  readonly user: number;
  readonly nice: number;
  readonly system: number;
  readonly idle: number;
  readonly iowait: number;
}

export interface BlockDevice {
  readonly major: number;
  readonly minor: number;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** The 17 figures of /proc/diskstats. */
  readonly stats: readonly number[];
}

/** A bound or connected AF_UNIX socket. */
export interface UnixSocket {
  readonly refs: number;
  readonly listening: boolean;
  /** SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_SEQPACKET 5. */
  readonly type: number;
  /** SS_UNCONNECTED 1, SS_CONNECTING 2, SS_CONNECTED 3. */
  readonly state: number;
  readonly ino: number;
  /** '' when it has no name; an abstract name begins with NUL. */
  readonly path: string;
}

/** The machine's network. */
export interface NetSource {
  /** The lines of /proc/net/`name` below the header, for files that procfs has; '' if there are none. */
  lines(name: string): string;
}

/** proc_tty(5): 'pty_slave', '/dev/pts', 136, 0 to 1048575, 'pty:slave'. */
export interface TtyDriver {
  readonly name: string;
  readonly node: string;
  readonly major: number;
  readonly firstMinor: number;
  readonly lastMinor: number;
  readonly type: string;
}

/**
 * A sysctl with an owner. Its value is passed both ways as text without the newline. It replaces a setting of
 * the same path in fs/proc/sysctl.ts.
 */
export interface Sysctl {
  /** Below /proc/sys: 'kernel/hostname'. */
  readonly path: string;
  readonly perm: number;
  get(): string;
  /** 0 or -errno; absent for values that cannot be changed. */
  readonly set?: (value: string, cred: Cred) => number;
}

export interface ProcSource {
  readonly clock: Clock;
  /** The task that makes this system call; null outside of one. */
  readonly current: ProcTask | null;
  /** Any thread by its id; null if there is none. */
  task(tid: number): ProcTask | null;
  /** The process with the least pid >= `pid`; null if there is none. */
  nextProcess(pid: number): ProcTask | null;
  readonly processCount: number;
  readonly threadCount: number;
  readonly runningCount: number;
  readonly blockedCount: number;
  readonly lastPid: number;
  /** Since boot: processes and threads made; switches between them; interrupts. */
  readonly forks: number;
  readonly contextSwitches: number;
  readonly interrupts: number;
  /** CLOCK_REALTIME at boot, in seconds. */
  readonly bootTime: number;
  readonly loadAverages: readonly [number, number, number];
  /** One a processor. */
  readonly cpuTimes: readonly CpuTimes[];
  /** All of /proc/cpuinfo. */
  readonly cpuinfo: string;
  readonly memory: MemInfo;
  /** The names of uname(2). */
  readonly sysname: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  /** What /proc/version says between the release and the version: '(who@where) (with what)'. */
  readonly builder: string;
  hostname: string;
  domainname: string;
  /** The kernel's command line. */
  readonly cmdline: string;
  /** 16 bytes; a fresh machine has fresh ones. */
  readonly bootId: Uint8Array;
  fillRandom(buf: Uint8Array, off: number, len: number): void;
  /** For the names of paths, filesystems and devices. */
  readonly vfs: Vfs;
  /** The root from which paths are shown when no task asks. */
  readonly root: Path;
  /** Minors of major number 10. */
  readonly miscDevices: Iterable<{ readonly minor: number; readonly name: string }>;
  readonly disks: Iterable<BlockDevice>;
  /** The kernel's consoles: 'tty0' and its device number. */
  readonly consoles: Iterable<{ readonly name: string; readonly major: number; readonly minor: number }>;
  readonly unixSockets: Iterable<UnixSocket>;
  /** null: there is no network, and the files of /proc/net hold only their headers. */
  readonly net: NetSource | null;
  /** Settings that have an owner, beyond those of fs/proc/sysctl.ts. */
  readonly sysctls: Iterable<Sysctl>;
  /** Woken when a mount comes or goes, for poll(2) on mounts and mountinfo; and how often that has happened. */
  readonly mountsChanged: WaitQueue;
  readonly mountGeneration: number;
  /** The kernel log, and the one reader of /proc/kmsg and syslog(2). */
  readonly log: KernelLog;
  readonly syslog: SyslogReader;
  /** Terminal drivers, from which ps(1) derives the names of terminals. */
  readonly ttyDrivers: Iterable<TtyDriver>;
  /** Page faults of all tasks since boot: all of them, and those that needed input or output. */
  readonly pageFaults: number;
  readonly majorFaults: number;
  /** Open files (struct file), and their limit. */
  readonly openFiles: number;
  readonly maxFiles: number;
  /** Entries that other parts of the kernel add: /proc/sysvipc, /proc/bus ... */
  readonly extra: readonly Entry<ProcSource>[];
  /** A letter written to /proc/sysrq-trigger. */
  sysrq(key: string): void;
}
