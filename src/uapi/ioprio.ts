/** ioprio_set(2): a level in bits 0 to 2, hints in bits 3 to 12, a class from bit 13. */
export const IOPRIO_CLASS_SHIFT = 13;
export const IOPRIO_LEVEL_MASK = 7;
export const IOPRIO_CLASS_NONE = 0;
export const IOPRIO_CLASS_RT = 1;
export const IOPRIO_CLASS_BE = 2;
export const IOPRIO_CLASS_IDLE = 3;
export const IOPRIO_WHO_PROCESS = 1;
export const IOPRIO_WHO_PGRP = 2;
export const IOPRIO_WHO_USER = 3;
