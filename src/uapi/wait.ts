/** Options and status words of wait4(2) and waitid(2). */
export const WNOHANG = 0x00000001;
export const WUNTRACED = 0x00000002;
export const WSTOPPED = 0x00000002;
export const WEXITED = 0x00000004;
export const WCONTINUED = 0x00000008;
export const WNOWAIT = 0x01000000;
export const __WNOTHREAD = 0x20000000;
export const __WALL = 0x40000000;
export const __WCLONE = 0x80000000 | 0;

export const P_ALL = 0;
export const P_PID = 1;
export const P_PGID = 2;
export const P_PIDFD = 3;

/** A status word: the low 7 bits are the signal that ended the process, 0 for none, and bits 8 to 15 its code. */
export const WCOREFLAG = 0x80;
export const STATUS_CONTINUED = 0xffff;
export const exitStatusOf = (code: number): number => (code & 0xff) << 8;
export const stopStatusOf = (signal: number): number => (signal << 8) | 0x7f;
export const termSignal = (status: number): number => status & 0x7f;
export const exitCode = (status: number): number => (status >>> 8) & 0xff;
