/**
 * POSIX message queues (mq_overview(7)): messages with priorities, the highest first, the oldest first among equals.
 * A queue goes when it has no name and is not open.
 */
import type { Cred } from '../core/cred.ts';
import { WaitQueue } from '../core/wait.ts';
import { File } from '../fs/file.ts';
import type { Inode } from '../fs/inode.ts';
import { EAGAIN } from '../uapi/errno.ts';
import { MQ_PRIO_MAX } from '../uapi/mqueue.ts';
import { POLLIN, POLLOUT } from '../uapi/poll.ts';

export interface PosixMessage {
  readonly priority: number;
  readonly text: Uint8Array;
}

/** A process (`owner`) registered for a message to the empty queue (mq_notify(3)). */
export interface Notification {
  readonly owner: object;
  readonly pid: number;
  /** SIGEV_SIGNAL or SIGEV_NONE, and the signal. */
  readonly how: number;
  readonly signal: number;
  readonly isGone: () => boolean;
  readonly tell: (sender: Cred, pid: number) => void;
}

const NOBODY = { how: 0, signal: 0, pid: 0 };
/** Bytes that each message costs beyond its text, and each priority that there could be, against RLIMIT_MSGQUEUE. */
const PER_MESSAGE = 48;
const PER_PRIORITY = 48;

/**
 * /proc/sys/fs/mqueue: without CAP_SYS_RESOURCE, the most queues, messages in a queue and bytes of a message; and the
 * defaults of a queue.
 */
export class QueueLimits {
  queues = 256;
  messages = 10;
  size = 8192;
  defaultMessages = 10;
  defaultSize = 8192;
}

export class PosixQueue {
  /** The owner: its files show it, and permissions depend on it. */
  readonly cred: Cred;
  readonly mode: number;
  readonly maxMessages: number;
  readonly maxSize: number;
  readonly messages: PosixMessage[] = [];
  readonly waitq: WaitQueue = new WaitQueue();
  /** Tasks that sleep in mq_receive: while there is one, a message triggers no notification. */
  receivers = 0;
  private notification: Notification | null = null;
  /** The machine's queues, as long as they have a name or are open: that long they count against limits. */
  private readonly living: Set<PosixQueue>;
  private users = 1;

  /** With one user, its name. */
  constructor(living: Set<PosixQueue>, cred: Cred, mode: number, maxMessages: number, maxSize: number) {
    this.living = living;
    living.add(this);
    this.cred = cred;
    this.mode = mode;
    this.maxMessages = maxMessages;
    this.maxSize = maxSize;
  }

  /** What it is charged to its maker's RLIMIT_MSGQUEUE (getrlimit(2)). */
  get bytes(): number {
    const { maxMessages, maxSize } = this;
    return maxMessages * (maxSize + PER_MESSAGE) + Math.min(maxMessages, MQ_PRIO_MAX) * PER_PRIORITY;
  }

  hold(): void {
    this.users++;
  }

  /** Its name is gone, or one of its open files. */
  drop(): void {
    if (--this.users === 0) this.living.delete(this);
  }

  get isFull(): boolean {
    return this.messages.length >= this.maxMessages;
  }

  /** 0, or -EAGAIN when the queue is full. */
  send(message: PosixMessage, sender: Cred, pid: number): number {
    if (this.isFull) return -EAGAIN;
    const wasEmpty = this.messages.length === 0;
    const after = this.messages.findLastIndex(other => other.priority >= message.priority);
    this.messages.splice(after + 1, 0, message);
    if (wasEmpty && this.receivers === 0) this.notify(sender, pid);
    this.waitq.wake(POLLIN);
    return 0;
  }

  private notify(sender: Cred, pid: number): void {
    const { registered } = this;
    this.notification = null;
    registered?.tell(sender, pid);
  }

  receive(): PosixMessage | null {
    const message = this.messages.shift() ?? null;
    if (message !== null) this.waitq.wake(POLLOUT);
    return message;
  }

  get registered(): Notification | null {
    if (this.notification?.isGone() === true) this.notification = null;
    return this.notification;
  }

  register(notification: Notification): void {
    this.notification = notification;
  }

  unregister(owner: object | null): void {
    if (this.notification?.owner === owner) this.notification = null;
  }
}

export class MqueueFile extends File {
  readonly posix: PosixQueue;
  private readonly caller: () => object | null;

  /** `caller` returns the process that closes a descriptor. */
  constructor(inode: Inode, queue: PosixQueue, flags: number, caller: () => object | null) {
    super(inode, flags);
    this.posix = queue;
    this.caller = caller;
    queue.hold();
  }

  override get waitq(): WaitQueue {
    return this.posix.waitq;
  }

  override get sendsSignals(): boolean {
    return false;
  }

  override get splices(): boolean {
    return false;
  }

  override get takesSpliced(): boolean {
    return false;
  }

  /** The contents that mq_overview(7) describes: bytes in the queue, and which process is notified, and how. */
  override read(buf: Uint8Array, off: number, len: number, pos: number): number {
    const { posix } = this;
    const size = posix.messages.reduce((sum, { text }) => sum + text.length, 0);
    const { how, signal, pid } = posix.registered ?? NOBODY;
    const field = (name: string, value: number, width: number): string =>
      `${name}:${String(value).padEnd(width)}`;
    const who = `${field('NOTIFY', how, 5)} ${field('SIGNO', signal, 5)} ${field('NOTIFY_PID', pid, 6)}`;
    const line = `${field('QSIZE', size, 10)} ${who}\n`;
    const part = line.slice(pos, pos + len);
    for (let i = 0; i < part.length; i++) buf[off + i] = part.charCodeAt(i);
    return part.length;
  }

  override poll(): number {
    const { posix } = this;
    return (posix.messages.length > 0 ? POLLIN : 0) | (posix.isFull ? 0 : POLLOUT);
  }

  /** Closing any descriptor of the queue ends the process's registration (mq_close(3)). */
  override flush(): number {
    this.posix.unregister(this.caller());
    return 0;
  }

  override release(): void {
    this.posix.drop();
  }
}
