/**
 * A loan: a thread reads and writes a pipe on its own (engine/answers.ts, `PipeAlong`) until anything else uses the
 * pipe. The thread reads a copy; the pipe keeps its bytes until the kernel learns how many the thread has taken.
 */
import type { PipeAlong } from '../engine/answers.ts';

/** A thread's descriptors of a pipe's ends; -1: it has none of that end, or may not use it on its own. */
export interface PipeEnds {
  readonly read: number;
  readonly write: number;
}

/** What a loan needs of the pipe. */
export interface Lender {
  /** Copies the first `len` bytes to `to[off...]`. */
  peek(to: Uint8Array, off: number, len: number): void;
  /** Removes the first `n` bytes. */
  drop(n: number): void;
  append(buf: Uint8Array, off: number, len: number): void;
}

export class PipeLoan {
  /** How many loans the thread has made use of. */
  uses = 0;
  private readonly pipe: Lender;
  private along: PipeAlong | null = null;

  constructor(pipe: Lender) {
    this.pipe = pipe;
  }

  get isOut(): boolean {
    return this.along !== null;
  }

  /** Lends `len` bytes, the `whole` pipe or a part of it, with the answer that the thread is about to get. */
  begin(along: PipeAlong, { read, write }: PipeEnds, len: number, whole: boolean): void {
    if (len > 0) this.pipe.peek(along.bytes, along.place, len);
    along.send(read, write, len, whole);
    this.along = along;
  }

  /** Takes the pipe back and applies to it what the thread has read and written. */
  end(): void {
    const { along, pipe } = this;
    this.along = null;
    if (along === null || !along.take()) return;
    const { taken, start, end } = along;
    if (taken > 0) pipe.drop(taken);
    if (end > start) pipe.append(along.bytes, start, end - start);
    this.uses++;
  }
}
