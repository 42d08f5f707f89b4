/**
 * The host's signal frame in a slot, which has a stopped guest thread's registers (struct ucontext and sigcontext of
 * asm/sigcontext.h). The guest can write this memory, so every number read here is checked against the slot before it
 * is used.
 */
import { SLOT } from './layout.ts';

/** Offsets from the ucontext. */
export const UC_GREGS = 40;
export const UC_FPSTATE = 40 + 23 * 8;
export const UC_SIGMASK = 40 + 256;
export const UC_SIZE = UC_SIGMASK + 8;
/** struct _fpx_sw_bytes at the end of the legacy area: magic1, extended_size. */
const FPX_SW_BYTES = 464;
const FP_XSTATE_MAGIC1 = 0x46505853;
const LEGACY_SIZE = 512;

/** Where to put a frame that no signal made: high in the alternate stack, with room for any extended state. */
export const OWN_FRAME = SLOT.S_ALTSTACK + 0x1000;
export const OWN_FPSTATE = OWN_FRAME + 0x400;

/** Whether a ucontext can be at this offset of a slot. */
export function isFrameOffset(offset: number): boolean {
  return offset >= SLOT.S_ALTSTACK && offset + UC_SIZE <= SLOT.S_IN0 && offset % 8 === 0;
}

/** Offset of the extended state in the slot, from the frame's pointer; 0 if the pointer makes no sense. */
export function fpstateOffset(view: DataView, context: number, slotAddress: number): number {
  const low = view.getUint32(context + UC_FPSTATE, true);
  const high = view.getUint32(context + UC_FPSTATE + 4, true);
  const offset = high * 2 ** 32 + low - slotAddress;
  const sensible = offset >= SLOT.S_ALTSTACK && offset + LEGACY_SIZE <= SLOT.S_IN0 && offset % 64 === 0;
  return sensible ? offset : 0;
}

/** Bytes of extended state at `fpstate`, the magic at its end included; never more than `room`. */
export function fpstateSize(view: DataView, fpstate: number, room: number): number {
  if (view.getUint32(fpstate + FPX_SW_BYTES, true) !== FP_XSTATE_MAGIC1) return LEGACY_SIZE;
  const size = view.getUint32(fpstate + FPX_SW_BYTES + 4, true);
  return size >= LEGACY_SIZE && size <= room ? size : LEGACY_SIZE;
}
