/**
 * The machine's physical memory: one array over one memory file, handed out in page-aligned ranges.
 *
 * Offsets are plentiful (the file is sparse and far larger than `mem=`), pages are not. A range costs nothing until its
 * pages are used, so those who keep data there say how many pages they use (`charge`).
 */
export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;
export const pageUp = (n: number): number => Math.ceil(n / PAGE_SIZE) * PAGE_SIZE;
export const pageDown = (n: number): number => Math.floor(n / PAGE_SIZE) * PAGE_SIZE;

export interface Ram {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /**
   * A range of `len` bytes (a multiple of the page size) that reads as zeros; -ENOMEM unless `spare` more bytes are
   * left.
   */
  alloc(len: number, spare?: number): number;
  /** Takes a range back, its pages too. */
  free(offset: number, len: number): void;
  /** Gives the pages of a range back but keeps the range: it reads as zeros again. */
  discard(offset: number, len: number): void;
  /**
   * Fill whole absent pages, cheaper than through `bytes`: `store` from this memory, `load` from a file of the host's.
   * The number of bytes, or -errno.
   */
  store(offset: number, from: number, len: number): number;
  load(offset: number, fd: number, pos: number, len: number): number;
  /** Counts `pages` more (or fewer) in use; false if the machine has not that many, and `spare` more, left. */
  charge(pages: number, spare?: number): boolean;
  /** Called when pages are too few, with the number that is missing: they give up pages that they can do without. */
  readonly reclaimers: Set<(pages: number) => void>;
  /** Pages that files without another home (tmpfs) leave free, so that programs still start when a disk is full. */
  readonly spare: number;
  /** Offsets, in bytes, that such files leave free: sparse ones could take all, and then nothing could be read. */
  readonly spareRange: number;
  /** Pages that the machine has, and pages that are charged. */
  readonly totalPages: number;
  readonly usedPages: number;
}
