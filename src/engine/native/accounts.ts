/**
 * What guests use of the host: processor time, faults and memory of a space's process and its threads.
 *
 * A thread's number comes from its slot, which the guest can write. It is looked up only within the space's own
 * process, so a guest deceives only itself. Times never go back, although the host's split between user and system time
 * is an estimate that may.
 */
import type { Libc } from '../../host/libc.ts';
import { CPUCLOCK_PROF, CPUCLOCK_SCHED, CPUCLOCK_VIRT, HostProcFiles } from '../../host/proc-files.ts';
import type { PagePresence, SpaceUsage } from '../engine.ts';

const TICK = 1e7;
const KIB = 1024;
const PAGE = 4096;
const ENTRY = 8;
/** Entries of pagemap read at once, and the most that are looked at for one area. */
const PIECE = 4096;
const MOST_PAGES = 1 << 18;
/** In the top byte of an entry: in memory; on the host's disk; a page of a file, or a shared one. */
const PRESENT = 0x80;
const SWAPPED = 0x40;
const OF_FILE = 0x20;
const NO_MEMORY: SpaceUsage = { anonymous: 0, file: 0, shmem: 0, peak: 0, pageTables: 0 };

export interface RawTimes {
  /** ns, user and system together. */
  total: number;
  /** The fraction of it in user mode, 0 to 1. */
  userShare: number;
}

export interface RawFaults {
  readonly minflt: number;
  readonly majflt: number;
  readonly processor: number;
  /** Bytes of the whole space in memory, and the most ever; null if not known yet. */
  readonly rss: number;
  readonly peak: number | null;
}

export class Accounts {
  private readonly libc: Libc;
  private readonly files: HostProcFiles;
  private readonly entries = new Uint8Array(PIECE * ENTRY);

  constructor(libc: Libc) {
    this.libc = libc;
    this.files = new HostProcFiles(libc);
  }

  /** Processor time of a process, ns. */
  totalTime(pid: number): number {
    return this.files.clock(pid, CPUCLOCK_SCHED);
  }

  userShare(pid: number): number {
    const both = this.files.clock(pid, CPUCLOCK_PROF);
    return both === 0 ? 1 : this.files.clock(pid, CPUCLOCK_VIRT) / both;
  }

  threadTimes(pid: number, tid: number): RawTimes | null {
    const text = this.files.text(`/proc/${pid}/task/${tid}/schedstat`);
    if (text === null) return null;
    const total = Number.parseInt(text, 10);
    if (total < TICK) return { total, userShare: 1 };
    const fields = this.stat(`${pid}/task/${tid}`);
    if (fields === null) return null;
    const [user, system] = [Number(fields[UTIME]), Number(fields[STIME])];
    return { total, userShare: user + system === 0 ? 1 : user / (user + system) };
  }

  /** Of one thread, or (tid 0) of the whole process. */
  faults(pid: number, tid: number): RawFaults | null {
    const fields = this.stat(tid === 0 ? `${pid}` : `${pid}/task/${tid}`);
    if (fields === null) return null;
    return {
      minflt: Number(fields[MINFLT]),
      majflt: Number(fields[MAJFLT]),
      processor: Number(fields[PROCESSOR]),
      rss: Number(fields[RSS]) * PAGE,
      peak: null,
    };
  }

  memory(pid: number): SpaceUsage {
    const text = this.files.text(`/proc/${pid}/status`);
    if (text === null) return NO_MEMORY;
    const bytes = (name: string): number => bytesOf(text, name);
    return {
      anonymous: bytes('RssAnon'),
      file: bytes('RssFile'),
      shmem: bytes('RssShmem'),
      peak: bytes('VmHWM'),
      pageTables: bytes('VmPTE'),
    };
  }

  /** Private memory in bytes, each page divided by the number of processes that share it. */
  share(pid: number): number {
    const text = this.files.text(`/proc/${pid}/smaps_rollup`);
    return text === null ? 0 : bytesOf(text, 'Pss_Anon');
  }

  /** Counts the pages of [address, address + len) that are there; of a huge area, only those of its first GiB. */
  presence(pid: number, address: number, len: number): PagePresence {
    const counted = { own: 0, mapped: 0 };
    const fd = this.files.open(`/proc/${pid}/pagemap`);
    if (fd < 0) return counted;
    const pages = Math.min(len / PAGE, MOST_PAGES);
    for (let done = 0; done < pages; done += PIECE) {
      const wanted = Math.min(PIECE, pages - done) * ENTRY;
      const got = this.libc.pread(fd, this.entries, wanted, (address / PAGE + done) * ENTRY);
      if (got <= 0) break;
      this.count(got, counted);
    }
    this.files.close(fd);
    return counted;
  }

  /** For the pages from `address` on, sets out[i] to 1 if the page is there. */
  present(pid: number, address: number, out: Uint8Array): void {
    const fd = this.files.open(`/proc/${pid}/pagemap`);
    if (fd < 0) return;
    for (let done = 0; done < out.length; done += PIECE) {
      const n = Math.min(PIECE, out.length - done);
      const got = this.libc.pread(fd, this.entries, n * ENTRY, (address / PAGE + done) * ENTRY);
      for (let i = 0; i < n && (i + 1) * ENTRY <= got; i++)
        if ((this.entries[i * ENTRY + 7]! & PRESENT) !== 0) out[done + i] = 1;
    }
    this.files.close(fd);
  }

  /** For the pages from `address` on, sets out[i] to 0 if the page is certain to be no private copy. */
  copied(pid: number, address: number, out: Uint8Array): void {
    const fd = this.files.open(`/proc/${pid}/pagemap`);
    if (fd < 0) return;
    for (let done = 0; done < out.length; done += PIECE) {
      const n = Math.min(PIECE, out.length - done);
      const got = this.libc.pread(fd, this.entries, n * ENTRY, (address / PAGE + done) * ENTRY);
      for (let i = 0; i < n && (i + 1) * ENTRY <= got; i++) {
        const top = this.entries[i * ENTRY + 7]!;
        if ((top & (PRESENT | SWAPPED)) === 0 || (top & OF_FILE) !== 0) out[done + i] = 0;
      }
    }
    this.files.close(fd);
  }

  /** Through /proc/PID/mem, which ignores protections. Returns a number of bytes, or -errno. */
  access(pid: number, address: number, buf: Uint8Array, writes: boolean): number {
    const fd = this.files.open(`/proc/${pid}/mem`, writes);
    if (fd < 0) return fd;
    const { libc } = this;
    const n = writes ? libc.pwrite(fd, buf, buf.length, address) : libc.pread(fd, buf, buf.length, address);
    this.files.close(fd);
    return n;
  }

  private count(bytes: number, counted: { own: number; mapped: number }): void {
    for (let at = 7; at < bytes; at += ENTRY) {
      const top = this.entries[at]!;
      if ((top & PRESENT) === 0) continue;
      if ((top & OF_FILE) === 0) counted.own++;
      else counted.mapped++;
    }
  }

  /** The fields of proc_pid_stat(5) after the name (which may contain anything), as text. */
  private stat(whose: string): readonly string[] | null {
    const text = this.files.text(`/proc/${whose}/stat`);
    return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ');
  }
}

/** Indices in what `stat` returns: the man page's numbers less 3. */
const MINFLT = 7;
const MAJFLT = 9;
const UTIME = 11;
const STIME = 12;
const RSS = 21;
const PROCESSOR = 36;

/** The bytes in a line of the host's files about memory, which count in KiB. */
function bytesOf(text: string, name: string): number {
  const at = text.indexOf(`\n${name}:`);
  return at < 0 ? 0 : Number.parseInt(text.slice(at + name.length + 2), 10) * KIB || 0;
}
