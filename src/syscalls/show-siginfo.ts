/** How strace writes a siginfo_t: what a signal says about its origin (sigaction(2)). */
import { type SignalInfo, siginfoLayout } from '../uapi/siginfo.ts';
import * as signals from '../uapi/signal.ts';
import { address, nameOf, namesIn, signalName } from './show.ts';

const { SIGBUS, SIGCHLD, SIGFPE, SIGILL, SIGIO, SIGSEGV, SIGSYS, SIGTRAP } = signals;

const SENT = namesIn(signals, /^SI_/);
/** The signal-specific codes of these signals, from 1 on. */
const CODES: Readonly<Record<number, readonly string[]>> = {
  [SIGILL]: 'ILLOPC ILLOPN ILLADR ILLTRP PRVOPC PRVREG COPROC BADSTK'.split(' ').map(name => `ILL_${name}`),
  [SIGFPE]: 'INTDIV INTOVF FLTDIV FLTOVF FLTUND FLTRES FLTINV FLTSUB'.split(' ').map(name => `FPE_${name}`),
  [SIGSEGV]: 'MAPERR ACCERR BNDERR PKUERR'.split(' ').map(name => `SEGV_${name}`),
  [SIGBUS]: 'ADRALN ADRERR OBJERR MCEERR_AR MCEERR_AO'.split(' ').map(name => `BUS_${name}`),
  [SIGTRAP]: 'BRKPT TRACE BRANCH HWBKPT'.split(' ').map(name => `TRAP_${name}`),
  [SIGCHLD]: 'EXITED KILLED DUMPED TRAPPED STOPPED CONTINUED'.split(' ').map(name => `CLD_${name}`),
  [SIGIO]: 'IN OUT MSG ERR PRI HUP'.split(' ').map(name => `POLL_${name}`),
  [SIGSYS]: ['SYS_SECCOMP', 'SYS_USER_DISPATCH'],
};
const FAULTS: ReadonlySet<number> = new Set([SIGILL, SIGFPE, SIGSEGV, SIGBUS]);

export function showSiginfo(info: SignalInfo): string {
  const { signo, errno, code } = info;
  const head = [`si_signo=${signalName(signo)}`, `si_code=${codeName(signo, code)}`];
  if (errno !== 0) head.push(`si_errno=${errno}`);
  return `{${[...head, ...rest(info)].join(', ')}}`;
}

const codeName = (signo: number, code: number): string =>
  (code > 0 ? CODES[signo]?.[code - 1] : undefined) ?? nameOf(code, SENT) ?? String(code);

/** The further fields, which depend on the signal and its code. */
function rest(info: SignalInfo): string[] {
  const { signo, code } = info;
  const sender = [`si_pid=${info.pid}`, `si_uid=${info.uid}`];
  const value = `si_int=${info.valueLo}, si_ptr=${address(info.valueHi * 2 ** 32 + (info.valueLo >>> 0))}`;
  const hasValue = info.valueLo !== 0 || info.valueHi !== 0;
  if (code === signals.SI_KERNEL && FAULTS.has(signo)) return [`si_addr=${address(info.addr)}`];
  switch (siginfoLayout(signo, code)) {
    case 'chld': {
      const status = code === signals.CLD_EXITED ? String(info.status) : signalName(info.status);
      return [...sender, `si_status=${status}`, `si_utime=${info.utime}`, `si_stime=${info.stime}`];
    }
    case 'fault':
      return [`si_addr=${address(info.addr)}`];
    case 'timer':
      return [`si_timerid=${info.timerId}`, `si_overrun=${info.overrun}`, value];
    case 'poll':
      return [`si_band=${info.band}`, `si_fd=${info.fd}`];
    case 'sys':
      return [
        `si_call_addr=${address(info.addr)}`,
        `si_syscall=${info.words[6]}`,
        'si_arch=AUDIT_ARCH_X86_64',
      ];
    case 'rt':
      return hasValue ? [...sender, value] : sender;
    default:
      return code === signals.SI_KERNEL && info.pid === 0 && info.uid === 0 ? [] : sender;
  }
}
