/** What tests of hostfs need: a directory of the host's that goes with the test, mounted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import type { File } from '../../../src/fs/file.ts';
import type { HostfsOptions, HostSuperBlock } from '../../../src/fs/hostfs/super.ts';
import { mountHostDirectory } from '../../../src/fs/hostfs/type.ts';
import type { Inode, NewInode } from '../../../src/fs/inode.ts';
import type { FsEnvironment } from '../../../src/fs/super.ts';
import { openLibc } from '../../../src/host/libc.ts';
import { NativeFiles } from '../../../src/host/native-files.ts';
import { TestClock, TestRam, testEnvironment } from '../fs/machine.ts';
import type { Ability } from '../fs/suite/check.ts';

export const files = new NativeFiles(openLibc());

/** What the host does not let us do unless we are its root. */
export const forbidden: readonly Ability[] = files.privileged ? [] : ['chown', 'devices'];

export const testEnv = (): FsEnvironment => testEnvironment(new TestClock(), new TestRam(64 << 20));

/** A directory that goes with the test. */
export function tempDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'uml-hostfs-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export function mounted(dir: string, options: Partial<HostfsOptions> = {}, env = testEnv()): HostSuperBlock {
  return must(mountHostDirectory(files, env, dir, { readOnly: false, cacheAlways: false, ...options }));
}

/** What a call that has to succeed answered. */
export function must<T>(result: T | number): T {
  if (typeof result === 'number' && result < 0) throw new Error(`errno ${-result}`);
  return result as T;
}

/** The inode at a path of plain names below `dir`, referenced. */
export function at(dir: Inode, path: string): Inode {
  let inode = dir;
  for (const name of path.split('/')) {
    inode = must(inode.lookup(name));
    inode.refs++;
  }
  return inode;
}

export const make = (mode: number): NewInode => ({ mode, uid: 0, gid: 0, rdev: 0 });

export const opened = (inode: Inode, flags = 0): File => must(inode.open(flags, ROOT_CRED));

export function readAll(file: File): string {
  const buf = Buffer.alloc(1 << 16);
  let text = '';
  for (;;) {
    const n = must(file.read(buf, 0, buf.length, text.length)) as number;
    if (n === 0) return text;
    text += buf.toString('latin1', 0, n);
  }
}

/** The content of a file, by an open of its own. */
export function contentOf(inode: Inode): string {
  const file = opened(inode);
  const text = readAll(file);
  file.put();
  return text;
}

export function writeAt(file: File, text: string, pos: number): number {
  return file.write(Buffer.from(text, 'latin1'), 0, text.length, pos);
}

/** Names of a directory, '.' and '..' included, in the order of reading, a few at a time. */
export function namesIn(inode: Inode, batch = 3): string[] {
  const dir = opened(inode);
  const names: string[] = [];
  for (let pos = 0; ; ) {
    let room = batch;
    const before = names.length;
    must(
      dir.readdir(pos, (name, _ino, _type, next) => {
        if (room-- === 0) return false;
        names.push(name);
        pos = next;
        return true;
      }),
    );
    if (names.length === before) break;
  }
  dir.put();
  return names;
}
