/** Reaps children before this process executes another program, which would not know of them. */
import type { Libc } from './libc.ts';

const NR = { wait4: 61 } as const;
const WNOHANG = 1;
const EVERY_MS = 2;
const LIMIT_MS = 1000;

/** Reaps the children that end within about a second; returns early if there are none left. */
export function reapChildren(libc: Libc): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; waited < LIMIT_MS; ) {
    const child = libc.syscall(NR.wait4, -1, 0, WNOHANG, 0);
    if (child < 0) return;
    if (child > 0) continue;
    Atomics.wait(clock, 0, 0, EVERY_MS);
    waited += EVERY_MS;
  }
}
