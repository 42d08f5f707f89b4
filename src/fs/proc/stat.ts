/** /proc/PID/stat, statm, sched and schedstat: figures about a task (proc_pid_stat(5), proc_pid_statm(5)). */
import type { Cred } from '../../core/cred.ts';
import { PAGE_SIZE } from '../../mm/ram.ts';
import { SCHED_DEADLINE } from '../../uapi/sched.ts';
import { mayTrace } from './access.ts';
import type { TaskContext } from './context.ts';
import { ticks, ULONG_MAX } from './format.ts';
import { measure } from './sizes.ts';
import type { ProcMm, ProcTask, TaskUsage } from './source.ts';

const RLIMIT_RSS = 5;

/** The priority as the scheduler sees it: 20 + nice; negative under a real-time policy, and lowest with a deadline. */
function priority(task: ProcTask): number {
  if (task.policy === SCHED_DEADLINE) return -101;
  return task.rtPriority > 0 ? -1 - task.rtPriority : 20 + task.nice;
}

const pages = (bytes: number): number => Math.floor(bytes / PAGE_SIZE);

export const usageOf = (task: ProcTask, process: boolean): TaskUsage =>
  process ? task.processUsage : task.usage;

type Field = string | number;

/** The fields in their order. Comments number them as the man page does. */
export function showStat(task: ProcTask, context: TaskContext, cred: Cred): string {
  const allowed = mayTrace(context, cred);
  const { mm } = task;
  const fields: readonly Field[] = [
    ...identityFields(task),
    ...usageFields(usageOf(task, context.process), task.childUsage),
    ...schedulingFields(task),
    ...memoryFields(task, mm, allowed),
    ...signalFields(task),
    // 35 to 37
    allowed && task.wchan !== '' ? 1 : 0,
    0,
    0,
    ...processorFields(task),
    ...layoutFields(mm, allowed),
    // 52
    allowed ? task.exitCode : 0,
  ];
  return `${fields.join(' ')}\n`;
}

/** 1 to 9. */
function identityFields(task: ProcTask): Field[] {
  const { pid, comm, state, ppid, pgid, sid } = task;
  return [pid, `(${comm})`, state, ppid, pgid, sid, task.tty | 0, task.foregroundGroup, task.flags >>> 0];
}

/** 10 to 17: faults and times, of the task itself and of the children that it has waited for. */
function usageFields(own: TaskUsage, children: TaskUsage): Field[] {
  const faults = [own.minflt, children.minflt, own.majflt, children.majflt];
  return [...faults, ...[own.user, own.system, children.user, children.system].map(ticks)];
}

/** 18 to 22. */
function schedulingFields(task: ProcTask): Field[] {
  return [priority(task), task.nice, task.threadCount, 0, ticks(task.startTime)];
}

/** 23 to 30: sizes, and addresses for those who may know them. */
function memoryFields(task: ProcTask, mm: ProcMm | null, allowed: boolean): Field[] {
  const limit = task.limits[RLIMIT_RSS]!.soft;
  const rssLimit = Number.isFinite(limit) ? limit : ULONG_MAX;
  if (mm === null) return [0, 0, rssLimit, 0, 0, 0, 0, 0];
  const { size, rss } = measure(mm);
  const { startCode, endCode, startStack } = mm.layout;
  const places = allowed ? [startCode, endCode, startStack] : [1, 1, 0];
  return [size, pages(rss), rssLimit, ...places, 0, 0];
}

/** 31 to 34: the first 31 signals of each set, in decimal (obsolete: /proc/PID/status shows all signals). */
function signalFields({ signals }: ProcTask): number[] {
  const { pending, blocked, ignored, caught } = signals;
  return [pending, blocked, ignored, caught].map(set => set.lo & 0x7fffffff);
}

/** 38 to 44. */
function processorFields({ exitSignal, processor, rtPriority, policy }: ProcTask): Field[] {
  return [exitSignal, processor, rtPriority, policy, 0, 0, 0];
}

/** 45 to 51. */
function layoutFields(mm: ProcMm | null, allowed: boolean): number[] {
  if (mm === null || !allowed) return [0, 0, 0, 0, 0, 0, 0];
  const { startData, endData, brkStart, argStart, argEnd, envStart, envEnd } = mm.layout;
  return [startData, endData, brkStart, argStart, argEnd, envStart, envEnd];
}

export function showStatm({ mm }: ProcTask): string {
  if (mm === null) return '0 0 0 0 0 0 0\n';
  const { size, rss, file, shmem, code, data, stack } = measure(mm);
  return `${[size, rss, file + shmem, code, 0, data + stack, 0].map(pages).join(' ')}\n`;
}

export function showSchedstat({ usage }: ProcTask): string {
  return `${Math.floor(usage.user + usage.system)} 0 ${usage.nvcsw + usage.nivcsw}\n`;
}

export function showSched(task: ProcTask): string {
  const { usage } = task;
  const head = `${task.comm} (${task.pid}, #threads: ${task.threadCount})\n`;
  const rows: [string, string | number][] = [
    ['se.sum_exec_runtime', ((usage.user + usage.system) / 1e6).toFixed(6)],
    ['nr_switches', usage.nvcsw + usage.nivcsw],
    ['nr_voluntary_switches', usage.nvcsw],
    ['nr_involuntary_switches', usage.nivcsw],
    ['policy', task.policy],
    ['prio', 100 + priority(task)],
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(45)}:${String(value).padStart(21)}\n`);
  return `${head}${'-'.repeat(67)}\n${lines.join('')}`;
}
