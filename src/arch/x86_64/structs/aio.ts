/**
 * Asynchronous I/O's structures (linux/aio_abi.h):
 *
 *   struct iocb (64):      0 aio_data u64 | 8 aio_key u32 | 12 aio_rw_flags | 16 aio_lio_opcode u16 | 18 aio_reqprio s16
 *                          20 aio_fildes u32 | 24 aio_buf u64 | 32 aio_nbytes | 40 aio_offset s64 | 48 reserved u64
 *                          56 aio_flags u32 | 60 aio_resfd u32
 *   struct io_event (32):  0 data u64 | 8 obj u64 | 16 res s64 | 24 res2 s64
 */
import { getInt64, getUint64, setInt64 } from '../../../lib/int64.ts';

export const IOCB_SIZE = 64;
export const IO_EVENT_SIZE = 32;

export interface Iocb {
  /** The program's own word, as halves because all 64 bits count. */
  readonly dataLo: number;
  readonly dataHi: number;
  readonly rwFlags: number;
  readonly opcode: number;
  readonly fd: number;
  readonly buf: number;
  readonly nbytes: number;
  readonly offset: number;
  readonly reserved: number;
  readonly flags: number;
  readonly resfd: number;
}

export const readIocb = (view: DataView, at: number): Iocb => ({
  dataLo: view.getUint32(at, true),
  dataHi: view.getUint32(at + 4, true),
  rwFlags: view.getInt32(at + 12, true),
  opcode: view.getUint16(at + 16, true),
  fd: view.getInt32(at + 20, true),
  buf: getUint64(view, at + 24),
  nbytes: getInt64(view, at + 32),
  offset: getInt64(view, at + 40),
  reserved: getUint64(view, at + 48),
  flags: view.getUint32(at + 56, true),
  resfd: view.getInt32(at + 60, true),
});

export interface IoEvent {
  readonly dataLo: number;
  readonly dataHi: number;
  /** The address of the request's iocb. */
  readonly obj: number;
  readonly result: number;
}

export function writeIoEvent(view: DataView, at: number, event: IoEvent): void {
  view.setUint32(at, event.dataLo, true);
  view.setUint32(at + 4, event.dataHi, true);
  setInt64(view, at + 8, event.obj);
  setInt64(view, at + 16, event.result);
  setInt64(view, at + 24, 0);
}
