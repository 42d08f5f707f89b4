/** What an address space (mm.ts) needs of the machine that it is in. */
import type { TextImages } from './text-image.ts';

/** What address spaces have in common: a machine's. */
export interface MmHost {
  readonly images: TextImages;
  /** The memory that kernel and engine share, for what is staged. */
  readonly bytes: Uint8Array;
  /** Address of the vDSO, which is in every space and in no list of areas; 0 if there is none. */
  vdso(): number;
  /** Of the pages at `offset` of that memory: sets out[i] to 1 for each that was ever touched. */
  touched(offset: number, out: Uint8Array): void;
  /** So many private pages more (or fewer) may be touched. */
  promise(pages: number): void;
  /** The machine has no memory left for a touched page: whether there will be some soon, so that it may be touched again. */
  makeRoom(): boolean;
}
