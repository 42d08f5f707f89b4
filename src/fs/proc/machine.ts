/** Files of /proc about the machine as a whole; one row a file. */
import { CAP_SYSLOG, capable } from '../../core/cred.ts';
import type { KernelLog } from '../../core/log.ts';
import type { SyslogReader } from '../../core/syslog.ts';
import type { WaitQueue } from '../../core/wait.ts';
import { EPERM } from '../../uapi/errno.ts';
import { POLLIN, POLLRDNORM } from '../../uapi/poll.ts';
import { File } from '../file.ts';
import type { Inode } from '../inode.ts';
import { dir, type Entry, link, setting, special, text } from '../kernfs/entry.ts';
import { centiseconds, hex, ticks } from './format.ts';
import { showLocks } from './locks.ts';
import { showMeminfo, showVmstat } from './memory.ts';
import type { CpuTimes, ProcSource, TtyDriver } from './source.ts';

const cpuLine = (name: string, t: CpuTimes): string =>
  `${name} ${[t.user, t.nice, t.system, t.idle, t.iowait].map(ticks).join(' ')} 0 0 0 0 0\n`;

function sumOf(all: readonly CpuTimes[]): CpuTimes {
  const sum = { user: 0, nice: 0, system: 0, idle: 0, iowait: 0 };
  for (const one of all) for (const key of Object.keys(sum) as (keyof CpuTimes)[]) sum[key] += one[key];
  return sum;
}

/** proc_stat(5). There are no interrupts by number and no softirqs. */
function showStat(source: ProcSource): string {
  const { cpuTimes } = source;
  return (
    cpuLine('cpu ', sumOf(cpuTimes)) +
    cpuTimes.map((times, i) => cpuLine(`cpu${i}`, times)).join('') +
    `intr ${source.interrupts}\nctxt ${source.contextSwitches}\nbtime ${source.bootTime}\n` +
    `processes ${source.forks}\nprocs_running ${source.runningCount}\nprocs_blocked ${source.blockedCount}\n` +
    `softirq 0${' 0'.repeat(SOFTIRQS.length)}\n`
  );
}

function showUptime(source: ProcSource): string {
  const { idle, iowait } = sumOf(source.cpuTimes);
  return `${centiseconds(source.clock.monotonic())} ${centiseconds(idle + iowait)}\n`;
}

function showLoadavg(source: ProcSource): string {
  const loads = source.loadAverages.map(load => load.toFixed(2)).join(' ');
  return `${loads} ${source.runningCount}/${source.threadCount} ${source.lastPid}\n`;
}

const showVersion = (s: ProcSource): string =>
  `${s.sysname} version ${s.release} ${s.builder} ${s.version}\n`;

function showFilesystems({ vfs }: ProcSource): string {
  const row = (type: { name: string; requiresDevice: boolean }): string =>
    `${type.requiresDevice ? '' : 'nodev'}\t${type.name}\n`;
  return [...vfs.types.values()].map(row).join('');
}

const majors = (rows: { major: number; name: string }[]): string =>
  rows.map(({ major, name }) => `${String(major).padStart(3)} ${name}\n`).join('');

const showDevices = ({ vfs }: ProcSource): string =>
  `Character devices:\n${majors(vfs.charDevices.list())}\nBlock devices:\n${majors(vfs.blockDevices.list())}`;

const numbers = (major: number, minor: number, gap: string): string =>
  `${String(major).padStart(4)}${gap}${String(minor).padStart(7)}`;

function showPartitions({ disks }: ProcSource): string {
  const rows = [...disks].map(
    disk => `${numbers(disk.major, disk.minor, ' ')} ${String(disk.size / 1024).padStart(10)} ${disk.name}\n`,
  );
  return rows.length === 0 ? '' : `major minor  #blocks  name\n\n${rows.join('')}`;
}

const showDiskstats = ({ disks }: ProcSource): string =>
  [...disks].map(d => `${numbers(d.major, d.minor, ' ')} ${d.name} ${d.stats.join(' ')}\n`).join('');

const SOFTIRQS = [
  'HI',
  'TIMER',
  'NET_TX',
  'NET_RX',
  'BLOCK',
  'IRQ_POLL',
  'TASKLET',
  'SCHED',
  'HRTIMER',
  'RCU',
];

function cpuHeader({ cpuTimes }: ProcSource, indent: number): string {
  return `${' '.repeat(indent)}${cpuTimes.map((_, i) => `CPU${i}`.padEnd(11)).join('')}\n`;
}

function showSoftirqs(source: ProcSource): string {
  const zeros = '0'.padStart(11).repeat(source.cpuTimes.length);
  return cpuHeader(source, 20) + SOFTIRQS.map(name => `${name.padStart(12)}:${zeros}\n`).join('');
}

const showMisc = ({ miscDevices }: ProcSource): string =>
  [...miscDevices].map(({ minor, name }) => `${String(minor).padStart(3)} ${name}\n`).join('');

const showConsoles = ({ consoles }: ProcSource): string =>
  [...consoles]
    .map(
      ({ name, major, minor }) => `${name.padEnd(21)}-W- (EC  p  )  ${String(major).padStart(3)}:${minor}\n`,
    )
    .join('');

/** All memory is one range. */
const showIomem = ({ memory }: ProcSource): string =>
  `${hex(0, 8)}-${hex(memory.total - 1, 8)} : System RAM\n`;

function showTtyDrivers({ ttyDrivers }: ProcSource): string {
  const row = ({ name, node, major, firstMinor, lastMinor, type }: TtyDriver): string => {
    const range = firstMinor === lastMinor ? String(firstMinor) : `${firstMinor}-${lastMinor}`;
    return `${name.padEnd(20)} ${node.padEnd(12)} ${String(major).padStart(4)} ${range.padStart(7)} ${type}\n`;
  };
  return [...ttyDrivers].map(row).join('');
}

/** /proc/kmsg: what syslog(2) reads, as a file; one reader takes from another. */
class KmsgFile extends File {
  private readonly log: KernelLog;
  private readonly reader: SyslogReader;

  constructor(inode: Inode, flags: number, { log, syslog }: ProcSource) {
    super(inode, flags);
    this.log = log;
    this.reader = syslog;
  }

  override get waitq(): WaitQueue {
    return this.log.waitq;
  }

  override poll(): number {
    return this.reader.unread() > 0 ? POLLIN | POLLRDNORM : 0;
  }

  override read(buf: Uint8Array, off: number, len: number): number {
    return this.reader.read(buf, off, len);
  }
}

function pullSysrq(source: ProcSource, written: string): number {
  if (written !== '') source.sysrq(written[0]!);
  return 0;
}

export const MACHINE_ENTRIES: readonly Entry<ProcSource>[] = [
  text('cmdline', 0o444, s => `${s.cmdline}\n`),
  text('consoles', 0o444, showConsoles),
  text('cpuinfo', 0o444, s => s.cpuinfo),
  text('devices', 0o444, showDevices),
  text('diskstats', 0o444, showDiskstats),
  text('filesystems', 0o444, showFilesystems),
  text('interrupts', 0o444, s => cpuHeader(s, 11)),
  text('iomem', 0o400, showIomem),
  text('ioports', 0o400, () => ''),
  special('kmsg', 0o400, (inode, flags, source, cred) =>
    capable(cred, CAP_SYSLOG) ? new KmsgFile(inode, flags, source) : -EPERM,
  ),
  text('loadavg', 0o444, showLoadavg),
  text('locks', 0o444, showLocks),
  text('meminfo', 0o444, s => showMeminfo(s.memory)),
  text('misc', 0o444, showMisc),
  link('mounts', () => 'self/mounts'),
  link('net', () => 'self/net'),
  text('partitions', 0o444, showPartitions),
  text('softirqs', 0o444, showSoftirqs),
  text('stat', 0o444, showStat),
  text('swaps', 0o444, () => 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'),
  setting('sysrq-trigger', 0o200, () => '', pullSysrq),
  dir('tty', 0o555, [text('drivers', 0o444, showTtyDrivers)]),
  text('uptime', 0o444, showUptime),
  text('version', 0o444, showVersion),
  text('vmstat', 0o444, showVmstat),
];
