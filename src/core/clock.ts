/**
 * Clocks and timers. Nothing in the kernel reads the host's clock on its own: a `Clock` is passed in.
 *
 * Monotonic times are nanoseconds since the machine's boot, as a number (exact for 104 days, then to 2 ns).
 */
export interface Timespec {
  readonly sec: number;
  readonly nsec: number;
}

export const NSEC_PER_SEC = 1_000_000_000;

export interface Clock {
  /** CLOCK_MONOTONIC in nanoseconds. */
  monotonic(): number;
  /** CLOCK_REALTIME. */
  realtime(): Timespec;
  /** CLOCK_REALTIME as of the last turn of the loop: cheap, for file times. */
  coarse(): Timespec;
  /** Those clocks as programs read them without asking the kernel (vdso(7)); absent where they cannot. */
  shared?(id: number): Timespec;
}

export const toNs = (t: Timespec): number => t.sec * NSEC_PER_SEC + t.nsec;

export const fromNs = (ns: number): Timespec => {
  const sec = Math.floor(ns / NSEC_PER_SEC);
  return { sec, nsec: Math.round(ns - sec * NSEC_PER_SEC) };
};

/** One armed timer. */
export interface Timer {
  cancel(): void;
}

export interface Timers {
  /** Calls `fire` once CLOCK_MONOTONIC has reached `deadline` (ns). */
  at(deadline: number, fire: () => void): Timer;
}
