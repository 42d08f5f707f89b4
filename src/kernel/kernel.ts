/**
 * The kernel of one machine: what all its tasks share. Everything hangs from here; there is no other state.
 */
import type { Clock, Timers } from '../core/clock.ts';
import type { Printk } from '../core/printk.ts';
import type { Vfs } from '../fs/vfs.ts';
import type { Task } from './task.ts';
import type { ThreadGroup } from './thread-group.ts';

export interface Kernel {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly printk: Printk;
  readonly vfs: Vfs;
  /** Tasks by thread number, and thread groups by process number, zombies included. */
  readonly tasks: Map<number, Task>;
  readonly groups: Map<number, ThreadGroup>;
  /** Told by whoever resolves a promise that a handler waits for, so that the loop lets it run. */
  promiseResolved(): void;
}
