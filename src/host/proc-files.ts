/**
 * The host's /proc, and the processor clocks of host processes: what our children have used. Read on demand; null or
 * 0 for a process that is gone or that the host hides.
 */
import type { Libc } from './libc.ts';

const NR = { open: 2, close: 3, clock_gettime: 228 } as const;
const O_RDONLY_CLOEXEC = 0o2000000;
const O_RDWR_CLOEXEC = 0o2000002;
const LONGEST_PATH = 128;
const MOST_TEXT = 4096;

/** Processor clocks of clock_getcpuclockid(3): user and system time, user time, and the scheduler's count. */
export const CPUCLOCK_PROF = 0;
export const CPUCLOCK_VIRT = 1;
export const CPUCLOCK_SCHED = 2;

export class HostProcFiles {
  private readonly libc: Libc;
  private readonly path = new Uint8Array(LONGEST_PATH);
  private readonly pathAddress: number;
  private readonly text_ = Buffer.alloc(MOST_TEXT);
  private readonly time = new DataView(new ArrayBuffer(16));
  private readonly timeAddress: number;

  constructor(libc: Libc) {
    this.libc = libc;
    this.pathAddress = libc.addressOf(this.path);
    this.timeAddress = libc.addressOf(new Uint8Array(this.time.buffer));
  }

  /** A descriptor, or -errno. */
  open(path: string, writable = false): number {
    if (path.length >= LONGEST_PATH) throw new Error('the path is too long');
    for (let i = 0; i < path.length; i++) this.path[i] = path.charCodeAt(i);
    this.path[path.length] = 0;
    return this.libc.syscall(NR.open, this.pathAddress, writable ? O_RDWR_CLOEXEC : O_RDONLY_CLOEXEC);
  }

  close(fd: number): void {
    this.libc.syscall(NR.close, fd);
  }

  /** A file's first 4096 bytes; null if it cannot be opened or read. */
  text(path: string): string | null {
    const fd = this.open(path);
    if (fd < 0) return null;
    const text = this.textOf(fd);
    this.close(fd);
    return text;
  }

  /** The same for an open file; null if it cannot be read, as when its process is gone. */
  textOf(fd: number): string | null {
    const n = this.libc.pread(fd, this.text_, MOST_TEXT, 0);
    return n < 0 ? null : this.text_.toString('latin1', 0, n);
  }

  /** A process's processor clock in ns; 0 if it is gone. */
  clock(pid: number, which: number): number {
    const id = (~pid << 3) | which;
    if (this.libc.syscall(NR.clock_gettime, id, this.timeAddress) < 0) return 0;
    return this.time.getUint32(0, true) * 1e9 + this.time.getUint32(8, true);
  }
}
