/**
 * The engine: how guest code runs. The kernel above knows guest addresses, registers and pages of `ram`;
 * host addresses, host processes and seccomp stay below this interface.
 *
 * An address space holds pages; what they should be (the areas, vmas) is the kernel's business. Mapping
 * operations are queued and take effect, in order, before any thread of the space runs guest code again
 * (`commit` says when that must be, for threads that are running now).
 */
import type { Ram } from '../mm/ram.ts';

export const PROT_NONE = 0;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;
