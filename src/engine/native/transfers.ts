/**
 * Copies between the memory file and spaces, by process_vm_readv(2) and process_vm_writev(2), which respect the pages'
 * protections. They return 0 or -EFAULT.
 */
import type { Libc } from '../../host/libc.ts';
import { setInt64 } from '../../lib/int64.ts';
import { EFAULT } from '../../uapi/errno.ts';
import { GATHERED } from '../engine.ts';
import { USER_END } from './layout.ts';
import type { Lives } from './lives.ts';
import type { MemoryFile } from './memory-file.ts';
import type { NativeSpace } from './native-space.ts';
import { SCRATCH } from './scratch.ts';

const NR = { process_vm_readv: 310, process_vm_writev: 311 } as const;
/** Two struct iovec, ours and theirs. */
const OURS = SCRATCH.TRANSFER;
const THEIRS = OURS + 16;

export class Transfers {
  private readonly libc: Libc;
  private readonly memory: MemoryFile;
  private readonly lives: Lives;

  constructor(libc: Libc, memory: MemoryFile, lives: Lives) {
    this.libc = libc;
    this.memory = memory;
    this.lives = lives;
  }

  read(space: NativeSpace, address: number, offset: number, len: number): number {
    return this.transfer(NR.process_vm_readv, space, address, offset, len);
  }

  write(space: NativeSpace, address: number, offset: number, len: number): number {
    return this.transfer(NR.process_vm_writev, space, address, offset, len);
  }

  /** Only what is there right away; otherwise -EFAULT. */
  gather(space: NativeSpace, words: Float64Array, count: number, offset: number, total: number): number {
    const { view, address } = this.memory;
    if (space.dead || count > GATHERED) return -EFAULT;
    setInt64(view, OURS, address + offset);
    setInt64(view, OURS + 8, total);
    for (let i = 0; i < 2 * count; i++) setInt64(view, SCRATCH.GATHER + 8 * i, words[i]!);
    const pid = this.lives.pidOf(space);
    const theirs = address + SCRATCH.GATHER;
    const got = this.libc.syscall(NR.process_vm_readv, pid, address + OURS, 1, theirs, count, 0);
    return got === total ? 0 : -EFAULT;
  }

  private transfer(nr: number, space: NativeSpace, address: number, offset: number, len: number): number {
    if (len === 0) return 0;
    if (address < 0 || address + len > USER_END || space.dead) return -EFAULT;
    if (this.copies(nr, space, address, offset, len)) return 0;
    // The memory may be ordered but not mapped yet, or may be mapped only as it is touched.
    if (space.orders.acknowledged < space.orders.posted) {
      this.lives.drain(space);
      if (this.copies(nr, space, address, offset, len)) return 0;
    }
    if (space.pager === null || space.pager.populate(address, len, nr === NR.process_vm_writev) <= 0)
      return -EFAULT;
    this.lives.drain(space);
    return this.copies(nr, space, address, offset, len) ? 0 : -EFAULT;
  }

  private copies(nr: number, space: NativeSpace, address: number, offset: number, len: number): boolean {
    const { view } = this.memory;
    const base = this.memory.address;
    setInt64(view, OURS, base + offset);
    setInt64(view, OURS + 8, len);
    setInt64(view, THEIRS, address);
    setInt64(view, THEIRS + 8, len);
    return this.libc.syscall(nr, this.lives.pidOf(space), base + OURS, 1, base + THEIRS, 1, 0) === len;
  }
}
