/**
 * The host as the source of a procfs: its processes and figures, parsed from its own /proc. What our files say
 * of them can then be compared with what the host's files say.
 */
import * as fs from 'node:fs';
import { type Cred, ROOT_CRED } from '../../../src/core/cred.ts';
import { KernelLog } from '../../../src/core/log.ts';
import { SyslogReader } from '../../../src/core/syslog.ts';
import { WaitQueue } from '../../../src/core/wait.ts';
import type { WalkContext } from '../../../src/fs/context.ts';
import { Path } from '../../../src/fs/dentry.ts';
import { FilesStruct } from '../../../src/fs/fd-table.ts';
import type { File } from '../../../src/fs/file.ts';
import { mountRoot } from '../../../src/fs/mounts.ts';
import type { MountNamespace } from '../../../src/fs/namespace.ts';
import type { MemInfo, ProcMm, ProcSource, ProcTask, Resident } from '../../../src/fs/proc/source.ts';
import { procFileSystem } from '../../../src/fs/proc/super.ts';
import { Vfs } from '../../../src/fs/vfs.ts';
import { SysvIpc } from '../../../src/ipc/sysv/ipc.ts';
import { ipcSysctls } from '../../../src/kernel/proc/sysvipc.ts';
import type { Ram } from '../../../src/mm/ram.ts';
import { type Backing, VM_GROWSDOWN, VM_SHARED, Vma } from '../../../src/mm/vma.ts';
import { VmaList } from '../../../src/mm/vma-list.ts';
import { makedev } from '../../../src/uapi/stat.ts';

const TICK = 10_000_000;
const read = (path: string): string => fs.readFileSync(path, 'latin1');

/** 'Name:\tvalue' lines. */
export const fieldsOf = (text: string): Map<string, string> =>
  new Map([...text.matchAll(/^([^:\n]+):[ \t]*(.*)$/gm)].map(m => [m[1]!, m[2]!]));

const bits = (digits: string) => ({
  lo: Number.parseInt(digits.slice(-8), 16) | 0,
  hi: Number.parseInt(digits.slice(0, -8), 16),
});

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The areas of a process, and what of each is in memory. [vsyscall], which is in no address space, apart. */
function areasOf(pid: number): { vmas: VmaList; resident: Map<number, Mutable<Resident>> } {
  const vmas = new VmaList();
  const resident = new Map<number, Mutable<Resident>>();
  let vma = new Vma(0, 0, 0, 0);
  for (const line of read(`/proc/${pid}/smaps`).split('\n')) {
    const head = /^(\w+-\w+) (....) (\w+) (\w+:\w+) (\d+) *(.*)$/.exec(line);
    if (head !== null) {
      vma = areaOf(head);
      if (vma.name !== '[vsyscall]') vmas.insert(vma);
      resident.set(vma.start, { anonymous: 0, file: 0, shmem: 0 });
    }
    const size = /^(Rss|Anonymous): +(\d+) kB/.exec(line);
    if (size === null) continue;
    const sizes = resident.get(vma.start)!;
    const bytes = Number(size[2]) * 1024;
    if (size[1] === 'Rss') sizes.file = bytes;
    else Object.assign(sizes, { anonymous: bytes, file: sizes.file - bytes });
  }
  return { vmas, resident };
}

function areaOf(head: RegExpExecArray): Vma {
  const [range, perm, offset, device, ino, name] = head.slice(1) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const [start, end] = range.split('-').map(text => Number.parseInt(text, 16)) as [number, number];
  const [major, minor] = device.split(':').map(text => Number.parseInt(text, 16)) as [number, number];
  const prot = [...'rwx'].reduce((bits, letter, i) => bits | (perm[i] === letter ? 1 << i : 0), 0);
  const flags = (perm[3] === 's' ? VM_SHARED : 0) | (name === '[stack]' ? VM_GROWSDOWN : 0);
  const vma = new Vma(start, end, prot, flags);
  if (!name.startsWith('/')) vma.name = name;
  else vma.backing = { dev: makedev(major, minor), ino: Number(ino), name } as unknown as Backing;
  vma.pos = Number.parseInt(offset, 16);
  return vma;
}

function sumOf(all: Iterable<Resident>): Resident {
  const sum = { anonymous: 0, file: 0, shmem: 0 };
  for (const { anonymous, file, shmem } of all) {
    sum.anonymous += anonymous;
    sum.file += file;
    sum.shmem += shmem;
  }
  return sum;
}

function mmOf(pid: number, stat: number[], status: Map<string, string>): ProcMm | null {
  if (!status.has('VmSize')) return null;
  const kb = (name: string): number => Number.parseInt(status.get(name)!, 10) * 1024;
  const { vmas, resident } = areasOf(pid);
  const fd = fs.openSync(`/proc/${pid}/mem`, 'r');
  return {
    layout: {
      vmas,
      startCode: stat[26]!,
      endCode: stat[27]!,
      startStack: stat[28]!,
      startData: stat[45]!,
      endData: stat[46]!,
      brkStart: stat[47]!,
      argStart: stat[48]!,
      argEnd: stat[49]!,
      envStart: stat[50]!,
      envEnd: stat[51]!,
      auxv: wordsOf(fs.readFileSync(`/proc/${pid}/auxv`)),
    },
    areas: () => vmas,
    size: stat[23]!,
    peakSize: kb('VmPeak'),
    fileOf: backing => ({ path: null, linkName: (backing as unknown as { name: string }).name }) as File,
    rss: sumOf(resident.values()),
    resident: vma => resident.get(vma.start)!,
    peakRss: kb('VmHWM'),
    pageTables: kb('VmPTE'),
    read: (addr, buf, off, len) => fs.readSync(fd, buf, off, len, addr),
    write: () => -5,
    pageState: () => 0,
    coredumpFilter: 0x33,
    exe: null,
  };
}

function credOf(status: Map<string, string>): Cred {
  const ids = (name: string) => status.get(name)!.split('\t').map(Number) as [number, number, number, number];
  const [uid, euid, suid, fsuid] = ids('Uid');
  const [gid, egid, sgid, fsgid] = ids('Gid');
  return {
    ...{ uid, euid, suid, fsuid, gid, egid, sgid, fsgid, securebits: 0 },
    groups: status.get('Groups')!.trim().split(' ').filter(Boolean).map(Number),
    inheritable: bits(status.get('CapInh')!),
    permitted: bits(status.get('CapPrm')!),
    effective: bits(status.get('CapEff')!),
    bounding: bits(status.get('CapBnd')!),
    ambient: bits(status.get('CapAmb')!),
  };
}

function limitsOf(pid: number) {
  const value = (text: string): number => (text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text));
  const rows = read(`/proc/${pid}/limits`).trimEnd().split('\n').slice(1);
  return rows.map(row => ({ soft: value(row.slice(26, 46).trim()), hard: value(row.slice(47, 67).trim()) }));
}

/** One process of the host, as it is now. */
export function hostTask(pid: number, source: HostMirror): Mutable<ProcTask> {
  const text = read(`/proc/${pid}/stat`);
  const close = text.lastIndexOf(')');
  // Field n of the man page is stat[n].
  const stat = [
    0,
    pid,
    0,
    0,
    ...text
      .slice(close + 4)
      .split(' ')
      .map(Number),
  ];
  const status = fieldsOf(read(`/proc/${pid}/status`));
  const io = fieldsOf(read(`/proc/${pid}/io`));
  const count = (name: string): number => Number(io.get(name));
  const usage = {
    user: stat[14]! * TICK,
    system: stat[15]! * TICK,
    minflt: stat[10]!,
    majflt: stat[12]!,
    nvcsw: Number(status.get('voluntary_ctxt_switches')),
    nivcsw: Number(status.get('nonvoluntary_ctxt_switches')),
  };
  const number = (name: string): number => Number(read(`/proc/${pid}/${name}`));
  const task: Mutable<ProcTask> = {
    pid,
    tgid: Number(status.get('Tgid')),
    ppid: stat[4]!,
    pgid: stat[5]!,
    sid: stat[6]!,
    reaped: false,
    state: text[close + 2] as ProcTask['state'],
    comm: text.slice(text.indexOf('(') + 1, close),
    setComm: name => {
      task.comm = name;
    },
    cred: credOf(status),
    dumpable: true,
    tracer: 0,
    tty: stat[7]!,
    foregroundGroup: stat[8]!,
    flags: stat[9]!,
    exitSignal: stat[38]!,
    exitCode: stat[52]!,
    nice: stat[19]!,
    policy: stat[41]!,
    rtPriority: stat[40]!,
    processor: stat[39]!,
    cpusAllowed: source.cpuTimes.map((_, i) => i),
    startTime: stat[22]! * TICK,
    usage,
    processUsage: usage,
    childUsage: {
      ...usage,
      user: stat[16]! * TICK,
      system: stat[17]! * TICK,
      minflt: stat[11]!,
      majflt: stat[13]!,
    },
    signals: {
      pending: bits(status.get('SigPnd')!),
      shared: bits(status.get('ShdPnd')!),
      blocked: bits(status.get('SigBlk')!),
      ignored: bits(status.get('SigIgn')!),
      caught: bits(status.get('SigCgt')!),
      queued: Number.parseInt(status.get('SigQ')!, 10),
    },
    noNewPrivs: status.get('NoNewPrivs') === '1',
    seccompMode: Number(status.get('Seccomp')),
    seccompFilters: Number(status.get('Seccomp_filters')),
    personality: Number.parseInt(read(`/proc/${pid}/personality`), 16),
    timerSlack: number('timerslack_ns'),
    umask: Number.parseInt(status.get('Umask') ?? '0', 8),
    limits: limitsOf(pid),
    io: {
      readChars: count('rchar'),
      writeChars: count('wchar'),
      readCalls: count('syscr'),
      writeCalls: count('syscw'),
      readBytes: count('read_bytes'),
      writeBytes: count('write_bytes'),
    },
    oomScoreAdj: number('oom_score_adj'),
    oomScoreAdjMin: 0,
    loginuid: number('loginuid'),
    auditSession: number('sessionid'),
    wchan: read(`/proc/${pid}/wchan`).replace(/^0$/, ''),
    syscall: null,
    cgroup: '0::/\n',
    mm: mmOf(pid, stat, status),
    cwd: source.root,
    root: source.root,
    files: new FilesStruct(),
    threadCount: stat[20]!,
    nextThread: tid => (tid <= pid ? task : null),
    children: [],
    mountNamespace: source.namespace,
    namespaceObject: kind => (kind === 'mnt' ? source.namespace : null),
    namespace: kind => fs.statSync(`/proc/${pid}/ns/${kind}`).ino,
    uidMap: [{ inside: 0, outside: 0, count: 4294967295 }],
    gidMap: [{ inside: 0, outside: 0, count: 4294967295 }],
  };
  return task;
}

const noRam = { bytes: new Uint8Array(0), totalPages: 0, usedPages: 0 } as unknown as Ram;

export class HostMirror implements ProcSource {
  current: ProcTask | null = null;
  readonly tasks: Map<number, ProcTask> = new Map();
  readonly vfs: Vfs;
  readonly namespace: MountNamespace;
  readonly root: Path;
  readonly clock = {
    monotonic: () => Math.round(Number(read('/proc/uptime').split(' ')[0]) * 100) * TICK,
    realtime: () => ({ sec: Math.floor(Date.now() / 1000), nsec: 0 }),
    coarse: () => ({ sec: Math.floor(Date.now() / 1000), nsec: 0 }),
  };
  readonly log = new KernelLog(this.clock);
  readonly syslog = new SyslogReader(this.log);
  readonly mountsChanged = new WaitQueue();
  mountGeneration = 0;
  hostname = 'guest';
  domainname = '(none)';
  readonly threadCount = 7;
  readonly runningCount = 1;
  readonly blockedCount = 0;
  readonly lastPid = 99;
  readonly forks = 1000;
  readonly contextSwitches = 2000;
  readonly interrupts = 3000;
  readonly bootTime = Number(/^btime (\d+)/m.exec(read('/proc/stat'))![1]);
  readonly loadAverages = [0.5, 0.25, 1] as const;
  readonly cpuTimes = [...read('/proc/stat').matchAll(/^cpu\d+ (\d+) (\d+) (\d+) (\d+) (\d+)/gm)].map(m => {
    const [user, nice, system, idle, iowait] = m.slice(1, 6).map(n => Number(n) * TICK) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return { user, nice, system, idle, iowait };
  });
  readonly cpuinfo = read('/proc/cpuinfo');
  readonly memory: MemInfo = memoryOf(read('/proc/meminfo'));
  readonly sysname = 'Linux';
  readonly release = '6.12.0';
  readonly version = '#1 SMP';
  readonly machine = 'x86_64';
  readonly builder = '(us@here) (with that)';
  readonly cmdline = 'root=/dev/root quiet';
  readonly bootId = new Uint8Array(16).fill(7);
  readonly miscDevices = [{ minor: 229, name: 'fuse' }];
  readonly disks = [
    { major: 98, minor: 0, name: 'ubda', size: 1 << 20, stats: new Array<number>(17).fill(0) },
  ];
  readonly consoles = [{ name: 'tty0', major: 4, minor: 0 }];
  readonly unixSockets = [
    { refs: 2, listening: true, type: 1, state: 1, ino: 12345, path: '\0abstract' },
    { refs: 3, listening: false, type: 1, state: 3, ino: 7, path: '' },
  ];
  readonly net = null;
  readonly sysctls = ipcSysctls(new SysvIpc(noRam, () => ({ pid: 0, now: 0 })));
  readonly ttyDrivers = [
    { name: 'pty_slave', node: '/dev/pts', major: 136, firstMinor: 0, lastMinor: 1048575, type: 'pty:slave' },
  ];
  readonly pageFaults = 10;
  readonly majorFaults = 1;
  readonly openFiles = 12;
  readonly maxFiles = 65536;
  readonly extra = [];
  readonly keys: string[] = [];

  constructor() {
    let dev = 0;
    this.vfs = new Vfs({ clock: this.clock, ram: noRam, newDev: () => ++dev });
    this.vfs.registerFileSystem(procFileSystem(this));
    const namespace = mountRoot(this.vfs, 'proc', 'proc', 0, '');
    if (typeof namespace === 'number') throw new Error(`proc cannot be mounted: ${namespace}`);
    this.namespace = namespace;
    this.root = new Path(namespace.root, namespace.root.root);
  }

  /** Takes a process of the host over. */
  mirror(pid: number): Mutable<ProcTask> {
    const task = hostTask(pid, this);
    this.tasks.set(pid, task);
    return task;
  }

  /** On whose behalf a test walks: the current task, or root. */
  get who(): WalkContext {
    const cred = this.current?.cred ?? ROOT_CRED;
    const current = this.current as never;
    const { root, clock } = this;
    return { cred, root, cwd: root, namespace: root.mount.namespace, umask: 0, clock, current };
  }

  task(tid: number): ProcTask | null {
    return this.tasks.get(tid) ?? null;
  }

  nextProcess(pid: number): ProcTask | null {
    const next = [...this.tasks.keys()].filter(tid => tid >= pid).sort((a, b) => a - b)[0];
    return next === undefined ? null : this.tasks.get(next)!;
  }

  get processCount(): number {
    return this.tasks.size;
  }

  fillRandom(buf: Uint8Array, off: number, len: number): void {
    for (let i = off; i < off + len; i++) buf[i] = Math.random() * 256;
  }

  sysrq(key: string): void {
    this.keys.push(key);
  }
}

function memoryOf(text: string): MemInfo {
  const fields = fieldsOf(text);
  const bytes = (name: string): number => Number.parseInt(fields.get(name)!, 10) * 1024;
  return {
    total: bytes('MemTotal'),
    free: bytes('MemFree'),
    cached: bytes('Cached'),
    shmem: bytes('Shmem'),
    anonymous: bytes('AnonPages'),
    mapped: bytes('Mapped'),
    pageTables: bytes('PageTables'),
    committed: bytes('Committed_AS'),
    commitLimit: bytes('CommitLimit'),
  };
}

const wordsOf = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length / 8 }, (_, i) => Number(bytes.readBigUInt64LE(8 * i)));
