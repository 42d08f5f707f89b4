/**
 * Directory entries (getdents(2)); both kinds are padded to 8 bytes.
 *
 *   struct linux_dirent64: 0 d_ino u64 | 8 d_off s64 | 16 d_reclen u16 | 18 d_type u8 | 19 d_name, NUL
 *   struct linux_dirent:   0 d_ino u64 | 8 d_off u64 | 16 d_reclen u16 | 18 d_name, NUL ... d_type u8 at the end
 */
import { setInt64 } from '../../../lib/int64.ts';

const NAME64 = 19;
const NAME_OLD = 18;

/** Writes one entry; its length, or 0 if it does not fit into `room` bytes. */
export function writeDirent64(
  view: DataView,
  at: number,
  room: number,
  ino: number,
  next: number,
  type: number,
  name: string,
): number {
  const length = (NAME64 + name.length + 8) & ~7;
  if (length > room) return 0;
  writeHead(view, at, ino, next, length);
  view.setUint8(at + 18, type);
  writeName(view, at + NAME64, at + length, name);
  return length;
}

/** The older kind, of getdents(2). */
export function writeDirent(
  view: DataView,
  at: number,
  room: number,
  ino: number,
  next: number,
  type: number,
  name: string,
): number {
  const length = (NAME_OLD + name.length + 2 + 7) & ~7;
  if (length > room) return 0;
  writeHead(view, at, ino, next, length);
  writeName(view, at + NAME_OLD, at + length - 1, name);
  view.setUint8(at + length - 1, type);
  return length;
}

function writeHead(view: DataView, at: number, ino: number, next: number, length: number): void {
  setInt64(view, at, ino);
  setInt64(view, at + 8, next);
  view.setUint16(at + 16, length, true);
}

function writeName(view: DataView, at: number, end: number, name: string): void {
  for (let i = 0; i < name.length; i++) view.setUint8(at + i, name.charCodeAt(i));
  for (let i = at + name.length; i < end; i++) view.setUint8(i, 0);
}
