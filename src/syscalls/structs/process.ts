/** Structures about processes and the system, and the arguments of clone3 and execve, as strace shows them. */
import { RLIMIT_SIZE, RUSAGE_SIZE } from '../../arch/x86_64/structs/resource.ts';
import { UTS_LEN } from '../../kernel/uts.ts';
import { getUint64 } from '../../lib/int64.ts';
import * as sched from '../../uapi/sched.ts';
import { exitCode, STATUS_CONTINUED, termSignal, WCOREFLAG } from '../../uapi/wait.ts';
import type { Show, ShowField, Struct } from '../args.ts';
import { abbreviated, address, flagWord, hexadecimal, namesIn, signalName, struct } from '../show.ts';
import { inside, s64, text, u16, u32, u64 } from './fields.ts';
import { TIMEVAL } from './time.ts';

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

export const CLONE_FLAGS = namesIn(sched, /^CLONE_(?!.*_HI$|NEWTIME)/);
/** The first version of clone3(2)'s arguments, of which it shows those that the flags ask for. */
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

/** The strings of execve(2), or only their number. */
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
