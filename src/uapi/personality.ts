/** Flags of personality(2) (linux/personality.h). */
export const ADDR_NO_RANDOMIZE = 0x0040000;
export const MMAP_PAGE_ZERO = 0x0100000;
export const ADDR_COMPAT_LAYOUT = 0x0200000;
export const READ_IMPLIES_EXEC = 0x0400000;
/** select(2) leaves the caller's timeout unchanged. */
export const STICKY_TIMEOUTS = 0x4000000;
/** Flags that a program with more rights than its caller does not inherit. */
export const PER_CLEAR_ON_SETID: number =
  ADDR_NO_RANDOMIZE | MMAP_PAGE_ZERO | ADDR_COMPAT_LAYOUT | READ_IMPLIES_EXEC;
