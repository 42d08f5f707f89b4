import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { File } from '../../../src/fs/file.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { mount } from '../../../src/fs/mounts.ts';
import { ramfsType } from '../../../src/fs/tmpfs/ramfs.ts';
import { EINVAL, ENOSPC } from '../../../src/uapi/errno.ts';
import { O_CREAT, O_EXCL, O_RDWR, O_TMPFILE } from '../../../src/uapi/fcntl.ts';
import { MS_REMOUNT } from '../../../src/uapi/mount.ts';
import { major, makedev, minor, S_IFCHR } from '../../../src/uapi/stat.ts';
import { tmpfsMachine } from './machine.ts';
import { must } from './suite/check.ts';
import { runFilesystemSuite } from './suite.ts';

runFilesystemSuite('tmpfs', () => tmpfsMachine());

test('a full filesystem takes what fits, and has room again when files go', () => {
  const { sys, ns } = tmpfsMachine('size=64k');
  const file = must<File>(sys.open('f', O_CREAT | O_RDWR));
  assert.equal(sys.write(file, new Uint8Array(60000), 0), 60000);
  assert.equal(sys.write(file, new Uint8Array(60000), 60000), 65536 - 60000);
  assert.equal(sys.write(file, new Uint8Array(10), 65536), -ENOSPC);
  assert.equal(ns.root.sb.statfs().bfree, 0);
  sys.unlink('f');
  assert.equal(ns.root.sb.statfs().bfree, 0);
  file.put();
  assert.equal(ns.root.sb.statfs().bfree, 16);
});

test('inodes are counted', () => {
  const { sys } = tmpfsMachine('nr_inodes=3');
  assert.equal(sys.mkdir('a'), 0);
  assert.equal(sys.put('b', ''), 0);
  assert.equal(sys.mkdir('c'), -ENOSPC);
  assert.equal(sys.symlink('x', 'c'), -ENOSPC);
  assert.equal(sys.open('.', O_TMPFILE | O_RDWR), -ENOSPC);
  assert.equal(sys.rmdir('a'), 0);
  assert.equal(sys.mkdir('c'), 0);
});

test('device numbers use all of their bits', () => {
  const { sys } = tmpfsMachine();
  const rdev = makedev(0xfff, 0xfffff);
  assert.equal(rdev, 0xffffffff);
  assert.deepEqual([major(rdev), minor(rdev)], [0xfff, 0xfffff]);
  assert.equal(makedev(1, 0x80000), 0x80000100);
  assert.equal(sys.mknod('c', S_IFCHR | 0o600, rdev), 0);
  assert.equal(must<Inode>(sys.stat('c')).rdev, rdev);
});

test('names of a file are counted, too', () => {
  const { sys, ns } = tmpfsMachine('nr_inodes=5');
  const free = (): number => ns.root.sb.statfs().ffree;
  assert.equal(sys.put('f', ''), 0);
  for (const name of ['a', 'b', 'c']) assert.equal(sys.link('f', name), 0);
  assert.equal(sys.link('f', 'd'), -ENOSPC);
  assert.equal(sys.rename('a', 'x'), 0);
  assert.equal(free(), 0);
  assert.equal(sys.unlink('b'), 0);
  assert.equal(sys.put('g', ''), 0);
  assert.equal(sys.rename('g', 'c'), 0);
  assert.equal(free(), 1);
  for (const name of ['f', 'x', 'c']) assert.equal(sys.unlink(name), 0);
  assert.equal(free(), 4);
  const file = must<File>(sys.open('.', O_TMPFILE | O_RDWR));
  assert.equal(ns.root.root.inode!.link('t', file.inode), 0);
  assert.equal(free(), 3, 'the first name costs nothing');
});

test('a remount changes the limits that it names, and shows both', () => {
  const { sb } = tmpfsMachine('nr_inodes=20,size=1m').ns.root;
  const remount = (data: string): number | string => sb.remount(data, false) || sb.showOptions();
  assert.equal(sb.showOptions(), ',size=1024k,nr_inodes=20');
  assert.equal(remount('size=2m'), ',size=2048k,nr_inodes=20');
  assert.equal(remount('nr_inodes=30,mode=700'), ',size=2048k,nr_inodes=30');
  assert.equal(remount('size=0'), ',size=0k,nr_inodes=30');
  assert.equal(remount('size=1m'), -EINVAL, 'too late');
  assert.equal(remount('nr_blocks=0,nr_inodes=0'), ',size=0k,nr_inodes=0');
  assert.equal(tmpfsMachine('size=50%,mode=1777').ns.root.sb.showOptions(), '');
  assert.equal(tmpfsMachine('mode=7').ns.root.sb.showOptions(), ',mode=007');
});

test('a remount leaves room for what is there', () => {
  const { sys, ns } = tmpfsMachine('nr_inodes=10,size=8k');
  const { sb } = ns.root;
  assert.equal(sys.put('f', 'x'.repeat(4097)), 0);
  assert.equal(sb.remount('size=4k', false), -EINVAL);
  assert.equal(sb.remount('nr_inodes=1', false), -EINVAL);
  assert.equal(sb.remount('size=5000,nr_inodes=2', false), 0);
  assert.equal(sys.put('g', ''), -ENOSPC);
});

test('ramfs knows one option, and ignores the others', () => {
  const { vfs, ctx, sys } = tmpfsMachine();
  vfs.registerFileSystem(ramfsType);
  sys.mkdir('r');
  const mounts = (data: string, flags = 0): number => mount(vfs, ctx, 'none', '/r', 'ramfs', flags, data);
  assert.equal(mounts('mode=9'), -EINVAL);
  assert.equal(mounts('mode'), -EINVAL);
  assert.equal(mounts('size=4k,constructor,uid=3,mode=711'), 0);
  const { sb, mode } = must<Inode>(sys.stat('r'));
  assert.deepEqual([mode & 0o7777, sb.showOptions()], [0o711, ',mode=711']);
  assert.equal(sys.put('r/f', 'x'.repeat(10000)), 0);
  assert.equal(mounts('size=4k,mode=700', MS_REMOUNT), 0);
  assert.equal(mounts('mode=x', MS_REMOUNT), -EINVAL);
  assert.equal(sys.put('r/f', 'x'.repeat(20000)), 0);
  assert.deepEqual([sb.showOptions(), sb.statfs().blocks], [',mode=711', 0]);
});

test('nothing is left when all files are gone', () => {
  const { sys, ns, ram } = tmpfsMachine();
  const before = { ...ns.root.sb.statfs(), pages: ram.usedPages };
  sys.put('f', 'x'.repeat(100000));
  sys.symlink('y'.repeat(500), 'l');
  sys.link('f', 'g');
  const anonymous = must<File>(sys.open('.', O_TMPFILE | O_RDWR | O_EXCL));
  sys.write(anonymous, new Uint8Array(5000));
  anonymous.put();
  sys.rename('g', 'l');
  sys.put('other', 'z'.repeat(10000));
  sys.rename('other', 'f');
  sys.unlink('f');
  sys.unlink('l');
  assert.deepEqual({ ...ns.root.sb.statfs(), pages: ram.usedPages }, before);
});

test('a machine without memory says ENOSPC and loses nothing', () => {
  const { sys, ram } = tmpfsMachine('size=0');
  const file = must<File>(sys.open('f', O_CREAT | O_RDWR));
  sys.write(file, new Uint8Array(4096).fill(7), 0);
  ram.charge(ram.totalPages - ram.usedPages);
  assert.equal(sys.write(file, new Uint8Array(8192), 4096), -ENOSPC);
  assert.equal(must<Uint8Array>(sys.read(file, 8192, 0)).length, 4096);
});

test('a reader that renames what it reads comes to an end', () => {
  const { sys } = tmpfsMachine();
  for (let i = 0; i < 100; i++) sys.put(`f${i}`, '');
  const dir = must<File>(sys.open('.', 0));
  let seen = 0;
  for (let more = true; more; ) {
    more = false;
    let found = '';
    dir.readdir(dir.pos, (name, _ino, _type, next) => {
      if (more) return false;
      more = true;
      found = name;
      dir.pos = next;
      return true;
    });
    if (found.startsWith('f')) sys.rename(found, `${found}x`);
    assert.ok(++seen < 1000);
  }
  assert.equal(must<Inode>(sys.stat('.')).nlink, 2);
});
