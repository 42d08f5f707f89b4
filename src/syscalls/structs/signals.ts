/** Signals, their handlers and their stacks, as strace shows them. */
import { SIGACTION_SIZE, SIGEVENT_SIZE, SIGSET_SIZE, STACK_SIZE } from '../../arch/x86_64/structs/signal.ts';
import { getUint64 } from '../../lib/int64.ts';
import { SIGINFO_SIZE, SignalInfo } from '../../uapi/siginfo.ts';
import * as signals from '../../uapi/signal.ts';
import * as time from '../../uapi/time.ts';
import type { FlagNames, Struct } from '../args.ts';
import { address, flagWord, named, namesIn, signalName, signalSet, struct } from '../show.ts';
import { showSiginfo } from '../show-siginfo.ts';
import { u32, u64 } from './fields.ts';

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
