/**
 * The kernel's own room in the memory file for what it hands to host calls: vectors, headers, masks. No space maps it,
 * and only the masks stay there from one call to the next.
 */
import { GATHERED } from '../engine.ts';
import { FILE, GLOBAL } from './layout.ts';

/** How many words one futex_waitv(2) can wait for, and the size of struct futex_waitv. */
export const WAITS = { MOST: 128, SIZE: 24 } as const;
/** How many pages one mincore(2) looks at, a byte each. */
export const RESIDENT_PAGES = 0x10000;

/** Sizes in bytes. */
const SIZES = {
  /** A batch of notes: headers, vectors, bodies, control buffers; socket options, a struct pollfd (see `notes.ts`). */
  NOTES: 0x800,
  /** process_vm_readv(2): two struct iovec. */
  TRANSFER: 32,
  /** A struct timespec: until when the kernel sleeps. */
  DEADLINE: 16,
  /** Where in a file sendfile(2) begins. */
  POSITION: 8,
  /** sendmsg(2) with a descriptor, and SIOCOUTQ's answer. */
  LOAN: 128,
  /** Processors: those for a thread to be moved, and those that the kernel's thread had. */
  MASK: GLOBAL.AFFINITY_SIZE,
  OWN_MASK: GLOBAL.AFFINITY_SIZE,
  WAITS: WAITS.MOST * WAITS.SIZE,
  /** struct iovec of what is gathered. */
  GATHER: GATHERED * 16,
  RESIDENT: RESIDENT_PAGES,
} as const;

type Places = { readonly [K in keyof typeof SIZES]: number };

const ALIGNED = 16;

function place(begin: number): Places {
  let at = begin;
  const next = (size: number): number => {
    const here = at;
    at = Math.ceil((at + size) / ALIGNED) * ALIGNED;
    return here;
  };
  return Object.fromEntries(Object.entries(SIZES).map(([name, size]) => [name, next(size)])) as Places;
}

/** Offsets in the memory file. */
export const SCRATCH: Places = place(FILE.FILE_SCRATCH);

/** The end of the last of them. */
export const SCRATCH_END: number = SCRATCH.RESIDENT + SIZES.RESIDENT;
