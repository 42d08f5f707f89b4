/**
 * The host's processors: which of them guests may use, and the one that the kernel keeps to.
 *
 * A caller that looks for its answer on the kernel's own processor keeps the kernel from giving it, and a scheduler
 * that packs its load onto few processors puts them together. So the kernel's thread stays where it is, and tells
 * guests where that is: there they sleep at once (`stub/request.c`).
 */
import type { Libc } from '../../host/libc.ts';
import { FILE, GLOBAL } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';

const NR = { sched_setaffinity: 203, sched_getaffinity: 204 } as const;
const MASK = FILE.FILE_SCRATCH + 0xb00;
const OWN = FILE.FILE_SCRATCH + 0xc00;
const { AFFINITY_SIZE } = GLOBAL;
const NONE = -1;

export class Processors {
  /** The kernel's own, or NONE. */
  kernel: number = NONE;
  private readonly libc: Libc;
  private readonly memory: MemoryFile;

  constructor(libc: Libc, memory: MemoryFile) {
    this.libc = libc;
    this.memory = memory;
    memory.view.setInt32(GLOBAL.G_KERNEL_CPU, NONE, true);
  }

  /** Of our own processors so many for guests, one after another from any of them: machines of one do not share it. */
  chooseForGuests(count: number): void {
    const { bytes, address } = this.memory;
    const mask = GLOBAL.G_AFFINITY;
    this.libc.syscall(NR.sched_getaffinity, 0, AFFINITY_SIZE, address + mask);
    const ours = this.inMask(mask);
    const first = process.pid % ours.length;
    for (let i = 0; i < ours.length - count; i++) {
      const cpu = ours[(first + i) % ours.length]!;
      bytes[mask + (cpu >> 3)]! &= ~(1 << (cpu & 7));
    }
  }

  /** The calling thread, which is the kernel's, keeps to one of its processors: rather to one that is no guest's. */
  keepKernel(): void {
    const { view, address } = this.memory;
    this.libc.syscall(NR.sched_getaffinity, 0, AFFINITY_SIZE, address + OWN);
    const ours = this.inMask(OWN);
    const guests = this.inMask(GLOBAL.G_AFFINITY);
    const free = ours.filter(cpu => !guests.includes(cpu));
    const places = free.length > 0 ? free : ours;
    this.kernel = places[process.pid % places.length]!;
    this.pin(0, this.kernel);
    view.setInt32(GLOBAL.G_KERNEL_CPU, this.kernel, true);
  }

  /** As it was before. */
  releaseKernel(): void {
    if (this.kernel === NONE) return;
    this.kernel = NONE;
    this.libc.syscall(NR.sched_setaffinity, 0, AFFINITY_SIZE, this.memory.address + OWN);
  }

  /** Keeps a host thread (0: the caller) on one processor. */
  pin(tid: number, cpu: number): void {
    if (cpu >= 8 * AFFINITY_SIZE) return;
    const { bytes, address } = this.memory;
    bytes.fill(0, MASK, MASK + AFFINITY_SIZE);
    bytes[MASK + (cpu >> 3)] = 1 << (cpu & 7);
    this.libc.syscall(NR.sched_setaffinity, tid, AFFINITY_SIZE, address + MASK);
  }

  private inMask(mask: number): number[] {
    const { bytes } = this.memory;
    const has = (cpu: number): boolean => ((bytes[mask + (cpu >> 3)]! >> (cpu & 7)) & 1) !== 0;
    return Array.from({ length: 8 * AFFINITY_SIZE }, (_, cpu) => cpu).filter(has);
  }
}
