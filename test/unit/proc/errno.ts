/** What the host's call answers, in the kernel's own convention: its result, or -errno. */
export function errnoOf(call: () => number): number {
  try {
    return call();
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    return errno;
  }
}
