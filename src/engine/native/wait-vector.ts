/**
 * How the kernel sleeps: in one futex_waitv(2) on several words of the memory file, each with its expected value. A
 * change of any of them, with a wake, ends the sleep. A change that came before prevents it.
 */
import type { Libc } from '../../host/libc.ts';
import { monotonicNow } from '../../host/monotonic.ts';
import { setInt64 } from '../../lib/int64.ts';
import { GLOBAL } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';
import { SCRATCH, WAITS } from './scratch.ts';

const NR = { futex_waitv: 449 } as const;
const CLOCK_MONOTONIC = 1;
/** How many words can be waited for at once. */
export const MOST_WORDS: number = WAITS.MOST;
/** Entries of {u64 value, u64 address, u32 flags, u32 reserved}, for 32-bit words shared between processes. */
const ENTRIES = SCRATCH.WAITS;
const ENTRY_SIZE = WAITS.SIZE;
const FUTEX_SIZE_U32 = 2;
const TIMESPEC = SCRATCH.DEADLINE;

export class WaitVector {
  private readonly libc: Libc;
  private readonly memory: MemoryFile;

  constructor(libc: Libc, memory: MemoryFile) {
    this.libc = libc;
    this.memory = memory;
  }

  put(index: number, offset: number, value: number): void {
    const { view, address } = this.memory;
    const at = ENTRIES + ENTRY_SIZE * index;
    setInt64(view, at, value);
    setInt64(view, at + 8, address + offset);
    view.setUint32(at + 16, FUTEX_SIZE_U32, true);
    view.setUint32(at + 20, 0, true);
  }

  /** Sleeps on the first `count` entries, at most `limit` ns. The doorbell says that a changed word needs a wake. */
  wait(count: number, limit: number): void {
    const { i32, view, address } = this.memory;
    let until = 0;
    if (Number.isFinite(limit)) {
      const deadline = monotonicNow() + limit;
      const sec = Math.floor(deadline / 1e9);
      view.setUint32(TIMESPEC, sec, true);
      view.setUint32(TIMESPEC + 4, 0, true);
      view.setUint32(TIMESPEC + 8, deadline - sec * 1e9, true);
      view.setUint32(TIMESPEC + 12, 0, true);
      until = address + TIMESPEC;
    }
    Atomics.store(i32, GLOBAL.G_DOORBELL / 4, 1);
    this.libc.syscall(NR.futex_waitv, address + ENTRIES, count, 0, until, CLOCK_MONOTONIC);
    Atomics.store(i32, GLOBAL.G_DOORBELL / 4, 0);
  }
}
