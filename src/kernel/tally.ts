/** What the kernel counts of all tasks since boot (proc_stat(5)). */
import { CallTime } from './call-time.ts';
import { Usage } from './usage.ts';

export class Tally {
  /** Processes and threads that were made. */
  forks = 0;
  readonly callTime: CallTime = new CallTime();
  /** Used by tasks that have ended. */
  readonly ended: Usage = new Usage();
}
