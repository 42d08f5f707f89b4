/** A process of the host that sleeps, for files that tell about it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Once it does nothing any more. */
export async function startSleeper(): Promise<ChildProcess> {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  while (!asleep(child.pid!)) await new Promise(resolve => setTimeout(resolve, 10));
  return child;
}

/** Whether it waits in clock_nanosleep(2), x86-64's 230. */
const asleep = (pid: number): boolean =>
  / S /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')) && syscallOf(pid).startsWith('230 ');

function syscallOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/syscall`, 'latin1');
  } catch {
    // Hidden from us: that it sleeps has to be enough.
    return '230 ';
  }
}
