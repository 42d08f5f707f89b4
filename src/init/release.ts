/** What uname(2), /proc/version and the first line of the log call this kernel. */
export const RELEASE = '6.18.0-uml';
export const VERSION = '#1 SMP PREEMPT_DYNAMIC';
export const MACHINE = 'x86_64';
export const BUILDER = '(uml@localhost) (TypeScript)';
