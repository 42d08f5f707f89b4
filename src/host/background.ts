/**
 * V8's helper threads compile and collect garbage beside the kernel. Guests come first: the helpers get what nobody else
 * wants of the host's processors (SCHED_IDLE, sched(7)). Where nothing is left over they would wait for ever, and what is
 * not compiled stays slow: so who waits nearly all the time is given a small share for a while (nice, and short turns:
 * the slice of sched_setattr(2), Linux 6.12).
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
/** How often the waiting is looked at, ns: each time that nobody waits it is half as often, down to the longest. */
const PERIOD = 2e7;
const LONGEST_PERIOD = 1.6e8;
/** How long a share is kept. */
const SHARE = 1e8;
/**
 * At first there is much to compile. No larger share even then: beside helpers at nice 2 or 0 the first calls of a machine
 * took three times as long as beside such at nice 5 to 10.
 */
const FIRST_SHARE = 1e9;
/** Who has waited for this part of a period, and run for less than a twentieth of that, starves. */
const HUNGER = 0.6;

interface Helper {
  readonly tid: number;
  /** Its file of the host's /proc, open; or -errno. */
  readonly schedstat: number;
  ran: number;
  waited: number;
  /** Until when it has a share; 0: it has none. */
  shareUntil: number;
}

export class BackgroundThreads {
  private readonly libc: Libc;
  private readonly files: HostProcFiles;
  private readonly attr = new DataView(new ArrayBuffer(ATTR_SIZE));
  private readonly helpers: Helper[];
  private looked = 0;
  private period = PERIOD;

  /** All threads of this process but the calling one, which is the main thread. */
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

  /** To be called now and then while the machine is at work; `now` in ns. */
  look(now: number): void {
    const passed = now - this.looked;
    if (passed < this.period) return;
    this.looked = now;
    let hungry = false;
    for (const helper of this.helpers) if (this.feed(helper, now, passed)) hungry = true;
    this.period = hungry ? PERIOD : Math.min(2 * this.period, LONGEST_PERIOD);
  }

  /** Whether it starves. */
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
