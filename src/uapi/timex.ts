/** adjtimex(2): modes, status bits, answers. Header: linux/timex.h. */

export const ADJ_OFFSET = 0x1;
export const ADJ_FREQUENCY = 0x2;
export const ADJ_MAXERROR = 0x4;
export const ADJ_ESTERROR = 0x8;
export const ADJ_STATUS = 0x10;
export const ADJ_TIMECONST = 0x20;
export const ADJ_TAI = 0x80;
export const ADJ_SETOFFSET = 0x100;
export const ADJ_MICRO = 0x1000;
export const ADJ_NANO = 0x2000;
export const ADJ_TICK = 0x4000;
/** adjtime(3): with ADJ_OFFSET it sets what is left to adjust, with ADJ_OFFSET_READONLY it asks for it. */
export const ADJ_ADJTIME = 0x8000;
export const ADJ_OFFSET_READONLY = 0x2000;

export const STA_PLL = 0x1;
export const STA_FLL = 0x8;
export const STA_UNSYNC = 0x40;
export const STA_FREQHOLD = 0x80;
export const STA_CLOCKERR = 0x1000;
export const STA_NANO = 0x2000;
export const STA_MODE = 0x4000;
/** Bits that only the kernel sets. */
export const STA_RONLY = 0xff00;

export const TIME_OK = 0;
export const TIME_ERROR = 5;
