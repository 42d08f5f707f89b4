/**
 * What sysfs shows apart from devices: processors and their caches, the one memory node, the kernel, and the
 * directories that programs expect. There is no hypervisor, and there are no huge pages.
 */
import { kibRow, listFormat, maskFormat } from '../proc/format.ts';
import type { MemInfo } from '../proc/source.ts';
import type { Attribute, Sysfs } from './sysfs.ts';

/** A directory of `cpuN/cache`, as on the host's first processor: the values of its attributes by name. */
export interface CpuCache {
  readonly name: string;
  readonly value: (attribute: string) => string;
}

export interface SystemFacts {
  readonly cpus: number;
  readonly caches: readonly CpuCache[];
  readonly memory: () => MemInfo;
  /** The attributes of kernel/mm/transparent_hugepage: what the host does with programs' private memory. */
  readonly largePages: readonly { readonly name: string; readonly value: () => string }[];
}

/** Directories that exist even when empty. fs/cgroup is a place to mount on. */
const DIRECTORIES = [
  ...['block', 'bus', 'class', 'dev/block', 'dev/char', 'devices/virtual', 'firmware', 'fs/cgroup'],
  ...['kernel', 'module', 'power'],
];

const value = (name: string, text: string | number): Attribute => ({ name, show: () => `${text}\n` });

export function populateSysfs(sysfs: Sysfs, facts: SystemFacts): void {
  for (const path of DIRECTORIES) sysfs.dir(path);
  sysfs.attributes('kernel', [
    value('address_bits', 64),
    value('cpu_byteorder', 'little'),
    value('fscaps', 1),
    value('uevent_seqnum', 0),
  ]);
  for (const size of HUGE_PAGES) sysfs.attributes(`kernel/mm/hugepages/hugepages-${size}kB`, NO_HUGE_PAGES);
  const largePages = facts.largePages.map(({ name, value }) => ({ name, show: value }));
  if (largePages.length > 0) sysfs.attributes('kernel/mm/transparent_hugepage', largePages);
  addProcessors(sysfs, facts);
  addNode(sysfs, facts);
}

/** The processor's huge page sizes, in KiB. */
const HUGE_PAGES = [2048, 1048576];
const NO_HUGE_PAGES = [
  ...['free_hugepages', 'nr_hugepages', 'nr_hugepages_mempolicy', 'nr_overcommit_hugepages'],
  ...['resv_hugepages', 'surplus_hugepages'],
].map(name => value(name, 0));

const CPU_DIR = 'devices/system/cpu';
const NODE_DIR = 'devices/system/node';

function addProcessors(sysfs: Sysfs, { cpus, caches }: SystemFacts): void {
  const all = [...new Array(cpus).keys()];
  const list = listFormat(all);
  sysfs.attributes(CPU_DIR, [
    value('isolated', ''),
    value('kernel_max', cpus - 1),
    value('offline', ''),
    value('online', list),
    value('possible', list),
    value('present', list),
  ]);
  for (const cpu of all) {
    const path = `${CPU_DIR}/cpu${cpu}`;
    sysfs.attributes(`${path}/topology`, topology(cpu, all));
    for (const cache of caches)
      sysfs.attributes(`${path}/cache/${cache.name}`, cacheAttributes(cache, cpu, all));
    sysfs.link(`${path}/subsystem`, 'bus/cpu');
    sysfs.link(`${path}/node0`, `${NODE_DIR}/node0`);
    sysfs.link(`bus/cpu/devices/cpu${cpu}`, path);
  }
}

/** One package, one thread a core. */
function topology(cpu: number, all: readonly number[]): Attribute[] {
  const sets: [string, readonly number[]][] = [
    ['core_cpus', [cpu]],
    ['core_siblings', all],
    ['die_cpus', all],
    ['package_cpus', all],
    ['thread_siblings', [cpu]],
  ];
  return [
    value('core_id', cpu),
    value('die_id', 0),
    value('physical_package_id', 0),
    ...sets.flatMap(([name, set]) => [
      value(name, maskFormat(set, all.length)),
      value(`${name}_list`, listFormat(set)),
    ]),
  ];
}

const CACHE_ATTRIBUTES = [
  ...['coherency_line_size', 'level', 'number_of_sets', 'physical_line_partition'],
  ...['size', 'type', 'ways_of_associativity'],
];

/** All processors share caches above level 2; each has its own of the first two levels. */
function cacheAttributes(cache: CpuCache, cpu: number, all: readonly number[]): Attribute[] {
  const sharing = (): readonly number[] => (Number(cache.value('level')) > 2 ? all : [cpu]);
  return [
    ...CACHE_ATTRIBUTES.map(name => ({ name, show: () => cache.value(name) })),
    { name: 'id', show: () => `${sharing()[0]}\n` },
    { name: 'shared_cpu_list', show: () => `${listFormat(sharing())}\n` },
    { name: 'shared_cpu_map', show: () => `${maskFormat(sharing(), all.length)}\n` },
  ];
}

function addNode(sysfs: Sysfs, { cpus, memory }: SystemFacts): void {
  const all = [...new Array(cpus).keys()];
  for (const name of ['has_cpu', 'has_memory', 'has_normal_memory', 'online', 'possible']) {
    sysfs.attribute(NODE_DIR, value(name, 0));
  }
  const node0 = `${NODE_DIR}/node0`;
  sysfs.attributes(node0, [
    value('cpulist', listFormat(all)),
    value('cpumap', maskFormat(all, cpus)),
    value('distance', 10),
    { name: 'meminfo', show: () => nodeMeminfo(memory()) },
  ]);
  for (const cpu of all) sysfs.link(`${node0}/cpu${cpu}`, `${CPU_DIR}/cpu${cpu}`);
  sysfs.link('bus/node/devices/node0', node0);
}

function nodeMeminfo(m: MemInfo): string {
  const rows: [string, number][] = [
    ['MemTotal', m.total],
    ['MemFree', m.free],
    ['MemUsed', m.total - m.free],
    ['FilePages', m.cached],
    ['Mapped', m.mapped],
    ['AnonPages', m.anonymous],
    ['Shmem', m.shmem],
    ['PageTables', m.pageTables],
  ];
  return rows.map(([name, bytes]) => `Node 0 ${kibRow(name, bytes)}`).join('');
}
