/** Writes text to a descriptor of the host, which may be nonblocking or closed. */
import { EAGAIN, EINTR } from '../uapi/errno.ts';
import { POLLOUT } from '../uapi/poll.ts';
import type { DescriptorCalls } from './descriptors.ts';
import type { Libc } from './libc.ts';
import { isRaw } from './terminal.ts';

const NR = { write: 1, poll: 7 } as const;
/** How long to wait for room in a full pipe before the rest is dropped, ms. */
const PATIENCE = 1000;

/** A function that writes lines to a descriptor, with a carriage return each if it is a terminal in raw mode. */
export function linesTo(libc: Libc, calls: DescriptorCalls, fd: number): (text: string) => void {
  return text => writeText(libc, fd, isRaw(calls, fd) ? text.replaceAll('\n', '\r\n') : text);
}

/** Writes `text` (one character a byte); what cannot be written is lost. */
function writeText(libc: Libc, fd: number, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  const address = libc.addressOf(bytes);
  for (let done = 0; done < bytes.length; ) {
    const n = libc.syscall(NR.write, fd, address + done, bytes.length - done);
    if (n > 0) done += n;
    else if (n !== -EINTR && (n !== -EAGAIN || !waitForRoom(libc, fd))) return;
  }
}

function waitForRoom(libc: Libc, fd: number): boolean {
  const pollfd = new Int32Array([fd, POLLOUT]);
  return libc.syscall(NR.poll, libc.addressOf(new Uint8Array(pollfd.buffer)), 1, PATIENCE) > 0;
}
