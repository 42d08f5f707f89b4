/**
 * The core of poll(2) and select(2): a set of files with the events asked of each, scanned without waiting.
 *
 * The system call fills a set and `scan`s it. If nothing is ready, it sleeps on `queues()` for `wanted` and scans
 * again.
 */
import type { Current } from '../core/current.ts';
import type { WaitQueue } from '../core/wait.ts';
import type { File } from '../fs/file.ts';
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from '../uapi/poll.ts';

/** What makes a descriptor readable, writable or exceptional to select(2). */
export const SELECT_IN = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR | POLLNVAL;
export const SELECT_OUT = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR | POLLNVAL;
export const SELECT_EX = POLLPRI | POLLNVAL;
/** Reported whether asked for or not. */
const ALWAYS = POLLERR | POLLHUP;

export class PollSet {
  private readonly current: Current | null;
  private readonly files: (File | null)[] = [];
  private readonly asked: number[] = [];
  private readonly found: number[] = [];
  private used = 0;
  /** All events that a sleeper on `queues()` wants to be woken for. */
  wanted = ALWAYS;

  /** `current` is the task that asks; null outside a machine. */
  constructor(current: Current | null) {
    this.current = current;
  }

  get size(): number {
    return this.used;
  }

  /** Asks for `events` of a file; null stands for a closed descriptor (POLLNVAL). */
  add(file: File | null, events: number): void {
    const i = this.used++;
    this.files[i] = file;
    this.asked[i] = events | ALWAYS;
    this.found[i] = file === null ? POLLNVAL : 0;
    this.wanted |= events;
  }

  /** An entry that asks for nothing and reports nothing: poll(2) with a negative descriptor. */
  skip(): void {
    this.add(null, 0);
    this.found[this.used - 1] = 0;
  }

  /** Polls all files; returns how many have something to report. */
  scan(): number {
    let count = 0;
    for (let i = 0; i < this.used; i++) {
      const file = this.files[i]!;
      if (file !== null) this.found[i] = this.asking(file).poll() & this.asked[i]!;
      if (this.found[i] !== 0) count++;
    }
    return count;
  }

  /** What the latest scan found at entry `i`. */
  revents(i: number): number {
    return this.found[i]!;
  }

  /** The queues to sleep on, each once. */
  queues(): WaitQueue[] {
    const queues = new Set<WaitQueue>();
    for (const file of this.files) {
      const queue = file === null ? null : this.asking(file).waitq;
      if (queue !== null) queues.add(queue);
    }
    return [...queues];
  }

  private asking(file: File): File {
    if (this.current !== null) file.askedBy(this.current);
    return file;
  }
}
