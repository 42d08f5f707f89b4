/** PROCMAP_QUERY of /proc/PID/maps (linux/fs.h). */
export const PROCMAP_QUERY = 0xc0686611;

/** Rights and sharing, as a query requires and as the answer reports them. */
export const PROCMAP_QUERY_VMA_READABLE = 0x01;
export const PROCMAP_QUERY_VMA_WRITABLE = 0x02;
export const PROCMAP_QUERY_VMA_EXECUTABLE = 0x04;
export const PROCMAP_QUERY_VMA_SHARED = 0x08;
export const PROCMAP_QUERY_VMA_ALL = 0x0f;
/** Flags of the search. */
export const PROCMAP_QUERY_COVERING_OR_NEXT_VMA = 0x10;
export const PROCMAP_QUERY_FILE_BACKED_VMA = 0x20;
export const PROCMAP_QUERY_ALL = 0x3f;
