/** What a machine needs to know of its host: its clocks, random bytes, the processor's features. */
import { readdirSync, readFileSync } from 'node:fs';
import { getInt64 } from '../lib/int64.ts';
import { EINTR, ENOSYS, EPERM } from '../uapi/errno.ts';
import type { Libc } from './libc.ts';

const NR = { clock_gettime: 228, process_vm_readv: 310, getrandom: 318, futex_waitv: 449 } as const;
const AT_HWCAP = 16;
const AT_HWCAP2 = 26;
const AT_MINSIGSTKSZ = 51;
/** Programs may set their base registers themselves (FSGSBASE). The engine needs this from the host. */
const HWCAP2_FSGSBASE = 2;
/** How many random bytes are fetched at once. */
const RANDOM_STOCK = 4096;

export class HostFacts {
  private readonly libc: Libc;
  private readonly buffer = new Uint8Array(4096);
  private readonly view = new DataView(this.buffer.buffer);
  private readonly address: number;
  private readonly random = new Uint8Array(RANDOM_STOCK);
  private readonly randomAddress: number;
  private randomLeft = 0;
  private readonly auxv: ReadonlyMap<number, number>;

  constructor(libc: Libc) {
    this.libc = libc;
    this.address = libc.addressOf(this.buffer);
    this.randomAddress = libc.addressOf(this.random);
    this.auxv = readAuxv();
  }

  /** The time of one of the host's clocks, by its number. */
  time(clock: number): { sec: number; nsec: number } {
    this.libc.syscall(NR.clock_gettime, clock, this.address);
    return { sec: getInt64(this.view, 0), nsec: this.view.getUint32(8, true) };
  }

  /** Takes random bytes from a stock, and erases them there. */
  fillRandom(buf: Uint8Array, off: number, len: number): void {
    const { random } = this;
    for (let done = 0; done < len; ) {
      if (this.randomLeft === 0) this.fetchRandom();
      const n = Math.min(len - done, this.randomLeft);
      const from = this.randomLeft - n;
      buf.set(random.subarray(from, this.randomLeft), off + done);
      random.fill(0, from, this.randomLeft);
      this.randomLeft = from;
      done += n;
    }
  }

  private fetchRandom(): void {
    const got = this.libc.syscall(NR.getrandom, this.randomAddress, this.random.length, 0);
    if (got === -EINTR) return;
    if (got < 0) throw new Error(`the host has no random bytes: error ${-got}`);
    this.randomLeft = got;
  }

  get cpu(): { hwcap: number; hwcap2: number; minSigStack: number } {
    return {
      hwcap: this.auxv.get(AT_HWCAP) ?? 0,
      // The engine keeps the gs base for itself, so the machine does not show this feature to programs.
      hwcap2: (this.auxv.get(AT_HWCAP2) ?? 0) & ~HWCAP2_FSGSBASE,
      minSigStack: this.auxv.get(AT_MINSIGSTKSZ) ?? 2048,
    };
  }

  /** What the native engine needs and this host lacks, as text; null if nothing is missing. */
  get missing(): string | null {
    if (process.arch !== 'x64') return `this engine runs on x86-64 hosts; this one is ${process.arch}`;
    const hwcap2 = this.auxv.get(AT_HWCAP2) ?? 0;
    if ((hwcap2 & HWCAP2_FSGSBASE) === 0)
      return 'the host must let programs set base registers (FSGSBASE, Linux 5.9)';
    if (!this.has(NR.futex_waitv))
      return 'the host must have futex_waitv(2): Linux 5.16, and no filter (of a container) that forbids it';
    if (!this.has(NR.process_vm_readv) || !mayTrace())
      return 'the host must let a process read its children (process_vm_readv(2)): see /proc/sys/kernel/yama/ptrace_scope, which must be 0 or 1, and filters of containers';
    return null;
  }

  /** Whether the host knows and allows a call; tries it with arguments that have no effect. */
  private has(nr: number): boolean {
    const result = this.libc.syscall(nr);
    return result !== -ENOSYS && result !== -EPERM;
  }
}

/** Whether Yama lets a parent look into its children; without Yama it may. */
function mayTrace(): boolean {
  try {
    const scope = Number(readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'latin1'));
    return scope < 2 || (scope === 2 && process.geteuid?.() === 0);
  } catch {
    return true;
  }
}

function readAuxv(): Map<number, number> {
  const bytes = readFileSync('/proc/self/auxv');
  const out = new Map<number, number>();
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    out.set(Number(bytes.readBigUInt64LE(at)), Number(bytes.readBigUInt64LE(at + 8)));
  }
  return out;
}

/** The host's /proc/cpuinfo, a paragraph for each processor. */
export const processorTexts = (): string => readFileSync('/proc/cpuinfo', 'latin1');

const CACHES = '/sys/devices/system/cpu/cpu0/cache';

/** The first processor's caches as the host's sysfs shows them, if it does; values are read when asked for. */
export function processorCaches(): { name: string; value: (attribute: string) => string }[] {
  return hostNames(CACHES)
    .filter(name => /^index\d+$/.test(name))
    .map(name => ({ name, value: attribute => hostText(`${CACHES}/${name}/${attribute}`) }));
}

const LARGE_PAGES = '/sys/kernel/mm/transparent_hugepage';

/** The host's settings for large pages, which hold for programs' private memory; values are read when asked for. */
export const largePages = (): { name: string; value: () => string }[] =>
  ['enabled', 'defrag', 'hpage_pmd_size', 'shmem_enabled', 'use_zero_page']
    .filter(name => hostNames(LARGE_PAGES).includes(name))
    .map(name => ({ name, value: () => hostText(`${LARGE_PAGES}/${name}`) }));

function hostNames(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch {
    return [];
  }
}

/** A file's text; an empty line if it cannot be read: hosts in virtual machines lack some attributes. */
function hostText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '\n';
  }
}
