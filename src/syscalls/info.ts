/** The machine: names, memory, random bytes, shutdown (uname(2), sysinfo(2), getrandom(2), reboot(2)). */
import { CAP_SYS_ADMIN, CAP_SYS_BOOT, capable } from '../core/cred.ts';
import { copyInString, copyOut } from '../core/user-copy.ts';
import { settleAlong } from '../kernel/along.ts';
import type { ShutdownKind } from '../kernel/kernel.ts';
import { mayAttach } from '../kernel/ptrace-access.ts';
import { Slice } from '../kernel/slice.ts';
import type { Task } from '../kernel/task.ts';
import { UTS_LEN, utsOf } from '../kernel/uts.ts';
import { setInt64 } from '../lib/int64.ts';
import { EBADF, EINVAL, ENOSYS, EOPNOTSUPP, EPERM, ESRCH } from '../uapi/errno.ts';
import * as rb from '../uapi/reboot.ts';
import {
  call,
  flags,
  foreseeable,
  int,
  oneOf,
  outBuffer,
  outStruct,
  pid,
  pointer,
  type Syscall,
  uint,
  ulong,
} from './args.ts';
import { limitCalls } from './limits.ts';
import { numbersAt } from './show.ts';
import { SYSINFO, UTSNAME } from './structs/process.ts';
import { syslogCalls } from './syslog.ts';

const UTS_FIELDS = 6;

/** struct utsname: six strings of 65 bytes. */
function uname(task: Task, addr: number): number {
  const { sysname, nodename, release, version, machine, domainname } = utsOf(task);
  const names = [sysname, nodename, release, version, machine, domainname];
  const bytes = new Uint8Array(UTS_LEN * UTS_FIELDS);
  for (const [i, name] of names.entries()) {
    for (let at = 0; at < Math.min(name.length, UTS_LEN - 1); at++)
      bytes[i * UTS_LEN + at] = name.charCodeAt(at);
  }
  return copyOut(task.user, addr, bytes);
}

/** The name for sethostname and setdomainname: any bytes, up to the first NUL. */
function readName(task: Task, addr: number, len: number): string | number {
  if (!capable(task.cred, CAP_SYS_ADMIN)) return -EPERM;
  if (len < 0 || len >= UTS_LEN) return -EINVAL;
  const name = copyInString(task.user, addr, len);
  return typeof name === 'number' ? name : name.split('\0', 1)[0]!;
}

function sethostname(task: Task, addr: number, len: number): number {
  const name = readName(task, addr, len);
  if (typeof name === 'number') return name;
  utsOf(task).nodename = name;
  return 0;
}

function setdomainname(task: Task, addr: number, len: number): number {
  const name = readName(task, addr, len);
  if (typeof name === 'number') return name;
  utsOf(task).domainname = name;
  return 0;
}

/**
 * struct sysinfo: 0 uptime | 8 loads (3) | 32 totalram | 40 freeram | 48 sharedram | 56 bufferram | 64 totalswap |
 * 72 freeswap | 80 procs u16 | 104 mem_unit u32. Loads are fixed-point numbers with 16 bits after the point.
 */
const SYSINFO_SIZE = 112;
const LOAD_ONE = 65536;

function sysinfo(task: Task, addr: number): number {
  const at = task.user.out(addr, SYSINFO_SIZE);
  if (at < 0) return at;
  const { view, ram } = task.user;
  const { account, loads, tasks } = task.kernel;
  const { total, free, shmem } = account.info;
  ram.fill(0, at, at + SYSINFO_SIZE);
  setInt64(view, at, Math.floor(task.clock.monotonic() / 1e9));
  loads.values.forEach((load, i) => {
    setInt64(view, at + 8 + 8 * i, Math.round(load * LOAD_ONE));
  });
  setInt64(view, at + 32, total);
  setInt64(view, at + 40, free);
  setInt64(view, at + 48, shmem);
  view.setUint16(at + 80, Math.min(tasks.size, 0xffff), true);
  view.setUint32(at + 104, 1, true);
  return 0;
}

const GRND_NONBLOCK = 1;
const GRND_RANDOM = 2;
const GRND_INSECURE = 4;
const GRND = { GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE };
/** One call returns less than 2 GiB, as read(2) does. */
const RANDOM_MAX = 0x7fff_f000;

/** The most bytes that may be foreseen: what C libraries need when they start. */
const FORESEEN_RANDOM = 64;

function getrandom(task: Task, addr: number, len: number, flags: number): number | Promise<number> {
  const both = GRND_RANDOM | GRND_INSECURE;
  if ((flags & ~(both | GRND_NONBLOCK)) !== 0 || (flags & both) === both) return -EINVAL;
  return fillRandom(task, addr, Math.min(len, RANDOM_MAX), 0);
}

/** Continues behind `begun` bytes. A signal interrupts a call that takes long (getrandom(2)). */
function fillRandom(task: Task, addr: number, wanted: number, begun: number): number | Promise<number> {
  const { user, kernel } = task;
  const slice = new Slice(task);
  let done = begun;
  while (done < wanted) {
    const n = Math.min(wanted - done, user.maxWindow);
    const at = user.out(addr + done, n);
    if (at < 0) return done > 0 ? done : at;
    kernel.fillRandom(user.ram, at, n);
    done += n;
    if (done < wanted && slice.isOver)
      return slice
        .pause()
        .then(() => (task.signals.mustWake() ? done : fillRandom(task, addr, wanted, done)));
  }
  return done;
}

function reboot(task: Task, magic: number, magic2: number, cmd: number): number | Promise<number> {
  if (!capable(task.cred, CAP_SYS_BOOT)) return -EPERM;
  const known = magic >>> 0 === rb.LINUX_REBOOT_MAGIC1 && rb.LINUX_REBOOT_MAGICS2.includes(magic2);
  if (!known) return -EINVAL;
  switch (cmd >>> 0) {
    case rb.LINUX_REBOOT_CMD_RESTART:
    case rb.LINUX_REBOOT_CMD_RESTART2:
      return end(task, 'restart');
    case rb.LINUX_REBOOT_CMD_HALT:
      return end(task, 'halt');
    case rb.LINUX_REBOOT_CMD_POWER_OFF:
      return end(task, 'poweroff');
    case rb.LINUX_REBOOT_CMD_CAD_ON:
    case rb.LINUX_REBOOT_CMD_CAD_OFF:
      return 0;
    default:
      return -EINVAL;
  }
}

/** The call does not return. */
function end(task: Task, kind: ShutdownKind): Promise<number> {
  task.kernel.shutdown(kind);
  return new Promise(() => {});
}

const KCMP_FILE = 0;
const KCMP_VM = 1;
const KCMP_FILES = 2;
const KCMP_FS = 3;
const KCMP_SIGHAND = 4;
const KCMP_IO = 5;
const KCMP_SYSVSEM = 6;
const KCMP_EPOLL_TFD = 7;
const KCMP = { KCMP_FILE, KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND, KCMP_IO, KCMP_SYSVSEM, KCMP_EPOLL_TFD };
/** Different and without an order (kcmp(2), RETURN VALUE). */
const UNORDERED = 3;

function kcmp(task: Task, pid1: number, pid2: number, type: number, idx1: number, idx2: number): number {
  const [a, b] = [task.kernel.tasks.get(pid1), task.kernel.tasks.get(pid2)];
  if (a === undefined || b === undefined) return -ESRCH;
  if (!mayAttach(task, a) || !mayAttach(task, b)) return -EPERM;
  if (type < 0 || type > KCMP_EPOLL_TFD) return -EINVAL;
  if (type > KCMP_SYSVSEM) return -EOPNOTSUPP;
  const one = resource(a, type, idx1);
  const other = resource(b, type, idx2);
  if (type === KCMP_FILE && (one === null || other === null)) return -EBADF;
  return one === other ? 0 : UNORDERED;
}

function resource(of: Task, type: number, idx: number): object | null {
  switch (type) {
    case KCMP_FILE:
      settleAlong(of);
      return of.files.get(idx);
    case KCMP_VM:
      return of.mm;
    case KCMP_FILES:
      return of.files;
    case KCMP_FS:
      return of.fs;
    case KCMP_SIGHAND:
      return of.group.sighand;
    case KCMP_SYSVSEM:
      return of.kernel.ipc.sem.undoes(of.group) ? of.group : null;
    default:
      // No block devices, hence no I/O contexts: all tasks share the same, none.
      return null;
  }
}

export const infoCalls: readonly Syscall[] = [
  call('uname', [outStruct('buf', UTSNAME)], uname),
  call('sethostname', [pointer('name'), int('len')], sethostname),
  call('setdomainname', [pointer('name'), int('len')], setdomainname),
  call('sysinfo', [outStruct('info', SYSINFO)], sysinfo),
  foreseeable(
    call(
      'getrandom',
      [{ ...outBuffer('buf', 1), show: numbersAt(1) }, ulong('buflen'), flags('flags', GRND)],
      getrandom,
    ),
    {
      act: 'query',
      args: ['out', 'word', 'int'],
      lasts: ([, len], result) => result === len && len <= FORESEEN_RANDOM,
      run: (task, [addr, len, how]) => getrandom(task, addr!, len!, how!),
    },
  ),
  call('reboot', [int('magic'), int('magic2'), int('op'), pointer('arg')], reboot, 'no kexec, no suspend'),
  call(
    'kcmp',
    [pid('pid1'), pid('pid2'), oneOf('type', KCMP), ulong('idx1'), ulong('idx2')],
    kcmp,
    'unequal resources have no order (the result is 3); no KCMP_EPOLL_TFD',
  ),
  call(
    'rseq',
    [pointer('rseq'), uint('len'), int('flags'), uint('sig')],
    () => -ENOSYS,
    'ENOSYS; glibc works without it',
  ),
  ...limitCalls,
  ...syslogCalls,
];
