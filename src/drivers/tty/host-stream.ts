/**
 * A file of the guest that is a descriptor of the host, byte for byte: standard input and output when they are pipes,
 * sockets or files. Not a terminal to the guest, whatever it is.
 *
 * The loop's readiness wakes those who wait; a reader that went away is -EPIPE, as ever.
 */

import type { Cred } from '../../core/cred.ts';
import { WaitQueue } from '../../core/wait.ts';
import { AnonInode, type AnonSuper } from '../../fs/anon.ts';
import { File } from '../../fs/file.ts';
import type { Inode } from '../../fs/inode.ts';
import { type DescriptorCalls, type DescriptorPoller, HostDescriptor } from '../../host/descriptors.ts';
import type { Result } from '../../lib/result.ts';
import { EAGAIN } from '../../uapi/errno.ts';
import { O_APPEND, SEEK_CUR, SEEK_END, SEEK_SET } from '../../uapi/fcntl.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../uapi/poll.ts';
import { S_IFIFO, S_IFREG } from '../../uapi/stat.ts';

const OWNER_ONLY = 0o600;
/** What st_blocks counts in. */
const SECTOR = 512;

/**
 * Its inode, a file or a pipe that its owner alone opens anew (/dev/stdin, /dev/stderr): which opens the host's
 * descriptor anew.
 */
export class HostStreamInode extends AnonInode {
  private readonly given: number;
  private readonly calls: DescriptorCalls;
  private readonly poller: DescriptorPoller;

  constructor(sb: AnonSuper, cred: Cred, given: number, calls: DescriptorCalls, poller: DescriptorPoller) {
    const isFile = HostDescriptor.fileSize(given) >= 0;
    super(sb, sb.nextIno(), (isFile ? S_IFREG : S_IFIFO) | OWNER_ONLY, sb.clock.coarse());
    this.uid = cred.fsuid;
    this.gid = cred.fsgid;
    this.given = given;
    this.calls = calls;
    this.poller = poller;
  }

  override refresh(): number {
    if (this.type !== S_IFREG) return 0;
    this.size = HostDescriptor.fileSize(this.given);
    this.blocks = Math.ceil(this.size / SECTOR);
    return 0;
  }

  override open(flags: number): Result<File> {
    const host = HostDescriptor.again(this.calls, this.given, flags);
    return typeof host === 'number' ? host : new HostStreamFile(this, flags, host, this.poller);
  }
}

export class HostStreamFile extends File {
  private readonly ready: WaitQueue = new WaitQueue();
  private readonly host: HostDescriptor;
  private readonly poller: DescriptorPoller;
  /** The POLL bits that somebody may wait for. */
  private awaited = 0;
  /** Where our own reads and writes have left the host's position. */
  private hostPos = 0;
  private readonly onReady = (events: number): void => this.tell(events);

  constructor(inode: Inode, flags: number, host: HostDescriptor, poller: DescriptorPoller) {
    super(inode, flags);
    this.host = host;
    this.poller = poller;
    if (this.seekable) this.seek(0, SEEK_CUR);
  }

  override get seekable(): boolean {
    return this.host.stat.isFile();
  }

  override get waitq(): WaitQueue {
    return this.ready;
  }

  override get linkName(): string {
    const { stat } = this.host;
    return stat.isSocket() ? `socket:[${stat.ino}]` : `pipe:[${stat.ino}]`;
  }

  override poll(): number {
    const events = (this.readable ? POLLIN : 0) | (this.writable ? POLLOUT : 0);
    const now = this.host.poll(events);
    if (now < 0) return 0;
    this.await(events & ~now);
    return withNormal(now);
  }

  override read(buf: Uint8Array, off: number, len: number, pos: number): number {
    if (this.seekable && pos !== this.pos) return this.host.pread(buf, off, len, pos);
    this.catchUp();
    const n = this.host.read(buf, off, len);
    if (n > 0) this.hostPos += n;
    if (n === -EAGAIN) this.await(POLLIN);
    return n;
  }

  override write(buf: Uint8Array, off: number, len: number, pos: number): number {
    const append = (this.flags & O_APPEND) !== 0;
    if (this.seekable && pos !== this.pos && !append) return this.host.pwrite(buf, off, len, pos);
    if (append && this.seekable) this.seek(0, SEEK_END);
    this.catchUp();
    const n = this.host.write(buf, off, len);
    if (n > 0) this.hostPos += n;
    if (n === -EAGAIN || (n >= 0 && n < len)) this.await(POLLOUT);
    return n;
  }

  override seek(offset: number, whence: number): number {
    const pos = this.host.seek(offset, whence);
    if (pos < 0) return pos;
    this.pos = pos;
    this.hostPos = pos;
    return pos;
  }

  override fsync(): number {
    return 0;
  }

  override release(): void {
    this.poller.unwatch(this.host.fd);
    this.host.close();
  }

  /**
   * Sequential transfers use the host's own position, which we share with others who have the descriptor
   * (`(a; b) > file`). A pread(2) that happened to be at our position has moved it: it is put back.
   */
  private catchUp(): void {
    if (this.seekable && this.hostPos !== this.pos) this.seek(this.pos, SEEK_SET);
  }

  /** Has the loop tell us of these events. */
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

const withNormal = (events: number): number =>
  events | ((events & POLLIN) !== 0 ? POLLRDNORM : 0) | ((events & POLLOUT) !== 0 ? POLLWRNORM : 0);
