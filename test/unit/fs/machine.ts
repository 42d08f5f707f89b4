/** What filesystem tests need of a machine: memory, a clock, a caller, and system calls in short. */
import type { Clock, Timespec } from '../../../src/core/clock.ts';
import { type Cred, ROOT_CRED } from '../../../src/core/cred.ts';
import * as attr from '../../../src/fs/attr.ts';
import type { WalkContext } from '../../../src/fs/context.ts';
import * as create from '../../../src/fs/create.ts';
import type { Path } from '../../../src/fs/dentry.ts';
import { Path as PathOf } from '../../../src/fs/dentry.ts';
import type { File } from '../../../src/fs/file.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { lookup, lookupFlags, lookupInode } from '../../../src/fs/lookup.ts';
import { mountRoot } from '../../../src/fs/mounts.ts';
import type { MountNamespace } from '../../../src/fs/namespace.ts';
import { open } from '../../../src/fs/open.ts';
import { removePrivileges } from '../../../src/fs/permission.ts';
import { rmdir, unlink } from '../../../src/fs/remove.ts';
import { rename } from '../../../src/fs/rename.ts';
import type { FsEnvironment } from '../../../src/fs/super.ts';
import { tmpfsType } from '../../../src/fs/tmpfs/super.ts';
import { Vfs } from '../../../src/fs/vfs.ts';
import { PAGE_SIZE, type Ram } from '../../../src/mm/ram.ts';
import {
  AT_EMPTY_PATH,
  AT_SYMLINK_NOFOLLOW,
  O_APPEND,
  O_DIRECTORY,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
} from '../../../src/uapi/fcntl.ts';

/** Memory that is given out range by range; freed ranges of a size are used again. */
export class TestRam implements Ram {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly totalPages: number;
  usedPages = 0;
  spare = 0;
  spareRange = 0;
  readonly reclaimers: Set<(pages: number) => void> = new Set();
  private next = PAGE_SIZE;
  private readonly freed: Map<number, number[]> = new Map();

  constructor(size = 1 << 30, pages = 1 << 14) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
    this.totalPages = pages;
  }

  alloc(len: number): number {
    const again = this.freed.get(len)?.pop();
    if (again !== undefined) return again;
    if (this.next + len > this.bytes.length) return -12;
    this.next += len;
    return this.next - len;
  }

  free(offset: number, len: number): void {
    this.discard(offset, len);
    const list = this.freed.get(len) ?? [];
    this.freed.set(len, list);
    list.push(offset);
  }

  discard(offset: number, len: number): void {
    this.bytes.fill(0, offset, offset + len);
  }

  store(): number {
    return -38;
  }

  load(): number {
    return -38;
  }

  charge(pages: number, spare = 0): boolean {
    if (this.usedPages + pages + spare > this.totalPages) return false;
    this.usedPages += pages;
    return true;
  }
}

/** A clock that stands still until it is told to go on. */
export class TestClock implements Clock {
  now: Timespec = { sec: 1_700_000_000, nsec: 0 };

  monotonic(): number {
    return this.now.sec * 1e9;
  }

  realtime(): Timespec {
    return this.now;
  }

  coarse(): Timespec {
    return this.now;
  }

  advance(sec = 1): void {
    this.now = { sec: this.now.sec + sec, nsec: 0 };
  }
}

export function testEnvironment(clock: Clock = new TestClock(), ram: Ram = new TestRam()): FsEnvironment {
  let dev = 0;
  return { clock, ram, newDev: () => ++dev };
}

/** An unprivileged user, or root. */
export const user = (uid: number, gid: number = uid, groups: readonly number[] = []): Cred => {
  if (uid === 0) return ROOT_CRED;
  const none = { lo: 0, hi: 0 };
  const ids = { uid, euid: uid, suid: uid, fsuid: uid, gid, egid: gid, sgid: gid, fsgid: gid, groups };
  return { ...ROOT_CRED, ...ids, effective: none, permitted: none };
};

export class TestContext implements WalkContext {
  cred: Cred = ROOT_CRED;
  root: Path;
  cwd: Path;
  umask = 0o022;
  readonly clock: Clock;
  readonly current = null;

  constructor(root: Path, clock: Clock) {
    this.root = root;
    this.cwd = root;
    this.clock = clock;
  }

  get namespace(): MountNamespace | null {
    return this.root.mount.namespace;
  }
}

/** Operations as programs know them: numbers and strings, negative errors. */
export class Sys {
  readonly vfs: Vfs;
  readonly ctx: TestContext;

  constructor(vfs: Vfs, ctx: TestContext) {
    this.vfs = vfs;
    this.ctx = ctx;
  }

  open(name: string, flags: number, mode = 0o666): File | number {
    return open(this.vfs, this.ctx, null, name, flags, mode);
  }

  mkdir = (name: string, mode = 0o777): number => create.mkdir(this.vfs, this.ctx, null, name, mode);
  mknod = (name: string, mode: number, rdev = 0): number =>
    create.mknod(this.vfs, this.ctx, null, name, mode, rdev);
  symlink = (target: string, name: string): number => create.symlink(this.vfs, this.ctx, target, null, name);
  link = (from: string, to: string, flags = 0): number =>
    create.link(this.vfs, this.ctx, null, from, null, to, flags);
  unlink = (name: string): number => unlink(this.vfs, this.ctx, null, name);
  rmdir = (name: string): number => rmdir(this.vfs, this.ctx, null, name);
  rename = (from: string, to: string, flags = 0): number =>
    rename(this.vfs, this.ctx, null, from, null, to, flags);
  readlink = (name: string): string | number => attr.readlink(this.vfs, this.ctx, null, name);
  truncate = (name: string, size: number): number => attr.truncate(this.vfs, this.ctx, name, size);
  ftruncate = (file: File, size: number): number => attr.truncateFile(this.vfs, this.ctx, file, size);
  access = (name: string, mask: number): number => attr.access(this.vfs, this.ctx, null, name, mask, 0);
  stat = (name: string): Inode | number => lookupInode(this.vfs, this.ctx, null, name, 0);
  lstat = (name: string): Inode | number => lookupInode(this.vfs, this.ctx, null, name, AT_SYMLINK_NOFOLLOW);

  path(name: string, atFlags = 0): Path | number {
    return lookup(this.vfs, this.ctx, null, name, lookupFlags(atFlags | AT_EMPTY_PATH));
  }

  chmod(name: string, mode: number): number {
    const path = this.path(name);
    return typeof path === 'number' ? path : attr.chmod(this.vfs, this.ctx, path, mode);
  }

  chown(name: string, uid: number, gid: number, atFlags = 0): number {
    const path = this.path(name, atFlags);
    return typeof path === 'number' ? path : attr.chown(this.vfs, this.ctx, path, uid, gid);
  }

  utimes(name: string, atime: attr.NewTime, mtime: attr.NewTime): number {
    const path = this.path(name);
    return typeof path === 'number' ? path : attr.utimes(this.vfs, this.ctx, path, atime, mtime);
  }

  write(file: File, data: Uint8Array, pos?: number): number {
    const err = file.checkAccess(true);
    if (err < 0) return err;
    removePrivileges(file, this.ctx.cred);
    const at = (file.flags & O_APPEND) !== 0 ? file.inode.size : (pos ?? file.pos);
    const n = file.write(data, 0, data.length, at);
    if (n > 0 && pos === undefined) file.pos = at + n;
    return n;
  }

  read(file: File, len: number, pos?: number): Uint8Array | number {
    const err = file.checkAccess(false);
    if (err < 0) return err;
    const buf = new Uint8Array(len);
    const n = file.read(buf, 0, len, pos ?? file.pos);
    if (n > 0 && pos === undefined) file.pos += n;
    return n < 0 ? n : buf.subarray(0, n);
  }

  /** Names but for '.' and '..', in order of the directory, a few at a time as getdents would. */
  names(name: string, atOnce = 7): string[] | number {
    const dir = this.open(name, O_RDONLY | O_DIRECTORY);
    if (typeof dir === 'number') return dir;
    const found: string[] = [];
    for (let full = true; full; ) {
      let room = atOnce;
      full = false;
      const err = dir.readdir(dir.pos, (entry, _ino, _type, next) => {
        if (room-- === 0) {
          full = true;
          return false;
        }
        found.push(entry);
        dir.pos = next;
        return true;
      });
      if (err < 0) return err;
    }
    dir.put();
    return found.filter(entry => entry !== '.' && entry !== '..');
  }

  /** All of a file's bytes as text. */
  text(name: string): string | number {
    const file = this.open(name, O_RDONLY);
    if (typeof file === 'number') return file;
    const data = this.read(file, Number(file.inode.size), 0);
    file.put();
    return typeof data === 'number' ? data : Buffer.from(data).toString('latin1');
  }

  /** Makes or replaces a file with this text. */
  put(name: string, text: string, mode = 0o666): number {
    const file = this.open(name, O_WRONLY | 0o100 | O_TRUNC, mode);
    if (typeof file === 'number') return file;
    const n = text === '' ? 0 : this.write(file, Buffer.from(text, 'latin1'));
    file.put();
    return Math.min(n, 0);
  }

  /** The same callers' calls as somebody else. */
  as<T>(cred: Cred, act: () => T): T {
    const before = this.ctx.cred;
    this.ctx.cred = cred;
    try {
      return act();
    } finally {
      this.ctx.cred = before;
    }
  }
}

export interface TestMachine {
  readonly vfs: Vfs;
  readonly ns: MountNamespace;
  readonly ctx: TestContext;
  readonly sys: Sys;
  readonly clock: TestClock;
  readonly ram: TestRam;
}

/** A machine whose root is a tmpfs. */
export function tmpfsMachine(data = '', ram: TestRam = new TestRam()): TestMachine {
  const clock = new TestClock();
  const vfs = new Vfs(testEnvironment(clock, ram));
  vfs.registerFileSystem(tmpfsType());
  const ns = mountRoot(vfs, 'tmpfs', 'none', 0, data);
  if (typeof ns === 'number') throw new Error(`cannot mount the root: ${ns}`);
  const ctx = new TestContext(new PathOf(ns.root, ns.root.root).get(), clock);
  return { vfs, ns, ctx, sys: new Sys(vfs, ctx), clock, ram };
}
