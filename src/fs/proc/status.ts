/** /proc/PID/status (proc_pid_status(5)). */

import type { TaskContext } from './context.ts';
import { hex, hexBits, kibLine, listFormat, maskFormat } from './format.ts';
import { measure } from './sizes.ts';
import type { ProcMm, ProcTask, TaskState } from './source.ts';

const STATES: Readonly<Record<TaskState, string>> = {
  R: 'running',
  S: 'sleeping',
  D: 'disk sleep',
  T: 'stopped',
  t: 'tracing stop',
  Z: 'zombie',
  X: 'dead',
  I: 'idle',
};

export function showStatus(task: ProcTask, { source }: TaskContext): string {
  return (
    identity(task) +
    (task.mm === null ? '' : memory(task.mm)) +
    signals(task) +
    privileges(task) +
    placement(task, source.cpuTimes.length)
  );
}

function identity(task: ProcTask): string {
  const { cred } = task;
  return (
    `Name:\t${escapeName(task.comm)}\n` +
    (task.mm === null && task.state === 'Z' ? '' : `Umask:\t${octal(task.umask)}\n`) +
    `State:\t${task.state} (${STATES[task.state]})\n` +
    `Tgid:\t${task.tgid}\nNgid:\t0\nPid:\t${task.pid}\nPPid:\t${task.ppid}\nTracerPid:\t${task.tracer}\n` +
    `Uid:\t${[cred.uid, cred.euid, cred.suid, cred.fsuid].join('\t')}\n` +
    `Gid:\t${[cred.gid, cred.egid, cred.sgid, cred.fsgid].join('\t')}\n` +
    `FDSize:\t${task.files?.size ?? 0}\nGroups:\t${cred.groups.join(' ')} \n` +
    `NStgid:\t${task.tgid}\nNSpid:\t${task.pid}\nNSpgid:\t${task.pgid}\nNSsid:\t${task.sid}\n` +
    `Kthread:\t0\n`
  );
}

/** The umask in octal with a leading zero. */
const octal = (mask: number): string => mask.toString(8).padStart(4, '0');

/** Escapes newlines, which would break the line, and the backslash itself. */
export const escapeName = (comm: string): string => comm.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');

function memory(mm: ProcMm): string {
  const sizes = measure(mm);
  const rows: [string, number][] = [
    ['VmPeak', sizes.peakSize],
    ['VmSize', sizes.size],
    ['VmLck', sizes.locked],
    ['VmPin', 0],
    ['VmHWM', Math.max(mm.peakRss, sizes.rss)],
    ['VmRSS', sizes.rss],
    ['RssAnon', sizes.anonymous],
    ['RssFile', sizes.file],
    ['RssShmem', sizes.shmem],
    ['VmData', sizes.data],
    ['VmStk', sizes.stack],
    ['VmExe', sizes.code],
    ['VmLib', sizes.libraries],
    ['VmPTE', mm.pageTables],
    ['VmSwap', 0],
    ['HugetlbPages', 0],
  ];
  const lines = rows.map(([name, bytes]) => kibLine(`${name}:\t`, bytes));
  return `${lines.join('')}CoreDumping:\t0\nTHP_enabled:\t0\nuntag_mask:\t0xffffffffffffffff\n`;
}

const RLIMIT_SIGPENDING = 11;

function signals({ signals: s, threadCount, limits }: ProcTask): string {
  return (
    `Threads:\t${threadCount}\nSigQ:\t${s.queued}/${limits[RLIMIT_SIGPENDING]!.soft}\n` +
    `SigPnd:\t${hexBits(s.pending)}\nShdPnd:\t${hexBits(s.shared)}\nSigBlk:\t${hexBits(s.blocked)}\n` +
    `SigIgn:\t${hexBits(s.ignored)}\nSigCgt:\t${hexBits(s.caught)}\n`
  );
}

function privileges({ cred, noNewPrivs, seccompMode, seccompFilters }: ProcTask): string {
  return (
    `CapInh:\t${hexBits(cred.inheritable)}\nCapPrm:\t${hexBits(cred.permitted)}\n` +
    `CapEff:\t${hexBits(cred.effective)}\nCapBnd:\t${hexBits(cred.bounding)}\n` +
    `CapAmb:\t${hexBits(cred.ambient)}\nNoNewPrivs:\t${noNewPrivs ? 1 : 0}\n` +
    `Seccomp:\t${seccompMode}\nSeccomp_filters:\t${seccompFilters}\n` +
    `Speculation_Store_Bypass:\tunknown\nSpeculationIndirectBranch:\tunknown\n`
  );
}

function placement({ cpusAllowed, usage }: ProcTask, cpus: number): string {
  return (
    `Cpus_allowed:\t${maskFormat(cpusAllowed, cpus)}\nCpus_allowed_list:\t${listFormat(cpusAllowed)}\n` +
    `Mems_allowed:\t${hex(1, 8)}\nMems_allowed_list:\t0\n` +
    `voluntary_ctxt_switches:\t${usage.nvcsw}\nnonvoluntary_ctxt_switches:\t${usage.nivcsw}\n`
  );
}
