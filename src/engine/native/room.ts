/**
 * Address space for a machine's memory file, reserved before the machine's code is loaded. V8 counts an array over
 * foreign memory as that much garbage to come, and scans its whole heap as soon as there is one. This takes a third of
 * the time while the heap is still small.
 */
import type { Libc } from '../../host/libc.ts';
import { FILE, RAM_RANGE } from './layout.ts';

const NR_MMAP = 9;
const PROT_NONE = 0;
/** MAP_PRIVATE, MAP_ANONYMOUS and MAP_NORESERVE. */
const MAP_NOTHING = 0x4022;

export interface Room {
  readonly address: number;
  readonly buffer: ArrayBuffer;
}

/** The code that reserves it and the machine's code are separate bundles. Here the first leaves it for the second. */
const ROOM: unique symbol = Symbol.for('usermode-linux.room');
interface Holder {
  [ROOM]?: Room | undefined;
}

/** If the host refuses, there is none, and the code that makes the memory file gets the error. */
export function reserveRoom(libc: Libc): void {
  const size = FILE.FILE_RAM + RAM_RANGE;
  const address = libc.syscall(NR_MMAP, 0, size, PROT_NONE, MAP_NOTHING, -1, 0);
  if (address >= 0) (globalThis as Holder)[ROOM] = { address, buffer: libc.viewOf(address, size) };
}

/** The room of `size` bytes, for the first that asks; null if there is none. */
export function takeRoom(size: number): Room | null {
  const holder = globalThis as Holder;
  const room = holder[ROOM];
  if (room === undefined || room.buffer.byteLength !== size) return null;
  holder[ROOM] = undefined;
  return room;
}
