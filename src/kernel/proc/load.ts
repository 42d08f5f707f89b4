/**
 * Load averages: how many tasks ran or waited for a disk, over one, five and fifteen minutes (proc_loadavg(5)).
 *
 * They are counted every five seconds, as on Linux; a count weighs less as it ages. An idle machine wakes more often
 * for other reasons.
 */
import type { Clock, Timers } from '../../core/clock.ts';

const INTERVAL = 5e9;
const MINUTE = 60e9;
const PERIODS = [MINUTE, 5 * MINUTE, 15 * MINUTE] as const;

export class LoadAverages {
  private readonly clock: Clock;
  private readonly timers: Timers;
  private readonly running: () => number;
  private loads: [number, number, number] = [0, 0, 0];

  constructor(clock: Clock, timers: Timers, running: () => number) {
    this.clock = clock;
    this.timers = timers;
    this.running = running;
    this.again();
  }

  get values(): readonly [number, number, number] {
    return this.loads;
  }

  private again(): void {
    this.timers.at(this.clock.monotonic() + INTERVAL, () => {
      this.count();
      this.again();
    });
  }

  private count(): void {
    const now = this.running();
    const next = PERIODS.map((period, i) => {
      const keep = Math.exp(-INTERVAL / period);
      return this.loads[i]! * keep + now * (1 - keep);
    });
    this.loads = [next[0]!, next[1]!, next[2]!];
  }
}
