/**
 * epoll (epoll(7)): interest in many files, and a list of those that have news.
 *
 * An item listens on its file's wait queue for as long as it exists. A wake-up puts it on the ready list. `collect`
 * polls only the files on that list, so its cost grows with what is ready, not with what is watched. Level-triggered
 * items go back to the end of the list until their file has nothing more to report.
 *
 * Items hold no reference to their files: releasing a file's last reference removes its items.
 * An instance may watch others, at most five deep and never in a cycle.
 */
import type { Current } from '../core/current.ts';
import { WAKE_ALL, type Waiter, WaitQueue } from '../core/wait.ts';
import { File, type FileObserver } from '../fs/file.ts';
import type { Inode } from '../fs/inode.ts';
import {
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLL_PRIVATE_BITS,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLEXCLUSIVE_OK_BITS,
  EPOLLONESHOT,
} from '../uapi/epoll.ts';
import { EEXIST, EINVAL, ELOOP, ENOENT, EPERM } from '../uapi/errno.ts';
import { O_RDWR } from '../uapi/fcntl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLRDNORM } from '../uapi/poll.ts';

const ALWAYS = POLLERR | POLLHUP;
/** The most links in a chain of instances that watch one another. */
const MAX_NESTING = 4;

/** Receives one event: its bits and the two halves of the user's data. */
export type EmitEvent = (events: number, lo: number, hi: number) => void;

class Item implements Waiter {
  readonly epoll: Epoll;
  readonly file: File;
  readonly fd: number;
  readonly queue: WaitQueue;
  readonly exclusive: boolean;
  private readonly concerns: number;
  /** The bits asked for, with EPOLL_PRIVATE_BITS; only the latter once a one-shot item has fired. */
  events: number;
  lo = 0;
  hi = 0;

  constructor(epoll: Epoll, file: File, fd: number, queue: WaitQueue, events: number) {
    this.epoll = epoll;
    this.file = file;
    this.fd = fd;
    this.queue = queue;
    this.events = events;
    this.exclusive = (events & EPOLLEXCLUSIVE) !== 0;
    this.concerns = file.concerns & ~EPOLL_PRIVATE_BITS;
  }

  get armed(): boolean {
    return (this.events & ~EPOLL_PRIVATE_BITS) !== 0;
  }

  /** Events that were asked for and that the file has now. */
  revents(): number {
    if (!this.armed) return 0;
    this.epoll.asking(this.file);
    return this.file.poll() & this.events & ~EPOLL_PRIVATE_BITS;
  }

  woken(events: number): boolean {
    if (!this.armed) return false;
    if (events !== WAKE_ALL && (events & this.events & this.concerns) === 0) return false;
    // Without sleepers, an exclusive item leaves the wake-up to other waiters.
    const taken = this.exclusive && this.epoll.hasSleepers;
    this.epoll.markReady(this);
    return taken;
  }
}

export class Epoll extends File implements FileObserver {
  private readonly queue = new WaitQueue();
  private readonly items = new Map<File, Item[]>();
  private readonly ready = new Set<Item>();
  /** The task that asked last; null outside a machine. */
  private current: Current | null;

  constructor(inode: Inode) {
    super(inode, O_RDWR);
    this.current = null;
  }

  override get seekable(): boolean {
    return false;
  }

  override get waitq(): WaitQueue {
    return this.queue;
  }

  override get sendsSignals(): boolean {
    return false;
  }

  override get takesSpliced(): boolean {
    return false;
  }

  /** lseek(2) succeeds and changes nothing. */
  override seek(_offset: number, _whence: number): number {
    return this.pos;
  }

  /** epoll's own requests (ioctl_eventpoll(2)) are not implemented; any other is invalid. */
  override ioctl(): number {
    return -EINVAL;
  }

  override get linkName(): string {
    return 'anon_inode:[eventpoll]';
  }

  override fdinfo(): string {
    let text = '';
    for (const item of this.allItems()) {
      const data = (hex(item.hi, 8) + hex(item.lo, 8)).replace(/^0+(?=.)/, '');
      const { inode } = item.file;
      text += `tfd: ${String(item.fd).padStart(8)} events: ${hex(item.events, 1).padStart(8)} data: ${data.padStart(16)} `;
      text += ` pos:${item.file.pos} ino:${hex(inode.ino, 1)} sdev:${hex(inode.sb.dev, 1)}\n`;
    }
    return text;
  }

  get hasSleepers(): boolean {
    return !this.queue.empty;
  }

  /** Whether `collect` may find something. Does not poll the files: some report a change only once (/proc/mounts). */
  get hasNews(): boolean {
    return this.ready.size > 0;
  }

  override askedBy(current: Current): void {
    this.current = current;
  }

  /** Before a file is asked for whoever asks this instance, on whatever task's behalf it has been added. */
  asking(file: File): void {
    if (this.current !== null) file.askedBy(this.current);
  }

  /** Ready if some watched file is. Items on the ready list that are no longer ready leave it. */
  override poll(): number {
    for (const item of this.ready) {
      if (item.revents() !== 0) return POLLIN | POLLRDNORM;
      this.ready.delete(item);
    }
    return 0;
  }

  /** epoll_ctl(2) on a file open as descriptor `fd`; 0 or -errno. `lo` and `hi` are the halves of the user's data. */
  control(op: number, file: File, fd: number, events: number, lo: number, hi: number): number {
    this.asking(file);
    if (file.waitq === null) return -EPERM;
    if (file === this) return -EINVAL;
    if (op !== EPOLL_CTL_DEL && (events & EPOLLEXCLUSIVE) !== 0) {
      if (op === EPOLL_CTL_MOD) return -EINVAL;
      if (file instanceof Epoll || (events & ~EPOLLEXCLUSIVE_OK_BITS) !== 0) return -EINVAL;
    }
    if (op === EPOLL_CTL_ADD && file instanceof Epoll && this.wouldLoop(file)) return -ELOOP;
    const item = this.items.get(file)?.find(other => other.fd === fd);
    switch (op) {
      case EPOLL_CTL_ADD:
        return item === undefined ? this.add(file, fd, events, lo, hi) : -EEXIST;
      case EPOLL_CTL_MOD:
        return item === undefined ? -ENOENT : this.modify(item, events, lo, hi);
      case EPOLL_CTL_DEL:
        return item === undefined ? -ENOENT : this.remove(item);
    }
    return -EINVAL;
  }

  /** Emits up to `max` events, in the order in which items became ready; returns how many. */
  collect(max: number, emit: EmitEvent): number {
    let count = 0;
    let left = this.ready.size;
    for (const item of this.ready) {
      if (left-- === 0 || count === max) break;
      this.ready.delete(item);
      const events = item.revents();
      if (events === 0) continue;
      emit(events, item.lo, item.hi);
      count++;
      if ((item.events & EPOLLONESHOT) !== 0) item.events &= EPOLL_PRIVATE_BITS;
      else if ((item.events & EPOLLET) === 0) this.ready.add(item);
    }
    return count;
  }

  /** An item's file has news. Sleepers are woken once per item until it is collected. */
  markReady(item: Item): void {
    if (this.ready.has(item)) return;
    this.ready.add(item);
    this.queue.wake(POLLIN | POLLRDNORM);
  }

  /** A watched file is gone. */
  released(file: File): void {
    for (const item of this.items.get(file) ?? []) this.detach(item);
    this.items.delete(file);
  }

  override release(): void {
    for (const item of this.allItems()) {
      this.detach(item);
      item.file.observers?.delete(this);
    }
    this.items.clear();
  }

  private add(file: File, fd: number, events: number, lo: number, hi: number): number {
    const item = new Item(this, file, fd, file.waitq!, events | ALWAYS);
    item.lo = lo;
    item.hi = hi;
    const items = this.items.get(file);
    if (items === undefined) this.items.set(file, [item]);
    else items.push(item);
    file.observers ??= new Set();
    file.observers.add(this);
    item.queue.add(item);
    if (item.revents() !== 0) this.markReady(item);
    return 0;
  }

  private modify(item: Item, events: number, lo: number, hi: number): number {
    if (item.exclusive) return -EINVAL;
    item.events = events | ALWAYS;
    item.lo = lo;
    item.hi = hi;
    if (item.revents() !== 0) this.markReady(item);
    return 0;
  }

  private remove(item: Item): number {
    this.detach(item);
    const items = this.items.get(item.file)!;
    items.splice(items.indexOf(item), 1);
    if (items.length > 0) return 0;
    this.items.delete(item.file);
    item.file.observers?.delete(this);
    return 0;
  }

  private detach(item: Item): void {
    item.queue.remove(item);
    this.ready.delete(item);
  }

  private *allItems(): Generator<Item> {
    for (const items of this.items.values()) yield* items;
  }

  /** Whether watching `target` would close a cycle or nest too deep. */
  private wouldLoop(target: Epoll): boolean {
    const seen = new Map<Epoll, number>();
    const below = target.height(seen);
    return seen.has(this) || below + 1 + this.depth(new Map()) > MAX_NESTING;
  }

  /** The longest chain of instances watched from here, in links; adds all of them to `seen`. */
  private height(seen: Map<Epoll, number>): number {
    const known = seen.get(this);
    if (known !== undefined) return known;
    seen.set(this, 0);
    let height = 0;
    for (const file of this.items.keys()) {
      if (file instanceof Epoll) height = Math.max(height, 1 + file.height(seen));
    }
    seen.set(this, height);
    return height;
  }

  /** The longest chain of instances that watch this one, in links. */
  private depth(seen: Map<Epoll, number>): number {
    const known = seen.get(this);
    if (known !== undefined) return known;
    seen.set(this, 0);
    let depth = 0;
    for (const watcher of this.observers ?? []) {
      if (watcher instanceof Epoll) depth = Math.max(depth, 1 + watcher.depth(seen));
    }
    seen.set(this, depth);
    return depth;
  }
}

const hex = (n: number, width: number): string => (n >>> 0).toString(16).padStart(width, '0');
