/** What the kernel counts of all tasks since boot (proc_stat(5)). */
import { CallTime } from './call-time.ts';
import { Usage } from './usage.ts';

export class Tally {
  /** Processes and threads made. */
  forks = 0;
  readonly callTime: CallTime = new CallTime();
  /** What ended tasks have used. */
  readonly ended: Usage = new Usage();
}
