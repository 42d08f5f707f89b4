/**
 * The kernel's loop: takes what comes from guests and from the host, lets promises and timers run, looks around for
 * a while when there is nothing, then sleeps.
 *
 * Looking around pays only while a processor is idle anyway: with as many running guests as processors the kernel
 * sleeps at once. Promises run between turns, so a turn ends as soon as one was resolved.
 */
import { availableParallelism } from 'node:os';
import type { Engine } from '../engine/engine.ts';
import { monotonicNow } from '../host/monotonic.ts';
import type { MachineKernel } from './machine-kernel.ts';

/** How long to look around, in ns, and how many looks between two readings of the clock. */
const SPIN = 60_000;
const LOOKS = 512;
/** The host's own event loop (signals, a program that embeds the machine) gets a turn at least so often. */
const LONGEST_SLEEP = 1e8;
const LONGEST_TURN = 5e6;

export class Loop {
  private readonly kernel: MachineKernel;
  private readonly engine: Engine;
  private readonly processors = availableParallelism();
  private stopped = false;
  private readonly turn = (): void => this.run();

  constructor(kernel: MachineKernel) {
    this.kernel = kernel;
    this.engine = kernel.engine;
  }

  start(): void {
    setImmediate(this.turn);
  }

  stop(): void {
    this.stopped = true;
  }

  private run(): void {
    const { kernel, engine } = this;
    const began = monotonicNow();
    let idleSince = 0;
    for (let looks = 0; !this.stopped; looks++) {
      const handled = engine.poll();
      if (kernel.promisesWait) break;
      if (handled > 0) {
        idleSince = 0;
        if (looks % LOOKS !== 0) continue;
      } else if (looks % LOOKS !== 0) continue;
      const now = monotonicNow();
      if (kernel.timers.next() <= now) {
        kernel.timers.run();
        break;
      }
      if (handled > 0) {
        if (now - began > LONGEST_TURN) break;
        continue;
      }
      if (idleSince === 0) idleSince = now;
      if (this.maySpin() && now - idleSince < SPIN) continue;
      const timeout = Math.min(kernel.timers.next() - now, LONGEST_SLEEP);
      if (timeout > 0) engine.sleep(timeout);
      kernel.oom.wake();
      break;
    }
    kernel.promisesWait = false;
    if (!this.stopped) setImmediate(this.turn);
  }

  private maySpin(): boolean {
    return this.engine.runningCount > 0 && this.engine.runningCount < this.processors;
  }
}
