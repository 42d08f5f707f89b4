/** The host's CLOCK_MONOTONIC, nanoseconds as a number (good to 1 us for ever, to 1 ns for the first 104 days). */
export function monotonicNow(): number {
  const [sec, nsec] = process.hrtime();
  return sec * 1e9 + nsec;
}
