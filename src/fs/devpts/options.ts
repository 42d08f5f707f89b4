/** Mount options of devpts. */
import type { Result } from '../../lib/result.ts';
import { EINVAL } from '../../uapi/errno.ts';

/** The greatest limit on the pseudo-terminals of an instance. */
export const NR_UNIX98_PTY_MAX = 2 ** 20;

export interface DevptsOptions {
  /** Owner of new slaves; null: the user and group that open the master. */
  readonly uid: number | null;
  readonly gid: number | null;
  readonly mode: number;
  readonly ptmxmode: number;
  readonly max: number;
}

export const DEFAULT_OPTIONS: DevptsOptions = Object.freeze({
  uid: null,
  gid: null,
  mode: 0o600,
  ptmxmode: 0,
  max: NR_UNIX98_PTY_MAX,
});

const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ['uid', /^\d{1,10}$/],
  ['gid', /^\d{1,10}$/],
  ['max', /^\d{1,7}$/],
  ['mode', /^[0-7]{1,6}$/],
  ['ptmxmode', /^[0-7]{1,6}$/],
]);

/** `newinstance` is ignored, being always so: in old kernels, mounts without it shared one instance. */
export function parseOptions(data: string): Result<DevptsOptions> {
  const result = { ...DEFAULT_OPTIONS };
  for (const word of data.split(',')) {
    if (word === '' || word === 'newinstance') continue;
    const [key = '', value = ''] = word.split('=', 2);
    if (FORMS.get(key)?.test(value) !== true) return -EINVAL;
    if (key === 'mode' || key === 'ptmxmode') result[key] = Number.parseInt(value, 8) & 0o7777;
    else result[key as 'uid' | 'gid' | 'max'] = Number(value);
  }
  return result.max > NR_UNIX98_PTY_MAX ? -EINVAL : result;
}

/** As /proc/mounts shows them. */
export function showOptions({ uid, gid, mode, ptmxmode, max }: DevptsOptions): string {
  const owner = (uid === null ? '' : `,uid=${uid}`) + (gid === null ? '' : `,gid=${gid}`);
  const limit = max < NR_UNIX98_PTY_MAX ? `,max=${max}` : '';
  return `${owner},mode=${mode.toString(8).padStart(3, '0')},ptmxmode=${ptmxmode.toString(8).padStart(3, '0')}${limit}`;
}
