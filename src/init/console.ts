/** The machine's first console: the terminal of the guest that is connected to the host's, and the host's in raw mode. */
import type { ConsoleLine } from '../drivers/tty/console.ts';
import type { Terminals } from '../drivers/tty/terminals.ts';
import { type HostChannel, NullChannel } from '../host/channel.ts';
import { type EndSpec, openChannel } from '../host/channel-spec.ts';
import type { DescriptorCalls } from '../host/descriptors.ts';
import type { HostPoller } from '../host/poller.ts';
import { HostTerminal } from '../host/terminal.ts';
import type { ConsoleOptions } from './options.ts';
import type { Power } from './power.ts';

/** Null: there is none; a string: what is wrong with it. */
export function connectConsole(
  console: ConsoleOptions,
  terminals: Terminals,
  calls: DescriptorCalls,
  poller: HostPoller,
  power: Power,
): ConsoleLine | string | null {
  if (console === 'none') return null;
  const channel =
    console === 'null' ? new NullChannel() : channelOf(console.input, console.output, calls, poller);
  if (typeof channel === 'string') return channel;
  const line = terminals.addConsole(0, channel);
  power.atEnd(() => terminals.shutdown());
  if (console !== 'null') takeTerminal(new HostTerminal(calls, console.input), line, power);
  return line;
}

function channelOf(
  input: number,
  output: number,
  calls: DescriptorCalls,
  poller: HostPoller,
): HostChannel | string {
  const closed = [input, output].find(fd => calls.statusFlags(fd) < 0);
  if (closed !== undefined) return `the console's descriptor ${closed} is not open; con0= names others`;
  const spec: EndSpec[] = [input, output].map(fd => ({ kind: 'fd', fd }));
  const opened = openChannel({ input: spec[0]!, output: spec[1]! }, calls, poller);
  if (opened === null || typeof opened === 'number')
    return 'the console cannot be opened; con0= names others';
  return opened.channel;
}

/** Every key goes to the guest, and the size of the window, until the end. */
function takeTerminal(terminal: HostTerminal, line: ConsoleLine, power: Power): void {
  if (!terminal.isTerminal) return;
  terminal.guard();
  terminal.setRaw();
  terminal.onResize(() => line.sizeAsked());
  // Before the line is shut down, which the host's terminal then sees as it was.
  power.atEnd(() => terminal.restore());
}
