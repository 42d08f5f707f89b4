/** Text for a descriptor of the host that others may have set not to block, or closed. */
import { EAGAIN, EINTR } from '../uapi/errno.ts';
import { POLLOUT } from '../uapi/poll.ts';
import type { Libc } from './libc.ts';

const NR = { write: 1, poll: 7 } as const;
/** How long a full pipe is waited for before the rest is dropped, ms. */
const PATIENCE = 1000;

/** Writes all of `text` (one char a byte); what cannot be written is lost. */
export function writeText(libc: Libc, fd: number, text: string): void {
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
