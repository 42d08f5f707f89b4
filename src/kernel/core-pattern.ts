/** The names of core files (core(5)): the settings kernel.core_pattern and kernel.core_uses_pid, and their meaning. */
import { parseInteger } from '../fs/proc/context.ts';
import type { Sysctl } from '../fs/proc/source.ts';
import { EINVAL } from '../uapi/errno.ts';

const LONGEST = 127;

export class CoreSettings {
  pattern = 'core';
  usesPid = false;
}

/** What the % specifiers of a pattern stand for. */
export interface CoreFacts {
  readonly pid: number;
  readonly tid: number;
  readonly uid: number;
  readonly gid: number;
  readonly dumpable: number;
  readonly signal: number;
  /** Seconds since the epoch. */
  readonly time: number;
  readonly hostname: string;
  readonly comm: string;
  /** The program's path. */
  readonly exe: string;
  /** RLIMIT_CORE; Infinity for none. */
  readonly limit: number;
}

/** A name may not lead elsewhere: slashes in it become '!', as does the first dot of '.' and '..'. */
function harmless(text: string): string {
  const name = text.replaceAll('/', '!');
  return name === '' || name === '.' || name === '..' ? name.replace(/^\.?/, '!') : name;
}

const SPECIFIERS: Readonly<Record<string, (facts: CoreFacts) => string | number>> = {
  '%': () => '%',
  c: f => (Number.isFinite(f.limit) ? f.limit : '18446744073709551615'),
  d: f => f.dumpable,
  e: f => harmless(f.comm),
  E: f => harmless(f.exe),
  f: f => harmless(f.exe.slice(f.exe.lastIndexOf('/') + 1)),
  g: f => f.gid,
  h: f => harmless(f.hostname),
  i: f => f.tid,
  I: f => f.tid,
  p: f => f.pid,
  P: f => f.pid,
  s: f => f.signal,
  t: f => f.time,
  u: f => f.uid,
};

/** The core file's name; '' for none. Unknown specifiers are left out. */
export function coreName({ pattern, usesPid }: CoreSettings, facts: CoreFacts): string {
  let hasPid = false;
  const name = pattern.replace(/%(.?)/g, (_whole, letter: string) => {
    if (letter === 'p') hasPid = true;
    return String(SPECIFIERS[letter]?.(facts) ?? '');
  });
  return usesPid && !hasPid ? `${name}.${facts.pid}` : name;
}

/** There are no programs to pipe core files to: a pattern that begins with '|' is refused. */
export const coreSysctls = (settings: CoreSettings): Sysctl[] => [
  {
    path: 'kernel/core_pattern',
    perm: 0o644,
    get: () => settings.pattern,
    set: text => {
      if (text.startsWith('|')) return -EINVAL;
      settings.pattern = text.slice(0, LONGEST);
      return 0;
    },
  },
  {
    path: 'kernel/core_uses_pid',
    perm: 0o644,
    get: () => (settings.usesPid ? '1' : '0'),
    set: text => {
      const value = parseInteger(text);
      if (value === null) return -EINVAL;
      settings.usesPid = value !== 0;
      return 0;
    },
  },
];
