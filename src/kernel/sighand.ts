/**
 * Signal dispositions: what a process does with each signal (sigaction(2)).
 *
 * The table is shared by the threads of a group, and with other groups by clone(CLONE_SIGHAND).
 */
import { readSigAction, SIGACTION_SIZE, writeSigAction } from '../arch/x86_64/structs/signal.ts';
import { WaitQueue } from '../core/wait.ts';
import type { ThreadFacts } from '../engine/answers.ts';
import type { EngineMemory } from '../engine/engine.ts';
import {
  NSIG,
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
  SA_NODEFER,
  SA_ONSTACK,
  SA_RESETHAND,
  SA_RESTART,
  SA_RESTORER,
  SA_SIGINFO,
  SIG_DFL,
  SIG_IGN,
  SIGCHLD,
  SIGCONT,
  SIGURG,
  SIGWINCH,
} from '../uapi/signal.ts';
import { eachSignal, SigSet, UNMASKABLE } from './sigset.ts';

/** Immutable: replaced as a whole. */
export interface SigAction {
  /** SIG_DFL, SIG_IGN or the address of the handler. */
  readonly handler: number;
  readonly flags: number;
  readonly restorer: number;
  /** Further signals blocked while the handler runs, as two words. */
  readonly maskLo: number;
  readonly maskHi: number;
}

export const DEFAULT_ACTION: SigAction = { handler: SIG_DFL, flags: 0, restorer: 0, maskLo: 0, maskHi: 0 };
const IGNORED: SigAction = { handler: SIG_IGN, flags: 0, restorer: 0, maskLo: 0, maskHi: 0 };

/** Other flags come back as zeros (sigaction(2), "Dynamically probing for flag bit support"). */
const SA_KNOWN =
  SA_NOCLDSTOP |
  SA_NOCLDWAIT |
  SA_SIGINFO |
  SA_ONSTACK |
  SA_RESTART |
  SA_NODEFER |
  SA_RESETHAND |
  SA_RESTORER;

/** A program's action in the form in which it is kept. */
export const admissible = (given: SigAction): SigAction => ({
  ...given,
  maskLo: given.maskLo & ~UNMASKABLE,
  flags: given.flags & SA_KNOWN,
});

interface Told {
  readonly facts: ThreadFacts;
  /** The memory that the offsets in `facts` refer to. */
  readonly view: DataView;
  /** Its `actionsSet` when the kernel last read it. */
  heard: number;
}

/** How often to read again what a thread sets at the same time: its call is not over then. */
const LOOKS = 3;

export class SigHand {
  refs = 1;
  /** Woken when a signal comes that signalfd(2) may read. */
  readonly signalfd: WaitQueue = new WaitQueue();
  private readonly actions: SigAction[] = new Array<SigAction>(NSIG + 1).fill(DEFAULT_ACTION);
  /** Signals whose actions are not the default in every part. */
  private readonly own = new SigSet();
  /** The thread that was told the whole table and may change it on its own. */
  private told: Told | null = null;

  get(signal: number): SigAction {
    this.refresh();
    return this.actions[signal]!;
  }

  private refresh(): void {
    const { told } = this;
    if (told !== null && told.facts.actionsSet !== told.heard) this.hear(told);
  }

  set(signal: number, action: SigAction): void {
    this.untell();
    this.put(signal, action);
  }

  private put(signal: number, action: SigAction): void {
    this.actions[signal] = action;
    if (isPlain(action)) this.own.delete(signal);
    else this.own.add(signal);
  }

  /** For CLONE_SIGHAND. */
  share(): SigHand {
    this.untell();
    this.refs++;
    return this;
  }

  /** For fork, and for exec with a shared table. */
  clone(): SigHand {
    this.refresh();
    const copy = new SigHand();
    const { lo, hi } = this.own;
    eachSignal(lo, hi, signal => {
      copy.actions[signal] = this.actions[signal]!;
    });
    copy.own.set(lo, hi);
    return copy;
  }

  /** exec(2): handlers go, ignored signals stay ignored. */
  resetHandlers(): void {
    this.untell();
    eachSignal(this.own.lo, this.own.hi, signal => {
      const ignored = this.actions[signal]!.handler === SIG_IGN;
      this.put(signal, ignored ? IGNORED : DEFAULT_ACTION);
    });
  }

  /** Called when only one thread uses this table. It must be told again when something changes. */
  tell(facts: ThreadFacts, view: DataView): void {
    if (this.told?.facts === facts) return;
    this.untell();
    const { lo, hi } = this.own;
    eachSignal(lo, hi, signal => {
      writeSigAction(view, facts.actions + SIGACTION_SIZE * (signal - 1), this.actions[signal]!);
    });
    facts.tellActions(lo, hi);
    this.told = { facts, view, heard: facts.actionsSet };
  }

  /** The same for a copy of `from`'s table, if `from`'s thread was told: what it was told is complete. */
  tellLike(from: SigHand, facts: ThreadFacts, { bytes, view }: EngineMemory): void {
    if (from.told === null) return;
    const table = from.told.facts.actions;
    bytes.copyWithin(facts.actions, table, table + SIGACTION_SIZE * NSIG);
    facts.tellActions(this.own.lo, this.own.hi);
    this.told = { facts, view, heard: facts.actionsSet };
  }

  /** Takes the table back from the thread. Call this before the thread that was told goes away. */
  untell(): void {
    const { told } = this;
    if (told === null) return;
    told.facts.untellActions();
    this.hear(told);
    this.told = null;
  }

  /** Reads what the thread has set on its own. */
  private hear(told: Told): void {
    const { facts } = told;
    for (let looks = 0; looks < LOOKS; looks++) {
      const now = facts.actionsSet;
      if ((now & 1) !== 0) return;
      this.take(told);
      if (facts.actionsSet !== now) continue;
      told.heard = now;
      return;
    }
  }

  /** Whatever the thread claims, it gets no further than by a call. */
  private take({ facts, view }: Told): void {
    const [claimed, hi] = facts.ownActions;
    const lo = claimed & ~UNMASKABLE;
    eachSignal(lo, hi, signal => {
      this.put(signal, admissible(readSigAction(view, facts.actions + SIGACTION_SIZE * (signal - 1))));
    });
    eachSignal(this.own.lo & ~lo, this.own.hi & ~hi, signal => {
      this.put(signal, DEFAULT_ACTION);
    });
  }

  /**
   * Whether the disposition makes sending the signal pointless: SIG_IGN, or SIG_DFL for a signal ignored by default.
   */
  isIgnored(signal: number): boolean {
    const { handler } = this.get(signal);
    return handler === SIG_IGN || (handler === SIG_DFL && isIgnoredByDefault(signal));
  }
}

export const isIgnoredByDefault = (signal: number): boolean =>
  signal === SIGCHLD || signal === SIGCONT || signal === SIGURG || signal === SIGWINCH;

const isPlain = ({ handler, flags, restorer, maskLo, maskHi }: SigAction): boolean =>
  handler === SIG_DFL && restorer === 0 && (flags | maskLo | maskHi) === 0;
