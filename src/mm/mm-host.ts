/** What an address space (mm.ts) needs of its machine. */
import type { TextImages } from './text-image.ts';

/** What all address spaces of a machine share. */
export interface MmHost {
  readonly images: TextImages;
  /** The memory that kernel and engine share, for staged data. */
  readonly bytes: Uint8Array;
  /** Address of the vDSO, which is in every space and in no list of areas; 0 if there is none. */
  vdso(): number;
  /** Of the pages at `offset` of that memory: sets out[i] to 1 for each that was touched since it was zeros. */
  touched(offset: number, out: Uint8Array): void;
  /** Counts `pages` more (or fewer) private pages that may be touched. */
  promise(pages: number): void;
  /**
   * The machine has no memory for a page that was touched. Whether it will have some soon, so that the touch can be
   * repeated.
   */
  makeRoom(): boolean;
}
