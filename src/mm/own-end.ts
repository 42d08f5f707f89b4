/** A thread that may end its process, and all its memory, before we know of it (engine/answers.ts, `tellMayEnd`). */
import type { ThreadFacts } from '../engine/answers.ts';
import type { Mm } from './mm.ts';

export class OwnEnd {
  private told: ThreadFacts | null = null;

  /**
   * For a process's only thread, unless it may hold locks that others see: those must be marked (get_robust_list(2)).
   * Holds until areas change.
   */
  tell(mm: Mm, facts: ThreadFacts): void {
    if (mm.sharesMemory) return;
    facts.tellMayEnd(true);
    this.told = facts;
  }

  untell(): void {
    this.told?.tellMayEnd(false);
    this.told = null;
  }
}
