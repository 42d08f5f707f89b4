/** The kernel log: a ring of records, as dmesg(1) and /dev/kmsg show it. */
export const KERN_EMERG = 0;
export const KERN_ALERT = 1;
export const KERN_CRIT = 2;
export const KERN_ERR = 3;
export const KERN_WARNING = 4;
export const KERN_NOTICE = 5;
export const KERN_INFO = 6;
export const KERN_DEBUG = 7;

export interface LogRecord {
  readonly seq: number;
  /** Facility and level, as syslog(3) packs them: facility * 8 + level. */
  readonly prio: number;
  /** CLOCK_MONOTONIC, nanoseconds. */
  readonly time: number;
  readonly text: string;
}

export interface Printk {
  log(level: number, text: string): void;
}
