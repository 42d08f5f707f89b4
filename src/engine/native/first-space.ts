/** The first space, of which all others are copies: finds what the host put there, and unmaps what is not needed. */
import { getUint64 } from '../../lib/int64.ts';
import { TEXT_SIZE } from './filters.ts';
import { GLOBAL, USER_END, VA } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';
import type { NativeSpace } from './native-space.ts';

/** No mappings lie below (vm.mmap_min_addr). */
const LOWEST = 0x10000;

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Places in spaces that guests cannot use, as the stub reported at its start. */
export interface Places {
  /** Address of the host's vDSO, 0 if there is none. */
  readonly vdso: number;
  /** Lowest first. */
  readonly reserved: readonly Range[];
}

export function readPlaces({ view }: MemoryFile): Places {
  const reserved = [
    { from: VA.STUB_TEXT, to: VA.STUB_END },
    { from: VA.SLOT_BASE, to: VA.SLOT_END },
    { from: getUint64(view, GLOBAL.G_VDSO_FROM), to: getUint64(view, GLOBAL.G_VDSO_TO) },
  ];
  return { vdso: getUint64(view, GLOBAL.G_VDSO), reserved: reserved.sort((a, b) => a.from - b.from) };
}

/** Unmaps what the first process has of its own (its stack, the reaper's data). */
export function clearFirstSpace(space: NativeSpace, reserved: readonly Range[]): void {
  let at = LOWEST;
  for (const { from, to } of reserved) {
    if (from > at) space.unmap(at, from - at, true);
    at = to;
  }
  if (at < USER_END) space.unmap(at, USER_END - at, true);
  space.unmap(VA.STUB_TEXT + TEXT_SIZE, VA.STUB_GLOBAL - VA.STUB_TEXT - TEXT_SIZE, true);
  space.flush();
}
