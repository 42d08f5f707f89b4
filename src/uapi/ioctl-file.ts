/** ioctl(2) requests that the system call itself handles for all files (asm-generic/ioctls.h, linux/fs.h). */
export const FIGETBSZ = 2;
export const FIONBIO = 0x5421;
export const FIONCLEX = 0x5450;
export const FIOCLEX = 0x5451;
export const FIOASYNC = 0x5452;
export const FIOQSIZE = 0x5460;
export const FS_IOC_GETFLAGS = 0x80086601;
export const FS_IOC_SETFLAGS = 0x40086602;
export const FS_IOC_FSGETXATTR = 0x801c581f;
export const FS_IOC_FSSETXATTR = 0x401c5820;
export const FICLONE = 0x40049409;
export const FICLONERANGE = 0x4020940d;
export const FIDEDUPERANGE = 0xc0189436;

/** Flags of FS_IOC_GETFLAGS (ioctl_iflags(2)). */
export const FS_IMMUTABLE_FL = 0x10;
export const FS_APPEND_FL = 0x20;
export const FS_NODUMP_FL = 0x40;
export const FS_NOATIME_FL = 0x80;

/** The same and more, as in FS_IOC_FSGETXATTR and file_getattr(2). */
export const FS_XFLAG_IMMUTABLE = 0x08;
export const FS_XFLAG_APPEND = 0x10;
export const FS_XFLAG_NOATIME = 0x40;
export const FS_XFLAG_NODUMP = 0x80;
export const FS_XFLAG_EXTSIZE = 0x800;
export const FS_XFLAG_EXTSZINHERIT = 0x1000;
export const FS_XFLAG_COWEXTSIZE = 0x10000;
/** Bits that only the filesystem sets: preallocated space, extended attributes. */
export const FS_XFLAG_RDONLY_MASK = 0x80000002;
export const FS_XFLAGS_MASK = 0x8001fffb;
