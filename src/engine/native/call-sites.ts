/**
 * Patched call sites (engine.ts has the contract). A site becomes `jmp *table[site]`; its thunk loads the call's
 * number and the return address, which differs from space to space, and goes to the stub's fast entry.
 * Table and thunks are written here and only read by guests.
 */
import type { CallSites, Space } from '../engine.ts';
import { FILE, SIZE, SPACE, VA } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';
import type { NativeSpace } from './native-space.ts';

const THUNK_SIZE = 32;

export class NativeCallSites implements CallSites {
  private readonly memory: MemoryFile;
  private count = 0;

  constructor(memory: MemoryFile) {
    this.memory = memory;
  }

  newSite(nr: number | null): number {
    if (this.count === SIZE.MAX_SITES) return -1;
    const site = this.count++;
    const thunk = site * THUNK_SIZE;
    this.writeThunk(thunk, nr, VA.STUB_SPACE + SPACE.P_RETURNS + 8 * site);
    this.memory.view.setUint32(FILE.FILE_TABLE + 8 * site, VA.STUB_THUNKS + thunk, true);
    return site;
  }

  patch(offset: number, site: number): void {
    const { bytes } = this.memory;
    const entry = VA.STUB_TABLE + 8 * site;
    // jmp *abs32: ff 24 25 and the table entry's address.
    bytes.set(
      [0xff, 0x24, 0x25, entry & 255, (entry >>> 8) & 255, (entry >>> 16) & 255, entry >>> 24],
      offset,
    );
  }

  setReturn(space: Space, site: number, address: number): void {
    (space as NativeSpace).orders.setReturn(site, address);
  }

  copyReturns(from: Space, to: Space): void {
    const start = (from as NativeSpace).orders.file + SPACE.P_RETURNS;
    this.memory.bytes.copyWithin(
      (to as NativeSpace).orders.file + SPACE.P_RETURNS,
      start,
      start + 8 * this.count,
    );
  }

  private writeThunk(thunk: number, nr: number | null, returns: number): void {
    const { view } = this.memory;
    let at = FILE.FILE_THUNKS + thunk;
    // mov $nr,%eax
    if (nr !== null) {
      view.setUint8(at, 0xb8);
      view.setInt32(at + 1, nr, true);
      at += 5;
    }
    // mov returns,%rcx
    view.setUint32(at, 0x250c8b48, true);
    view.setUint32(at + 4, returns, true);
    // jmp fast_entry, which is where the stub's text begins
    view.setUint8(at + 8, 0xe9);
    const next = VA.STUB_THUNKS + (at + 13 - FILE.FILE_THUNKS);
    view.setInt32(at + 9, VA.STUB_TEXT - next, true);
  }
}
