/** RLIMIT_CPU (getrlimit(2)): SIGXCPU at the soft limit and each second after it, SIGKILL at the hard one. */
import type { Timer } from '../core/clock.ts';
import { RLIMIT_CPU } from '../uapi/resource.ts';
import { kernelInfo } from '../uapi/siginfo.ts';
import { SIGKILL, SIGXCPU } from '../uapi/signal.ts';
import { CpuTimer, groupCpuClock } from './cpu-clock.ts';
import { sendToGroup } from './signal.ts';
import type { ThreadGroup } from './thread-group.ts';

const SECOND = 1e9;

export class CpuLimit {
  private timer: Timer | null = null;

  /** Called for a new process and when a limit has changed. A limit of 0 counts as one second (setrlimit(2)). */
  watch(group: ThreadGroup): void {
    this.clear();
    this.wait(group, Math.max(1, group.rlimits[RLIMIT_CPU]!.soft));
  }

  clear(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  private wait(group: ThreadGroup, soft: number): void {
    const seconds = Math.min(soft, Math.max(1, group.rlimits[RLIMIT_CPU]!.hard));
    if (!Number.isFinite(seconds)) return;
    const fire = (): void => this.reached(group, seconds);
    this.timer = new CpuTimer(group.leader, groupCpuClock(group), seconds * SECOND, fire);
  }

  private reached(group: ThreadGroup, seconds: number): void {
    this.timer = null;
    const over = seconds >= group.rlimits[RLIMIT_CPU]!.hard;
    sendToGroup(group, kernelInfo(over ? SIGKILL : SIGXCPU));
    if (!over) this.wait(group, seconds + 1);
  }
}
