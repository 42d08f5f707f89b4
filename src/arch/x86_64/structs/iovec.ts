/** struct iovec (readv(2)), 16 bytes: 0 iov_base u64 | 8 iov_len s64 (a negative length is EINVAL). */
import { getInt64, getUint64 } from '../../../lib/int64.ts';

export const IOVEC_SIZE = 16;
/** Most elements of an array of them. */
export const UIO_MAXIOV = 1024;

export const iovecBase = (view: DataView, at: number): number => getUint64(view, at);
export const iovecLen = (view: DataView, at: number): number => getInt64(view, at + 8);
