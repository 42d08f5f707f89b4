/** Message queues (msgget(2), msgop(2)): messages of bytes with a type, in order of arrival. */
import type { Cred } from '../../core/cred.ts';
import { WaitQueue } from '../../core/wait.ts';
import type { Result } from '../../lib/result.ts';
import { E2BIG, EAGAIN, EINVAL, ENOMSG } from '../../uapi/errno.ts';
import { MSG_COPY, MSG_EXCEPT, MSG_NOERROR, MSGMAX, MSGMNB, MSGMNI } from '../../uapi/ipc.ts';
import { IpcObject, IpcTable } from './ids.ts';

export interface Message {
  readonly type: number;
  readonly text: Uint8Array;
}

export class MessageQueue extends IpcObject {
  readonly messages: Message[] = [];
  /** Woken when there is room (`roomq`) or a message (`messageq`). */
  readonly roomq: WaitQueue = new WaitQueue();
  readonly messageq: WaitQueue = new WaitQueue();
  qbytes: number;
  cbytes = 0;
  stime = 0;
  rtime = 0;
  lspid = 0;
  lrpid = 0;

  constructor(key: number, flags: number, cred: Cred, now: number, qbytes: number) {
    super(key, flags, cred, now);
    this.qbytes = qbytes;
  }

  /** 0, or -EAGAIN when the queue is full. */
  send(message: Message, pid: number, now: number): number {
    const { length } = message.text;
    if (this.cbytes + length > this.qbytes || this.messages.length >= this.qbytes) return -EAGAIN;
    this.messages.push(message);
    this.cbytes += length;
    this.lspid = pid;
    this.stime = now;
    this.messageq.wake();
    return 0;
  }

  /** -ENOMSG, or if the message is longer than `size`: -E2BIG without MSG_NOERROR, -EINVAL with it and MSG_COPY. */
  receive(type: number, size: number, flags: number, pid: number, now: number): Result<Message> {
    const index = this.indexOf(type, flags);
    const message = this.messages[index];
    if (message === undefined) return -ENOMSG;
    if (message.text.length > size && (flags & MSG_NOERROR) === 0) return -E2BIG;
    if ((flags & MSG_COPY) !== 0) return message.text.length > size ? -EINVAL : message;
    this.messages.splice(index, 1);
    this.cbytes -= message.text.length;
    this.lrpid = pid;
    this.rtime = now;
    this.roomq.wake();
    return message;
  }

  private indexOf(type: number, flags: number): number {
    if ((flags & MSG_COPY) !== 0) return type;
    if (type === 0) return 0;
    if (type > 0) return this.messages.findIndex(m => (m.type === type) === ((flags & MSG_EXCEPT) === 0));
    let lowest = -1;
    for (const [i, message] of this.messages.entries()) {
      if (message.type <= -type && message.type < (this.messages[lowest]?.type ?? Infinity)) lowest = i;
    }
    return lowest;
  }
}

export class MessageQueues extends IpcTable<MessageQueue> {
  /** The longest message, and the capacity of a new queue, in bytes (msgmax, msgmnb). */
  maxMessage: number = MSGMAX;
  maxBytes: number = MSGMNB;

  constructor() {
    super(MSGMNI);
  }

  msgget(key: number, flags: number, cred: Cred, now: number): number {
    return this.get(
      key,
      flags,
      cred,
      () => 0,
      () => new MessageQueue(key, flags, cred, now, this.maxBytes),
    );
  }

  /** Tasks that sleep on the queue get EIDRM. */
  destroy(queue: MessageQueue): void {
    this.remove(queue);
    queue.roomq.wake();
    queue.messageq.wake();
  }
}
