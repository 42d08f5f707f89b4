/** Scripts of steps on a pty, run on the host's and on ours: the answers must be the same. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { Clock, Timers } from '../../../src/core/clock.ts';
import { PtyPair } from '../../../src/drivers/tty/pty.ts';
import { PtyMasterFile } from '../../../src/drivers/tty/pty-file.ts';
import type { TtyEnvironment } from '../../../src/drivers/tty/tty.ts';
import { TtyFile } from '../../../src/drivers/tty/tty-file.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { errnoName } from '../../../src/uapi/errno.ts';
import { O_NONBLOCK, O_RDWR } from '../../../src/uapi/fcntl.ts';
import { TCFLSH, TCXONC } from '../../../src/uapi/ioctl-tty.ts';
import { copyTermios } from '../../../src/uapi/termios.ts';

export type Settings = readonly [iflag: number, oflag: number, lflag: number, cc: readonly number[]];
export type Step = readonly [op: string, arg: string | number | Settings];
export type Answer = string | number;

export const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

/** Runs them all on the host, in one process, that waits for the host's kernel in steps of `pause` seconds. */
export function onHost(scripts: readonly (readonly Step[])[], pause = 0.0004): Answer[][] {
  const helper = new URL('./host-pty.py', import.meta.url).pathname;
  const done = spawnSync('python3', [helper, String(pause)], {
    input: JSON.stringify(scripts),
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(done.stderr);
  return JSON.parse(done.stdout);
}

/**
 * Checks our answers. The host's kernel works on its own time: where the first look differs, it is asked again
 * with more patience, and that counts.
 */
export function assertSame(
  script: readonly Step[],
  atFirst: readonly Answer[],
  message = 'as on the host',
): void {
  const ours = new OurPty().run(script);
  const host = JSON.stringify(ours) === JSON.stringify(atFirst) ? atFirst : onHost([script], 0.1)[0]!;
  const shown = (answers: readonly Answer[]): unknown[] =>
    script.map(([op, arg], n) => [op, decode(arg), decode(answers[n])]);
  assert.deepEqual(shown(ours), shown(host), message);
}

const decode = (value: unknown): unknown =>
  typeof value === 'string' && /^([0-9a-f]{2})*$/.test(value)
    ? Buffer.from(value, 'hex').toString('latin1')
    : value;

/** A clock that stands until it is told, with the timers that hang on it. */
export class FakeTime implements Clock, Timers {
  now = 0;
  private readonly armed: Set<{ deadline: number; fire: () => void }> = new Set();

  monotonic(): number {
    return this.now;
  }

  realtime(): { sec: number; nsec: number } {
    return { sec: 0, nsec: 0 };
  }

  coarse(): { sec: number; nsec: number } {
    return { sec: 0, nsec: 0 };
  }

  at(deadline: number, fire: () => void): { cancel(): void } {
    const entry = { deadline, fire };
    this.armed.add(entry);
    return { cancel: () => this.armed.delete(entry) };
  }

  advance(ns: number): void {
    this.now += ns;
    for (const entry of [...this.armed])
      if (entry.deadline <= this.now && this.armed.delete(entry)) entry.fire();
  }
}

/** A machine's terminals with no processes at all. */
export function emptyEnvironment(time: FakeTime): TtyEnvironment {
  const groups = {
    signalGroup: () => 0,
    signalSessionLeader: () => {},
    isOrphaned: () => false,
    exists: () => false,
    groupInSession: () => false,
  };
  return { clock: time, timers: time, groups, hungUp: new WeakMap() };
}

const noHome = { openPeer: () => -1, masterReleased: () => {} };
const NOBODY = { tty: null } as never;
const NO_MEMORY = {} as never;

export class OurPty {
  readonly time = new FakeTime();
  readonly pair = new PtyPair(emptyEnvironment(this.time), 0);
  readonly master = new PtyMasterFile({} as Inode, O_RDWR | O_NONBLOCK, this.pair, noHome);
  readonly slave = new TtyFile({} as Inode, O_RDWR | O_NONBLOCK, this.pair.slave);

  run(script: readonly Step[]): Answer[] {
    return script.map(([op, arg]) => this.step(op, arg));
  }

  private step(op: string, arg: string | number | Settings): Answer {
    switch (op) {
      case 'set':
        this.set(arg as Settings);
        return this.drain();
      case 'type':
        writeAll(this.master, arg as string);
        return this.drain();
      case 'print':
        writeAll(this.slave, arg as string);
        return this.drain();
      case 'read':
        return readOnce(this.slave, arg as number);
      case 'master':
        return readOnce(this.master, arg as number);
      case 'inq':
        return this.pair.slave.ldisc.readable;
      case 'poll':
        return this.slave.poll() & 0x3f;
      case 'flush':
        this.slave.ioctl(TCFLSH, arg as number, NO_MEMORY, NOBODY);
        return this.drain();
      case 'flow':
        this.slave.ioctl(TCXONC, arg as number, NO_MEMORY, NOBODY);
        return this.drain();
      case 'packet':
        this.pair.packet = arg !== 0;
        return 0;
      default:
        throw new Error(op);
    }
  }

  private set([iflag, oflag, lflag, cc]: Settings): void {
    const next = copyTermios(this.pair.slave.termios);
    Object.assign(next, { iflag, oflag, lflag });
    next.cc.set(cc);
    this.pair.slave.setTermios(next);
  }

  private drain(): string {
    let out = '';
    for (;;) {
      const got = readOnce(this.master, 65536);
      if (got.startsWith('E')) return out;
      out += got;
    }
  }
}

function writeAll(
  file: { write(buf: Uint8Array, off: number, len: number, pos: number): number },
  data: string,
): void {
  const bytes = Buffer.from(data, 'hex');
  file.write(bytes, 0, bytes.length, 0);
}

function readOnce(
  file: { read(buf: Uint8Array, off: number, len: number, pos: number): number },
  len: number,
): string {
  const buf = Buffer.alloc(len);
  const n = file.read(buf, 0, len, 0);
  return n < 0 ? errnoName(-n) : buf.subarray(0, n).toString('hex');
}
