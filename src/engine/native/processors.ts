/**
 * The host's processors: which of them guests may use, and the one that the kernel keeps to.
 *
 * A caller that looks for its answer on the kernel's own processor keeps the kernel from giving it, and a scheduler
 * that packs its load onto few processors puts the two together. So the kernel's thread stays on one processor, and
 * tells guests which: there they sleep at once (`stub/request.c`). A lone guest that asks from there all the time is
 * sent to another processor, where its answers come three times as fast.
 */
import { existsSync } from 'node:fs';
import type { Libc } from '../../host/libc.ts';
import { GLOBAL } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';
import { SCRATCH } from './scratch.ts';

const NR = { sched_setaffinity: 203, sched_getaffinity: 204 } as const;
const MASK = SCRATCH.MASK;
const OWN = SCRATCH.OWN_MASK;
const { AFFINITY_SIZE } = GLOBAL;
const NONE = -1;
/** So many calls in a row come from our processor while no other thread runs. */
const CROWDED = 64;
/** After this time a thread that was sent away is certain to be elsewhere, ns. */
const SETTLED = 1e6;

/** A host thread. Guests may write to where its number stands, so each use checks that it belongs to the process. */
interface Away {
  readonly pid: number;
  readonly tid: number;
  readonly since: number;
}

const isThread = ({ pid, tid }: Away): boolean => pid > 0 && existsSync(`/proc/${pid}/task/${tid}`);

export class Processors {
  /** The processor of the kernel, or NONE. */
  kernel: number = NONE;
  private away: Away | null = null;
  /** The thread that has asked from here lately, and how often. */
  private asker: object | null = null;
  private asked = 0;
  private readonly libc: Libc;
  private readonly memory: MemoryFile;

  constructor(libc: Libc, memory: MemoryFile) {
    this.libc = libc;
    this.memory = memory;
    memory.view.setInt32(GLOBAL.G_KERNEL_CPU, NONE, true);
  }

  /** Leaves guests `count` of our processors, from an arbitrary one on: machines with one each do not share it. */
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

  /** Pins the calling thread, the kernel's, to one of its processors, preferably one that guests do not use. */
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

  /** `asker` has asked from the kernel's processor while no other thread runs. Whether it should be sent away. */
  isCrowded(asker: object): boolean {
    if (asker !== this.asker) {
      this.asker = asker;
      this.asked = 0;
    }
    if (++this.asked < CROWDED) return false;
    this.asked = 0;
    return this.away === null;
  }

  /** The thread wakes next on another processor, if guests have one. `settle` later lets it go anywhere again. */
  sendAway(pid: number, tid: number, now: number): void {
    const { bytes, address } = this.memory;
    const away = { pid, tid, since: now };
    bytes.copyWithin(MASK, GLOBAL.G_AFFINITY, GLOBAL.G_AFFINITY + AFFINITY_SIZE);
    bytes[MASK + (this.kernel >> 3)]! &= ~(1 << (this.kernel & 7));
    if (this.inMask(MASK).length === 0 || !isThread(away)) return;
    this.away = away;
    this.libc.syscall(NR.sched_setaffinity, tid, AFFINITY_SIZE, address + MASK);
  }

  settle(now: number): void {
    const { away } = this;
    if (away === null || now - away.since < SETTLED) return;
    this.away = null;
    if (isThread(away))
      this.libc.syscall(
        NR.sched_setaffinity,
        away.tid,
        AFFINITY_SIZE,
        this.memory.address + GLOBAL.G_AFFINITY,
      );
  }

  /** Restores the processors that the kernel's thread had before. */
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
