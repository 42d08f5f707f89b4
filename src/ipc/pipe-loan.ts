/**
 * A pipe that a thread reads and writes by itself (engine/answers.ts, `PipeAlong`), until somebody else has to do with it. What it
 * has to read is a copy of the pipe's bytes, which stay here until it is known how many of them were taken.
 */
import type { PipeAlong } from '../engine/answers.ts';

/** A thread's descriptors of a pipe's ends; -1: it has none of that end, or may not use it by itself. */
export interface PipeEnds {
  readonly read: number;
  readonly write: number;
}

/** What of the pipe a loan needs, and changes when it ends. */
export interface Lender {
  /** Copies the first `len` bytes to `to[off...]`. */
  peek(to: Uint8Array, off: number, len: number): void;
  /** The first `n` bytes are gone. */
  drop(n: number): void;
  append(buf: Uint8Array, off: number, len: number): void;
}

export class PipeLoan {
  /** How often the thread has done something. */
  uses = 0;
  private readonly pipe: Lender;
  private along: PipeAlong | null = null;

  constructor(pipe: Lender) {
    this.pipe = pipe;
  }

  get isOut(): boolean {
    return this.along !== null;
  }

  /** With the answer that the thread is about to get: `len` bytes to read, which are the whole pipe, or not. */
  begin(along: PipeAlong, { read, write }: PipeEnds, len: number, whole: boolean): void {
    if (len > 0) this.pipe.peek(along.bytes, along.place, len);
    along.send(read, write, len, whole);
    this.along = along;
  }

  /** What the thread has done is so now. */
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
