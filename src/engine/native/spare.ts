/**
 * An empty space that is kept ready where new ones are asked for: to make one takes the host longer than a program wants to
 * wait. Its process may have died before it is used.
 */
import type { NativeThread } from './native-thread.ts';

export interface SpareOptions {
  /** Makes a space; answers its thread, which waits for its first program. */
  make(): NativeThread;
  /** How many threads can still be had. */
  room(): number;
}

export class Spare {
  private readonly options: SpareOptions;
  private ready: NativeThread | null = null;
  private wanted = false;

  constructor(options: SpareOptions) {
    this.options = options;
  }

  take(): NativeThread {
    const { ready } = this;
    this.ready = null;
    this.wanted = true;
    return ready === null || ready.space.dead ? this.options.make() : ready;
  }

  /** To be called when there is time. The last thread is left to who needs it now. */
  keep(): void {
    if (this.wanted && this.options.room() > 1) this.ready = this.options.make();
    this.wanted = false;
  }
}
