/** The structures of system calls, as strace shows them. Offsets are those of arch/x86_64/structs, where all is told. */

import { FLOCK_SIZE } from '../arch/x86_64/structs/flock.ts';
import { POLLFD_SIZE } from '../arch/x86_64/structs/poll.ts';
import { RLIMIT_SIZE, RUSAGE_SIZE } from '../arch/x86_64/structs/resource.ts';
import { SIGACTION_SIZE, SIGEVENT_SIZE, SIGSET_SIZE, STACK_SIZE } from '../arch/x86_64/structs/signal.ts';
import { TIMESPEC_SIZE, TIMEVAL_SIZE } from '../arch/x86_64/structs/time.ts';
import { UTS_LEN } from '../kernel/uts.ts';
import { getInt64, getUint64 } from '../lib/int64.ts';
import { latin1 } from '../lib/latin1.ts';
import * as epoll from '../uapi/epoll.ts';
import * as fcntl from '../uapi/fcntl.ts';
import * as poll from '../uapi/poll.ts';
import * as sched from '../uapi/sched.ts';
import { SIGINFO_SIZE, SignalInfo } from '../uapi/siginfo.ts';
import * as signals from '../uapi/signal.ts';
import { AF_INET, AF_INET6, AF_NETLINK, AF_UNIX, AF_UNSPEC } from '../uapi/socket.ts';
import * as time from '../uapi/time.ts';
import { exitCode, STATUS_CONTINUED, termSignal, WCOREFLAG } from '../uapi/wait.ts';
import type { FlagNames, Show, ShowField, Struct } from './args.ts';
import {
  abbreviated,
  address,
  bytesAt,
  flagWord,
  hexadecimal,
  named,
  namesIn,
  quoted,
  signalName,
  signalSet,
  struct,
} from './show.ts';
import { showSiginfo } from './show-siginfo.ts';

// Fields, by their offset.

export const s32 =
  (off: number): ShowField =>
  (view, at) =>
    String(view.getInt32(at + off, true));
export const u32 =
  (off: number, show: (value: number) => string = String): ShowField =>
  (view, at) =>
    show(view.getUint32(at + off, true));
export const u16 =
  (off: number, show: (value: number) => string = String): ShowField =>
  (view, at) =>
    show(view.getUint16(at + off, true));
const s64 =
  (off: number): ShowField =>
  (view, at) =>
    String(getInt64(view, at + off));
export const u64 =
  (off: number, show: (value: number) => string = String): ShowField =>
  (view, at) =>
    show(getUint64(view, at + off));
const inside =
  (off: number, inner: Struct): ShowField =>
  (view, at, look) =>
    inner.show(view, at + off, look);
const text =
  (off: number, len: number): ShowField =>
  (view, at) =>
    cString(view, at + off, len);

/** The string in a field of `len` bytes. */
function cString(view: DataView, at: number, len: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, len);
  const end = bytes.indexOf(0);
  return quoted(latin1(bytes, 0, end < 0 ? len : end));
}

// Times and limits.

export const TIMESPEC = struct(TIMESPEC_SIZE, { tv_sec: s64(0), tv_nsec: s64(8) });
export const TIMEVAL = struct(TIMEVAL_SIZE, { tv_sec: s64(0), tv_usec: s64(8) });
export const TIMEZONE = struct(8, { tz_minuteswest: s32(0), tz_dsttime: s32(4) });
export const ITIMERSPEC = struct(32, { it_interval: inside(0, TIMESPEC), it_value: inside(16, TIMESPEC) });
export const ITIMERVAL = struct(32, { it_interval: inside(0, TIMEVAL), it_value: inside(16, TIMEVAL) });
export const UTIMBUF = struct(16, { actime: s64(0), modtime: s64(8) });
export const CLOCKS = namesIn(time, /^CLOCK_/);
/** The two times of utimensat(2) and utimes(2). */
export const TIMESPECS = pair(TIMESPEC);
export const TIMEVALS = pair(TIMEVAL);
export const TMS = struct(32, {
  tms_utime: s64(0),
  tms_stime: s64(8),
  tms_cutime: s64(16),
  tms_cstime: s64(24),
});

function pair(one: Struct): Struct {
  return {
    size: 2 * one.size,
    show: (view, at, look) => `[${one.show(view, at, look)}, ${one.show(view, at + one.size, look)}]`,
  };
}

const limit = (value: number): string => {
  if (value > Number.MAX_SAFE_INTEGER) return 'RLIM64_INFINITY';
  return value > 1024 && value % 1024 === 0 ? `${value / 1024}*1024` : String(value);
};
export const RLIMIT = struct(RLIMIT_SIZE, { rlim_cur: u64(0, limit), rlim_max: u64(8, limit) });
export const RUSAGE = struct(
  RUSAGE_SIZE,
  { ru_utime: inside(0, TIMEVAL), ru_stime: inside(16, TIMEVAL) },
  true,
);

// Files.

export const XATTR_ARGS = struct(16, { value: u64(0, address), size: u32(8), flags: u32(12, hexadecimal) });
export const MQ_ATTR = struct(64, {
  mq_flags: s64(0),
  mq_maxmsg: s64(8),
  mq_msgsize: s64(16),
  mq_curmsgs: s64(24),
});
export const UTSNAME = struct(
  6 * UTS_LEN,
  { sysname: text(0, UTS_LEN), nodename: text(UTS_LEN, UTS_LEN) },
  true,
);
const loads: ShowField = (view, at) =>
  `[${getUint64(view, at + 8)}, ${getUint64(view, at + 16)}, ${getUint64(view, at + 24)}]`;
export const SYSINFO = struct(112, {
  uptime: s64(0),
  loads,
  totalram: u64(32),
  freeram: u64(40),
  sharedram: u64(48),
  bufferram: u64(56),
  totalswap: u64(64),
  freeswap: u64(72),
  procs: u16(80),
  totalhigh: u64(88),
  freehigh: u64(96),
  mem_unit: u32(104),
});

/** A pair of descriptors, and other small answers. */
export const INT: Struct = { size: 4, show: (view, at) => `[${view.getInt32(at, true)}]` };
export const INT_PAIR: Struct = {
  size: 8,
  show: (view, at) => `[${view.getInt32(at, true)}, ${view.getInt32(at + 4, true)}]`,
};
export const OFFSET: Struct = { size: 8, show: (view, at) => `[${getInt64(view, at)}]` };

const LOCK_TYPES: FlagNames = { F_RDLCK: fcntl.F_RDLCK, F_WRLCK: fcntl.F_WRLCK, F_UNLCK: fcntl.F_UNLCK };
const WHENCE: FlagNames = { SEEK_SET: 0, SEEK_CUR: 1, SEEK_END: 2 };
export const FLOCK = struct(FLOCK_SIZE, {
  l_type: u16(0, named(LOCK_TYPES)),
  l_whence: u16(2, named(WHENCE)),
  l_start: s64(8),
  l_len: s64(16),
});

export const IOVEC: Struct = {
  size: 16,
  show: (view, at, look) => {
    const len = getInt64(view, at + 8);
    return `{iov_base=${bytesAt(getUint64(view, at), len, look)}, iov_len=${len}}`;
  },
};

export const WINSIZE = struct(8, { ws_row: u16(0), ws_col: u16(2), ws_xpixel: u16(4), ws_ypixel: u16(6) });

// Waiting.

const EVENTS = namesIn(poll, /^POLL/);
const EPOLL_EVENTS: FlagNames = {
  ...Object.fromEntries(Object.entries(EVENTS).map(([name, bits]) => [`E${name}`, bits])),
  ...namesIn(epoll, /^EPOLL(EXCLUSIVE|WAKEUP|ONESHOT|ET)$/),
};
const events = (value: number): string => flagWord(value, EVENTS);

export const POLLFD: Struct = {
  size: POLLFD_SIZE,
  show: (view, at) => {
    const came = view.getUint16(at + 6, true);
    const wanted = `fd=${view.getInt32(at, true)}, events=${events(view.getUint16(at + 4, true))}`;
    return `{${wanted}${came === 0 ? '' : `, revents=${events(came)}`}}`;
  },
};
export const EPOLL_EVENT = struct(epoll.EPOLL_EVENT_SIZE, {
  events: u32(0, value => flagWord(value | 0, EPOLL_EVENTS)),
  data: (view, at) => `{u32=${view.getUint32(at + 4, true)}, u64=${getUint64(view, at + 4)}}`,
});

/** The descriptors of a set, of which there are at most `nfds`. */
export const fdSet: Show = (at, look) => {
  const nfds = Math.min(Math.max(look.args[0] ?? 0, 0), 1024);
  const view = at === 0 ? null : look.memory(at, Math.ceil(nfds / 64) * 8);
  if (view === null) return address(at);
  const fds = Array.from({ length: nfds }, (_, fd) => fd);
  return `[${fds.filter(fd => (view.getUint8(fd >> 3) >> (fd & 7)) & 1).join(' ')}]`;
};

// Signals.

const {
  SA_RESTORER,
  SA_ONSTACK,
  SA_RESTART,
  SA_NODEFER,
  SA_RESETHAND,
  SA_SIGINFO,
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
} = signals;
const SA_FLAGS: FlagNames = {
  SA_RESTORER,
  SA_ONSTACK,
  SA_RESTART,
  SA_NODEFER,
  SA_RESETHAND,
  SA_SIGINFO,
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
};
const HANDLERS: FlagNames = { SIG_DFL: signals.SIG_DFL, SIG_IGN: signals.SIG_IGN };
const SS_FLAGS = namesIn(signals, /^SS_/);

export const SIGSET: Struct = {
  size: SIGSET_SIZE,
  show: (view, at) => signalSet(view.getInt32(at, true), view.getInt32(at + 4, true)),
};
export const SIGACTION: Struct = {
  size: SIGACTION_SIZE,
  show: (view, at, look) => {
    const flags = view.getInt32(at + 8, true);
    const restorer =
      (flags & signals.SA_RESTORER) !== 0 ? `, sa_restorer=${address(getUint64(view, at + 16))}` : '';
    const handler = named(HANDLERS)(getUint64(view, at));
    const mask = SIGSET.show(view, at + 24, look);
    return `{sa_handler=${handler}, sa_mask=${mask}, sa_flags=${flagWord(flags, SA_FLAGS)}${restorer}}`;
  },
};
export const STACK = struct(STACK_SIZE, {
  ss_sp: u64(0, address),
  ss_flags: u32(8, value => flagWord(value | 0, SS_FLAGS)),
  ss_size: u64(16),
});
const NOTIFY = namesIn(time, /^SIGEV_(?!SIZE)/);
export const SIGEVENT = struct(SIGEVENT_SIZE, {
  sigev_signo: u32(8, signalName),
  sigev_notify: u32(12, named(NOTIFY)),
});
export const SIGINFO: Struct = {
  size: SIGINFO_SIZE,
  show: (view, at) => showSiginfo(SignalInfo.read(view, at)),
};

/** What wait4(2) stores, in the macros of wait(2). */
export const WAIT_STATUS: Struct = {
  size: 4,
  show: (view, at) => {
    const status = view.getInt32(at, true);
    const signal = termSignal(status);
    if (status === STATUS_CONTINUED) return '[{WIFCONTINUED(s)}]';
    if (signal === 0) return `[{WIFEXITED(s) && WEXITSTATUS(s) == ${exitCode(status)}}]`;
    if (signal === 0x7f) return `[{WIFSTOPPED(s) && WSTOPSIG(s) == ${signalName(exitCode(status))}}]`;
    const core = (status & WCOREFLAG) === 0 ? '' : ' && WCOREDUMP(s)';
    return `[{WIFSIGNALED(s) && WTERMSIG(s) == ${signalName(signal)}${core}}]`;
  },
};

// Sockets.

export const FAMILIES: FlagNames = { AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
const SUN_PATH = 2;

/** An address of `len` bytes. */
export function socketAddress(at: number, len: number, look: Parameters<Show>[1]): string {
  const view = at === 0 || len < SUN_PATH || len > 128 ? null : look.memory(at, len);
  if (view === null) return address(at);
  const family = view.getUint16(0, true);
  const head = `{sa_family=${named(FAMILIES)(family)}`;
  if (family !== AF_UNIX || len === SUN_PATH) return `${head}${len > SUN_PATH ? ', ...' : ''}}`;
  if (view.getUint8(SUN_PATH) !== 0) return `${head}, sun_path=${cString(view, SUN_PATH, len - SUN_PATH)}}`;
  const name = new Uint8Array(view.buffer, view.byteOffset + SUN_PATH + 1, len - SUN_PATH - 1);
  return `${head}, sun_path=@${quoted(latin1(name, 0, name.length))}}`;
}

/** An address whose length argument `lengthArg` is, or points to. */
export const socketAddressOf =
  (lengthArg: number, pointed: boolean): Show =>
  (at, look) => {
    const given = look.args[lengthArg] ?? 0;
    const len = pointed ? (look.memory(given, 4)?.getInt32(0, true) ?? 0) : given;
    return socketAddress(at, len, look);
  };

// Programs.

export const CLONE_FLAGS = namesIn(sched, /^CLONE_(?!.*_HI$|NEWTIME)/);
/** The first version of clone3(2)'s arguments; those that the flags ask for. */
export const CLONE_ARGS: Struct = {
  size: 64,
  show: (view, at) => {
    const flags = view.getInt32(at, true);
    const has = (flag: number): boolean => (flags & flag) !== 0;
    const field = (name: string, off: number): string => `${name}=${address(getUint64(view, at + off))}`;
    const signal = getUint64(view, at + 32);
    const all = [
      `flags=${flagWord(flags, CLONE_FLAGS)}`,
      has(sched.CLONE_PIDFD) ? field('pidfd', 8) : '',
      has(sched.CLONE_CHILD_SETTID | sched.CLONE_CHILD_CLEARTID) ? field('child_tid', 16) : '',
      has(sched.CLONE_PARENT_SETTID) ? field('parent_tid', 24) : '',
      `exit_signal=${signal === 0 ? '0' : signalName(signal)}`,
      field('stack', 40),
      `stack_size=${hexadecimal(getUint64(view, at + 48))}`,
      has(sched.CLONE_SETTLS) ? field('tls', 56) : '',
    ];
    return `{${all.filter(text => text !== '').join(', ')}}`;
  },
};

const MOST_WORDS = 32;

/** The words of execve(2), or how many there are. */
export const words =
  (countOnly: boolean): Show =>
  (at, look) => {
    const all: string[] = [];
    for (let next = at; at !== 0; next += 8) {
      const pointer = look.memory(next, 8);
      if (pointer === null) return address(at);
      const word = getUint64(pointer, 0);
      if (word === 0) break;
      if (all.length === 1024) break;
      all.push(countOnly || all.length > MOST_WORDS ? '' : abbreviated(look.string(word) ?? ''));
    }
    if (countOnly) return `${address(at)}${at === 0 ? '' : ` /* ${all.length} vars */`}`;
    const more = all.length > MOST_WORDS;
    return at === 0 ? 'NULL' : `[${all.slice(0, MOST_WORDS).join(', ')}${more ? ', ...' : ''}]`;
  };
