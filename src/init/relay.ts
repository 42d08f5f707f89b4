/**
 * Signals of the host for a machine that runs one command: they are for the command, whose status then counts. It may
 * ignore them; who insists ends the machine.
 *
 * On a terminal SIGINT and SIGQUIT come as if typed, and SIGHUP hangs it up. There the machine ends at last, whatever the
 * command makes of it: an interactive shell does not mind SIGTERM, so the hangup follows, and after that the end.
 */
import { monotonicNow } from '../host/monotonic.ts';
import { DEFAULT_ACTION } from '../kernel/sighand.ts';
import { sendToGroup } from '../kernel/signal.ts';
import type { Task } from '../kernel/task.ts';
import { killInfo } from '../uapi/siginfo.ts';
import { SI_USER, SIG_IGN, SIGHUP, SIGINT, SIGKILL, SIGSTOP, SIGTERM } from '../uapi/signal.ts';
import type { Power } from './power.ts';

/** A second SIGINT or SIGTERM within this time ends the machine, ns. */
const INSISTING = 3e9;
/** What a command on a terminal has to end, after SIGTERM and after the hangup each, ms. */
const GRACE = 3000;

/** The command's terminal. */
export interface CommandTerminal {
  /** For the process group in its foreground. */
  signal(signal: number): void;
  hangup(): void;
}

/** What was ignored when we were started (nohup(1), `&` of a script) the command ignores, too. */
export function ignoreSignals(task: Task, ignored: readonly number[]): void {
  for (const signal of ignored)
    if (signal !== SIGKILL && signal !== SIGSTOP)
      task.group.sighand.set(signal, { ...DEFAULT_ACTION, handler: SIG_IGN });
}

/** `terminal`: the command's, null if it has none. */
export function relaySignals(task: Task, terminal: CommandTerminal | null, power: Power): void {
  const send = terminal === null ? toCommand(task) : toTerminal(task, terminal, power);
  let last = Number.NEGATIVE_INFINITY;
  power.signalled = signal => {
    const now = monotonicNow();
    if (signal === SIGINT || signal === SIGTERM) {
      if (now - last < INSISTING) power.endBySignal(signal);
      last = now;
    }
    send(signal);
  };
}

/** SIGTERM is for the command, as kill(1) sends it; the others are for all its processes, as a terminal sends them. */
function toCommand({ group }: Task): (signal: number) => void {
  return signal => {
    const { members } = group.processGroup;
    const receivers = signal === SIGTERM ? [group] : [...members];
    for (const receiver of receivers) sendToGroup(receiver, killInfo(signal, SI_USER, 0, 0));
  };
}

function toTerminal({ group }: Task, terminal: CommandTerminal, power: Power): (signal: number) => void {
  let timer: NodeJS.Timeout | undefined;
  power.atEnd(() => clearTimeout(timer));
  const inAWhile = (what: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(what, GRACE);
  };
  const hangup = (cause: number): void => {
    terminal.hangup();
    inAWhile(() => power.endBySignal(cause));
  };
  return signal => {
    if (signal === SIGHUP) hangup(signal);
    else if (signal !== SIGTERM) terminal.signal(signal);
    else {
      sendToGroup(group, killInfo(signal, SI_USER, 0, 0));
      inAWhile(() => hangup(signal));
    }
  };
}
