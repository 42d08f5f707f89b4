/**
 * /proc/sys: the kernel's settings (proc_sys(5)), one row each.
 *
 * There are three kinds: constants (`fixed`: opening one for writing fails), hints that are stored but have no
 * effect (`hint`), and settings with an owner (`owned`, and all of `ProcSource.sysctls`).
 */
import { CAP_LAST_CAP, CAP_SYS_ADMIN, type Cred, capable } from '../../core/cred.ts';
import { EACCES, EINVAL, EPERM } from '../../uapi/errno.ts';
import { O_ACCMODE, O_RDONLY, O_WRONLY } from '../../uapi/fcntl.ts';
import { ENTROPY_BITS } from '../../uapi/random.ts';
import { S_IFDIR } from '../../uapi/stat.ts';
import { type Entry, special } from '../kernfs/entry.ts';
import { KernfsDir } from '../kernfs/inode.ts';
import type { KernfsSuper } from '../kernfs/super.ts';
import { TextFile } from '../kernfs/text-file.ts';
import { parseInteger } from './context.ts';
import { hex } from './format.ts';
import type { ProcSource, Sysctl } from './source.ts';

const fixed = (path: string, value: string | number): Sysctl => ({
  path,
  perm: 0o444,
  get: () => String(value),
});

/** An integer from `min` to `max`, kept while the machine runs. */
function hint(path: string, initial: number, min: number, max: number): Sysctl {
  let value = initial;
  return {
    path,
    perm: 0o644,
    get: () => String(value),
    set: text => {
      const wanted = parseInteger(text);
      if (wanted === null || wanted < min || wanted > max) return -EINVAL;
      value = wanted;
      return 0;
    },
  };
}

const INT_MAX = 2 ** 31 - 1;

const HINTS_AND_CONSTANTS = (): Sysctl[] => [
  fixed('fs/aio-max-nr', 65536),
  fixed('fs/overflowgid', 65534),
  fixed('fs/overflowuid', 65534),
  fixed('fs/epoll/max_user_watches', 1048576),
  fixed('fs/suid_dumpable', 0),
  fixed('kernel/cap_last_cap', CAP_LAST_CAP),
  fixed('kernel/ngroups_max', 65536),
  fixed('kernel/overflowgid', 65534),
  fixed('kernel/overflowuid', 65534),
  fixed('kernel/panic_on_oops', 0),
  hint('kernel/printk_ratelimit', 5, 0, INT_MAX),
  hint('kernel/printk_ratelimit_burst', 10, 0, INT_MAX),
  fixed('kernel/random/entropy_avail', ENTROPY_BITS),
  fixed('kernel/random/poolsize', ENTROPY_BITS),
  fixed('kernel/randomize_va_space', 2),
  fixed('kernel/tainted', 0),
  fixed('kernel/threads-max', 65536),
  fixed('net/core/somaxconn', 4096),
  fixed('net/core/rmem_default', 212992),
  fixed('net/core/rmem_max', 4194304),
  fixed('net/core/wmem_default', 212992),
  fixed('net/core/wmem_max', 4194304),
  fixed('net/core/optmem_max', 131072),
  fixed('net/unix/max_dgram_qlen', 10),
  fixed('user/max_cgroup_namespaces', 0),
  fixed('user/max_ipc_namespaces', 0),
  fixed('user/max_mnt_namespaces', 32768),
  fixed('user/max_net_namespaces', 0),
  fixed('user/max_pid_namespaces', 0),
  fixed('user/max_time_namespaces', 0),
  fixed('user/max_user_namespaces', 0),
  fixed('user/max_uts_namespaces', 32768),
  hint('vm/dirty_background_ratio', 10, 0, 100),
  hint('vm/dirty_expire_centisecs', 3000, 0, INT_MAX),
  hint('vm/dirty_ratio', 20, 0, 100),
  hint('vm/dirty_writeback_centisecs', 500, 0, INT_MAX),
  fixed('vm/mmap_min_addr', 65536),
  fixed('vm/nr_hugepages', 0),
  fixed('vm/nr_overcommit_hugepages', 0),
  fixed('vm/oom_kill_allocating_task', 0),
  hint('vm/page-cluster', 3, 0, INT_MAX),
  fixed('vm/panic_on_oom', 0),
  hint('vm/swappiness', 60, 0, 200),
  hint('vm/vfs_cache_pressure', 100, 0, INT_MAX),
];

/** 16 bytes as the five groups of a UUID (RFC 9562). */
function uuid(bytes: Uint8Array): string {
  const digits = [...bytes].map(byte => hex(byte, 2)).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** A UUID of random bytes: version 4, variant 10. */
export function randomUuid(random: Uint8Array): string {
  const bytes = Uint8Array.from(random);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return uuid(bytes);
}

function freshUuid(source: ProcSource): string {
  const bytes = new Uint8Array(16);
  source.fillRandom(bytes, 0, 16);
  return randomUuid(bytes);
}

const UTS_LENGTH = 64;

function utsName(source: ProcSource, which: 'hostname' | 'domainname'): Sysctl {
  return {
    path: `kernel/${which}`,
    perm: 0o644,
    get: () => source[which],
    set: (value, cred) => {
      if (!capable(cred, CAP_SYS_ADMIN)) return -EPERM;
      source[which] = value.slice(0, UTS_LENGTH);
      return 0;
    },
  };
}

/** console_loglevel, default_message_loglevel, and the minimum and default of the first (proc_sys_kernel(5)). */
function printkLevels({ log }: ProcSource): Sysctl {
  return {
    path: 'kernel/printk',
    perm: 0o644,
    get: () => `${log.consoleLevel}\t${log.defaultLevel}\t1\t7`,
    set: text => {
      const [consoleLevel, defaultLevel] = text.trim().split(/\s+/).map(parseInteger);
      if (consoleLevel === undefined || consoleLevel === null) return -EINVAL;
      if (defaultLevel === null || (defaultLevel ?? 0) < 0 || (defaultLevel ?? 0) > 7) return -EINVAL;
      if (log.setConsoleLevel(consoleLevel) < 0) return -EINVAL;
      log.defaultLevel = defaultLevel ?? log.defaultLevel;
      return 0;
    },
  };
}

function dmesgRestrict({ log }: ProcSource): Sysctl {
  return {
    path: 'kernel/dmesg_restrict',
    perm: 0o644,
    get: () => (log.restricted ? '1' : '0'),
    set: (text, cred) => {
      const value = parseInteger(text);
      if (!capable(cred, CAP_SYS_ADMIN)) return -EPERM;
      if (value !== 0 && value !== 1) return -EINVAL;
      log.restricted = value === 1;
      return 0;
    },
  };
}

/** The greatest value of each. */
const PROTECTIONS = { hardlinks: 1, symlinks: 1, fifos: 2, regular: 2 } as const;

const protections = ({ vfs }: ProcSource): Sysctl[] =>
  (Object.keys(PROTECTIONS) as (keyof typeof PROTECTIONS)[]).map(name => ({
    path: `fs/protected_${name}`,
    perm: 0o644,
    get: () => String(vfs.protections[name]),
    set: text => {
      const value = parseInteger(text);
      if (value === null || value < 0 || value > PROTECTIONS[name]) return -EINVAL;
      vfs.protections[name] = value;
      vfs.dcache.forgetAnswers();
      return 0;
    },
  }));

function leaseRules({ vfs: { leases } }: ProcSource): Sysctl[] {
  return [
    {
      path: 'fs/leases-enable',
      perm: 0o644,
      get: () => (leases.enabled ? '1' : '0'),
      set: text => {
        const value = parseInteger(text);
        if (value === null) return -EINVAL;
        leases.enabled = value !== 0;
        return 0;
      },
    },
    {
      path: 'fs/lease-break-time',
      perm: 0o644,
      get: () => String(leases.breakTime),
      set: text => {
        const value = parseInteger(text);
        if (value === null || value < 0 || value > INT_MAX) return -EINVAL;
        leases.breakTime = value;
        return 0;
      },
    },
  ];
}

const live = (path: string, get: () => string | number): Sysctl => ({
  path,
  perm: 0o444,
  get: () => String(get()),
});

const owned = (source: ProcSource): Sysctl[] => [
  live('fs/file-max', () => source.maxFiles),
  live('fs/file-nr', () => `${source.openFiles}\t0\t${source.maxFiles}`),
  live('kernel/arch', () => source.machine),
  live('kernel/ostype', () => source.sysname),
  live('kernel/osrelease', () => source.release),
  live('kernel/version', () => source.version),
  live('kernel/random/boot_id', () => randomUuid(source.bootId)),
  live('kernel/random/uuid', () => freshUuid(source)),
  utsName(source, 'hostname'),
  utsName(source, 'domainname'),
  printkLevels(source),
  dmesgRestrict(source),
  ...protections(source),
  ...leaseRules(source),
];

/** The file of a setting. Not even root can open a read-only one for writing, or a write-only one for reading. */
function sysctlEntry(name: string, { perm, get, set }: Sysctl): Entry<null> {
  return special(name, perm, (inode, flags, _context, cred) => {
    if (set === undefined && (flags & O_ACCMODE) !== O_RDONLY) return -EACCES;
    if ((perm & 0o444) === 0 && (flags & O_ACCMODE) !== O_WRONLY) return -EACCES;
    const store =
      set === undefined ? null : (text: string, who: Cred) => (text === '' ? 0 : set(firstLine(text), who));
    return new TextFile(inode, flags, cred, () => `${get()}\n`, store);
  });
}

const firstLine = (text: string): string => text.replace(/[\n\0].*$/s, '');

/** The directory of all settings; one with an owner replaces a constant or hint of the same path. */
export function sysctlDir(sb: KernfsSuper, source: ProcSource): KernfsDir {
  const root = new KernfsDir(sb, S_IFDIR | 0o555);
  const settings = new Map<string, Sysctl>();
  for (const all of [HINTS_AND_CONSTANTS(), owned(source), source.sysctls]) {
    for (const sysctl of all) settings.set(sysctl.path, sysctl);
  }
  for (const sysctl of [...settings.values()].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const [name, ...above] = sysctl.path.split('/').reverse();
    let at = root;
    for (const part of above.reverse()) at = subdir(at, part);
    at.add(sysctlEntry(name!, sysctl), null);
  }
  return root;
}

function subdir(parent: KernfsDir, name: string): KernfsDir {
  const found = parent.child(name);
  if (found instanceof KernfsDir) return found;
  const made = new KernfsDir(parent.sb, S_IFDIR | 0o555);
  parent.put(name, made);
  return made;
}
