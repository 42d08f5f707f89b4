/**
 * V8's helper threads compile and collect garbage beside the kernel. Guests come first: the helpers get only idle time
 * of the host's processors (SCHED_IDLE, sched(7)). Where none is left they would wait for ever, and uncompiled code
 * stays slow. So a helper that waits nearly all the time gets a small share for a while (SCHED_BATCH with a nice value,
 * and short turns: the slice of sched_setattr(2), Linux 6.12).
 */
import { readdirSync } from 'node:fs';
import type { Libc } from './libc.ts';
import { HostProcFiles } from './proc-files.ts';

const NR_SCHED_SETATTR = 314;
const SCHED_BATCH = 3;
const SCHED_IDLE = 5;
const NICE = 5;
const SLICE = 100_000;
/** struct sched_attr: size, policy, flags, nice, priority, runtime, deadline, period. */
const ATTR_SIZE = 48;
/** The period of the checks in ns. It doubles each time that no helper starves, up to the longest. */
const PERIOD = 2e7;
const LONGEST_PERIOD = 1.6e8;
/** How long a helper keeps its share, ns. */
const SHARE = 1e8;
/**
 * The share at the start lasts longer, since there is much to compile. It is no larger: with helpers at nice 2 or 0 the
 * first calls of a machine took three times as long as with helpers at nice 5 to 10.
 */
const FIRST_SHARE = 1e9;
/** A helper starves if it waited for more than this part of a period, and ran for less than a twentieth of its wait. */
const HUNGER = 0.6;

interface Helper {
  readonly tid: number;
  /** A descriptor of its schedstat file in the host's /proc, or -errno. */
  readonly schedstat: number;
  ran: number;
  waited: number;
  /** When its share ends, ns; 0 if it has none. */
  shareUntil: number;
}

export class BackgroundThreads {
  private readonly libc: Libc;
  private readonly files: HostProcFiles;
  private readonly attr = new DataView(new ArrayBuffer(ATTR_SIZE));
  private readonly helpers: Helper[];
  private looked = 0;
  private period = PERIOD;

  /** Takes all threads of this process except the calling one, which is the main thread. */
  constructor(libc: Libc, now: number) {
    this.libc = libc;
    this.files = new HostProcFiles(libc);
    const tids = readdirSync('/proc/self/task').map(Number);
    this.helpers = tids
      .filter(tid => tid !== process.pid)
      .map(tid => ({
        tid,
        schedstat: this.files.open(`/proc/self/task/${tid}/schedstat`),
        ran: 0,
        waited: 0,
        shareUntil: now + FIRST_SHARE,
      }));
    for (const helper of this.helpers) this.schedule(helper, true);
  }

  /** Call this now and then while the machine is working; `now` in ns. */
  look(now: number): void {
    const passed = now - this.looked;
    if (passed < this.period) return;
    this.looked = now;
    let hungry = false;
    for (const helper of this.helpers) if (this.feed(helper, now, passed)) hungry = true;
    this.period = hungry ? PERIOD : Math.min(2 * this.period, LONGEST_PERIOD);
  }

  /** Gives a starving helper a share, takes back one that has ended; whether the helper starves. */
  private feed(helper: Helper, now: number, passed: number): boolean {
    const text = helper.schedstat < 0 ? null : this.files.textOf(helper.schedstat);
    if (text === null) return false;
    const [ran = 0, waited = 0] = text.split(' ').map(Number);
    const starves =
      waited - helper.waited > HUNGER * passed && (ran - helper.ran) * 20 < waited - helper.waited;
    helper.ran = ran;
    helper.waited = waited;
    if (starves) {
      if (helper.shareUntil === 0) this.schedule(helper, true);
      helper.shareUntil = now + SHARE;
    } else if (helper.shareUntil !== 0 && now > helper.shareUntil) {
      helper.shareUntil = 0;
      this.schedule(helper, false);
    }
    return starves;
  }

  private schedule({ tid }: Helper, share: boolean): void {
    const { attr, libc } = this;
    attr.setUint32(0, ATTR_SIZE, true);
    attr.setUint32(4, share ? SCHED_BATCH : SCHED_IDLE, true);
    attr.setInt32(16, share ? NICE : 0, true);
    attr.setUint32(24, share ? SLICE : 0, true);
    libc.syscall(NR_SCHED_SETATTR, tid, libc.addressOf(new Uint8Array(attr.buffer)), 0);
  }
}
