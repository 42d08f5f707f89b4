/**
 * What a thread's owner has used of the host. The host counts for the thread, or for the process if this is its only
 * thread; either may have had other owners before. Times that were given out never go back.
 */
import type { ThreadTimes, ThreadUsage } from '../engine.ts';
import type { Accounts, RawFaults, RawTimes } from './accounts.ts';
import type { BroughtUsage } from './brought-usage.ts';
import { SLOT } from './layout.ts';
import type { MemoryFile } from './memory-file.ts';
import type { NativeSpace } from './native-space.ts';

interface Counted {
  /** Processor time, ns. */
  readonly total: number;
  readonly minflt: number;
  readonly majflt: number;
}

/** A user share holds for so much processor time, ns: the host itself samples the split only at its ticks. */
const SHARE_HOLDS = 1e6;
const NOTHING: Counted = { total: 0, minflt: 0, majflt: 0 };
const NO_USAGE: ThreadUsage = { minflt: 0, majflt: 0, processor: 0, rss: 0, peak: null };

export class ThreadAccount {
  private readonly accounts: Accounts;
  private readonly i32: Int32Array;
  private readonly space: NativeSpace;
  private readonly w: number;
  private userTime = 0;
  private systemTime = 0;
  /** The process's fraction in user mode, and until which time it is assumed to hold. */
  private userShare = 1;
  private shareUntil = 0;
  /** What former owners had used, and what was last read. */
  private before: Counted;
  private latest: Counted;

  constructor(accounts: Accounts, memory: MemoryFile, space: NativeSpace, slot: number) {
    this.accounts = accounts;
    this.i32 = memory.i32;
    this.space = space;
    this.w = slot >> 2;
    this.before = NOTHING;
    this.latest = NOTHING;
  }

  /** The thread was parked and has a new owner. The former owner's usage was read when it went. */
  start(): void {
    this.userTime = 0;
    this.systemTime = 0;
    this.before = this.latest;
  }

  /** `brought`: what the process has used, if its current call says so. */
  times(brought: BroughtUsage | null): ThreadTimes {
    const raw = this.rawTimes(brought);
    if (raw !== null) {
      this.latest = { ...this.latest, total: raw.total };
      const used = Math.max(0, raw.total - this.before.total);
      const user = Math.min(used, used * raw.userShare);
      this.userTime = Math.max(this.userTime, Math.round(Math.min(user, used - this.systemTime)));
      this.systemTime = Math.max(this.systemTime, Math.round(used - this.userTime));
    }
    return { user: this.userTime, system: this.systemTime };
  }

  usage(brought: BroughtUsage | null): ThreadUsage {
    const raw = this.rawFaults(brought);
    if (raw === null) return NO_USAGE;
    this.latest = { ...this.latest, minflt: raw.minflt, majflt: raw.majflt };
    const { minflt, majflt } = this.before;
    return { ...raw, minflt: Math.max(0, raw.minflt - minflt), majflt: Math.max(0, raw.majflt - majflt) };
  }

  private get tid(): number {
    return this.i32[this.w + SLOT.S_TID / 4]!;
  }

  private rawTimes(brought: BroughtUsage | null): RawTimes | null {
    const { space, accounts } = this;
    if (brought !== null) {
      const total = brought.user + brought.system;
      return { total, userShare: total === 0 ? 1 : brought.user / total };
    }
    const pid = space.process;
    if (pid === 0) return null;
    return space.hasOneThread ? this.processTimes(pid) : accounts.threadTimes(pid, this.tid);
  }

  private processTimes(pid: number): RawTimes {
    const { accounts } = this;
    const total = accounts.totalTime(pid);
    if (total >= this.shareUntil || total < this.shareUntil - SHARE_HOLDS) {
      this.userShare = accounts.userShare(pid);
      this.shareUntil = total + SHARE_HOLDS;
    }
    return { total, userShare: this.userShare };
  }

  /**
   * What the process can tell is not asked of the thread: when a thread whose /proc entry was looked at exits, the
   * reaper of its process busy-waits for that entry.
   */
  private rawFaults(brought: BroughtUsage | null): RawFaults | null {
    const { space, accounts } = this;
    if (brought !== null) return { ...brought, processor: this.i32[this.w + SLOT.S_KIND / 4]! >> 16, rss: 0 };
    const pid = space.process;
    return pid === 0 ? null : accounts.faults(pid, space.hasOneThread ? 0 : this.tid);
  }
}
