/**
 * Process and thread numbers: in sequence, and from 300 again after the largest (proc(5), pid_max).
 *
 * A number stays in use while a task, a process, a process group or a session has it.
 */
import { EAGAIN, EEXIST, EINVAL } from '../uapi/errno.ts';

/** pid_max with up to 32 processors; the largest number is one less. */
const PID_MAX = 32768;
/** After the first round, the lowest numbers are left to programs started at boot. */
const RESERVED = 300;

export class PidAllocator {
  private last = 0;
  private max = PID_MAX;
  private readonly used: (pid: number) => boolean;

  constructor(used: (pid: number) => boolean) {
    this.used = used;
  }

  /** The number given out last (proc(5), loadavg). */
  get latest(): number {
    return this.last;
  }

  /** The next search begins after this number (proc_sys_kernel(5), ns_last_pid). */
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

  /** A number asked for (clone3(2), set_tid): the number, -EEXIST, or -EINVAL if it is none. */
  take(pid: number): number {
    if (pid <= 0 || pid >= this.max) return -EINVAL;
    return this.used(pid) ? -EEXIST : pid;
  }

  private next(pid: number): number {
    return pid + 1 < this.max ? pid + 1 : RESERVED;
  }
}
