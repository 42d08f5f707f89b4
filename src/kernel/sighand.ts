/**
 * Signal dispositions: what a process does with each signal (sigaction(2)).
 *
 * The table is shared by the threads of a group, and with other groups by clone(CLONE_SIGHAND).
 */
import { WaitQueue } from '../core/wait.ts';
import { NSIG, SIG_DFL, SIG_IGN, SIGCHLD, SIGCONT, SIGURG, SIGWINCH } from '../uapi/signal.ts';

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

export class SigHand {
  refs = 1;
  /** Woken when a signal comes for whom signalfd(2) may read it. */
  readonly signalfd: WaitQueue = new WaitQueue();
  private readonly actions: SigAction[] = new Array<SigAction>(NSIG + 1).fill(DEFAULT_ACTION);

  get(signal: number): SigAction {
    return this.actions[signal]!;
  }

  set(signal: number, action: SigAction): void {
    this.actions[signal] = action;
  }

  /** For CLONE_SIGHAND. */
  share(): SigHand {
    this.refs++;
    return this;
  }

  /** For fork, and for exec of one that is shared. */
  clone(): SigHand {
    const copy = new SigHand();
    for (let signal = 1; signal <= NSIG; signal++) copy.actions[signal] = this.actions[signal]!;
    return copy;
  }

  /** exec(2): handlers are gone, what was ignored stays ignored. */
  resetHandlers(): void {
    for (let signal = 1; signal <= NSIG; signal++) {
      const ignored = this.actions[signal]!.handler === SIG_IGN;
      this.actions[signal] = ignored ? { ...DEFAULT_ACTION, handler: SIG_IGN } : DEFAULT_ACTION;
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
