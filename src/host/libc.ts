/**
 * The host's libc, through koffi: the only way to the host's system calls.
 *
 * `syscall` makes a raw call with integer arguments and returns its result or a negative errno: libc's -1 is
 * translated here, so that callers see the kernel's own convention. Pointers are numbers (user space is below
 * 2^47). The overhead of a call is about 0.07 us.
 */
import koffi from 'koffi';

type Int = number;

export interface Libc {
  /** A raw system call; the result, or -errno. */
  syscall(nr: Int, a?: Int, b?: Int, c?: Int, d?: Int, e?: Int, f?: Int): number;
  /** Calls on our own arrays, whose pointers are passed only for the duration of the call. */
  pread(fd: Int, buf: Uint8Array, count: Int, offset: Int): number;
  pwrite(fd: Int, buf: Uint8Array, count: Int, offset: Int): number;
  /** The address of an array's first byte in this process. The array must stay referenced. */
  addressOf(bytes: Uint8Array): number;
  /** A buffer over `len` bytes of this process's memory at `address`. */
  viewOf(address: number, len: number): ArrayBuffer;
  /** The library, for more functions. */
  readonly lib: ReturnType<typeof koffi.load>;
}

export function openLibc(): Libc {
  const lib = koffi.load(null);
  const raw = lib.func('long syscall(long n, long a, long b, long c, long d, long e, long f)');
  const preadFn = lib.func('long pread(int fd, void *buf, size_t count, long offset)');
  const pwriteFn = lib.func('long pwrite(int fd, const void *buf, size_t count, long offset)');
  // memmove returns its first argument: so an array's address becomes a number.
  const locate = lib.func('long memmove(void *to, void *from, size_t n)');
  // The thread's errno itself, read in place right after each call. Before a second call could fetch it, V8 might do
  // something on this thread that fails, and change it (waiting for a lock, for example, with EAGAIN of futex(2)).
  const errno = new Int32Array(koffi.view(BigInt(lib.func('long __errno_location()')()), 4));
  const libc: Libc = {
    lib,
    syscall(nr, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) {
      const result = raw(nr, a, b, c, d, e, f);
      const error = errno[0]!;
      return result < 0 ? -error : result;
    },
    pread(fd, buf, count, offset) {
      const result = preadFn(fd, buf, count, offset);
      const error = errno[0]!;
      return result < 0 ? -error : result;
    },
    pwrite(fd, buf, count, offset) {
      const result = pwriteFn(fd, buf, count, offset);
      const error = errno[0]!;
      return result < 0 ? -error : result;
    },
    addressOf: bytes => locate(bytes, bytes, 0),
    viewOf: (address, len) => koffi.view(BigInt(address), len),
  };
  // V8 prepares each of these functions at its first call, and takes locks for that.
  const nothing = new Uint8Array(1);
  libc.syscall(-1);
  libc.pread(-1, nothing, 1, 0);
  libc.pwrite(-1, nothing, 1, 0);
  return libc;
}
