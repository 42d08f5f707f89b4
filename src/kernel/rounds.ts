/** Things that are visited periodically while there are any: `look` returns whether to visit again. */
import { Roster } from '../lib/roster.ts';
import type { Kernel } from './kernel.ts';

interface Looked {
  look(): boolean;
}

export class Rounds<T extends Looked> {
  private readonly members: Roster<T> = new Roster();
  private isArmed = false;
  private readonly kernel: Pick<Kernel, 'timers' | 'clock'>;
  /** ns */
  private readonly period: number;

  constructor(kernel: Pick<Kernel, 'timers' | 'clock'>, period: number) {
    this.kernel = kernel;
    this.period = period;
  }

  add(member: T): void {
    this.members.add(member);
    if (!this.isArmed) this.arm();
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.members[Symbol.iterator]();
  }

  private arm(): void {
    const { timers, clock } = this.kernel;
    this.isArmed = true;
    timers.at(clock.monotonic() + this.period, () => this.tick());
  }

  private tick(): void {
    this.isArmed = false;
    for (const member of this.members) if (!member.look()) this.members.delete(member);
    if (this.members.size > 0) this.arm();
  }
}
