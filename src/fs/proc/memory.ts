/** /proc/meminfo and vmstat (proc_meminfo(5), proc_vmstat(5)). There is no swap, and there are no slab caches. */
import { PAGE_SIZE } from '../../mm/ram.ts';
import { kibRow } from './format.ts';
import type { MemInfo, ProcSource } from './source.ts';

const VMALLOC_TOTAL = 34359738367 * 1024;
const HUGE_PAGE = 2 * 1024 * 1024;

/** Bytes of file pages that can be dropped; those of tmpfs cannot. */
const droppable = (m: MemInfo): number => Math.max(0, m.cached - m.shmem);

export function showMeminfo(m: MemInfo): string {
  const rows: [string, number][] = [
    ['MemTotal', m.total],
    ['MemFree', m.free],
    ['MemAvailable', m.free + droppable(m)],
    ['Buffers', 0],
    ['Cached', m.cached],
    ['SwapCached', 0],
    ['Active', m.anonymous + m.shmem],
    ['Inactive', droppable(m)],
    ['Active(anon)', m.anonymous + m.shmem],
    ['Inactive(anon)', 0],
    ['Active(file)', 0],
    ['Inactive(file)', droppable(m)],
    ['Unevictable', 0],
    ['Mlocked', 0],
    ['SwapTotal', 0],
    ['SwapFree', 0],
    ['Dirty', 0],
    ['Writeback', 0],
    ['AnonPages', m.anonymous],
    ['Mapped', m.mapped],
    ['Shmem', m.shmem],
    ['KReclaimable', 0],
    ['Slab', 0],
    ['SReclaimable', 0],
    ['SUnreclaim', 0],
    ['KernelStack', 0],
    ['PageTables', m.pageTables],
    ['NFS_Unstable', 0],
    ['Bounce', 0],
    ['WritebackTmp', 0],
    ['CommitLimit', m.commitLimit],
    ['Committed_AS', m.committed],
    ['VmallocTotal', VMALLOC_TOTAL],
    ['VmallocUsed', 0],
    ['VmallocChunk', 0],
  ];
  const counts = ['HugePages_Total', 'HugePages_Free', 'HugePages_Rsvd', 'HugePages_Surp'];
  return (
    rows.map(([name, bytes]) => kibRow(name, bytes)).join('') +
    counts.map(name => `${`${name}:`.padEnd(16)}${'0'.padStart(8)}\n`).join('') +
    kibRow('Hugepagesize', HUGE_PAGE)
  );
}

export function showVmstat({ memory: m, pageFaults, majorFaults }: ProcSource): string {
  const pages: [string, number][] = [
    ['nr_free_pages', m.free],
    ['nr_active_anon', m.anonymous + m.shmem],
    ['nr_inactive_file', droppable(m)],
    ['nr_anon_pages', m.anonymous],
    ['nr_mapped', m.mapped],
    ['nr_file_pages', m.cached],
    ['nr_dirty', 0],
    ['nr_writeback', 0],
    ['nr_shmem', m.shmem],
    ['nr_page_table_pages', m.pageTables],
  ];
  const events: [string, number][] = [
    ['pgpgin', 0],
    ['pgpgout', 0],
    ['pswpin', 0],
    ['pswpout', 0],
    ['pgfault', pageFaults],
    ['pgmajfault', majorFaults],
  ];
  return (
    pages.map(([name, bytes]) => `${name} ${Math.floor(bytes / PAGE_SIZE)}\n`).join('') +
    events.map(([name, count]) => `${name} ${count}\n`).join('')
  );
}
