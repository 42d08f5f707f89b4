/** The machine's first console: connects a guest terminal with the host's, and puts the host's into raw mode. */
import type { ConsoleLine } from '../drivers/tty/console.ts';
import type { Terminals } from '../drivers/tty/terminals.ts';
import { type HostChannel, NullChannel } from '../host/channel.ts';
import { type EndSpec, openChannel } from '../host/channel-spec.ts';
import type { DescriptorCalls } from '../host/descriptors.ts';
import type { HostPoller } from '../host/poller.ts';
import { HostTerminal } from '../host/terminal.ts';
import type { ConsoleOptions } from './options.ts';
import type { Power } from './power.ts';

/** Null: there is no console; a string: what is wrong with it. */
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

/** Until the end the guest gets every key, and the window's size. */
function takeTerminal(terminal: HostTerminal, line: ConsoleLine, power: Power): void {
  if (!terminal.isTerminal) return;
  terminal.guard();
  terminal.setRaw();
  terminal.onResize(() => line.sizeAsked());
  // This comes before the line's shutdown, which then finds the host's terminal as it was.
  power.atEnd(() => terminal.restore());
}
