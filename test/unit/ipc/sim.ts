/**
 * Runs lists of file operations on our files, and on the host's: test/unit/ipc/host.py is its twin.
 *
 * A script is a list of operations [name, arguments...]; each result is a number (negative: an errno) or a
 * string. `compare` runs scripts on both and asserts that all results are the same.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { Clock, Timers } from '../../../src/core/clock.ts';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import type { Current } from '../../../src/core/current.ts';
import type { UserMemory } from '../../../src/core/user.ts';
import { type AnonInode, AnonSuper } from '../../../src/fs/anon.ts';
import { File } from '../../../src/fs/file.ts';
import { Epoll } from '../../../src/ipc/epoll.ts';
import { EventFd } from '../../../src/ipc/eventfd.ts';
import { createPipe, getPipeSize, openFifo, setPipeSize } from '../../../src/ipc/pipe-file.ts';
import { PipeLimits } from '../../../src/ipc/pipe-limits.ts';
import { splice, tee } from '../../../src/ipc/splice.ts';
import { EAGAIN, EBADF, EEXIST, EINVAL, ENOENT } from '../../../src/uapi/errno.ts';
import {
  F_GETFL,
  F_GETPIPE_SZ,
  F_SETFL,
  F_SETPIPE_SZ,
  O_DIRECT,
  O_NONBLOCK,
  O_RDWR,
} from '../../../src/uapi/fcntl.ts';
import { S_IFIFO } from '../../../src/uapi/stat.ts';

export type Op = readonly [string, ...(string | number | readonly string[] | readonly number[] | null)[]];
export type Script = readonly Op[];
type Answer = number | string;

/** A clock that stands still until it is moved, and the timers that it fires as it moves. */
export class FakeTime implements Clock, Timers {
  now = 1_000_000_000;
  /** CLOCK_REALTIME less CLOCK_MONOTONIC, seconds. */
  offset = 1_700_000_000;
  private readonly armed = new Set<{ deadline: number; fire: () => void }>();

  monotonic(): number {
    return this.now;
  }

  realtime(): { sec: number; nsec: number } {
    const sec = Math.floor(this.now / 1e9);
    return { sec: sec + this.offset, nsec: this.now - sec * 1e9 };
  }

  coarse(): { sec: number; nsec: number } {
    return this.realtime();
  }

  at(deadline: number, fire: () => void): { cancel(): void } {
    const timer = { deadline, fire };
    this.armed.add(timer);
    return { cancel: () => void this.armed.delete(timer) };
  }

  advance(ns: number): void {
    this.now += ns;
    for (const timer of [...this.armed].sort((a, b) => a.deadline - b.deadline)) {
      if (timer.deadline > this.now) continue;
      this.armed.delete(timer);
      timer.fire();
    }
  }
}

export class FakeUser implements UserMemory {
  readonly ram = new Uint8Array(4 << 20);
  readonly view = new DataView(this.ram.buffer);
  readonly maxWindow = 1 << 20;

  gather(): number {
    return -EINVAL;
  }

  in(addr: number): number {
    return addr;
  }

  out(addr: number): number {
    return addr;
  }

  room(_addr: number, len: number): number {
    return len;
  }

  shrink(): void {}

  string(): string | number {
    return -EINVAL;
  }
}

export const CURRENT = { pid: 42, tgid: 42, cred: ROOT_CRED } as unknown as Current;

/** "aaabb" is "a3b2". */
export function rle(ram: Uint8Array, off: number, len: number): string {
  let out = '';
  for (let i = off; i < off + len; ) {
    let j = i;
    while (j < off + len && ram[j] === ram[i]) j++;
    out += String.fromCharCode(ram[i]!) + (j - i);
    i = j;
  }
  return out;
}

/** A file that is always ready, as regular files are. */
class PlainFile extends File {}

export interface Open {
  readonly file: File;
  readonly fd: number;
}

export class Sim {
  readonly pipeLimits: PipeLimits = new PipeLimits();
  readonly time = new FakeTime();
  readonly user = new FakeUser();
  readonly anon = new AnonSuper('anon_inodefs', 0, 9, this.time);
  readonly files = new Map<string, Open>();
  readonly inodes = new Map<string, AnonInode>();
  private lastFd = 2;

  [op: string]: unknown;

  add(name: string, file: File | number): number {
    if (typeof file === 'number') return file;
    this.files.set(name, { file, fd: ++this.lastFd });
    return 0;
  }

  file(name: string): File {
    const open = this.files.get(name);
    assert.ok(open, `no file ${name}`);
    return open.file;
  }

  inode(): AnonInode {
    return this.anon.newInode(0o600, ROOT_CRED);
  }

  pipe2(flags: number, r: string, w: string): number {
    const pipe = createPipe(this.anon, flags, ROOT_CRED, this.pipeLimits);
    if (typeof pipe === 'number') return pipe;
    this.add(r, pipe.read);
    return this.add(w, pipe.write);
  }

  mkfifo(name: string): number {
    if (this.inodes.has(name)) return -EEXIST;
    this.inodes.set(name, this.anon.newInode(S_IFIFO | 0o666, ROOT_CRED));
    return 0;
  }

  open(name: string, flags: number, as: string): number {
    const inode = this.inodes.get(name);
    if (inode === undefined) return -ENOENT;
    const file = openFifo(inode, flags, ROOT_CRED, this.pipeLimits);
    if (typeof file === 'number') return file;
    return file.opened() || this.add(as, file);
  }

  unlink(name: string): number {
    return this.inodes.delete(name) ? 0 : -ENOENT;
  }

  write(f: string, n: number, ch: string): number {
    const file = this.file(f);
    this.user.ram.fill(ch.charCodeAt(0), 64, 64 + n);
    return file.checkAccess(true) || file.write(this.user.ram, 64, n, file.pos);
  }

  read(f: string, n: number): Answer {
    const file = this.file(f);
    const got = file.checkAccess(false) || file.read(this.user.ram, 64, n, file.pos);
    return got < 0 ? got : rle(this.user.ram, 64, got);
  }

  get64(f: string, n: number): Answer {
    const got = this.file(f).read(this.user.ram, 64, n, 0);
    if (got < 0) return got;
    return `${this.user.view.getUint32(64, true)}:${this.user.view.getUint32(68, true)}`;
  }

  put64(f: string, lo: number, hi: number, n: number): number {
    this.user.view.setUint32(64, lo, true);
    this.user.view.setUint32(68, hi, true);
    return this.file(f).write(this.user.ram, 64, n, 0);
  }

  poll(f: string): number {
    return this.file(f).poll() & 0x23df;
  }

  ioctl(f: string, cmd: number): number {
    const got = this.file(f).ioctl(cmd, 16, this.user, CURRENT);
    return got < 0 ? got : this.user.view.getInt32(16, true);
  }

  fcntl(f: string, cmd: number, arg: number): number {
    const file = this.file(f);
    if (cmd === F_GETPIPE_SZ) return getPipeSize(file);
    if (cmd === F_SETPIPE_SZ) return setPipeSize(file, arg, ROOT_CRED);
    if (cmd === F_GETFL) return file.flags;
    if (cmd !== F_SETFL) return -EINVAL;
    const settable = O_NONBLOCK | O_DIRECT;
    file.flags = (file.flags & ~settable) | (arg & settable);
    return 0;
  }

  close(f: string): number {
    const open = this.files.get(f);
    if (open === undefined) return -EBADF;
    this.files.delete(f);
    open.file.put();
    return 0;
  }

  dup(f: string, as: string): number {
    return this.add(as, this.file(f).get());
  }

  splice(from: string, to: string, n: number): number {
    return splice(this.file(from), -1, this.file(to), -1, n);
  }

  tee(from: string, to: string, n: number): number {
    return tee(this.file(from), this.file(to), n);
  }

  eventfd(initial: number, flags: number, as: string): number {
    return this.add(as, new EventFd(this.inode(), initial, flags));
  }

  epoll(as: string): number {
    return this.add(as, new Epoll(this.inode()));
  }

  ctl(ep: string, op: number, f: string, events: number, data: number): number {
    const epoll = this.file(ep);
    const { file, fd } = this.files.get(f)!;
    return epoll instanceof Epoll ? epoll.control(op, file, fd, events, data, 0) : -EINVAL;
  }

  memfd(_flags: number, as: string): number {
    return this.add(as, new PlainFile(this.inode(), O_RDWR));
  }

  wait(ep: string, max: number): Answer {
    const epoll = this.file(ep);
    if (!(epoll instanceof Epoll)) return -EINVAL;
    const out: string[] = [];
    epoll.collect(max, (events, lo) => void out.push(`${(events >>> 0).toString(16)}:${lo}`));
    return out.join(' ');
  }

  run(script: Script): Answer[] {
    return script.map(([op, ...args]) => (this[op] as (...a: unknown[]) => Answer).apply(this, args));
  }
}

/** What the host answers to each script. */
export function onHost(scripts: readonly Script[]): Answer[][] {
  const host = spawnSync('python3', [new URL('host.py', import.meta.url).pathname], {
    input: JSON.stringify(scripts),
    maxBuffer: 1 << 28,
  });
  assert.equal(host.status, 0, host.stderr?.toString());
  return JSON.parse(host.stdout.toString()) as Answer[][];
}

/** Asserts that our files answer each script as the host's do. */
export function compare(scripts: readonly Script[], make: () => Sim = () => new Sim()): void {
  const host = onHost(scripts);
  scripts.forEach((script, s) => {
    const ours = make().run(script);
    script.forEach((_op, i) => {
      const story = script
        .slice(0, i + 1)
        .map(o => JSON.stringify(o))
        .join('\n');
      assert.equal(ours[i], host[s]![i], `after\n${story}\nours ${ours[i]}, host ${host[s]![i]}`);
    });
  });
}

export const WOULD_BLOCK = -EAGAIN;
