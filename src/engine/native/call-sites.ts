/**
 * Patched call sites (engine.ts has the contract). A site becomes `jmp *table[site]`. Its thunk loads the call's number
 * and the return address, and jumps to the stub's fast entry. A text lies at another address in each space, so the
 * address is kept in the space's page. Table and thunks are written here; guests can only read them.
 */
import type { CallSites, Space } from '../engine.ts';
import { FILE, SIZE, SPACE, VA } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';
import type { NativeSpace } from './native-space.ts';

const THUNK_SIZE = 32;

export class NativeCallSites implements CallSites {
  private readonly memory: MemoryFile;
  private sites = 0;
  private texts = 0;

  constructor(memory: MemoryFile) {
    this.memory = memory;
  }

  newText(): number {
    return this.texts === SIZE.MAX_TEXTS ? -1 : this.texts++;
  }

  newSite(text: number, offset: number, nr: number | null): number {
    if (this.sites === SIZE.MAX_SITES) return -1;
    const site = this.sites++;
    const thunk = site * THUNK_SIZE;
    this.writeThunk(thunk, nr, VA.STUB_SPACE + SPACE.P_TEXTS + 8 * text, offset);
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

  setText(space: Space, text: number, address: number): void {
    (space as NativeSpace).orders.setText(text, address);
  }

  copyTexts(from: Space, to: Space): void {
    const start = (from as NativeSpace).orders.file + SPACE.P_TEXTS;
    this.memory.bytes.copyWithin(
      (to as NativeSpace).orders.file + SPACE.P_TEXTS,
      start,
      start + 8 * this.texts,
    );
  }

  private writeThunk(thunk: number, nr: number | null, text: number, offset: number): void {
    const { view } = this.memory;
    let at = FILE.FILE_THUNKS + thunk;
    // mov $nr,%eax
    if (nr !== null) {
      view.setUint8(at, 0xb8);
      view.setInt32(at + 1, nr, true);
      at += 5;
    }
    // mov text,%rcx
    view.setUint32(at, 0x250c8b48, true);
    view.setUint32(at + 4, text, true);
    // lea offset(%rcx),%rcx
    view.setUint32(at + 8, 0x898d48, true);
    view.setInt32(at + 11, offset, true);
    // jmp fast_entry
    view.setUint8(at + 15, 0xe9);
    const next = VA.STUB_THUNKS + (at + 20 - FILE.FILE_THUNKS);
    view.setInt32(at + 16, VA.STUB_ENTRY - next, true);
  }
}
