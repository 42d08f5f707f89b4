/**
 * Process and thread numbers: one after the other, from 2 on again after the largest (proc(5), pid_max).
 *
 * A number stays in use while a task, a process, a process group or a session has it.
 */
import { EAGAIN, EEXIST, EINVAL } from '../uapi/errno.ts';

/** What pid_max is with up to 32 processors; the largest number is one less. */
const PID_MAX = 32768;
/** After the first round, the lowest numbers are left to the programs of the boot. */
const RESERVED = 300;

export class PidAllocator {
  private last = 0;
  private max = PID_MAX;
  private readonly used: (pid: number) => boolean;

  constructor(used: (pid: number) => boolean) {
    this.used = used;
  }

  /** The number that was given out last (proc(5), loadavg). */
  get latest(): number {
    return this.last;
  }

  /** The next search begins behind this one (proc_sys_kernel(5), ns_last_pid). */
  set latest(pid: number) {
    this.last = pid;
  }

  get pidMax(): number {
    return this.max;
  }

  set pidMax(max: number) {
    this.max = max;
  }

  /** A free number, or -EAGAIN when all are taken. */
  alloc(): number {
    for (let pid = this.next(this.last), tries = 0; tries < this.max; pid = this.next(pid), tries++) {
      if (this.used(pid)) continue;
      this.last = pid;
      return pid;
    }
    return -EAGAIN;
  }

  /** The number that somebody wants (clone3(2), set_tid): it, -EEXIST, or -EINVAL for what is none. */
  take(pid: number): number {
    if (pid <= 0 || pid >= this.max) return -EINVAL;
    return this.used(pid) ? -EEXIST : pid;
  }

  private next(pid: number): number {
    return pid + 1 < this.max ? pid + 1 : RESERVED;
  }
}
