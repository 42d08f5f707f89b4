/**
 * Signals for a machine that runs one command, without a terminal that would send them as characters: they are for
 * the command, whose status then counts. It may ignore them; who insists ends the machine.
 */
import { monotonicNow } from '../host/monotonic.ts';
import { takeEndingSignals } from '../host/signals.ts';
import { DEFAULT_ACTION } from '../kernel/sighand.ts';
import { sendToGroup } from '../kernel/signal.ts';
import type { Task } from '../kernel/task.ts';
import { killInfo } from '../uapi/siginfo.ts';
import { SI_USER, SIG_IGN, SIGINT, SIGTERM } from '../uapi/signal.ts';
import type { Power } from './power.ts';

/** A second SIGINT or SIGTERM within this time ends the machine, ns. */
const INSISTING = 3e9;

/** What was ignored when we were started (nohup(1), `&` of a script) the command ignores, too. */
export function relaySignals(task: Task, ignored: readonly number[], power: Power): void {
  for (const signal of ignored) task.group.sighand.set(signal, { ...DEFAULT_ACTION, handler: SIG_IGN });
  let last = Number.NEGATIVE_INFINITY;
  const relay = (signal: number): void => {
    const now = monotonicNow();
    if (signal === SIGINT || signal === SIGTERM) {
      if (now - last < INSISTING) power.end({ type: 'exit', status: 128 + signal });
      last = now;
    }
    send(task, signal);
  };
  power.atEnd(takeEndingSignals(ignored, relay));
}

/** SIGTERM is for the command, as kill(1) sends it; the others are for all its processes, as a terminal sends them. */
function send({ group }: Task, signal: number): void {
  const { members } = group.processGroup;
  const receivers = signal === SIGTERM ? [group] : [...members];
  for (const receiver of receivers) sendToGroup(receiver, killInfo(signal, SI_USER, 0, 0));
}
