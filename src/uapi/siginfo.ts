/**
 * siginfo_t (sigaction(2)): 128 bytes, of which the kernel uses the first 48. Offsets and sizes in bytes:
 *
 *   0 si_signo   4 si_errno   8 si_code   then, from 16 on, by layout:
 *   kill    16 pid   20 uid
 *   timer   16 timer's id   20 overrun   24 value (8)
 *   rt      16 pid   20 uid   24 value (8)
 *   chld    16 pid   20 uid   24 status   32 utime (8)   40 stime (8)
 *   fault   16 address (8)   24 trap number or address' lsb (2)   32 lower (8) or pkey (4)   40 upper (8)
 *   poll    16 band (8)   24 fd
 *   sys     16 address of the call (8)   24 call's number   28 AUDIT_ARCH
 *
 * A SignalInfo holds the 48 bytes unchanged, so that what rt_sigqueueinfo(2) passes arrives as it was.
 */
import {
  SI_ASYNCNL,
  SI_DETHREAD,
  SI_KERNEL,
  SI_SIGIO,
  SI_TIMER,
  SI_TKILL,
  SI_USER,
  SIGBUS,
  SIGCHLD,
  SIGFPE,
  SIGILL,
  SIGIO,
  SIGSEGV,
  SIGSYS,
  SIGTRAP,
} from './signal.ts';

export const SIGINFO_SIZE = 128;
const WORDS = 12;
const TWO_32 = 2 ** 32;

/** The layouts above. */
export type SigLayout = 'kill' | 'timer' | 'rt' | 'chld' | 'fault' | 'poll' | 'sys';

export class SignalInfo {
  readonly words: Int32Array = new Int32Array(WORDS);

  constructor(signo: number, code: number) {
    this.words[0] = signo;
    this.words[2] = code;
  }

  get signo(): number {
    return this.words[0]!;
  }

  get errno(): number {
    return this.words[1]!;
  }

  get code(): number {
    return this.words[2]!;
  }

  /** The sender (kill, rt), or the child (chld). */
  get pid(): number {
    return this.words[4]!;
  }

  get uid(): number {
    return this.words[5]! >>> 0;
  }

  get timerId(): number {
    return this.words[4]!;
  }

  get overrun(): number {
    return this.words[5]!;
  }

  /** sigval_t as its two words. */
  get valueLo(): number {
    return this.words[6]!;
  }

  get valueHi(): number {
    return this.words[7]!;
  }

  get status(): number {
    return this.words[6]!;
  }

  /** Clock ticks, for chld. */
  get utime(): number {
    return this.long(8);
  }

  get stime(): number {
    return this.long(10);
  }

  /** The address of fault and sys. */
  get addr(): number {
    return this.long(4);
  }

  get band(): number {
    return this.words[4]!;
  }

  get fd(): number {
    return this.words[6]!;
  }

  /** Reads the caller's siginfo_t at `at`; its signo must be set to the signal that is sent. */
  static read(view: DataView, at: number): SignalInfo {
    const info = new SignalInfo(0, 0);
    for (let i = 0; i < WORDS; i++) info.words[i] = view.getInt32(at + 4 * i, true);
    return info;
  }

  /** Writes all 128 bytes. */
  write(view: DataView, at: number): void {
    for (let i = 0; i < WORDS; i++) view.setInt32(at + 4 * i, this.words[i]!, true);
    for (let i = WORDS; i < SIGINFO_SIZE / 4; i++) view.setInt32(at + 4 * i, 0, true);
  }

  setLong(word: number, value: number): void {
    this.words[word] = value >>> 0;
    this.words[word + 1] = Math.floor(value / TWO_32);
  }

  private long(word: number): number {
    return this.words[word + 1]! * TWO_32 + (this.words[word]! >>> 0);
  }
}

/** SI_USER or SI_TKILL: sent by a process. */
export function killInfo(signo: number, code: number, pid: number, uid: number): SignalInfo {
  const info = new SignalInfo(signo, code);
  info.words[4] = pid;
  info.words[5] = uid;
  return info;
}

/** SI_KERNEL without further fields. */
export const kernelInfo = (signo: number): SignalInfo => new SignalInfo(signo, SI_KERNEL);

export function childInfo(code: number, pid: number, uid: number, status: number): SignalInfo {
  const info = killInfo(SIGCHLD, code, pid, uid);
  info.words[6] = status;
  return info;
}

/** A program's fault (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP) at `addr`. */
export function faultInfo(signo: number, code: number, addr: number): SignalInfo {
  const info = new SignalInfo(signo, code);
  info.setLong(4, addr);
  return info;
}

/** SIGIO of a file (fcntl(2), F_SETSIG). */
export function pollInfo(signo: number, code: number, band: number, fd: number): SignalInfo {
  const info = new SignalInfo(signo, code);
  info.setLong(4, band);
  info.words[6] = fd;
  return info;
}

export function timerInfo(signo: number, id: number, valueLo: number, valueHi: number): SignalInfo {
  const info = new SignalInfo(signo, SI_TIMER);
  info.words[4] = id;
  info.words[6] = valueLo;
  info.words[7] = valueHi;
  return info;
}

export function sysInfo(code: number, callAddr: number, nr: number, arch: number): SignalInfo {
  const info = faultInfo(SIGSYS, code, callAddr);
  info.words[6] = nr;
  info.words[7] = arch;
  return info;
}

/** The number n of codes 1 to n that are specific to the signal, and their layout. */
const OWN_CODES: Readonly<Record<number, readonly [number, SigLayout]>> = {
  [SIGILL]: [11, 'fault'],
  [SIGFPE]: [15, 'fault'],
  [SIGSEGV]: [10, 'fault'],
  [SIGBUS]: [5, 'fault'],
  [SIGTRAP]: [6, 'fault'],
  [SIGCHLD]: [6, 'chld'],
  [SIGIO]: [6, 'poll'],
  [SIGSYS]: [2, 'sys'],
};
const POLL_CODES = 6;

/** The layout of a signal with a code. */
export function siginfoLayout(signo: number, code: number): SigLayout {
  if (code > SI_USER && code < SI_KERNEL) {
    const own = OWN_CODES[signo];
    if (own !== undefined && code <= own[0]) return own[1];
    return code <= POLL_CODES ? 'poll' : 'kill';
  }
  if (code === SI_TIMER) return 'timer';
  if (code === SI_SIGIO) return 'poll';
  return code < 0 && code !== SI_TKILL ? 'rt' : 'kill';
}

/** Whether the kernel knows all fields of a siginfo_t with these; one with an unknown layout must end in zeros. */
export function isKnownLayout(signo: number, code: number): boolean {
  if (code === SI_KERNEL) return true;
  if (code > SI_USER) {
    return code <= (OWN_CODES[signo]?.[0] ?? POLL_CODES);
  }
  return code >= SI_DETHREAD || code === SI_ASYNCNL;
}
