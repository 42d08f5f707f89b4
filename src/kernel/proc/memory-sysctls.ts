/** /proc/sys/vm: the rules for programs' memory (proc_sys_vm(5)). */
import { parseInteger } from '../../fs/proc/context.ts';
import type { Sysctl } from '../../fs/proc/source.ts';
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

export const memorySysctls = (rules: MemoryRules): Sysctl[] => [
  rule(rules, 'max_map_count', 'maxMaps', INT_MAX),
  rule(rules, 'overcommit_memory', 'overcommit', NEVER),
  rule(rules, 'overcommit_ratio', 'ratio', INT_MAX),
];
