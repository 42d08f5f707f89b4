/** New address spaces for tasks. */
import type { EngineThread } from '../engine/engine.ts';
import { Mm } from '../mm/mm.ts';
import type { Kernel } from './kernel.ts';

/** An empty address space with its first thread. */
export function newSpaceFor(kernel: Kernel): { thread: EngineThread; mm: Mm } {
  const thread = kernel.engine.newSpace();
  return { thread, mm: new Mm(thread.space, kernel.mmHost) };
}
