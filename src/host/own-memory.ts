/** What V8 keeps for this process, the machine's kernel: it is the host's memory as well. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** With this part of what it may have V8 does little else than to look for garbage. */
const NEARLY_ALL = 0.7;

export class OwnMemory {
  private gc: (() => void) | null = null;

  /** Bytes of objects and arrays, garbage among them. */
  get used(): number {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  }

  get isNearlyFull(): boolean {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    return used > limit * NEARLY_ALL;
  }

  /** Gives garbage back. Takes a second for a GiB. */
  collect(): void {
    if (this.gc === null) {
      // Whoever says so from the start has other compiled code than what the build kept.
      setFlagsFromString('--expose-gc');
      this.gc = runInNewContext('gc') as () => void;
    }
    this.gc();
  }
}
