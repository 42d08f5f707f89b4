/**
 * Signal dispositions: what a process does with each signal (sigaction(2)).
 *
 * The table is shared by the threads of a group, and with other groups by clone(CLONE_SIGHAND).
 */
import { readSigAction, SIGACTION_SIZE } from '../arch/x86_64/structs/signal.ts';
import { WaitQueue } from '../core/wait.ts';
import type { ThreadFacts } from '../engine/engine.ts';
import { NSIG, SIG_DFL, SIG_IGN, SIGCHLD, SIGCONT, SIGURG, SIGWINCH } from '../uapi/signal.ts';
import { SigSet, sigBit, sigWord } from './sigset.ts';

/** Never changed: replaced as a whole. */
export interface SigAction {
  /** SIG_DFL, SIG_IGN or the address of the handler. */
  readonly handler: number;
  readonly flags: number;
  readonly restorer: number;
  /** Signals blocked besides while the handler runs, as two words. */
  readonly maskLo: number;
  readonly maskHi: number;
}

export const DEFAULT_ACTION: SigAction = Object.freeze({
  handler: SIG_DFL,
  flags: 0,
  restorer: 0,
  maskLo: 0,
  maskHi: 0,
});

interface Told {
  readonly facts: ThreadFacts;
  /** Of the memory that its offsets are in. */
  readonly view: DataView;
}

export class SigHand {
  refs = 1;
  /** Woken when a signal comes for whom signalfd(2) may read it. */
  readonly signalfd: WaitQueue = new WaitQueue();
  private readonly actions: SigAction[] = new Array<SigAction>(NSIG + 1).fill(DEFAULT_ACTION);
  /** Those whose actions are as they are by default, in all. */
  private readonly plain = new SigSet(~0, ~0);
  /** Who has been told which signals have their default actions. */
  private told: Told | null = null;

  get(signal: number): SigAction {
    return this.actions[signal]!;
  }

  set(signal: number, action: SigAction): void {
    this.untell();
    this.put(signal, action);
  }

  private put(signal: number, action: SigAction): void {
    this.actions[signal] = action;
    if (isPlain(action)) this.plain.add(signal);
    else this.plain.delete(signal);
  }

  /** For CLONE_SIGHAND. */
  share(): SigHand {
    this.untell();
    this.refs++;
    return this;
  }

  /** For fork, and for exec of one that is shared. */
  clone(): SigHand {
    this.untell();
    const copy = new SigHand();
    for (let signal = 1; signal <= NSIG; signal++) copy.actions[signal] = this.actions[signal]!;
    copy.plain.set(this.plain.lo, this.plain.hi);
    return copy;
  }

  /** exec(2): handlers are gone, what was ignored stays ignored. */
  resetHandlers(): void {
    this.told?.facts.unsayActions();
    this.untell();
    for (let signal = 1; signal <= NSIG; signal++) {
      const ignored = this.actions[signal]!.handler === SIG_IGN;
      this.put(signal, ignored ? { ...DEFAULT_ACTION, handler: SIG_IGN } : DEFAULT_ACTION);
    }
  }

  /** To be called when one thread alone uses this table: it is told anew when something changes. */
  tell(facts: ThreadFacts, view: DataView): void {
    this.untell();
    facts.tellDefaults(this.plain.lo, this.plain.hi);
    this.told = { facts, view };
  }

  /** Nobody knows the table now but who asks; what was said of it stands there. */
  untell(): void {
    const { told } = this;
    if (told === null) return;
    told.facts.tellDefaults(0, 0);
    this.hear(told);
    this.told = null;
  }

  /** What the thread set by itself: flags and masks that mean nothing until there is a handler. */
  private hear({ facts, view }: Told): void {
    const [lo, hi] = facts.saidActions;
    facts.unsayActions();
    for (let signal = 1; signal <= NSIG && (lo | hi) !== 0; signal++) {
      if (((sigWord(signal) === 0 ? lo : hi) & sigBit(signal)) === 0) continue;
      const action = readSigAction(view, facts.actions + SIGACTION_SIZE * (signal - 1));
      if (action.handler === SIG_DFL && this.actions[signal]!.handler === SIG_DFL) this.put(signal, action);
    }
  }

  /** Whether the disposition makes sending it pointless: SIG_IGN, or SIG_DFL of one that by default does nothing. */
  isIgnored(signal: number): boolean {
    const { handler } = this.actions[signal]!;
    return handler === SIG_IGN || (handler === SIG_DFL && isIgnoredByDefault(signal));
  }
}

export const isIgnoredByDefault = (signal: number): boolean =>
  signal === SIGCHLD || signal === SIGCONT || signal === SIGURG || signal === SIGWINCH;

const isPlain = ({ handler, flags, restorer, maskLo, maskHi }: SigAction): boolean =>
  handler === SIG_DFL && restorer === 0 && (flags | maskLo | maskHi) === 0;
