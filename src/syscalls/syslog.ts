/** syslog(2): the kernel log for programs. */
import { CAP_SYSLOG, capable } from '../core/cred.ts';
import * as s from '../core/syslog.ts';
import { copyOut } from '../core/user-copy.ts';
import type { Task } from '../kernel/task.ts';
import { EAGAIN, EINVAL, EPERM } from '../uapi/errno.ts';
import { call, int, pointer, type Syscall } from './args.ts';

function syslog(task: Task, action: number, addr: number, len: number): number | Promise<number> {
  const log = task.kernel.printk;
  const error = s.syslogPermission(action, task.cred, log.restricted);
  if (error !== 0) return error;
  switch (action) {
    case s.SYSLOG_ACTION_CLOSE:
    case s.SYSLOG_ACTION_OPEN:
      return 0;
    case s.SYSLOG_ACTION_READ:
      return isBuffer(addr, len) ? readNew(task, addr, len) : -EINVAL;
    case s.SYSLOG_ACTION_READ_ALL:
      return isBuffer(addr, len) ? readAll(task, addr, len) : -EINVAL;
    case s.SYSLOG_ACTION_READ_CLEAR:
      return isBuffer(addr, len) ? readAndClear(task, addr, len) : -EINVAL;
    default:
      return control(task, action, len);
  }
}

const isBuffer = (addr: number, len: number): boolean => addr !== 0 && len >= 0;

function control(task: Task, action: number, level: number): number {
  const { printk: log, syslog: reader } = task.kernel;
  switch (action) {
    case s.SYSLOG_ACTION_CLEAR:
      log.clear();
      return 0;
    case s.SYSLOG_ACTION_CONSOLE_OFF:
      log.consoleOff();
      return 0;
    case s.SYSLOG_ACTION_CONSOLE_ON:
      log.consoleOn();
      return 0;
    case s.SYSLOG_ACTION_CONSOLE_LEVEL:
      return log.setConsoleLevel(level);
    case s.SYSLOG_ACTION_SIZE_UNREAD:
      return reader.unread();
    case s.SYSLOG_ACTION_SIZE_BUFFER:
      return log.size;
    default:
      return -EINVAL;
  }
}

/** Waits for something new. */
async function readNew(task: Task, addr: number, len: number): Promise<number> {
  const bytes = new Uint8Array(Math.min(len, task.kernel.printk.size));
  for (;;) {
    const n = task.kernel.syslog.read(bytes, 0, bytes.length);
    if (n !== -EAGAIN) return copyOut(task.user, addr, bytes.subarray(0, n)) || n;
    const slept = await task.sleepOn([task.kernel.printk.waitq]);
    if (slept !== 0) return slept;
  }
}

function readAll(task: Task, addr: number, len: number): number {
  const bytes = new Uint8Array(Math.min(len, task.kernel.printk.size));
  const n = s.readAllOfLog(task.kernel.printk, bytes, 0, bytes.length);
  return copyOut(task.user, addr, bytes.subarray(0, n)) || n;
}

function readAndClear(task: Task, addr: number, len: number): number {
  if (!capable(task.cred, CAP_SYSLOG)) return -EPERM;
  const n = readAll(task, addr, len);
  if (n >= 0) task.kernel.printk.clear();
  return n;
}

export const syslogCalls: readonly Syscall[] = [
  call('syslog', [int('type'), pointer('buf'), int('len')], syslog),
];
