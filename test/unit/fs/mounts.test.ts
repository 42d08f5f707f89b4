import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathString } from '../../../src/fs/d-path.ts';
import type { Path } from '../../../src/fs/dentry.ts';
import type { File } from '../../../src/fs/file.ts';
import { FsStruct } from '../../../src/fs/fs-struct.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { changeMount } from '../../../src/fs/mount-file.ts';
import { cloneNamespace, mount, pivotRoot, umount, unshareMounts } from '../../../src/fs/mounts.ts';
import { showMountinfo, showMounts } from '../../../src/fs/namespace.ts';
import {
  EACCES,
  EBUSY,
  EINVAL,
  ELOOP,
  ENODEV,
  ENOSPC,
  ENOTDIR,
  EROFS,
  EXDEV,
} from '../../../src/uapi/errno.ts';
import { O_CREAT, O_RDONLY, O_RDWR } from '../../../src/uapi/fcntl.ts';
import {
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  MS_BIND,
  MS_MOVE,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  MS_SHARED,
} from '../../../src/uapi/mount.ts';
import { S_IFCHR } from '../../../src/uapi/stat.ts';
import { type TestMachine, tmpfsMachine } from './machine.ts';
import { must } from './suite/check.ts';

interface Mounts extends TestMachine {
  mount(source: string, target: string, flags?: number, data?: string): number;
  umount(target: string, flags?: number): number;
  show(name: string): string | number;
}

function machine(): Mounts {
  const made = tmpfsMachine();
  const { vfs, ctx, sys } = made;
  return {
    ...made,
    mount: (source, target, flags = 0, data = '') => mount(vfs, ctx, source, target, 'tmpfs', flags, data),
    umount: (target, flags = 0) => {
      const path = sys.path(target);
      return typeof path === 'number' ? path : umount(vfs, path, flags);
    },
    show: name => {
      const path = sys.path(name);
      return typeof path === 'number' ? path : pathString(path, ctx.root);
    },
  };
}

test('a mount covers a directory until it goes', () => {
  const m = machine();
  const { sys } = m;
  sys.mkdir('mnt');
  sys.put('mnt/below', 'B');
  assert.equal(m.mount('none', '/mnt'), 0);
  assert.deepEqual(sys.names('mnt'), []);
  sys.put('mnt/above', 'A');
  assert.notEqual(must<Inode>(sys.stat('mnt')).sb.dev, must<Inode>(sys.stat('.')).sb.dev);
  assert.equal(must<Inode>(sys.stat('mnt/..')), sys.stat('/'));
  assert.equal(m.show('/mnt/above'), '/mnt/above');
  assert.equal(sys.rmdir('mnt'), -EBUSY);
  assert.equal(sys.rename('mnt', 'other'), -EBUSY);
  assert.equal(sys.rename('mnt/above', 'here'), -EXDEV);
  assert.equal(sys.link('mnt/above', 'here'), -EXDEV);
  const file = must<File>(sys.open('mnt/above', O_RDONLY));
  assert.equal(m.umount('/mnt'), -EBUSY);
  file.put();
  assert.equal(m.umount('/mnt'), 0);
  assert.deepEqual(sys.names('mnt'), ['below']);
  assert.equal(m.umount('/mnt'), -EINVAL);
  assert.equal(m.ram.usedPages, 1, 'only the file below is left');
});

test('what mount refuses', () => {
  const m = machine();
  m.sys.put('f', '');
  m.sys.mkdir('d');
  assert.equal(m.mount('none', '/f'), -ENOTDIR);
  assert.equal(mount(m.vfs, m.ctx, 'none', '/d', 'nofs', 0, ''), -ENODEV);
  assert.equal(m.mount('none', '/d', 0, 'size=x'), -EINVAL);
  assert.equal(m.mount('/f', '/d', MS_BIND), -ENOTDIR);
  assert.equal(m.mount('', '/d', MS_PRIVATE), -EINVAL);
  assert.equal(m.mount('', '/', MS_PRIVATE | MS_REC), 0);
  assert.equal(m.umount('/'), -EBUSY);
  assert.equal(m.umount('/d'), -EINVAL);
});

test('flags hold per mount', () => {
  const m = machine();
  const { sys } = m;
  sys.mkdir('ro');
  sys.mkdir('rw');
  m.mount('none', '/rw', MS_NODEV | MS_NOSUID | MS_NOEXEC);
  sys.put('rw/f', 'F', 0o755);
  sys.mknod('rw/null', S_IFCHR | 0o666, 259);
  assert.equal(sys.open('rw/null', O_RDWR), -EACCES);
  assert.equal(sys.access('rw/f', 1), -EACCES);
  assert.equal(m.mount('/rw', '/ro', MS_BIND), 0);
  assert.equal(m.mount('none', '/ro', MS_BIND | MS_REMOUNT | MS_RDONLY), 0);
  assert.equal(sys.open('ro/f', O_RDWR), -EROFS);
  assert.equal(sys.put('ro/g', ''), -EROFS);
  assert.equal(sys.mkdir('ro/g'), -EROFS);
  assert.equal(sys.unlink('ro/f'), -EROFS);
  assert.equal(sys.chmod('ro/f', 0), -EROFS);
  assert.equal(sys.truncate('ro/f', 0), -EROFS);
  assert.equal(sys.access('ro/f', 2), -EROFS);
  assert.equal(sys.text('ro/f'), 'F');
  const writer = must<File>(sys.open('rw/f', O_RDWR));
  assert.equal(m.mount('none', '/rw', MS_REMOUNT | MS_RDONLY), -EBUSY);
  writer.put();
  assert.equal(m.mount('none', '/rw', MS_REMOUNT | MS_RDONLY), 0);
  assert.equal(sys.put('rw/f', ''), -EROFS);
});

test('a mount can become read-only while files are written through another of the same filesystem', () => {
  const m = machine();
  const { sys } = m;
  for (const name of ['a', 'b', 'c']) sys.mkdir(name);
  assert.equal(m.mount('none', '/a'), 0);
  for (const name of ['/b', '/c']) assert.equal(m.mount('/a', name, MS_BIND), 0);
  const closes = (name: string): number =>
    changeMount(m.vfs, must(sys.path(name)), { set: MOUNT_ATTR_RDONLY, clear: 0, propagation: 0 }, false);
  const writer = must<File>(sys.open('a/f', O_CREAT | O_RDWR));
  assert.equal(m.mount('none', '/b', MS_BIND | MS_REMOUNT | MS_RDONLY), 0);
  assert.equal(closes('c'), 0);
  assert.equal(sys.put('b/f', ''), -EROFS);
  assert.equal(sys.put('c/f', ''), -EROFS);
  assert.equal(m.mount('none', '/a', MS_BIND | MS_REMOUNT | MS_RDONLY), -EBUSY);
  assert.equal(closes('a'), -EBUSY);
  assert.equal(m.mount('none', '/b', MS_REMOUNT | MS_RDONLY), -EBUSY, 'the filesystem is not');
  assert.equal(sys.write(writer, Buffer.from('F')), 1);
  writer.put();
  assert.equal(closes('a'), 0);
});

test('bind mounts show a part of the tree elsewhere, with MS_REC its mounts too', () => {
  const m = machine();
  const { sys } = m;
  for (const name of ['a', 'a/b', 'a/b/c', 'x', 'y']) sys.mkdir(name);
  m.mount('none', '/a/b/c');
  sys.put('a/b/c/f', 'F');
  assert.equal(m.mount('/a/b', '/x', MS_BIND), 0);
  assert.equal(m.mount('/a/b', '/y', MS_BIND | MS_REC), 0);
  assert.deepEqual(sys.names('x/c'), []);
  assert.equal(sys.text('y/c/f'), 'F');
  assert.equal(m.show('y/c/f'), '/y/c/f');
  assert.equal(sys.stat('x/..'), sys.stat('/'));
  sys.put('x/new', 'N');
  assert.equal(sys.text('a/b/new'), 'N');
  assert.equal(m.umount('/y'), -EBUSY);
  assert.equal(m.umount('/y', MNT_DETACH), 0);
  assert.equal(sys.text('a/b/c/f'), 'F');
  sys.put('file', '1');
  sys.put('over', '2');
  assert.equal(m.mount('/file', '/over', MS_BIND), 0);
  assert.equal(sys.text('over'), '1');
  assert.equal(sys.unlink('over'), -EBUSY);
});

test('MS_MOVE carries a mount and all below it', () => {
  const m = machine();
  const { sys } = m;
  sys.mkdir('a');
  sys.mkdir('b');
  m.mount('none', '/a');
  sys.mkdir('a/in');
  m.mount('none', '/a/in');
  sys.put('a/in/f', 'F');
  assert.equal(m.mount('/a', '/a/in', MS_MOVE), -ELOOP);
  assert.equal(m.mount('/a', '/b', MS_MOVE), 0);
  assert.equal(sys.text('b/in/f'), 'F');
  assert.deepEqual(sys.names('a'), []);
});

test('a detached mount lives as long as it is used', () => {
  const m = machine();
  const { sys } = m;
  sys.mkdir('a');
  m.mount('none', '/a');
  sys.put('a/f', 'F');
  const file = must<File>(sys.open('a/f', O_RDONLY));
  assert.equal(m.umount('/a', MNT_DETACH), 0);
  assert.deepEqual(sys.names('a'), []);
  assert.equal(Buffer.from(must<Uint8Array>(sys.read(file, 10, 0))).toString(), 'F');
  assert.equal(pathString(file.path!, m.ctx.root), '(unreachable)/f');
  assert.equal(m.ram.usedPages, 1);
  file.put();
  assert.equal(m.ram.usedPages, 0);
});

test('chroot: no way up, and paths seen from there', () => {
  const m = machine();
  const { sys, ctx } = m;
  for (const name of ['jail', 'jail/etc', 'etc']) sys.mkdir(name);
  sys.put('etc/f', 'out');
  sys.put('jail/etc/f', 'in');
  sys.symlink('/etc/f', 'jail/l');
  const outer = ctx.root;
  ctx.root = must<Path>(sys.path('/jail'));
  ctx.cwd = ctx.root;
  assert.equal(sys.text('l'), 'in');
  assert.equal(sys.text('../../etc/f'), 'in');
  assert.equal(pathString(must<Path>(sys.path('/etc/f')), ctx.root), '/etc/f');
  assert.equal(pathString(must<Path>(sys.path('/etc/f')), outer), '/jail/etc/f');
  ctx.cwd = outer;
  assert.equal(sys.text('etc/f'), 'out');
  assert.equal(pathString(outer, ctx.root), '(unreachable)/');
});

test('removed names are shown as deleted', () => {
  const { sys, ctx } = machine();
  sys.mkdir('d');
  const file = must<File>(sys.open('d/f', O_CREAT | O_RDWR));
  sys.rename('d', 'e');
  assert.equal(pathString(file.path!, ctx.root), '/e/f');
  sys.unlink('e/f');
  assert.equal(pathString(file.path!, ctx.root), '/e/f (deleted)');
  file.put();
});

test('pivot_root exchanges the root for everybody', () => {
  const m = machine();
  const { sys, ctx, ns } = m;
  sys.mkdir('new');
  m.mount('none', '/new');
  sys.mkdir('new/old');
  sys.put('new/f', 'F');
  sys.put('g', 'G');
  const fs = new FsStruct(ctx.root, ctx.cwd);
  const [newRoot, putOld] = [must<Path>(sys.path('/new')), must<Path>(sys.path('/new/old'))];
  assert.equal(pivotRoot(ctx, must<Path>(sys.path('/new/old')), putOld, [fs]), -EINVAL);
  assert.equal(pivotRoot(ctx, newRoot, putOld, [fs]), 0);
  ctx.root = fs.root;
  ctx.cwd = fs.cwd;
  assert.equal(sys.text('/f'), 'F');
  assert.equal(sys.text('/old/g'), 'G');
  assert.equal(ns.root, newRoot.mount);
  assert.match(showMounts(ns, fs.root), /^none \/old tmpfs/m);
});

test('a namespace can be copied and goes its own way', () => {
  const m = machine();
  const { sys, ctx } = m;
  sys.mkdir('a');
  m.mount('none', '/a');
  sys.put('a/f', 'F');
  const { ns, copies } = cloneNamespace(m.vfs, m.ns);
  assert.equal(m.umount('/a'), 0);
  assert.deepEqual(sys.names('a'), []);
  const root = must<Path>(sys.path('/'));
  ctx.root = new (root.constructor as new (...args: unknown[]) => Path)(copies.get(m.ns.root), ns.root.root);
  ctx.cwd = ctx.root;
  assert.equal(sys.text('/a/f'), 'F');
});

test('unshared mounts are gone with the last who stands in them', () => {
  const m = machine();
  const { sys } = m;
  sys.mkdir('a');
  m.mount('none', '/a');
  const { sb } = must<Path>(sys.path('/a')).mount;
  const root = must<Path>(sys.path('/'));
  const parent = new FsStruct(root, root);
  assert.equal(unshareMounts(m.vfs, parent), 0);
  assert.notEqual(parent.root.mount, root.mount);
  assert.equal(sb.mounts, 2);
  const child = parent.clone();
  parent.put();
  assert.equal(sb.mounts, 2);
  child.put();
  assert.equal(sb.mounts, 1);
  assert.equal(m.umount('/a'), 0);
});

test('/proc/mounts and mountinfo', () => {
  const m = machine();
  const { sys, ctx, ns } = m;
  sys.mkdir('my mnt');
  m.mount('a b', '/my mnt', MS_RDONLY | MS_NOSUID, 'size=1m,mode=755');
  assert.equal(
    showMounts(ns, ctx.root),
    'none / tmpfs rw,relatime 0 0\na\\040b /my\\040mnt tmpfs ro,nosuid,relatime,size=1024k,mode=755 0 0\n',
  );
  assert.equal(
    showMountinfo(ns, ctx.root).split('\n')[1],
    '2 1 0:2 / /my\\040mnt ro,nosuid,relatime - tmpfs a\\040b ro,size=1024k,mode=755',
  );
});

test('mounts that are gone are not counted, wherever they went from', () => {
  const m = machine();
  const before = m.vfs.mountCount;
  m.sys.mkdir('mnt');
  m.sys.mkdir('other');
  assert.equal(m.mount('none', '/mnt'), 0);
  assert.equal(m.mount('', '/mnt', MS_SHARED), 0);
  assert.equal(m.mount('/mnt', '/other', MS_BIND), 0);
  m.sys.mkdir('mnt/in');
  assert.equal(m.mount('none', '/mnt/in'), 0);
  assert.equal(m.vfs.mountCount, before + 4);
  assert.equal(m.umount('/other/in'), 0);
  assert.equal(m.vfs.mountCount, before + 2);
  assert.equal(m.umount('/mnt', MNT_DETACH), 0);
  assert.equal(m.umount('/other'), 0);
  assert.equal(m.vfs.mountCount, before);
});

test('copies of copies end somewhere', () => {
  const m = machine();
  m.sys.mkdir('mnt');
  assert.equal(m.mount('none', '/mnt'), 0);
  assert.equal(m.mount('', '/mnt', MS_SHARED), 0);
  m.sys.mkdir('mnt/in');
  let last = 0;
  for (let i = 0; last === 0 && i < 40; i++) last = m.mount('/mnt', '/mnt/in', MS_BIND | MS_REC);
  assert.equal(last, -ENOSPC);
});
