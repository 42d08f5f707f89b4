/**
 * Fields of structures by their offset (arch/x86_64/structs describes the structures), and the smallest answers, as
 * strace shows them.
 */
import { getInt64, getUint64 } from '../../lib/int64.ts';
import { latin1 } from '../../lib/latin1.ts';
import type { ShowField, Struct } from '../args.ts';
import { quoted } from '../show.ts';

export const s32 =
  (off: number): ShowField =>
  (view, at) =>
    String(view.getInt32(at + off, true));
export const u32 =
  (off: number, show: (value: number) => string = String): ShowField =>
  (view, at) =>
    show(view.getUint32(at + off, true));
export const u16 =
  (off: number, show: (value: number) => string = String): ShowField =>
  (view, at) =>
    show(view.getUint16(at + off, true));
export const s64 =
  (off: number): ShowField =>
  (view, at) =>
    String(getInt64(view, at + off));
export const u64 =
  (off: number, show: (value: number) => string = String): ShowField =>
  (view, at) =>
    show(getUint64(view, at + off));
export const inside =
  (off: number, inner: Struct): ShowField =>
  (view, at, look) =>
    inner.show(view, at + off, look);
export const text =
  (off: number, len: number): ShowField =>
  (view, at) =>
    cString(view, at + off, len);

/** The string in a field of `len` bytes. */
export function cString(view: DataView, at: number, len: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, len);
  const end = bytes.indexOf(0);
  return quoted(latin1(bytes, 0, end < 0 ? len : end));
}

export const INT: Struct = { size: 4, show: (view, at) => `[${view.getInt32(at, true)}]` };
export const INT_PAIR: Struct = {
  size: 8,
  show: (view, at) => `[${view.getInt32(at, true)}, ${view.getInt32(at + 4, true)}]`,
};
export const OFFSET: Struct = { size: 8, show: (view, at) => `[${getInt64(view, at)}]` };
