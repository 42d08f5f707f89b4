/** A machine whose root is a filesystem of any type. */
import { Path } from '../../../src/fs/dentry.ts';
import { mountRoot } from '../../../src/fs/mounts.ts';
import type { FileSystemType } from '../../../src/fs/super.ts';
import { Vfs } from '../../../src/fs/vfs.ts';
import { Sys, TestClock, TestContext, type TestMachine, TestRam, testEnvironment } from './machine.ts';

export function rootedMachine(type: FileSystemType, data = ''): TestMachine {
  const clock = new TestClock();
  const ram = new TestRam(1 << 28);
  const vfs = new Vfs(testEnvironment(clock, ram));
  vfs.registerFileSystem(type);
  const ns = mountRoot(vfs, type.name, 'none', 0, data);
  if (typeof ns === 'number') throw new Error(`cannot mount the root: ${ns}`);
  const ctx = new TestContext(new Path(ns.root, ns.root.root).get(), clock);
  return { vfs, ns, ctx, sys: new Sys(vfs, ctx), clock, ram };
}
