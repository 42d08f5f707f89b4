/**
 * An empty space kept ready once new ones are being asked for, as making one takes the host longer than a program wants
 * to wait. Its process may die before it is used.
 */
import type { NativeThread } from './native-thread.ts';

export interface SpareOptions {
  /** Makes a space. Returns its thread, which waits for its first program. */
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

  /** Call it when there is time. The last thread slot is left to whatever needs it now. */
  keep(): void {
    if (this.wanted && this.options.room() > 1) this.ready = this.options.make();
    this.wanted = false;
  }
}
