/**
 * VTIME (termios(3)): how long a read in raw mode waits.
 *
 * A read that has to wait calls `isOver`, is woken at the deadline, and calls it again. The timer restarts whenever
 * the number of available characters changes, since VTIME limits the time between two characters.
 */
import type { Timer } from '../../core/clock.ts';
import { POLLIN } from '../../uapi/poll.ts';
import type { Tty } from './tty.ts';

const NS_PER_TENTH = 100_000_000;

export class ReadTimer {
  private readonly tty: Tty;
  private timer: Timer | null = null;
  private expired = false;
  private count = -1;

  constructor(tty: Tty) {
    this.tty = tty;
  }

  /** Whether `tenths` of a second have passed since the first call for `count` characters. */
  isOver(count: number, tenths: number): boolean {
    if (this.expired && this.count === count) return true;
    if (this.timer === null || this.count !== count) this.start(count, tenths);
    return false;
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = null;
    this.expired = false;
  }

  private start(count: number, tenths: number): void {
    this.stop();
    this.count = count;
    const { clock, timers } = this.tty.env;
    this.timer = timers.at(clock.monotonic() + tenths * NS_PER_TENTH, () => this.fire());
  }

  /** If a signal has ended the wait and no task waits any more, the deadline has no effect. */
  private fire(): void {
    this.timer = null;
    if (this.tty.waitq.empty) return;
    this.expired = true;
    this.tty.waitq.wake(POLLIN);
  }
}
