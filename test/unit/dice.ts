/** Random numbers for tests: whole, from 0 up to below a bound, and the same in each run for a seed (xorshift). */
export function dice(seed: number): (below: number) => number {
  // Seeds are mostly small, and next to each other.
  let state = Math.imul(seed, 0x9e3779b1) || 1;
  return below => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
