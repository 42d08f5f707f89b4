/** Page faults that reach the kernel: pages of large files that are mapped as they are touched, and errors. */
import { type Fault, PROT_EXEC, PROT_READ, PROT_WRITE } from '../engine/engine.ts';
import { mapIndirectly } from '../mm/file-pages.ts';
import { grants, type Mm } from '../mm/mm.ts';
import { PAGE_SIZE, pageDown, pageUp } from '../mm/ram.ts';
import { growDown } from '../mm/stack.ts';
import { ENOSPC } from '../uapi/errno.ts';
import { SIGBUS, SIGSEGV } from '../uapi/signal.ts';

/** x86's page fault error code. */
const ERROR_WRITE = 2;
const ERROR_FETCH = 16;
const SEGV_MAPERR = 1;
const SEGV_ACCERR = 2;
const BUS_ADRERR = 2;
const SI_KERNEL = 0x80;

/** 'mapped': go on; else the program's signal. `error` is the processor's error code. */
export function pageFault(
  mm: Mm,
  fault: Fault,
  error: number,
  stackLimit: number,
): 'mapped' | { signal: number; code: number } {
  if (fault.code === SI_KERNEL) return { signal: SIGSEGV, code: SI_KERNEL };
  const vma = mm.vmas.find(fault.address) ?? growDown(mm, fault.address, stackLimit);
  if (vma === null) return { signal: SIGSEGV, code: SEGV_MAPERR };
  const need = (error & ERROR_WRITE) !== 0 ? PROT_WRITE : (error & ERROR_FETCH) !== 0 ? PROT_EXEC : PROT_READ;
  if (mm.guards.touches(fault.address, fault.address + 1)) return { signal: SIGSEGV, code: SEGV_MAPERR };
  if (!grants(vma.prot, need)) return { signal: SIGSEGV, code: SEGV_ACCERR };
  // The stack has just grown, or another thread is mapping the pages.
  if (vma.backing === null) return 'mapped';
  const page = pageDown(fault.address);
  if (vma.posOf(page) >= pageUp(vma.backing.cache.size)) return { signal: SIGBUS, code: BUS_ADRERR };
  if (vma.direct && fault.code === SEGV_MAPERR) mapIndirectly(vma);
  const got = mm.populate(page, PAGE_SIZE, need === PROT_WRITE);
  if (got === -ENOSPC && mm.host.makeRoom()) return 'mapped';
  if (got < 0) return { signal: SIGBUS, code: BUS_ADRERR };
  // Zero: another thread's fault has mapped it meanwhile.
  return 'mapped';
}
