/**
 * Signals of the host to a machine that runs one command go to the command, and the machine's status is then the
 * command's. The command may ignore them; a repeated signal ends the machine.
 *
 * On a terminal SIGINT and SIGQUIT act as if typed, and SIGHUP hangs it up. There SIGTERM and SIGHUP end the machine in
 * time, whatever the command does: an interactive shell ignores SIGTERM, so a hangup follows, and then the end.
 */
import { monotonicNow } from '../host/monotonic.ts';
import { DEFAULT_ACTION } from '../kernel/sighand.ts';
import { sendToGroup } from '../kernel/signal.ts';
import type { Task } from '../kernel/task.ts';
import { killInfo } from '../uapi/siginfo.ts';
import { SI_USER, SIG_IGN, SIGHUP, SIGINT, SIGKILL, SIGSTOP, SIGTERM } from '../uapi/signal.ts';
import type { Power } from './power.ts';

/** A second SIGINT or SIGTERM within this time after the last ends the machine, ns. */
const INSISTING = 3e9;
/** The time that a command on a terminal has to end after SIGTERM, and again after the hangup, ms. */
const GRACE = 3000;

/** The command's terminal. */
export interface CommandTerminal {
  /** Sends a signal to the foreground process group. */
  signal(signal: number): void;
  hangup(): void;
}

/** The command ignores, too, what we were started to ignore (nohup(1), `&` in a script). */
export function ignoreSignals(task: Task, ignored: readonly number[]): void {
  for (const signal of ignored)
    if (signal !== SIGKILL && signal !== SIGSTOP)
      task.group.sighand.set(signal, { ...DEFAULT_ACTION, handler: SIG_IGN });
}

/** `terminal`: the command's, or null if it has none. */
export function relaySignals(task: Task, terminal: CommandTerminal | null, power: Power): void {
  const send = terminal === null ? toCommand(task) : toTerminal(task, terminal, power);
  let last = Number.NEGATIVE_INFINITY;
  power.signalled = signal => {
    const now = monotonicNow();
    if (signal === SIGINT || signal === SIGTERM) {
      if (now - last < INSISTING) return power.endBySignal(signal);
      last = now;
    }
    send(signal);
  };
}

/** SIGTERM goes to the command, as kill(1) sends it; others go to its process group, as a terminal sends them. */
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
