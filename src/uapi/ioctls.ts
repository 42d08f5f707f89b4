/** ioctl(2) requests of pipes, sockets and event files (asm-generic/ioctls.h, asm-generic/sockios.h). */
export const FIONREAD = 0x541b;
/** Bytes that a socket can receive, and that its peer has not yet received (unix(7)). */
export const SIOCINQ = FIONREAD;
export const SIOCOUTQ = 0x5411;
