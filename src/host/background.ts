/**
 * V8's helper threads compile and collect garbage beside the kernel. They get what nobody else wants of the host's
 * processors (SCHED_IDLE, sched(7)): a guest never waits for one of them.
 */
import { readdirSync } from 'node:fs';
import type { Libc } from './libc.ts';

const NR_SCHED_SETSCHEDULER = 144;
const SCHED_IDLE = 5;

/** All threads of this process but the calling one, which is the main thread. */
export function idleBackground(libc: Libc): void {
  const priority = new Uint8Array(4);
  const at = libc.addressOf(priority);
  for (const name of readdirSync('/proc/self/task')) {
    const tid = Number(name);
    if (tid !== process.pid) libc.syscall(NR_SCHED_SETSCHEDULER, tid, SCHED_IDLE, at);
  }
}
