/**
 * What has to be done for spaces at some time: asking for notes, and making sure that those that were told to end have
 * ended. It is done when the kernel is about to sleep, as each chore is work for a program's processor.
 */
import { Roster } from '../../lib/roster.ts';
import type { NativeSpace } from './native-space.ts';

/** Between two rounds of asking for notes, ns. */
const NOTES_PAUSE = 5e6;
/** How long a process that was told to end may take, ns. */
const OBEDIENCE = 2e7;

export class Chores {
  /** Spaces whose orders are awaited. */
  private readonly owed: Roster<NativeSpace> = new Roster();
  private asked = 0;
  /** Spaces that were told to end, oldest first. */
  private readonly leaving: { readonly space: NativeSpace; readonly since: number }[] = [];
  private readonly kill: (space: NativeSpace) => void;

  constructor(kill: (space: NativeSpace) => void) {
    this.kill = kill;
  }

  noteLater(space: NativeSpace): void {
    this.owed.add(space);
  }

  leaves(space: NativeSpace, now: number): void {
    this.leaving.push({ space, since: now });
  }

  /** Does what is due at `now`. Returns how long until something else is due, ns. */
  run(now: number): number {
    if (this.owed.size === 0 && this.leaving.length === 0) return Number.POSITIVE_INFINITY;
    this.askForNotes(now);
    this.killDisobedient(now);
    if (this.owed.size > 0) return NOTES_PAUSE;
    return this.leaving.length > 0 ? OBEDIENCE : Number.POSITIVE_INFINITY;
  }

  private askForNotes(now: number): void {
    if (now - this.asked < NOTES_PAUSE) return;
    this.asked = now;
    for (const space of this.owed.takeAll()) space.noteNow();
  }

  private killDisobedient(now: number): void {
    for (;;) {
      const oldest = this.leaving[0];
      if (oldest === undefined || (!oldest.space.dead && now - oldest.since < OBEDIENCE)) return;
      if (!oldest.space.dead) this.kill(oldest.space);
      this.leaving.shift();
    }
  }
}
