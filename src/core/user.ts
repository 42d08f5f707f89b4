/**
 * A handler's access to the memory of the program that called it.
 *
 * All windows lie in one array, `ram`: results are offsets into it. The bytes there are shared with the
 * guest, which may change them at any time: **read each byte once**, validate the copy, use the copy.
 * Addresses are numbers (user space is below 2^47). All errors are -EFAULT, but for `string`.
 */
export interface UserMemory {
  readonly ram: Uint8Array;
  readonly view: DataView;
  /** The largest window that `in` and `out` give at once, in bytes; loop for more. */
  readonly maxWindow: number;
  /** The caller's bytes [addr, addr + len), for reading. Valid until the system call ends. */
  in(addr: number, len: number): number;
  /**
   * The bytes of `count` pieces one after the other, `total` in all, as `in` gives them. `words` holds bases at even
   * indices, lengths at odd ones. -EFAULT if that cannot be done at once: ask for the pieces one by one.
   */
  gather(words: Float64Array, count: number, total: number): number;
  /**
   * A window of `len` bytes to fill, which is copied to `addr` when the system call returns. The window's old content
   * is undefined: fill all of it, or say with `shrink` how much was filled.
   */
  out(addr: number, len: number): number;
  /** How many bytes of [addr, addr + len) may be written, up to the first page that may not be. */
  room(addr: number, len: number): number;
  /** Only the first `len` bytes of the latest `out` window are copied. */
  shrink(len: number): void;
  /** A NUL-terminated string of at most `max` bytes with its NUL, one character a byte; -ENAMETOOLONG if longer. */
  string(addr: number, max: number): string | number;
}
