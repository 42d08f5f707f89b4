/**
 * inotify instances (inotify(7)): a queue of events, and the watches that fill it.
 *
 * inotify-hub.ts keeps track of which inodes are watched, and by which instances.
 */
import type { UserMemory } from '../core/user.ts';
import { putInt } from '../core/user-values.ts';
import type { Current } from '../fs/file.ts';
import type { Inode } from '../fs/inode.ts';
import { EAGAIN, EEXIST, EINVAL, ENOSPC, ENOTTY } from '../uapi/errno.ts';
import { O_NONBLOCK, O_RDONLY } from '../uapi/fcntl.ts';
import {
  IN_ALL_BITS,
  IN_ALL_EVENTS,
  IN_EXCL_UNLINK,
  IN_IGNORED,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_ONESHOT,
  IN_Q_OVERFLOW,
  IN_UNMOUNT,
  INOTIFY_EVENT_SIZE,
} from '../uapi/inotify.ts';
import { FIONREAD } from '../uapi/ioctls.ts';
import { POLLIN, POLLRDNORM } from '../uapi/poll.ts';
import { EventFile, put32 } from './event-file.ts';
import type { InodeWatch, InotifyAccount, InotifyHub } from './inotify-hub.ts';

interface Event {
  readonly wd: number;
  readonly mask: number;
  readonly cookie: number;
  readonly name: string;
}

/** One instance's interest in one inode. */
export class Watch implements InodeWatch {
  readonly owner: Inotify;
  readonly wd: number;
  readonly inode: Inode;
  mask: number;

  constructor(owner: Inotify, wd: number, inode: Inode, mask: number) {
    this.owner = owner;
    this.wd = wd;
    this.inode = inode;
    this.mask = mask;
  }

  /** Queues an event if it was asked for. `unlinked`: the child no longer has its name. */
  tell(event: number, name: string, cookie: number, unlinked: boolean): void {
    if ((event & ((this.mask & IN_ALL_EVENTS) | IN_UNMOUNT)) === 0) return;
    if (unlinked && (this.mask & IN_EXCL_UNLINK) !== 0) return;
    this.owner.enqueue({ wd: this.wd, mask: event, cookie, name });
    if ((this.mask & IN_ONESHOT) !== 0) this.drop();
  }

  drop(): void {
    this.owner.drop(this);
  }
}

export class Inotify extends EventFile {
  protected override readonly kind = 'inotify';
  private readonly hub: InotifyHub;
  private readonly account: InotifyAccount;
  private readonly events: Event[] = [];
  private readonly watches = new Map<number, Watch>();
  private lastWd = 0;
  private bytes = 0;

  /** `account`: of the user whose instance and watches these are. */
  constructor(inode: Inode, hub: InotifyHub, flags: number, account: InotifyAccount) {
    super(inode, O_RDONLY | (flags & O_NONBLOCK));
    this.hub = hub;
    this.account = account;
    account.instances++;
  }

  override get sendsSignals(): boolean {
    return true;
  }

  /** inotify_add_watch(2) on an inode that the caller may read: a watch descriptor or -errno. */
  addWatch(inode: Inode, mask: number): number {
    if ((mask & IN_ALL_BITS) === 0) return -EINVAL;
    const add = (mask & IN_MASK_ADD) !== 0;
    const create = (mask & IN_MASK_CREATE) !== 0;
    if (add && create) return -EINVAL;
    const kept = mask & (IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT);
    const old = this.hub.find(inode, this);
    if (old instanceof Watch) {
      if (create) return -EEXIST;
      old.mask = add ? old.mask | kept : kept;
      return old.wd;
    }
    if (this.account.watches >= this.hub.limits.watches) return -ENOSPC;
    this.account.watches++;
    const watch = new Watch(this, ++this.lastWd, inode, kept);
    this.watches.set(watch.wd, watch);
    this.hub.add(watch);
    return watch.wd;
  }

  /** inotify_rm_watch(2). */
  removeWatch(wd: number): number {
    const watch = this.watches.get(wd);
    if (watch === undefined) return -EINVAL;
    this.drop(watch);
    return 0;
  }

  /** Ends a watch, with IN_IGNORED as its last event. */
  drop(watch: Watch): void {
    if (!this.watches.delete(watch.wd)) return;
    this.account.watches--;
    this.enqueue({ wd: watch.wd, mask: IN_IGNORED, cookie: 0, name: '' });
    this.hub.remove(watch);
  }

  /** Two equal events in a row become one (inotify(7), NOTES). */
  enqueue(event: Event): void {
    const last = this.events.at(-1);
    if (last !== undefined && sameEvent(last, event)) return;
    const { queued: most } = this.hub.limits;
    if (this.events.length > most) return;
    const full = this.events.length === most;
    const queued = full ? { wd: -1, mask: IN_Q_OVERFLOW, cookie: 0, name: '' } : event;
    this.events.push(queued);
    this.bytes += sizeOf(queued);
    this.queue.wake(POLLIN | POLLRDNORM);
  }

  override read(buf: Uint8Array, off: number, len: number): number {
    if (this.events.length === 0) return -EAGAIN;
    let done = 0;
    let count = 0;
    for (const event of this.events) {
      const size = sizeOf(event);
      if (done + size > len) break;
      writeEvent(buf, off + done, event);
      done += size;
      count++;
    }
    if (count === 0) return -EINVAL;
    this.events.splice(0, count);
    this.bytes -= done;
    return done;
  }

  override poll(): number {
    return this.events.length > 0 ? POLLIN | POLLRDNORM : 0;
  }

  override ioctl(cmd: number, arg: number, user: UserMemory, _current: Current): number {
    return cmd === FIONREAD ? putInt(user, arg, this.bytes) : -ENOTTY;
  }

  override fdinfo(): string {
    const hex = (n: number): string => (n >>> 0).toString(16);
    let text = '';
    for (const { wd, inode, mask } of this.watches.values()) {
      text += `inotify wd:${hex(wd)} ino:${inode.ino.toString(16)} sdev:${hex(inode.sb.dev)} mask:${hex(mask)} ignored_mask:0\n`;
    }
    return text;
  }

  override release(): void {
    for (const watch of this.watches.values()) this.hub.remove(watch);
    this.account.watches -= this.watches.size;
    this.account.instances--;
    this.watches.clear();
  }
}

const sameEvent = (a: Event, b: Event): boolean =>
  a.mask === b.mask && a.wd === b.wd && a.cookie === b.cookie && a.name === b.name;

/** Bytes for the name with at least one NUL. */
const nameRoom = (name: string): number =>
  name === '' ? 0 : Math.ceil((name.length + 1) / INOTIFY_EVENT_SIZE) * INOTIFY_EVENT_SIZE;

const sizeOf = (event: Event): number => INOTIFY_EVENT_SIZE + nameRoom(event.name);

function writeEvent(buf: Uint8Array, off: number, { wd, mask, cookie, name }: Event): void {
  const room = nameRoom(name);
  put32(buf, off, wd);
  put32(buf, off + 4, mask);
  put32(buf, off + 8, cookie);
  put32(buf, off + 12, room);
  const at = off + INOTIFY_EVENT_SIZE;
  buf.fill(0, at, at + room);
  for (let i = 0; i < name.length; i++) buf[at + i] = name.charCodeAt(i);
}
