/** The memory that V8 uses for this process, the machine's kernel. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Above this share of its heap limit, V8 does little but collect garbage. */
const NEARLY_ALL = 0.7;

export class OwnMemory {
  private gc: (() => void) | null = null;

  /** Bytes of objects and arrays, including garbage. */
  get used(): number {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  }

  get isNearlyFull(): boolean {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    return used > limit * NEARLY_ALL;
  }

  /** Collects garbage. Takes a second for each GiB. */
  collect(): void {
    if (this.gc === null) {
      // Not set from the start: the compiled code that the build kept would not match.
      setFlagsFromString('--expose-gc');
      this.gc = runInNewContext('gc') as () => void;
    }
    this.gc();
  }
}
