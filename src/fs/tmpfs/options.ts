/** Mount options of tmpfs(5). */
import type { Result } from '../../lib/result.ts';
import { PAGE_SIZE } from '../../mm/ram.ts';
import { EINVAL } from '../../uapi/errno.ts';

export interface TmpfsOptions {
  /** Limits, in page-sized blocks and in inodes; Infinity: none. Options say 0 for that. */
  readonly blocks: number;
  readonly inodes: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** What both limits are unless they are given; /proc/mounts does not show them then. */
  readonly usual: number;
}

/** Options without effect here: there are neither huge pages nor swap, and inode numbers always fit. */
const IGNORED: ReadonlySet<string> = new Set(['inode32', 'inode64', 'noswap', 'huge', 'mpol']);

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Parses `data`; `base` gives the defaults. Percentages are of `totalPages`. */
export function parseOptions(data: string, base: TmpfsOptions, totalPages: number): Result<TmpfsOptions> {
  const result = { ...base };
  for (const word of data.split(',')) {
    if (word === '') continue;
    const [key, value] = split(word);
    if (IGNORED.has(key)) continue;
    const number = readNumber(key, value, totalPages);
    if (number === null) return -EINVAL;
    if (key === 'size') result.blocks = limitOf(Math.ceil(number / PAGE_SIZE));
    else if (key === 'nr_blocks') result.blocks = limitOf(number);
    else if (key === 'nr_inodes') result.inodes = limitOf(number);
    else if (key === 'mode') result.mode = number;
    else if (key === 'uid') result.uid = number;
    else if (key === 'gid') result.gid = number;
    else return -EINVAL;
  }
  return result;
}

/** As /proc/mounts shows them. */
export function showOptions({ blocks, inodes, mode, uid, gid, usual }: TmpfsOptions): string {
  const size = blocks === usual ? '' : `,size=${numberOf(blocks) * (PAGE_SIZE / 1024)}k`;
  const files = inodes === usual ? '' : `,nr_inodes=${numberOf(inodes)}`;
  const rights = mode === 0o1777 ? '' : `,mode=${mode.toString(8).padStart(3, '0')}`;
  return `${size}${files}${rights}${uid === 0 ? '' : `,uid=${uid}`}${gid === 0 ? '' : `,gid=${gid}`}`;
}

const limitOf = (number: number): number => (number === 0 ? Number.POSITIVE_INFINITY : number);
const numberOf = (limit: number): number => (limit === Number.POSITIVE_INFINITY ? 0 : limit);

function split(word: string): [string, string] {
  const equals = word.indexOf('=');
  return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
}

/** A root's permission bits; null if they are not octal. */
export const readMode = (text: string): number | null =>
  /^[0-7]{1,6}$/.test(text) ? Number.parseInt(text, 8) & 0o7777 : null;

function readNumber(key: string, text: string, totalPages: number): number | null {
  if (key === 'mode') return readMode(text);
  if (key === 'uid' || key === 'gid') return /^\d{1,10}$/.test(text) ? Number(text) >>> 0 : null;
  const parts = /^(\d{1,15})([kmgt%]?)$/i.exec(text);
  if (parts === null) return null;
  const unit = parts[2]!.toLowerCase();
  const factor = unit === '%' ? (totalPages * PAGE_SIZE) / 100 : UNITS[unit]!;
  return Math.min(Math.floor(Number(parts[1]) * factor), Number.MAX_SAFE_INTEGER);
}
