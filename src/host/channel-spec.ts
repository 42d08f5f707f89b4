/** Channels as the command line names them: the value of con0=, con=, ssl1= and the like. */

import { FdChannel, type HostChannel, NullChannel } from './channel.ts';
import { type DescriptorCalls, type DescriptorPoller, HostDescriptor } from './descriptors.ts';
import { openHostPty } from './terminal.ts';

/** One direction, or both. */
export type EndSpec =
  | { readonly kind: 'null' | 'none' | 'pts' }
  | { readonly kind: 'fd'; readonly fd: number };

export interface ChannelSpec {
  readonly input: EndSpec;
  readonly output: EndSpec;
}

/** Channels of real UML that are not supported here. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['port', 'xterm', 'tty']);

/** Parses `SPEC` or `INPUT,OUTPUT`; returns an error message if that fails. */
export function parseChannel(text: string): ChannelSpec | string {
  const [first = '', second, ...rest] = text.split(',');
  if (rest.length > 0) return `more than two channels: ${text}`;
  const input = parseEnd(first);
  if (typeof input === 'string') return input;
  const output = second === undefined ? input : parseEnd(second);
  return typeof output === 'string' ? output : { input, output };
}

function parseEnd(text: string): EndSpec | string {
  const [kind = '', argument] = text.split(/:(.*)/s, 2);
  if (kind === 'null' || kind === 'none') return { kind };
  // A BSD pty differs from a Unix98 one only in its name, and hosts no longer have any.
  if (kind === 'pts' || kind === 'pty') return { kind: 'pts' };
  if (kind === 'fd') {
    if (argument !== undefined && /^\d{1,9}$/.test(argument)) return { kind, fd: Number(argument) };
    return `fd: needs the number of a descriptor: ${text}`;
  }
  if (UNSUPPORTED.has(kind)) return `channel '${kind}' is not supported; use fd:N, pts, null or none`;
  return `unknown channel '${text}'; use fd:N, pts, null or none`;
}

export interface OpenChannel {
  readonly channel: HostChannel;
  /** For `pts`, the host's terminal to attach to; else null. */
  readonly name: string | null;
}

/** The channel, null for none, or -errno. */
export function openChannel(
  spec: ChannelSpec,
  calls: DescriptorCalls,
  poller: DescriptorPoller,
): OpenChannel | null | number {
  const { input, output } = spec;
  if (input.kind === 'none' || output.kind === 'none') return null;
  if (input.kind === 'pts' || output.kind === 'pts') return openPts(calls, poller);
  if (input.kind === 'null' && output.kind === 'null') return { channel: new NullChannel(), name: null };
  const from = input.kind === 'fd' ? HostDescriptor.of(calls, input.fd) : null;
  if (typeof from === 'number') return from;
  const same = input.kind === 'fd' && output.kind === 'fd' && input.fd === output.fd;
  const to = same ? from : output.kind === 'fd' ? HostDescriptor.of(calls, output.fd) : null;
  if (typeof to === 'number') return to;
  return { channel: new FdChannel(calls, poller, from, to), name: null };
}

function openPts(calls: DescriptorCalls, poller: DescriptorPoller): OpenChannel | number {
  const pty = openHostPty(calls);
  if (typeof pty === 'number') return pty;
  const master = HostDescriptor.adopt(calls, pty.master, () => calls.close(pty.slave));
  if (typeof master === 'number') return master;
  return { channel: new FdChannel(calls, poller, master, master), name: pty.name };
}
