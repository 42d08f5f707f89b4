/**
 * VTIME (termios(3)): how long a read in raw mode waits.
 *
 * A read that has to wait asks `isOver`, is woken at the deadline, and asks again. The timer starts anew when
 * the number of characters that are there changes (the time between two characters counts).
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

  /** Whether `tenths` of a second have passed since the first time we were asked about `count` characters. */
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

  /** The end of a wait that a signal broke off is nobody's business. */
  private fire(): void {
    this.timer = null;
    if (this.tty.waitq.empty) return;
    this.expired = true;
    this.tty.waitq.wake(POLLIN);
  }
}
