/** ioctl(2) requests of pipes, sockets and event files (asm-generic/ioctls.h, asm-generic/sockios.h). */
export const FIONREAD = 0x541b;
/** Bytes that a socket can receive, and that its peer has not yet received (unix(7)). */
export const SIOCINQ = FIONREAD;
export const SIOCOUTQ = 0x5411;
/** SO_PEERCRED's cousin: the inode that a bound AF_UNIX socket lies on, as a descriptor. */
export const SIOCUNIXFILE = 0x89e0;
