/**
 * The clock discipline of adjtimex(2): the wall clock runs a little faster or slower than the monotonic one, by a frequency,
 * a tick length, and whatever of an offset is left to be worked off. The model is RFC 5905's (section 11.3, and the kernel's
 * part of it in RFC 1589): once a second a part of the offset is taken as the rate of the next second. Leap seconds and
 * pulse-per-second signals are not there.
 *
 * Frequencies are parts per million times 2^16, as in struct timex; offsets are nanoseconds.
 */
import {
  ADJ_ESTERROR,
  ADJ_FREQUENCY,
  ADJ_MAXERROR,
  ADJ_MICRO,
  ADJ_NANO,
  ADJ_OFFSET,
  ADJ_STATUS,
  ADJ_TAI,
  ADJ_TICK,
  ADJ_TIMECONST,
  STA_CLOCKERR,
  STA_FLL,
  STA_FREQHOLD,
  STA_MODE,
  STA_NANO,
  STA_PLL,
  STA_RONLY,
  STA_UNSYNC,
  TIME_ERROR,
  TIME_OK,
} from '../uapi/timex.ts';
import { NSEC_PER_SEC } from './clock.ts';

/** What a caller asks for: the fields of struct timex that `modes` names. */
export interface Adjustment {
  readonly modes: number;
  readonly offset: number;
  readonly freq: number;
  readonly maxerror: number;
  readonly esterror: number;
  readonly status: number;
  readonly constant: number;
  readonly tick: number;
}

/** The largest frequency, 500 ppm. */
export const MAX_FREQ = 500 << 16;
/** Microseconds of a tick that is neither longer nor shorter than it should be; there are a hundred in a second. */
const TICK = 10_000;
const TICKS = 100;
/** The largest offset, ns, and the largest error, us. */
const MAX_PHASE = 500_000_000;
const MAX_ERROR = 16_000_000;
/** By how much the error grows in a second, us: what 500 ppm amount to. */
const ERROR_GROWTH = 500;
const MAX_TAI = 100_000;
const MAX_TIME_CONSTANT = 10;
/** adjtime(3) works off so many microseconds in a second. */
const SLEW = 500;
const SHIFT_PLL = 2;
const SHIFT_FLL = 2;
/** From how many seconds between two offsets on their frequency may be taken, and is. */
const FLL_LEAST = 256;
const FLL_MOST = 2048;

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

export class Ntp {
  freq = 0;
  tick = TICK;
  status = STA_UNSYNC;
  maxerror = MAX_ERROR;
  esterror = MAX_ERROR;
  constant = 2;
  tai = 0;
  /** Microseconds that adjtime(3) has left. */
  left = 0;
  /** Nanoseconds that are left of the latest ADJ_OFFSET. */
  private phase = 0;
  /** Nanoseconds to be gained in the current second besides frequency and tick. */
  private slew = 0;
  /** When the current second began, and the latest offset came: monotonic, ns. */
  private second: number;
  private offsetAt = 0;

  constructor(now: number) {
    this.second = now;
  }

  /** What is left of the offset, in the unit of the status. */
  get offset(): number {
    return Math.trunc(this.status & STA_NANO ? this.phase : this.phase / 1000);
  }

  /** TIME_OK, or TIME_ERROR: the clock is not known to be right. */
  get state(): number {
    return this.status & (STA_UNSYNC | STA_CLOCKERR) ? TIME_ERROR : TIME_OK;
  }

  /** Nanoseconds that the wall clock gains in a second of the monotonic one, now. */
  get rate(): number {
    return (this.tick - TICK) * 1000 * TICKS + (this.freq * 1000) / 65536 + this.slew;
  }

  /** When the rate may change next: monotonic, ns. */
  get changes(): number {
    return this.second + NSEC_PER_SEC;
  }

  /** A second is over: `changes` has come. */
  nextSecond(): void {
    this.second += NSEC_PER_SEC;
    this.maxerror += ERROR_GROWTH;
    if (this.maxerror > MAX_ERROR) {
      this.maxerror = MAX_ERROR;
      this.status |= STA_UNSYNC;
    }
    const part = Math.trunc(this.phase / 2 ** (SHIFT_PLL + this.constant));
    this.phase -= part;
    const slewed = clamp(this.left, -SLEW, SLEW);
    this.left -= slewed;
    this.slew = part + slewed * 1000;
  }

  /** Whether nothing is under way that would change the rate. */
  get isSteady(): boolean {
    return this.slew === 0 && this.left === 0 && this.phase === 0;
  }

  /** Seconds went by in which nothing changed but that the error grew. */
  skip(seconds: number): void {
    this.second += seconds * NSEC_PER_SEC;
    this.maxerror += seconds * ERROR_GROWTH;
    if (this.maxerror > MAX_ERROR) this.status |= STA_UNSYNC;
    this.maxerror = Math.min(this.maxerror, MAX_ERROR);
  }

  /** The clock was set: what was known of it is void. */
  clear(): void {
    this.left = 0;
    this.phase = 0;
    this.slew = 0;
    this.status |= STA_UNSYNC;
    this.maxerror = MAX_ERROR;
    this.esterror = MAX_ERROR;
  }

  /** All but ADJ_SETOFFSET and adjtime(3)'s, in the order that matters: the status says what the offset means. */
  adjust({ modes, offset, freq, maxerror, esterror, status, constant, tick }: Adjustment, now: number): void {
    if (modes & ADJ_STATUS) this.setStatus(status, now);
    if (modes & ADJ_NANO) this.status |= STA_NANO;
    if (modes & ADJ_MICRO) this.status &= ~STA_NANO;
    if (modes & ADJ_FREQUENCY) this.freq = clamp(freq, -MAX_FREQ, MAX_FREQ);
    if (modes & ADJ_MAXERROR) this.maxerror = clamp(maxerror, 0, MAX_ERROR);
    if (modes & ADJ_ESTERROR) this.esterror = clamp(esterror, 0, MAX_ERROR);
    if (modes & ADJ_TIMECONST) this.setConstant(constant);
    if (modes & ADJ_TAI && constant >= 0 && constant <= MAX_TAI) this.tai = constant;
    if (modes & ADJ_OFFSET) this.setOffset(offset, now);
    if (modes & ADJ_TICK) this.tick = tick;
  }

  private setStatus(status: number, now: number): void {
    const before = this.status;
    if (before & STA_PLL && !(status & STA_PLL)) this.status = STA_UNSYNC;
    if (!(before & STA_PLL) && status & STA_PLL) this.offsetAt = now;
    this.status = (this.status & STA_RONLY) | (status & ~STA_RONLY);
  }

  /** In units of 16 seconds, unless the clock counts nanoseconds (RFC 5905, appendix A.5.5). */
  private setConstant(constant: number): void {
    const given = clamp(constant, 0, MAX_TIME_CONSTANT);
    this.constant = this.status & STA_NANO ? given : Math.min(given + 4, MAX_TIME_CONSTANT);
  }

  /** An offset is worked off, and tells how far the frequency is off (RFC 5905, section 11.3). Without STA_PLL it is ignored. */
  private setOffset(offset: number, now: number): void {
    if (!(this.status & STA_PLL)) return;
    const phase = clamp(this.status & STA_NANO ? offset : offset * 1000, -MAX_PHASE, MAX_PHASE);
    const seconds = this.status & STA_FREQHOLD ? 0 : Math.floor((now - this.offsetAt) / NSEC_PER_SEC);
    this.offsetAt = now;
    this.status &= ~STA_MODE;
    let drift = 0;
    if (seconds >= FLL_LEAST && (this.status & STA_FLL || seconds > FLL_MOST)) {
      this.status |= STA_MODE;
      drift = phase / 2 ** SHIFT_FLL / seconds;
    }
    const shift = SHIFT_PLL + 2 + this.constant;
    drift += (phase * Math.min(seconds, 2 ** (SHIFT_PLL + 1 + this.constant))) / 2 ** (2 * shift);
    this.freq = clamp(this.freq + (drift * 65536) / 1000, -MAX_FREQ, MAX_FREQ);
    this.phase = phase;
  }
}
