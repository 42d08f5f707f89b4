/**
 * /dev/kmsg: reads return the kernel log, one record each; writes add to it (Documentation/ABI/testing/dev-kmsg).
 *
 * A record reads as "prio,seq,usec,-;text\n", with unprintable bytes as \xHH. Each reader has its own position:
 * SEEK_SET 0 goes to the oldest record, SEEK_DATA 0 to the first after the last clear, SEEK_END 0 past the
 * newest. A reader whose next record has been overwritten gets -EPIPE once and continues with the oldest.
 */
import { CAP_SYSLOG, capable } from '../../core/cred.ts';
import { type KernelLog, LOG_USER, levelOf } from '../../core/log.ts';
import type { LogRecord } from '../../core/printk.ts';
import type { WaitQueue } from '../../core/wait.ts';
import { type Current, File } from '../../fs/file.ts';
import type { Inode } from '../../fs/inode.ts';
import type { Result } from '../../lib/result.ts';
import { EAGAIN, EINVAL, EPERM, EPIPE, ESPIPE } from '../../uapi/errno.ts';
import { O_ACCMODE, O_WRONLY, SEEK_DATA, SEEK_END, SEEK_SET } from '../../uapi/fcntl.ts';
import { POLLERR, POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM } from '../../uapi/poll.ts';

/** The longest message that can be written, in bytes. */
const LONGEST = 1024;

export class KmsgFile extends File {
  private readonly log: KernelLog;
  private seq: number;

  static open(inode: Inode, flags: number, current: Current | null, log: KernelLog): Result<File> {
    const reads = (flags & O_ACCMODE) !== O_WRONLY;
    if (reads && log.restricted && current !== null && !capable(current.cred, CAP_SYSLOG)) return -EPERM;
    return new KmsgFile(inode, flags, log);
  }

  constructor(inode: Inode, flags: number, log: KernelLog) {
    super(inode, flags);
    this.log = log;
    this.seq = log.firstSeq;
  }

  override get waitq(): WaitQueue {
    return this.log.waitq;
  }

  override get takesSpliced(): boolean {
    return false;
  }

  override poll(): number {
    const ready = this.seq < this.log.nextSeq ? POLLIN | POLLRDNORM : 0;
    const overtaken = this.seq < this.log.firstSeq ? POLLERR | POLLPRI : 0;
    return ready | overtaken | POLLOUT | POLLWRNORM;
  }

  override read(buf: Uint8Array, off: number, len: number, _pos: number): number {
    if (this.seq < this.log.firstSeq) {
      this.seq = this.log.firstSeq;
      return -EPIPE;
    }
    const record = this.log.record(this.seq);
    if (record === undefined) return -EAGAIN;
    const line = extendedRecord(record);
    if (line.length > len) return -EINVAL;
    for (let i = 0; i < line.length; i++) buf[off + i] = line.charCodeAt(i);
    this.seq++;
    return line.length;
  }

  override write(buf: Uint8Array, off: number, len: number, _pos: number): number {
    if (len > LONGEST) return -EINVAL;
    let text = '';
    for (let i = off; i < off + len; i++) text += String.fromCharCode(buf[i]!);
    const { prio, message } = parsePriority(text, this.log.defaultLevel);
    this.log.emit(prio, message);
    return len;
  }

  override seek(offset: number, whence: number): number {
    if (offset !== 0) return -ESPIPE;
    if (whence === SEEK_SET) this.seq = this.log.firstSeq;
    else if (whence === SEEK_DATA) this.seq = this.log.clearSeq;
    else if (whence === SEEK_END) this.seq = this.log.nextSeq;
    else return -EINVAL;
    return 0;
  }
}

export function extendedRecord(record: LogRecord): string {
  const usec = Math.floor(record.time / 1000);
  const escaped = record.text.replace(
    /[^ -~]|\\/g,
    c => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `${record.prio},${record.seq},${usec},-;${escaped}\n`;
}

/** Strips "<prio>". Programs cannot log as the kernel: facility 0 becomes LOG_USER. */
function parsePriority(text: string, defaultLevel: number): { prio: number; message: string } {
  const prefix = /^<(\d{0,10})>/.exec(text);
  if (prefix === null) return { prio: LOG_USER * 8 + defaultLevel, message: text };
  const given = Number(prefix[1]) % 2048;
  const facility = given >> 3 || LOG_USER;
  return { prio: facility * 8 + levelOf(given), message: text.slice(prefix[0].length) };
}
