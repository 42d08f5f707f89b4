/**
 * Pipes between two processes that take turns, or one of which feeds the other. While only these two use such a pipe,
 * and what is written is small, they read and write it on their own (engine/answers.ts, `Channel`). The channel is made
 * once both have asked often. It opens with an answer to one of them, and closes (`Pipe.recall`) when anything else
 * looks at the pipe, when one of the two makes a call that could involve its descriptors or has a signal to take, and
 * when nothing has come for a while.
 */
import type { Channel, ChannelEnds, PipeEnd } from '../engine/answers.ts';
import { PIPE_BUF, type Pipe, type SharedPipe } from '../ipc/pipe.ts';
import type { PipeFile } from '../ipc/pipe-file.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { isAlone } from './along.ts';
import type { Kernel } from './kernel.ts';
import { Rounds } from './rounds.ts';
import type { Task } from './task.ts';

/** After so many openings in vain it is not opened any more. */
const MOST_IDLE = 8;
/** How often the kernel checks whether anything has come, ns: until nothing has, a waiting party counts as running. */
const TICK = 1e7;
/**
 * For so many ticks after the channel was closed, a waiting party is woken: it sleeps on the other's word, and the
 * other can write there what it wants, and so send it to sleep although the channel is closed.
 */
const CALLS = 16;

/** One of the two processes. */
interface Party {
  readonly task: Task;
  readonly file: PipeFile;
  readonly fd: number;
}

type Parties = { readonly [end in PipeEnd]?: Party | undefined };

const ENDS = ['write', 'read'] as const;

export class PipeBetween implements SharedPipe {
  isOpen = false;
  readonly write: Party;
  readonly read: Party;
  /** The parties that see it, and those that never will again. */
  private readonly shown: Record<PipeEnd, boolean> = { write: false, read: false };
  private readonly left: Record<PipeEnd, boolean> = { write: false, read: false };
  private readonly kernel: Kernel;
  private readonly channel: Channel;
  private readonly offset: number;
  private idle = 0;
  /** How many more times waiting parties will be woken. */
  private calls = 0;

  private constructor(kernel: Kernel, offset: number, { write, read }: Record<PipeEnd, Party>) {
    this.kernel = kernel;
    this.write = write;
    this.read = read;
    this.offset = offset;
    this.channel = kernel.engine.channel(offset);
  }

  /** Null if there is no memory for it. */
  static make(kernel: Kernel, parties: Record<PipeEnd, Party>): PipeBetween | null {
    const { ram, engine } = kernel;
    if (!ram.charge(pagesOf(kernel))) return null;
    const offset = ram.alloc(engine.channelSize);
    if (offset < 0) {
      ram.charge(-pagesOf(kernel));
      return null;
    }
    const between = new PipeBetween(kernel, offset, parties);
    for (const end of ENDS) {
      const { task } = parties[end];
      task.pipesBetween ??= new PipesBetween();
      task.pipesBetween.take(end, between);
    }
    return between;
  }

  get isHopeless(): boolean {
    return this.idle >= MOST_IDLE;
  }

  /** One of the two has gone or has become another program. */
  get isOver(): boolean {
    return this.left.write || this.left.read;
  }

  /** Sends it with this party's next answer. */
  show(end: PipeEnd): void {
    const { task, fd } = this[end];
    this.shown[end] = true;
    task.thread!.channels!.show(end, this.offset, fd);
  }

  private get mayOpen(): boolean {
    const { shown, write, read, channel } = this;
    const { pipe } = read.file;
    if (this.isOpen || this.isHopeless || this.isOver || pipe.shared !== this) return false;
    if (!shown.write || !shown.read || !mayShare(write, read)) return false;
    return pipe.mayBeShared(channel.size, channel.most);
  }

  open(): void {
    if (!this.mayOpen) return;
    const { pipe } = this.read.file;
    this.channel.open(pipe.bytes, (to, off, len) => pipe.moveTo(to, off, len));
    this.isOpen = true;
    this.kernel.openPipes.add(this);
  }

  close(): void {
    if (this.isOpen) this.idle = this.end() ? 0 : this.idle + 1;
  }

  /**
   * Whether to look again next tick. If nothing came for a while, it was not opened in vain: something may come yet.
   */
  look(): boolean {
    if (!this.isOpen) {
      if (this.calls > 0) this.channel.callBack();
      return --this.calls > 0;
    }
    if (this.channel.rests() && this.end()) this.idle = 0;
    return true;
  }

  /** Puts what is left into the pipe; returns whether the channel was used. */
  private end(): boolean {
    const { channel } = this;
    this.isOpen = false;
    this.calls = CALLS;
    const wasUsed = channel.close();
    const { left } = channel;
    if (left > 0) {
      const rest = new Uint8Array(left);
      channel.copy(rest, 0);
      this.read.file.pipe.append(rest, 0, left);
    }
    return wasUsed;
  }

  /** This party no longer sees it, or will not for long. */
  leave(end: PipeEnd): void {
    const { kernel, left, offset } = this;
    this.close();
    if (left[end]) return;
    left[end] = true;
    if (!left.write || !left.read) return;
    this.calls = 0;
    kernel.ram.charge(-pagesOf(kernel));
    kernel.ram.free(offset, kernel.engine.channelSize);
  }
}

/**
 * A task's channels, one for each end: `has` is the present one, `sees` the one that its program sees or may still see.
 */
export class PipesBetween {
  private readonly has: Record<PipeEnd, PipeBetween | null> = { write: null, read: null };
  private readonly sees: Record<PipeEnd, PipeBetween | null> = { write: null, read: null };

  /** Replaces the channel it had. */
  take(end: PipeEnd, between: PipeBetween): void {
    const before = this.has[end];
    before?.close();
    if (before !== this.sees[end]) before?.leave(end);
    this.has[end] = between;
  }

  /** Sends them with the task's next answer, and opens what can be opened. */
  send(): void {
    for (const end of ENDS) if (this.has[end] !== this.sees[end]) this.change(end, this.has[end]!);
    this.has.write?.open();
    this.has.read?.open();
  }

  private change(end: PipeEnd, to: PipeBetween): void {
    const before = this.sees[end];
    to.show(end);
    this.sees[end] = to;
    before?.leave(end);
  }

  close(): void {
    this.has.write?.close();
    this.has.read?.close();
  }

  /**
   * The program is over, but its memory may be another's, or live on for a while: what was seen there has to be hidden
   * before its pages get another use.
   */
  leave(ends: ChannelEnds): void {
    for (const end of ENDS) {
      if (this.sees[end] !== null) ends.hide(end);
      this.sees[end]?.leave(end);
      this.has[end]?.leave(end);
    }
  }
}

/** Channels that are open, or were a moment ago. */
export class OpenPipes extends Rounds<PipeBetween> {
  constructor(kernel: Pick<Kernel, 'timers' | 'clock'>) {
    super(kernel, TICK);
  }
}

/** Pipes often asked for by tasks that could share a channel with another. */
export class PipeMeetings {
  private readonly waiting: WeakMap<Pipe, Parties> = new WeakMap();

  /**
   * The task asks to move `count` bytes through `file`, at descriptor `fd`. Returns whether it shares the pipe with
   * another now.
   */
  come(task: Task, file: PipeFile, fd: number, count: number): boolean {
    const { pipe, readable } = file;
    const { shared } = pipe;
    const party = { task, file, fd };
    const end = readable ? 'read' : 'write';
    // The first pair keeps it: pairs that take it from one another would do nothing else.
    if (shared instanceof PipeBetween && !shared.isOver)
      return !shared.isHopeless && isSame(shared[end], party);
    // Larger writes are the kernel's.
    if (!isUsable(party) || (end === 'write' && count > PIPE_BUF)) return false;
    const { write, read } = this.waiting.get(pipe) ?? {};
    const parties = end === 'read' ? { write, read: party } : { write: party, read };
    if (!isPair(parties)) {
      this.waiting.set(pipe, parties);
      return false;
    }
    this.waiting.delete(pipe);
    pipe.recall();
    pipe.shared = PipeBetween.make(task.kernel, parties);
    return pipe.shared !== null;
  }
}

/** Called when the task's program is over. */
export function leaveBetween(task: Task): void {
  const { pipesBetween, thread } = task;
  if (pipesBetween === null) return;
  task.pipesBetween = null;
  pipesBetween.leave(thread!.channels!);
}

const pagesOf = ({ engine }: Kernel): number => engine.channelSize / PAGE_SIZE;

const isSame = (a: Party, b: Party): boolean => a.task === b.task && a.fd === b.fd && a.file === b.file;

/** Whether only the party's one thread can use the descriptor, and would wait there. */
const isUsable = ({ task, file, fd }: Party): boolean =>
  task.thread?.channels != null &&
  task.mm?.users === 1 &&
  task.files.get(fd) === file &&
  file.goesAlong &&
  !file.nonblocking &&
  file.readable !== file.writable &&
  isAlone(task);

/**
 * Whether the two may share the pipe: alone, or with others if both are one user's. A reader can make what it has read
 * come again, for others that read after it.
 */
const mayShare = (write: Party, read: Party): boolean =>
  isUsable(write) &&
  isUsable(read) &&
  ((write.file.refs === 1 && read.file.refs === 1) || write.task.cred.uid === read.task.cred.uid);

const isPair = (parties: Parties): parties is Record<PipeEnd, Party> => {
  const { write, read } = parties;
  return write !== undefined && read !== undefined && write.task !== read.task && mayShare(write, read);
};
