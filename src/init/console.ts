/** The machine's first console: the terminal of the guest that is connected to the host's, and the host's in raw mode. */
import type { ConsoleLine } from '../drivers/tty/console.ts';
import type { Terminals } from '../drivers/tty/terminals.ts';
import { openChannel, parseChannel } from '../host/channel-spec.ts';
import type { DescriptorCalls } from '../host/descriptors.ts';
import type { HostPoller } from '../host/poller.ts';
import { HostTerminal } from '../host/terminal.ts';
import type { ConsoleOptions } from './options.ts';
import type { Power } from './power.ts';

/** Null: there is none; a string: what is wrong with it. */
export function connectConsole(
  { input, output }: ConsoleOptions,
  terminals: Terminals,
  calls: DescriptorCalls,
  poller: HostPoller,
  power: Power,
): ConsoleLine | string | null {
  if (input === null && output === null) return null;
  const closed = [input, output].find(fd => fd !== null && calls.statusFlags(fd) < 0);
  if (closed !== undefined) return `the console's descriptor ${closed} is not open; con0= names others`;
  const spec = parseChannel(`fd:${input ?? output},fd:${output ?? input}`);
  const opened = typeof spec === 'string' ? null : openChannel(spec, calls, poller);
  if (opened === null || typeof opened === 'number') return null;
  const line = terminals.addConsole(0, opened.channel);
  power.atEnd(() => terminals.shutdown());
  if (input !== null) takeTerminal(new HostTerminal(calls, input), line, power);
  return line;
}

/** Every key goes to the guest, and the size of the window, until the end. */
function takeTerminal(terminal: HostTerminal, line: ConsoleLine, power: Power): void {
  if (!terminal.isTerminal) return;
  terminal.guard();
  terminal.setRaw();
  terminal.onResize(({ rows, cols, xpixel, ypixel }) => line.resize(rows, cols, xpixel, ypixel));
  // Before the line is shut down, which the host's terminal then sees as it was.
  power.atEnd(() => terminal.restore());
}
