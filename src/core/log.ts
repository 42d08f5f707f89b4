/**
 * The kernel log: a ring of records, as dmesg(1), /dev/kmsg and syslog(2) show it, and the consoles that print it.
 *
 * Records are numbered from 0; when the ring holds more than its size, the oldest go. Text is latin1.
 */
import { EINVAL } from '../uapi/errno.ts';
import type { Clock } from './clock.ts';
import { KERN_DEBUG, KERN_EMERG, KERN_WARNING, type LogRecord, type Printk } from './printk.ts';
import { WaitQueue } from './wait.ts';

/** A further place for the log, which gets whole lines with their newline. */
export interface Console {
  write(text: string): void;
}

/** Bytes of text that the ring keeps; each record counts this much in addition. */
const RING_BYTES = 128 * 1024;
const RECORD_OVERHEAD = 32;
/** Longer messages are cut. */
const LONGEST = 1024;
export const DEFAULT_CONSOLE_LEVEL = 7;
export const MINIMUM_CONSOLE_LEVEL = 1;
export const LOG_KERN = 0;
export const LOG_USER = 1;

export const levelOf = (prio: number): number => prio & 7;

export class KernelLog implements Printk {
  private readonly clock: Pick<Clock, 'monotonic'>;
  private readonly capacity: number;
  private readonly consoles: Set<Console> = new Set();
  /** Records from `first` on; those before `head` are gone. */
  private records: LogRecord[] = [];
  private head = 0;
  private used = 0;
  private next = 0;
  /** Where SYSLOG_ACTION_CLEAR cleared: READ_ALL does not show what came before. */
  private cleared = 0;
  /** Messages below this level (more urgent) go to the consoles. */
  consoleLevel = DEFAULT_CONSOLE_LEVEL;
  /** The level of messages without one. */
  defaultLevel: number = KERN_WARNING;
  /** /proc/sys/kernel/dmesg_restrict: only CAP_SYSLOG may read the log. */
  restricted = false;
  /** The level before CONSOLE_OFF; -1 while consoles are on. */
  private savedLevel = -1;
  /** Woken for each record. */
  readonly waitq = new WaitQueue();

  constructor(clock: Pick<Clock, 'monotonic'>, capacity: number = RING_BYTES) {
    this.clock = clock;
    this.capacity = capacity;
  }

  get firstSeq(): number {
    return this.next - (this.records.length - this.head);
  }

  /** The number of the next record. */
  get nextSeq(): number {
    return this.next;
  }

  get clearSeq(): number {
    return Math.max(this.cleared, this.firstSeq);
  }

  get size(): number {
    return this.capacity;
  }

  log(level: number, text: string): void {
    this.emit(LOG_KERN * 8 + Math.min(Math.max(level, KERN_EMERG), KERN_DEBUG), text);
  }

  /** Adds a record; `prio` is facility * 8 + level. */
  emit(prio: number, text: string): void {
    const line = text.endsWith('\n') ? text.slice(0, -1) : text;
    const record = { seq: this.next++, prio, time: this.clock.monotonic(), text: line.slice(0, LONGEST) };
    this.records.push(record);
    this.used += record.text.length + RECORD_OVERHEAD;
    this.trim();
    if (levelOf(prio) < this.consoleLevel) this.print(record);
    this.waitq.wake();
  }

  /** The record of that number; undefined if it is gone or does not exist yet. */
  record(seq: number): LogRecord | undefined {
    return seq < this.firstSeq ? undefined : this.records[this.head + seq - this.firstSeq];
  }

  /** Hides what is in the ring from readers that begin at `clearSeq`. */
  clear(): void {
    this.cleared = this.next;
  }

  /** Adds a console; with `replay` it gets what has been logged so far. Returns a function that removes it. */
  addConsole(console: Console, replay: boolean): () => void {
    if (replay) {
      for (let seq = this.firstSeq; seq < this.next; seq++) {
        const record = this.record(seq)!;
        if (levelOf(record.prio) < this.consoleLevel) console.write(formatRecord(record, false));
      }
    }
    this.consoles.add(console);
    return () => this.consoles.delete(console);
  }

  /** 0, or -EINVAL for a level out of range. */
  setConsoleLevel(level: number): number {
    if (level < 1 || level > 8) return -EINVAL;
    this.consoleLevel = Math.max(level, MINIMUM_CONSOLE_LEVEL);
    this.savedLevel = -1;
    return 0;
  }

  consoleOff(): void {
    if (this.savedLevel < 0) this.savedLevel = this.consoleLevel;
    this.consoleLevel = MINIMUM_CONSOLE_LEVEL;
  }

  consoleOn(): void {
    if (this.savedLevel < 0) return;
    this.consoleLevel = this.savedLevel;
    this.savedLevel = -1;
  }

  private print(record: LogRecord): void {
    if (this.consoles.size === 0) return;
    const text = formatRecord(record, false);
    for (const console of this.consoles) console.write(text);
  }

  private trim(): void {
    while (this.used > this.capacity && this.records.length - this.head > 1) {
      this.used -= this.records[this.head++]!.text.length + RECORD_OVERHEAD;
    }
    if (this.head <= this.records.length / 2 || this.head < 64) return;
    this.records = this.records.slice(this.head);
    this.head = 0;
  }
}

/** A record as syslog(2) and consoles show it: each line begins with "[    1.234567] ", after "<prio>" if asked. */
export function formatRecord(record: LogRecord, withPrio: boolean): string {
  const usec = Math.floor(record.time / 1000);
  const sec = String(Math.floor(usec / 1_000_000)).padStart(5);
  const stamp = `[${sec}.${String(usec % 1_000_000).padStart(6, '0')}] `;
  const prefix = withPrio ? `<${record.prio}>${stamp}` : stamp;
  return record.text
    .split('\n')
    .map(line => `${prefix}${line}\n`)
    .join('');
}
