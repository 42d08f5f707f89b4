/** The machine's clocks: those of the host since boot, except that the wall clock may have been set or steered. */
import { type Clock, fromNs, NSEC_PER_SEC, type Timespec } from '../core/clock.ts';
import { Ntp } from '../core/ntp.ts';
import { monotonicNow } from '../host/monotonic.ts';
import { CLOCK_REALTIME, CLOCK_REALTIME_COARSE } from '../uapi/time.ts';

/** How old a coarse time may be, ns: a tick. */
const TICK = 4e6;
const TRIES = 16;

export class MachineClock implements Clock {
  /** The wall clock minus the monotonic one. */
  private offsetSec: number;
  private offsetNsec: number;
  private coarseAt = Number.NEGATIVE_INFINITY;
  private coarseTime: Timespec = { sec: 0, nsec: 0 };
  /** CLOCK_MONOTONIC of the host at boot. */
  readonly boot: number;

  /** How the wall clock is steered. */
  private readonly ntp: Ntp;
  private readonly host: (id: number) => Timespec;
  private wasSet = false;
  /** Nanoseconds a second that the wall clock gains on the monotonic one; since when, and when that may change. */
  private rate = 0;
  private rateSince = 0;
  private rateUntil = Number.POSITIVE_INFINITY;

  /** `host` reads the host's clocks. */
  constructor(host: (id: number) => Timespec) {
    this.host = host;
    // The host's vDSO serves programs too, so CLOCK_MONOTONIC is the host's own.
    this.boot = monotonicNow();
    this.ntp = new Ntp(this.boot);
    const { real, at } = readTogether(() => host(CLOCK_REALTIME));
    const { sec, nsec } = fromNs(at);
    this.offsetSec = real.sec - sec;
    this.offsetNsec = real.nsec - nsec;
    this.passes(this.boot);
  }

  monotonic(): number {
    return monotonicNow();
  }

  realtime(): Timespec {
    return this.wall(monotonicNow());
  }

  coarse(): Timespec {
    return this.coarseTime;
  }

  /**
   * The monotonic clock reads `now`. Called many times a tick, wherever that clock has just been read, so that calls
   * that only want the coarse time need not read it.
   */
  passes(now: number): void {
    if (now - this.coarseAt <= TICK) return;
    this.coarseAt = now;
    this.coarseTime = this.wall(now);
  }

  shared(id: number): Timespec {
    return id === CLOCK_REALTIME_COARSE && this.wasSet ? this.coarse() : this.host(id);
  }

  setRealtime(time: Timespec): void {
    const now = monotonicNow();
    this.catchUp(now);
    this.ntp.clear();
    this.setRate(now);
    this.wasSet = true;
    const { sec, nsec } = fromNs(now);
    this.offsetSec = time.sec - sec;
    this.offsetNsec = time.nsec - nsec;
    this.coarseAt = Number.NEGATIVE_INFINITY;
    this.passes(now);
  }

  /**
   * Lets somebody look at how the wall clock is steered, or change it. Whether that is no longer the host's time from now on:
   * programs must not be told it any more.
   */
  steer(look: (ntp: Ntp, now: number) => void): boolean {
    const now = monotonicNow();
    this.catchUp(now);
    look(this.ntp, now);
    this.setRate(now);
    const differs = this.rate !== 0 || !this.ntp.isSteady;
    this.wasSet ||= differs;
    return differs;
  }

  private catchUp(now: number): void {
    const { ntp } = this;
    while (ntp.changes <= now) {
      if (ntp.isSteady) ntp.skip(Math.floor((now - ntp.changes) / NSEC_PER_SEC) + 1);
      else {
        const at = ntp.changes;
        ntp.nextSecond();
        this.setRate(at);
      }
    }
  }

  /** The wall clock runs as `ntp` says from `at` on; what it has gained until then it keeps. */
  private setRate(at: number): void {
    this.offsetNsec += this.gained(at);
    const carry = Math.floor(this.offsetNsec / NSEC_PER_SEC);
    this.offsetSec += carry;
    this.offsetNsec -= carry * NSEC_PER_SEC;
    this.rate = this.ntp.rate;
    this.rateSince = at;
    this.rateUntil = this.ntp.isSteady ? Number.POSITIVE_INFINITY : this.ntp.changes;
  }

  private gained(now: number): number {
    return this.rate === 0 ? 0 : Math.round(((now - this.rateSince) * this.rate) / NSEC_PER_SEC);
  }

  private wall(now: number): Timespec {
    if (now >= this.rateUntil) this.catchUp(now);
    const { sec, nsec } = fromNs(now);
    const sum = nsec + this.offsetNsec + this.gained(now);
    const carry = Math.floor(sum / NSEC_PER_SEC);
    return { sec: sec + this.offsetSec + carry, nsec: sum - carry * NSEC_PER_SEC };
  }
}

/** Reads both clocks as close together as possible: the best of some tries. */
function readTogether(wall: () => Timespec): { real: Timespec; at: number } {
  let best = { real: wall(), at: 0 };
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIES; i++) {
    const before = monotonicNow();
    const real = wall();
    const after = monotonicNow();
    if (after - before >= least) continue;
    least = after - before;
    best = { real, at: before + least / 2 };
  }
  return best;
}
