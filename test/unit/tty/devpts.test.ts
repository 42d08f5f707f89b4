/** devpts in a tree of mounts, through the VFS. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Terminals } from '../../../src/drivers/tty/terminals.ts';
import * as create from '../../../src/fs/create.ts';
import { pathString } from '../../../src/fs/d-path.ts';
import { Devpts } from '../../../src/fs/devpts/devpts.ts';
import type { File } from '../../../src/fs/file.ts';
import { mount } from '../../../src/fs/mounts.ts';
import { open } from '../../../src/fs/open.ts';
import { EACCES, EINVAL, ENOENT } from '../../../src/uapi/errno.ts';
import { O_NOCTTY, O_RDWR } from '../../../src/uapi/fcntl.ts';
import { TIOCGPTPEER, TIOCSPTLCK } from '../../../src/uapi/ioctl-tty.ts';
import { makedev, S_IFCHR } from '../../../src/uapi/stat.ts';
import { type TestMachine, tmpfsMachine, user } from '../fs/machine.ts';
import { opened, TtyMachine } from './machine.ts';
import { FakeTable } from './processes.ts';
import { FakeTime } from './scripts.ts';

function boot(): TestMachine & { installed: File[] } {
  const time = new FakeTime();
  const machine = tmpfsMachine();
  const { vfs, ctx } = machine;
  const devpts = new Devpts();
  vfs.registerFileSystem(devpts);
  const installed: File[] = [];
  const env = { clock: time, timers: time, groups: new FakeTable(time), hungUp: new WeakMap() };
  new Terminals(env, devpts, (_who, file) => installed.push(file) - 1).register(vfs);
  assert.equal(create.mkdir(vfs, ctx, null, '/dev', 0o755), 0);
  assert.equal(create.mkdir(vfs, ctx, null, '/dev/pts', 0o755), 0);
  assert.equal(create.mknod(vfs, ctx, null, '/dev/ptmx', S_IFCHR | 0o666, makedev(5, 2)), 0);
  assert.equal(mount(vfs, ctx, 'devpts', '/dev/pts', 'devpts', 0, 'ptmxmode=666'), 0);
  return { ...machine, installed };
}

for (const ptmx of ['/dev/ptmx', '/dev/pts/ptmx']) {
  test(`${ptmx} makes slaves that have names while it is open`, () => {
    const { vfs, ctx, installed } = boot();
    const machine = new TtyMachine();
    const who = machine.table.fork();
    const master = opened(open(vfs, ctx, null, ptmx, O_RDWR | O_NOCTTY, 0));
    machine.ioctl(master, who, TIOCSPTLCK, 0);
    assert.equal(master.ioctl(TIOCGPTPEER, O_RDWR | O_NOCTTY, machine.user, who), 0);
    assert.equal(pathString(installed[0]!.path!, ctx.root), '/dev/pts/0');
    const slave = opened(open(vfs, ctx, null, '/dev/pts/0', O_RDWR, 0));
    assert.equal(slave.inode, installed[0]!.inode);
    ctx.cred = user(1000);
    assert.equal(open(vfs, ctx, null, '/dev/pts/0', O_RDWR, 0), -EACCES);
    for (const file of [slave, installed[0]!, master]) file.put();
    assert.equal(open(vfs, ctx, null, '/dev/pts/0', O_RDWR, 0), -ENOENT);
    assert.equal(slave.inode.refs, 0);
  });
}

test('options that it does not know are refused, whatever they are called', () => {
  const { vfs, ctx } = boot();
  for (const data of ['constructor', 'toString', 'valueOf=1', '__proto__', 'umask=0', 'uid=x', 'mode', '=1'])
    assert.equal(mount(vfs, ctx, 'devpts', '/dev/pts', 'devpts', 0, data), -EINVAL, data);
  assert.equal(mount(vfs, ctx, 'devpts', '/dev/pts', 'devpts', 0, 'newinstance,uid=0,mode=620'), 0);
});
