/**
 * Copies whole objects from and to the caller's memory, window by window: for objects that are larger than a window, or
 * must be looked at twice. Lengths are bounded by the kernel, never by the caller's word alone.
 */
import { latin1, latin1Bytes } from '../lib/latin1.ts';
import type { UserMemory } from './user.ts';

/** A private copy of [addr, addr + len), or -EFAULT. */
export function copyIn(user: UserMemory, addr: number, len: number): Uint8Array | number {
  const bytes = new Uint8Array(len);
  const err = copyInto(user, addr, bytes, 0, len);
  return err < 0 ? err : bytes;
}

/** Copies [addr, addr + len) to bytes[off, off + len); 0 or -EFAULT. */
export function copyInto(
  user: UserMemory,
  addr: number,
  bytes: Uint8Array,
  off: number,
  len: number,
): number {
  for (let done = 0; done < len; ) {
    const n = Math.min(len - done, user.maxWindow);
    const at = user.in(addr + done, n);
    if (at < 0) return at;
    bytes.set(user.ram.subarray(at, at + n), off + done);
    done += n;
  }
  return 0;
}

/** Stores `bytes` at `addr`; 0 or -EFAULT. */
export function copyOut(user: UserMemory, addr: number, bytes: Uint8Array): number {
  for (let done = 0; done < bytes.length; ) {
    const n = Math.min(bytes.length - done, user.maxWindow);
    const at = user.out(addr + done, n);
    if (at < 0) return at;
    user.ram.set(bytes.subarray(done, done + n), at);
    done += n;
  }
  return 0;
}

/** A byte string (one character a byte) of exactly `len` bytes, or -EFAULT. */
export function copyInString(user: UserMemory, addr: number, len: number): string | number {
  const bytes = copyIn(user, addr, len);
  return typeof bytes === 'number' ? bytes : latin1(bytes, 0, len);
}

/** Stores a byte string; 0 or -EFAULT. */
export function copyOutString(user: UserMemory, addr: number, text: string): number {
  return copyOut(user, addr, latin1Bytes(text));
}
