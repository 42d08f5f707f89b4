/** /proc/PID/limits, io and oom_score. */
import type { TaskContext } from './context.ts';
import { measure } from './sizes.ts';
import type { ProcTask } from './source.ts';

/** In the order of RLIMIT_CPU 0 ... RLIMIT_RTTIME 15. */
const LIMITS: readonly (readonly [string, string])[] = [
  ['Max cpu time', 'seconds'],
  ['Max file size', 'bytes'],
  ['Max data size', 'bytes'],
  ['Max stack size', 'bytes'],
  ['Max core file size', 'bytes'],
  ['Max resident set', 'bytes'],
  ['Max processes', 'processes'],
  ['Max open files', 'files'],
  ['Max locked memory', 'bytes'],
  ['Max address space', 'bytes'],
  ['Max file locks', 'locks'],
  ['Max pending signals', 'signals'],
  ['Max msgqueue size', 'bytes'],
  ['Max nice priority', ''],
  ['Max realtime priority', ''],
  ['Max realtime timeout', 'us'],
];

const limitRow = (name: string, soft: string, hard: string, unit: string): string =>
  `${name.padEnd(25)} ${soft.padEnd(20)} ${hard.padEnd(20)} ${unit === '' ? '' : unit.padEnd(10)}\n`;

const limitText = (value: number): string => (Number.isFinite(value) ? String(value) : 'unlimited');

export function showLimits({ limits }: ProcTask): string {
  const rows = LIMITS.map(([name, unit], i) =>
    limitRow(name, limitText(limits[i]!.soft), limitText(limits[i]!.hard), unit),
  );
  return limitRow('Limit', 'Soft Limit', 'Hard Limit', 'Units') + rows.join('');
}

export function showIo({ io }: ProcTask): string {
  return (
    `rchar: ${io.readChars}\nwchar: ${io.writeChars}\nsyscr: ${io.readCalls}\nsyscw: ${io.writeCalls}\n` +
    `read_bytes: ${io.readBytes}\nwrite_bytes: ${io.writeBytes}\ncancelled_write_bytes: 0\n`
  );
}

/** 0 to about 2000: from the task's share of memory in thousandths and its adjustment (proc_pid_oom_score(5)). */
export function showOomScore({ mm, oomScoreAdj }: ProcTask, { source }: TaskContext): string {
  if (mm === null || oomScoreAdj === -1000) return '0\n';
  const share = ((measure(mm).rss + mm.pageTables) * 1000) / source.memory.total;
  return `${Math.max(0, Math.floor(((1000 + share + oomScoreAdj) * 2) / 3))}\n`;
}
