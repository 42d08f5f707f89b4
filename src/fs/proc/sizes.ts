/** The sizes of an address space by kind (proc_pid_status(5)), summed over its areas, in bytes. */

import { PROT_EXEC, PROT_WRITE } from '../../engine/engine.ts';
import { pageDown, pageUp } from '../../mm/ram.ts';
import { VM_GROWSDOWN, VM_LOCKED, type Vma } from '../../mm/vma.ts';
import type { ProcMm } from './source.ts';

export interface MmSizes {
  readonly size: number;
  readonly peakSize: number;
  readonly rss: number;
  readonly anonymous: number;
  readonly file: number;
  readonly shmem: number;
  readonly locked: number;
  /** Private and writable, without the stack. */
  readonly data: number;
  readonly stack: number;
  /** The program's text, and that of libraries. */
  readonly code: number;
  readonly libraries: number;
}

export const isStack = (vma: Vma): boolean => (vma.flags & VM_GROWSDOWN) !== 0;

export function measure(mm: ProcMm): MmSizes {
  const { layout } = mm;
  const { anonymous, file, shmem } = mm.rss;
  let [locked, data, stack, text] = [0, 0, 0, 0];
  for (const vma of mm.areas(0)) {
    const writable = (vma.prot & PROT_WRITE) !== 0;
    if ((vma.flags & VM_LOCKED) !== 0) locked += vma.length;
    if (isStack(vma)) stack += vma.length;
    else if (writable && !vma.shared) data += vma.length;
    else if ((vma.prot & PROT_EXEC) !== 0 && !writable) text += vma.length;
  }
  const code = pageUp(layout.endCode) - pageDown(layout.startCode);
  return {
    size: mm.size,
    peakSize: mm.peakSize,
    rss: anonymous + file + shmem,
    ...{ anonymous, file, shmem, locked, data, stack, code },
    libraries: Math.max(0, text - code),
  };
}
