/** ioctl(2) requests of pipes, sockets and event files (asm-generic/ioctls.h, asm-generic/sockios.h). */
export const FIONREAD = 0x541b;
/** Bytes that a socket can receive, and bytes that its peer has not yet received (unix(7)). */
export const SIOCINQ = FIONREAD;
export const SIOCOUTQ = 0x5411;
export const SIOCATMARK = 0x8905;

/** Requests that every file understands: close-on-exec, O_NONBLOCK, O_ASYNC, sizes. */
export const FIONCLEX = 0x5450;
export const FIOCLEX = 0x5451;
export const FIONBIO = 0x5421;
export const FIOASYNC = 0x5452;
export const FIOQSIZE = 0x5460;
export const FIGETBSZ = 2;
