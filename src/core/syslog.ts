/**
 * syslog(2): the log as klogctl(3) and /proc/kmsg read it. Actions that wait answer -EAGAIN while there is nothing; the
 * caller sleeps on the log's wait queue.
 */
import { EAGAIN, EPERM } from '../uapi/errno.ts';
import { CAP_SYSLOG, type Cred, capable } from './cred.ts';
import { formatRecord, type KernelLog } from './log.ts';

export const SYSLOG_ACTION_CLOSE = 0;
export const SYSLOG_ACTION_OPEN = 1;
export const SYSLOG_ACTION_READ = 2;
export const SYSLOG_ACTION_READ_ALL = 3;
export const SYSLOG_ACTION_READ_CLEAR = 4;
export const SYSLOG_ACTION_CLEAR = 5;
export const SYSLOG_ACTION_CONSOLE_OFF = 6;
export const SYSLOG_ACTION_CONSOLE_ON = 7;
export const SYSLOG_ACTION_CONSOLE_LEVEL = 8;
export const SYSLOG_ACTION_SIZE_UNREAD = 9;
export const SYSLOG_ACTION_SIZE_BUFFER = 10;

/**
 * 0 or -EPERM: actions need CAP_SYSLOG, except reading all and asking for the size of the buffer while dmesg_restrict
 * is 0.
 */
export function syslogPermission(action: number, cred: Cred, restricted: boolean): number {
  const free = action === SYSLOG_ACTION_READ_ALL || action === SYSLOG_ACTION_SIZE_BUFFER;
  return (free && !restricted) || capable(cred, CAP_SYSLOG) ? 0 : -EPERM;
}

/** The one reader of SYSLOG_ACTION_READ: what it has read counts as read for all callers. */
export class SyslogReader {
  private readonly log: KernelLog;
  private seq = 0;
  /** Bytes of record `seq` that have been read. */
  private partial = 0;

  constructor(log: KernelLog) {
    this.log = log;
  }

  /** SYSLOG_ACTION_READ: bytes copied, -EAGAIN if there is nothing new. */
  read(buf: Uint8Array, off: number, len: number): number {
    let done = 0;
    for (let text = this.rest(); text !== ''; text = this.rest()) {
      const n = Math.min(text.length, len - done);
      if (n === 0) break;
      put(buf, off + done, text, n);
      done += n;
      this.consume(n, text.length);
    }
    return done === 0 && len > 0 ? -EAGAIN : done;
  }

  /** SYSLOG_ACTION_SIZE_UNREAD: the bytes that `read` would give. */
  unread(): number {
    let bytes = this.rest().length;
    for (let seq = this.seq + 1; seq < this.log.nextSeq; seq++) {
      bytes += formatRecord(this.log.record(seq)!, true).length;
    }
    return bytes;
  }

  private rest(): string {
    if (this.seq < this.log.firstSeq) {
      this.seq = this.log.firstSeq;
      this.partial = 0;
    }
    const record = this.log.record(this.seq);
    return record === undefined ? '' : formatRecord(record, true).slice(this.partial);
  }

  private consume(n: number, available: number): void {
    if (n < available) {
      this.partial += n;
      return;
    }
    this.seq++;
    this.partial = 0;
  }
}

/** SYSLOG_ACTION_READ_ALL: the last whole records that fit into `len` bytes; bytes copied. */
export function readAllOfLog(log: KernelLog, buf: Uint8Array, off: number, len: number): number {
  const texts: string[] = [];
  let room = len;
  for (let seq = log.nextSeq - 1; seq >= log.clearSeq; seq--) {
    const text = formatRecord(log.record(seq)!, true);
    if (text.length > room) break;
    room -= text.length;
    texts.push(text);
  }
  let at = off;
  for (const text of texts.reverse()) {
    put(buf, at, text, text.length);
    at += text.length;
  }
  return at - off;
}

function put(buf: Uint8Array, off: number, text: string, len: number): void {
  for (let i = 0; i < len; i++) buf[off + i] = text.charCodeAt(i);
}
