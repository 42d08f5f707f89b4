/**
 * How a machine ends: once, leaving nothing behind. A part that holds something of the host's registers with `atEnd`
 * how to let go of it.
 */
import { KERN_EMERG, KERN_ERR, KERN_NOTICE, type Printk } from '../core/printk.ts';
import { sourceStack } from '../host/stack.ts';
import type { ShutdownKind } from '../kernel/kernel.ts';
import type { ExitReport } from './options.ts';

/** What reboot(2) logs. */
const LAST_WORDS: Readonly<Record<ShutdownKind, string>> = {
  poweroff: 'reboot: Power down',
  halt: 'reboot: System halted',
  restart: 'reboot: Restarting system',
};

const TIMED_OUT = 124;
/** The longest delay of setTimeout, ms. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

export class Power {
  private readonly log: Printk;
  private readonly panicDelay: number;
  private readonly done: (report: ExitReport) => void;
  private readonly hooks: (() => void)[] = [];
  private timer: NodeJS.Timeout | null = null;
  private state: 'on' | 'panicked' | 'off' = 'on';
  /** Called before all else: guests are no longer served. */
  stop: () => void = () => {};
  /** Signals that ask this process to end (SIGINT, SIGTERM and the like) end the machine, unless this is replaced. */
  signalled: (signal: number) => void = signal => this.endBySignal(signal);

  /** `panicDelay`: milliseconds between a panic and the end. */
  constructor(log: Printk, panicDelay: number, done: (report: ExitReport) => void) {
    this.log = log;
    this.panicDelay = Math.min(Math.max(panicDelay, 0), LONGEST_TIMEOUT);
    this.done = done;
  }

  /** Calls `hook` at the end, in reverse order of registration. */
  atEnd(hook: () => void): void {
    this.hooks.push(hook);
  }

  /** Kills the machine after this time. */
  limit(milliseconds: number): void {
    const expired = (): void => this.end({ type: 'exit', status: TIMED_OUT });
    this.timer = setTimeout(expired, Math.min(milliseconds, LONGEST_TIMEOUT));
  }

  end(report: ExitReport): void {
    if (this.state === 'off') return;
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.state === 'on') this.stop();
    this.state = 'off';
    for (const hook of this.hooks.reverse()) hook();
    this.done(report);
  }

  /** Ends the machine with the status that a shell would give. */
  endBySignal(signal: number): void {
    this.end({ type: 'exit', status: 128 + signal });
  }

  /** The guest asked for it; `status`: what the machine's program should end with. */
  shutdown(kind: ShutdownKind, status = 0): void {
    if (this.state !== 'on') return;
    this.log.log(KERN_NOTICE, LAST_WORDS[kind]);
    this.end(kind === 'restart' ? { type: 'restart' } : { type: 'exit', status });
  }

  /** A bug of ours that cannot be blamed on a task. */
  crash(bug: unknown): void {
    const { stack = '', message } = bug instanceof Error ? bug : new Error(String(bug));
    for (const line of sourceStack(stack).split('\n')) this.log.log(KERN_ERR, line);
    this.panic(`Fatal exception: ${message}`);
  }

  panic(reason: string, hint: string | null = null): void {
    if (this.state !== 'on') return;
    this.stop();
    this.state = 'panicked';
    this.signalled = signal => this.endBySignal(signal);
    this.log.log(KERN_EMERG, `Kernel panic - not syncing: ${reason}`);
    this.log.log(KERN_EMERG, `---[ end Kernel panic - not syncing: ${reason} ]---`);
    const end = (): void => this.end({ type: 'panic', reason, hint });
    if (this.panicDelay === 0) end();
    else setTimeout(end, this.panicDelay);
  }
}
