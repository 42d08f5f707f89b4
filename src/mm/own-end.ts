/** A thread that may end its process, and all its memory, before we have heard of that (engine/answers.ts, `tellMayEnd`). */
import type { ThreadFacts } from '../engine/answers.ts';
import type { Mm } from './mm.ts';

export class OwnEnd {
  private told: ThreadFacts | null = null;

  /**
   * For the only thread there is: but not where it may hold locks that others see, which are to be marked (get_robust_list(2)).
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
