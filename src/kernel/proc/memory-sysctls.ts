/** /proc/sys/vm: the rules for programs' memory (proc_sys_vm(5)). */
import type { Dcache } from '../../fs/dcache.ts';
import { parseInteger } from '../../fs/proc/context.ts';
import type { Sysctl } from '../../fs/proc/source.ts';
import type { Ram } from '../../mm/ram.ts';
import { EINVAL } from '../../uapi/errno.ts';
import { type MemoryRules, NEVER } from '../memory-rules.ts';

const INT_MAX = 2 ** 31 - 1;

function rule(
  rules: MemoryRules,
  name: string,
  key: 'overcommit' | 'ratio' | 'maxMaps',
  max: number,
): Sysctl {
  return {
    path: `vm/${name}`,
    perm: 0o644,
    get: () => String(rules[key]),
    set: text => {
      const value = parseInteger(text);
      if (value === null || value < 0 || value > max) return -EINVAL;
      rules[key] = value;
      return 0;
    },
  };
}

const DROP_PAGES = 1;
const DROP_NAMES = 2;

/** Writing drops unused cached pages and names. */
const dropCaches = (ram: Ram, dcache: Dcache): Sysctl => ({
  path: 'vm/drop_caches',
  perm: 0o200,
  get: () => '0',
  set: text => {
    const value = parseInteger(text);
    if (value === null || value < 1 || value > 7) return -EINVAL;
    if ((value & DROP_PAGES) !== 0) for (const reclaim of ram.reclaimers) reclaim(ram.totalPages);
    if ((value & DROP_NAMES) !== 0) dcache.shrink();
    return 0;
  },
});

export const memorySysctls = (rules: MemoryRules, ram: Ram, dcache: Dcache): Sysctl[] => [
  dropCaches(ram, dcache),
  rule(rules, 'max_map_count', 'maxMaps', INT_MAX),
  rule(rules, 'overcommit_memory', 'overcommit', NEVER),
  rule(rules, 'overcommit_ratio', 'ratio', INT_MAX),
];
