/**
 * A guest's file that passes bytes to and from a descriptor of the host: standard input and output when they are
 * pipes, sockets or devices. Its type is the one it has on the host, except that a socket, whose calls it lacks,
 * shows as a pipe. To the guest it is never a terminal.
 *
 * The poller wakes waiting tasks. A write without a reader gives -EPIPE, as usual.
 */

import type { Cred } from '../../core/cred.ts';
import { WaitQueue } from '../../core/wait.ts';
import { AnonInode, type AnonSuper } from '../../fs/anon.ts';
import { File } from '../../fs/file.ts';
import type { Inode } from '../../fs/inode.ts';
import { type DescriptorCalls, type DescriptorPoller, HostDescriptor } from '../../host/descriptors.ts';
import type { Result } from '../../lib/result.ts';
import { EAGAIN } from '../../uapi/errno.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../uapi/poll.ts';
import { isFifo, isSock, S_IFIFO, S_IFMT } from '../../uapi/stat.ts';

/** Only the owner can reopen it, as with files that pipe(2) and openpty(3) make. */
const OWNER = 0o600;

/** Its inode: reopening it (/dev/stdin, /dev/stderr) reopens the host's descriptor. */
export class HostStreamInode extends AnonInode {
  private readonly given: HostDescriptor;
  private readonly calls: DescriptorCalls;
  private readonly poller: DescriptorPoller;

  constructor(
    sb: AnonSuper,
    cred: Cred,
    given: HostDescriptor,
    calls: DescriptorCalls,
    poller: DescriptorPoller,
  ) {
    super(sb, sb.nextIno(), typeOf(given.stat.mode) | OWNER, sb.clock.coarse());
    this.uid = cred.fsuid;
    this.gid = cred.fsgid;
    this.rdev = given.stat.rdev;
    this.given = given;
    this.calls = calls;
    this.poller = poller;
  }

  override open(flags: number): Result<File> {
    const host = HostDescriptor.again(this.calls, this.given.given, flags);
    return typeof host === 'number' ? host : new HostStreamFile(this, flags, host, this.poller);
  }
}

export class HostStreamFile extends File {
  private readonly ready: WaitQueue = new WaitQueue();
  private readonly host: HostDescriptor;
  private readonly poller: DescriptorPoller;
  /** The POLL bits that the poller watches for. */
  private awaited = 0;
  private readonly onReady = (events: number): void => this.tell(events);

  constructor(inode: Inode, flags: number, host: HostDescriptor, poller: DescriptorPoller) {
    super(inode, flags);
    this.host = host;
    this.poller = poller;
  }

  override get seekable(): boolean {
    return false;
  }

  override get waitq(): WaitQueue {
    return this.ready;
  }

  override get linkName(): string {
    const { ino, mode } = this.inode;
    return isFifo(mode) ? `pipe:[${ino}]` : this.host.name;
  }

  override poll(): number {
    const events = (this.readable ? POLLIN : 0) | (this.writable ? POLLOUT : 0);
    const now = this.host.poll(events);
    if (now < 0) return 0;
    this.await(events & ~now);
    return withNormal(now);
  }

  override read(buf: Uint8Array, off: number, len: number): number {
    const n = this.host.read(buf, off, len);
    if (n === -EAGAIN) this.await(POLLIN);
    return n;
  }

  override write(buf: Uint8Array, off: number, len: number): number {
    const n = this.host.write(buf, off, len);
    if (n === -EAGAIN || (n >= 0 && n < len)) this.await(POLLOUT);
    return n;
  }

  override release(): void {
    this.poller.unwatch(this.host.fd);
    this.host.close();
  }

  /** Has the poller report these events. */
  private await(events: number): void {
    const wanted = this.awaited | events;
    if (wanted === this.awaited) return;
    if (this.poller.watch(this.host.fd, wanted, this.onReady) === 0) this.awaited = wanted;
  }

  private tell(events: number): void {
    this.awaited = 0;
    this.poller.unwatch(this.host.fd);
    this.ready.wake(withNormal(events));
  }
}

const typeOf = (mode: number): number => (isSock(mode) ? S_IFIFO : mode & S_IFMT);

const withNormal = (events: number): number =>
  events | ((events & POLLIN) !== 0 ? POLLRDNORM : 0) | ((events & POLLOUT) !== 0 ? POLLWRNORM : 0);
