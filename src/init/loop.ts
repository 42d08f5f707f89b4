/**
 * The kernel's loop: takes requests from guests and events from the host, lets promises and timers run, looks around
 * for a while when there is nothing to do, then sleeps.
 *
 * Waking the kernel delays a guest's call by 5 to 100 us, finding it looking around by almost nothing. But while it
 * looks around it takes a processor from guests that compute. So the time to look is learned: it doubles when looking
 * paid and halves when it did not, up to a limit that is low while guests could use every processor.
 * Promises run between turns, so a turn ends as soon as one has been resolved.
 */
import type { Engine } from '../engine/engine.ts';
import type { BackgroundThreads } from '../host/background.ts';
import { monotonicNow } from '../host/monotonic.ts';
import type { MachineKernel } from './machine-kernel.ts';

/**
 * How long to look around, ns: while a processor is free, and while guests could use all of them. On a free processor
 * it costs the guests nothing, and a virtual machine's idle processor is slow to wake. Guests that could use all of
 * them mostly do not (a process and the child that it waits for count as two), so looking is worth as much as waking
 * costs the caller.
 */
const SPIN_FREE = { least: 200_000, most: 1_000_000 } as const;
const SPIN_FULL = { least: 20_000, most: 80_000 } as const;
/**
 * Looks after promises have run, before the host's event loop gets its turn: an answered thread may ask again at once.
 */
const FEW_LOOKS = 64;
/** Looks between two readings of the clock, and how many of them a look counts for that found work. */
const LOOKS = 128;
const WORK = 8;
/** The host's own event loop (signals, a program that embeds the machine) gets a turn at least this often, ns. */
const LONGEST_SLEEP = 1e8;
const LONGEST_TURN = 5e6;
/** The number of microtasks that it may take until code that waited for a promise has gone on. */
const PROMISE_HOPS = 8;
const RESOLVED = Promise.resolve();

export class Loop {
  private readonly kernel: MachineKernel;
  private readonly engine: Engine;
  private readonly processors: number;
  private readonly background: BackgroundThreads;
  private stopped = false;
  /** How long looking around seems worthwhile, ns. */
  private spin: number = SPIN_FREE.most;
  /**
   * Nothing has come since the last sleep, or attempt to sleep: after being woken by a clock alone, do not look around.
   */
  private rested = false;
  private readonly turn = (): void => this.run();
  /** When the host's event loop last gave us a turn. */
  private turnBegan = 0;

  /** `processors`: the number of the host's processors that this process may use. */
  constructor(kernel: MachineKernel, processors: number, background: BackgroundThreads) {
    this.background = background;
    this.kernel = kernel;
    this.processors = processors;
    this.engine = kernel.engine;
  }

  start(): void {
    setImmediate(this.turn);
  }

  stop(): void {
    this.stopped = true;
  }

  private run(): void {
    this.turnBegan = monotonicNow();
    // Needed here, too: while each look finds a call that resolves a promise, `look` never gets as far as the time.
    this.timePasses(this.turnBegan);
    this.kernel.oom.wake();
    this.background.look(this.turnBegan);
    this.look(true);
  }

  /** Runs timers that are due. Whether there were any. */
  private timePasses(now: number): boolean {
    const { clock, timers } = this.kernel;
    clock.passes(now);
    if (timers.next() > now) return false;
    timers.run();
    return true;
  }

  /**
   * Looks around until promises wait, or there has been nothing to do: for a while if `patient`, else for a few looks.
   */
  private look(patient: boolean): void {
    const { kernel, engine } = this;
    let idleSince = 0;
    let untilClock = 0;
    for (let looks = 0; !this.stopped; looks++) {
      const handled = engine.poll();
      untilClock -= handled > 0 ? WORK : 1;
      if (handled > 0 || kernel.promisesWait) this.rested = false;
      if (kernel.promisesWait) break;
      if (handled > 0) {
        if (idleSince !== 0) this.paid();
        idleSince = 0;
      } else if (!patient && looks >= FEW_LOOKS) break;
      if (untilClock > 0) continue;
      untilClock = LOOKS;
      const now = monotonicNow();
      if (this.timePasses(now)) break;
      if (handled > 0) {
        if (now - this.turnBegan > LONGEST_TURN) break;
        continue;
      }
      if (idleSince === 0) idleSince = now;
      if (now - idleSince < this.patience()) continue;
      // Promises that need more than a few microtasks are done when the host's event loop has had its turn.
      if (patient) this.sleep(now);
      this.rested = true;
      break;
    }
    this.next();
  }

  /**
   * Most code that waits for a promise goes on within a few microtasks, far sooner than the host's event loop comes
   * round. Slower promises, and the host's own events, get their turn when there is nothing else to do.
   */
  private next(): void {
    const { kernel } = this;
    if (this.stopped) return;
    const soon = kernel.promisesWait && monotonicNow() - this.turnBegan < LONGEST_TURN;
    if (kernel.promisesWait) this.rested = false;
    kernel.promisesWait = false;
    if (soon) this.hop(PROMISE_HOPS);
    else setImmediate(this.turn);
  }

  private hop(left: number): void {
    if (left === 0) this.look(false);
    else void RESOLVED.then(() => this.hop(left - 1));
  }

  private sleep(now: number): void {
    const { kernel, engine } = this;
    // Looking around was in vain, if there was any.
    if (engine.runningCount > 0 && !this.rested) this.spin = Math.max(SPIN_FULL.least, this.spin / 2);
    const timeout = Math.min(kernel.timers.next() - now, LONGEST_SLEEP);
    if (timeout > 0) engine.sleep(timeout);
  }

  private paid(): void {
    this.spin = Math.min(SPIN_FREE.most, this.spin * 2);
  }

  /** How long to look around now, ns: 0 after a rest, or if no running thread could ask unless we slept. */
  private patience(): number {
    const { busyCount, elsewhereCount } = this.engine;
    if (elsewhereCount === 0 || this.rested) return 0;
    const { least, most } = busyCount < this.processors ? SPIN_FREE : SPIN_FULL;
    return Math.min(most, Math.max(least, this.spin));
  }
}
