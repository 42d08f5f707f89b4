/**
 * Contexts of asynchronous I/O (io_setup(2)): they keep finished requests until a caller fetches them. A context
 * belongs to an address space and goes with it; its id is the address of a page there.
 */
import type { IoEvent } from '../arch/x86_64/structs/aio.ts';
import { WaitQueue } from '../core/wait.ts';
import type { Mm } from '../mm/mm.ts';

export class AioContext {
  readonly events: IoEvent[] = [];
  readonly waitq: WaitQueue = new WaitQueue();
  /** The most requests it holds, under way and finished together. */
  readonly size: number;
  destroyed = false;

  constructor(size: number) {
    this.size = size;
  }

  complete(event: IoEvent): void {
    this.events.push(event);
    this.waitq.wake();
  }
}

export class AioContexts {
  private readonly spaces: WeakMap<Mm, Map<number, AioContext>> = new WeakMap();

  get(mm: Mm | null, id: number): AioContext | undefined {
    return mm === null ? undefined : this.spaces.get(mm)?.get(id);
  }

  /** Requests that the contexts of an address space hold together at most. */
  room(mm: Mm): number {
    let all = 0;
    for (const { size } of this.spaces.get(mm)?.values() ?? []) all += size;
    return all;
  }

  add(mm: Mm, id: number, context: AioContext): void {
    const known = this.spaces.get(mm);
    if (known === undefined) this.spaces.set(mm, new Map([[id, context]]));
    else known.set(id, context);
  }

  /** Callers that wait for events get EINVAL. */
  remove(mm: Mm, id: number): AioContext | undefined {
    const context = this.get(mm, id);
    if (context === undefined) return undefined;
    this.spaces.get(mm)!.delete(id);
    context.destroyed = true;
    context.waitq.wake();
    return context;
  }
}
