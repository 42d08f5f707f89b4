/** What tasks have used (getrusage(2), times(2)). Times are nanoseconds. */
export interface CpuTimes {
  readonly user: number;
  readonly system: number;
}

/** USER_HZ: clock ticks that times(2), siginfo and /proc count in. */
export const USER_HZ = 100;
export const toTicks = (ns: number): number => Math.floor((ns * USER_HZ) / 1_000_000_000);

/** Sums of what threads have used: added up as they exit, and to their parent's children as they are waited for. */
export class Usage {
  user = 0;
  system = 0;
  minflt = 0;
  majflt = 0;
  inblock = 0;
  oublock = 0;
  nvcsw = 0;
  nivcsw = 0;
  /** KiB; the largest value, not a sum. */
  maxrss = 0;

  clear(): void {
    Object.assign(this, new Usage());
  }

  add(other: Usage): void {
    this.user += other.user;
    this.system += other.system;
    this.minflt += other.minflt;
    this.majflt += other.majflt;
    this.inblock += other.inblock;
    this.oublock += other.oublock;
    this.nvcsw += other.nvcsw;
    this.nivcsw += other.nivcsw;
    this.maxrss = Math.max(this.maxrss, other.maxrss);
  }
}
