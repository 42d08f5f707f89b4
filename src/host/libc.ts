/**
 * The host's libc, through koffi: the one door to the host's system calls.
 *
 * `syscall` makes a raw call with integer arguments and answers its result, or a negative errno: libc's -1 is
 * resolved here, so that callers see the kernel's own convention. Pointers are numbers (user space is below
 * 2^47). A call costs about 0.07 us over the call itself.
 */
import koffi from 'koffi';

type Int = number;

export interface Libc {
  /** A raw system call; the result, or -errno. */
  syscall(nr: Int, a?: Int, b?: Int, c?: Int, d?: Int, e?: Int, f?: Int): number;
  /** Calls whose arguments are bytes of ours: pointers are passed for the call's duration only. */
  pread(fd: Int, buf: Uint8Array, count: Int, offset: Int): number;
  pwrite(fd: Int, buf: Uint8Array, count: Int, offset: Int): number;
  /** Where an array's first byte lies in this process, as a number. The array must stay referenced. */
  addressOf(bytes: Uint8Array): number;
  /** An array over `len` bytes of this process's memory from `address` on. */
  viewOf(address: number, len: number): ArrayBuffer;
  /** The library, for more functions; `check` turns their -1 into -errno. */
  readonly lib: ReturnType<typeof koffi.load>;
  check(result: number): number;
}

export function openLibc(): Libc {
  const lib = koffi.load(null);
  const raw = lib.func('long syscall(long n, long a, long b, long c, long d, long e, long f)');
  const preadFn = lib.func('long pread(int fd, void *buf, size_t count, long offset)');
  const pwriteFn = lib.func('long pwrite(int fd, const void *buf, size_t count, long offset)');
  // memmove answers its first argument: that is how an array's address becomes a number.
  const locate = lib.func('long memmove(void *to, void *from, size_t n)');
  const check = (result: number): number => (result < 0 ? -koffi.errno() : result);
  return {
    lib,
    check,
    syscall: (nr, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) => check(raw(nr, a, b, c, d, e, f)),
    pread: (fd, buf, count, offset) => check(preadFn(fd, buf, count, offset)),
    pwrite: (fd, buf, count, offset) => check(pwriteFn(fd, buf, count, offset)),
    addressOf: bytes => locate(bytes, bytes, 0),
    viewOf: (address, len) => koffi.view(BigInt(address), len),
  };
}
