/**
 * A handler's access to the memory of the program that called it.
 *
 * All windows lie in one array, `ram`: an answer is an offset into it. The bytes there are shared with the
 * guest, which may change them at any time: **read each byte once**, validate the copy, use the copy.
 * Addresses are numbers (user space is below 2^47). All errors are -EFAULT.
 */
export interface UserMemory {
  readonly ram: Uint8Array;
  readonly view: DataView;
  /** The largest window that `in` and `out` give at once, in bytes; loop for more. */
  readonly maxWindow: number;
  /** Bytes [addr, addr + len) of the caller, to read. Valid until the system call ends. */
  in(addr: number, len: number): number;
  /**
   * The bytes of `count` pieces one after the other, `total` in all, as `in` gives them: bases stand at even places of `words`, lengths
   * at odd ones. -EFAULT if that cannot be done at once: then they are to be asked for one by one.
   */
  gather(words: Float64Array, count: number, total: number): number;
  /**
   * A window of `len` bytes to fill, copied to `addr` when the system call returns. The window's old content
   * is undefined: fill all of it, or say with `shrink` how much was filled.
   */
  out(addr: number, len: number): number;
  /** How many of [addr, addr + len) may be written, up to the first page that may not. */
  room(addr: number, len: number): number;
  /** Only the first `len` bytes of the latest `out` window are copied. */
  shrink(len: number): void;
  /** A NUL-terminated string of at most `max` bytes with its NUL, one character a byte; -ENAMETOOLONG if longer. */
  string(addr: number, max: number): string | number;
}
