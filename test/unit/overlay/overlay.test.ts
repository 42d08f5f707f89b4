import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import type { File } from '../../../src/fs/file.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { mount, umount } from '../../../src/fs/mounts.ts';
import type { OverlayInode } from '../../../src/fs/overlay/inode.ts';
import { overlayType } from '../../../src/fs/overlay/type.ts';
import { EACCES, EINVAL, ENOENT, ENOSPC, ENOTEMPTY, EPERM, EROFS } from '../../../src/uapi/errno.ts';
import { O_APPEND, O_DIRECTORY, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from '../../../src/uapi/fcntl.ts';
import { S_IFCHR, S_IFDIR, S_IFREG } from '../../../src/uapi/stat.ts';
import { tmpfsMachine } from '../fs/machine.ts';
import { at, contentOf, make, must, namesIn, opened, readAll, tempDir, writeAt } from '../hostfs/env.ts';
import { overHost, overTmpfs } from './env.ts';

test('a file keeps its inode number and its readers when it is copied up', t => {
  const lower = tempDir(t);
  fs.writeFileSync(join(lower, 'f'), 'lower', { mode: 0o640 });
  fs.utimesSync(join(lower, 'f'), 100, 200);
  const { sb } = overTmpfs(lower);
  const f = at(sb.root, 'f') as OverlayInode;
  const reader = opened(f);
  const { ino } = f;
  assert.equal(ino, fs.statSync(join(lower, 'f')).ino);
  assert.equal(f.setattr({ mode: S_IFREG | 0o600 }), 0);
  assert.notEqual(f.upper, null);
  assert.deepEqual([f.mtime, f.size, f.mode], [{ sec: 200, nsec: 0 }, 5, S_IFREG | 0o600]);
  const writer = opened(f, O_WRONLY);
  assert.equal(writeAt(writer, 'UPP', 0), 3);
  assert.equal(readAll(reader), 'UPPer', 'who opened it before sees the write');
  assert.equal(f.ino, ino);
  assert.equal(reader.inode, f);
  for (const file of [reader, writer]) file.put();
  sb.iput(f);
  const again = at(sb.root, 'f');
  assert.notEqual(again, f, 'it was let go of in between');
  assert.equal(again.ino, ino);
  assert.equal(fs.readFileSync(join(lower, 'f'), 'latin1'), 'lower');
});

test('a file of a lower layer is steady until something of it changes, a count of its names included', t => {
  const lower = tempDir(t);
  fs.writeFileSync(join(lower, 'f'), 'lower');
  fs.linkSync(join(lower, 'f'), join(lower, 'g'));
  fs.writeFileSync(join(lower, 'h'), 'lower');
  const { sb } = overTmpfs(lower);
  const [f, h] = [at(sb.root, 'f'), at(sb.root, 'h')];
  const reader = opened(f);
  assert.ok(f.isSteady && h.isSteady);
  assert.equal(sb.root.unlink('f', f), 0);
  assert.equal(f.nlink, 1);
  assert.ok(!f.isSteady);
  assert.equal(h.setattr({ mode: S_IFREG | 0o600 }), 0);
  assert.ok(!h.isSteady);
  reader.put();
});

test('opening with O_TRUNC does not copy the data', t => {
  const lower = tempDir(t);
  fs.writeFileSync(join(lower, 'f'), 'x'.repeat(1 << 20));
  const { sb, env } = overTmpfs(lower);
  const before = env.ram.usedPages;
  const file = opened(at(sb.root, 'f'), O_RDWR | O_TRUNC | O_APPEND);
  assert.equal(file.inode.size, 0);
  assert.equal(env.ram.usedPages, before);
  file.put();
});

test('large files and holes are copied', t => {
  const lower = tempDir(t);
  const data = Buffer.alloc(5_000_000, 0);
  data.write('begin', 0);
  data.write('end', data.length - 3);
  fs.writeFileSync(join(lower, 'f'), data.subarray(0, 5));
  fs.truncateSync(join(lower, 'f'), data.length - 3);
  fs.appendFileSync(join(lower, 'f'), 'end');
  const { sb, env } = overTmpfs(lower);
  const f = at(sb.root, 'f');
  opened(f, O_RDWR).put();
  assert.equal(contentOf(f), data.toString('latin1'));
  assert.ok(env.ram.usedPages < 600, 'holes cost nothing');
});

test('layers merge, whiteouts and opaque directories hide', t => {
  const [top, bottom] = [tempDir(t), tempDir(t)];
  for (const dir of [top, bottom]) fs.mkdirSync(join(dir, 'd'));
  fs.writeFileSync(join(bottom, 'd/low'), 'low');
  fs.writeFileSync(join(bottom, 'd/both'), 'low');
  fs.writeFileSync(join(top, 'd/both'), 'top');
  fs.writeFileSync(join(top, 'd/top'), 'top');
  const { sb, upper } = overHost(t, [top, bottom]);
  const d = at(sb.root, 'd');
  assert.deepEqual(namesIn(d).slice(2).sort(), ['both', 'low', 'top']);
  assert.equal(contentOf(at(d, 'both')), 'top');
  assert.equal(d.unlink('both', at(d, 'both')), 0);
  assert.equal(d.lookup('both'), -ENOENT);
  const whiteout = fs.lstatSync(join(upper, 'd/both'));
  assert.ok(whiteout.isCharacterDevice() && whiteout.rdev === 0);
  assert.deepEqual(namesIn(d).slice(2).sort(), ['low', 'top']);
  assert.equal(sb.root.rmdir('d', d), -ENOTEMPTY);
  for (const name of ['low', 'top']) assert.equal(d.unlink(name, at(d, name)), 0);
  assert.equal(sb.root.rmdir('d', d), 0);
  const fresh = must(sb.root.mkdir('d', make(S_IFDIR | 0o755)));
  assert.deepEqual(namesIn(fresh), ['.', '..']);
  assert.equal(fresh.lookup('low'), -ENOENT);
  assert.equal(d.nlink, 0);
});

test('what cannot be hidden is not removed', t => {
  const lower = tempDir(t);
  fs.mkdirSync(join(lower, 'd'));
  fs.writeFileSync(join(lower, 'f'), 'low');
  const { sb } = overTmpfs(lower);
  const { root } = sb;
  const work = sb.work!;
  const f = at(root, 'f');
  const file = opened(f, O_RDWR);
  writeAt(file, 'new', 0);
  const rename = work.rename.bind(work);
  work.rename = () => -ENOSPC;
  assert.equal(root.unlink('f', f), -ENOSPC);
  assert.deepEqual(namesIn(work).slice(2), []);
  assert.equal(contentOf(at(root, 'f')), 'new');
  work.rename = rename;
  assert.equal(root.unlink('f', f), 0);
  assert.equal(root.lookup('f'), -ENOENT);
  assert.equal(f.nlink, 0);
  const d = at(root, 'd');
  assert.equal(d.setattr({ mode: S_IFDIR | 0o700 }), 0);
  assert.equal(root.rmdir('d', d), 0);
  assert.equal(root.lookup('d'), -ENOENT);
  assert.deepEqual(namesIn(work).slice(2), []);
});

test('a directory of a lower layer moves without being copied', t => {
  const lower = tempDir(t);
  fs.mkdirSync(join(lower, 'a/deep/er'), { recursive: true });
  fs.writeFileSync(join(lower, 'a/deep/er/f'), 'F');
  fs.mkdirSync(join(lower, 'b'));
  const { sb, upper } = overHost(t, [lower]);
  const a = at(sb.root, 'a');
  const b = at(sb.root, 'b');
  assert.equal(a.rename('deep', at(a, 'deep'), b, 'moved', null, 0), 0);
  assert.equal(contentOf(at(b, 'moved/er/f')), 'F');
  assert.deepEqual(namesIn(a), ['.', '..']);
  assert.deepEqual(fs.readdirSync(join(upper, 'b/moved')), []);
  const f = at(b, 'moved/er/f');
  const file = opened(f, O_RDWR);
  writeAt(file, 'G', 0);
  assert.equal(fs.readFileSync(join(upper, 'b/moved/er/f'), 'latin1'), 'G');
  assert.equal(contentOf(at(b, 'moved/er/f')), 'G');
});

test('what hides names cannot be made or seen from within', t => {
  const lower = tempDir(t);
  fs.writeFileSync(join(lower, 'f'), '');
  const { sb } = overTmpfs(lower);
  const f = at(sb.root, 'f');
  assert.equal(sb.root.mknod('w', { ...make(S_IFCHR), rdev: 0 }), -EPERM);
  assert.equal(f.setxattr('trusted.overlay.opaque', 'y', 0), -EPERM);
  assert.equal(f.setxattr('user.a', 'b', 0), 0);
  assert.deepEqual(f.listxattr(), ['user.a']);
  assert.ok((f.getxattr('trusted.overlay.origin') as number) < 0);
});

test('entries tell the inode numbers that stat tells', t => {
  const lower = tempDir(t);
  for (const name of ['a', 'b', 'c']) fs.writeFileSync(join(lower, name), name);
  fs.mkdirSync(join(lower, 'd'));
  const { sb } = overTmpfs(lower);
  opened(at(sb.root, 'a'), O_RDWR).put();
  at(sb.root, 'd').mknod('new', make(S_IFREG | 0o600));
  sb.root.mknod('e', make(S_IFREG | 0o600));
  for (const dir of [sb.root, at(sb.root, 'd')]) {
    const file = opened(dir, O_DIRECTORY);
    file.readdir(0, (name, ino) => {
      if (!name.startsWith('.')) assert.equal(ino, at(dir, name).ino, name);
      return true;
    });
    file.put();
  }
});

test('hard links of a lower file stay one file', t => {
  const lower = tempDir(t);
  fs.writeFileSync(join(lower, 'a'), 'one');
  fs.linkSync(join(lower, 'a'), join(lower, 'b'));
  const { sb } = overTmpfs(lower);
  const a = at(sb.root, 'a');
  writeAt(opened(a, O_RDWR), 'two', 0);
  sb.iput(a);
  assert.equal(contentOf(at(sb.root, 'b')), 'two');
  assert.equal(at(sb.root, 'b').nlink, 2);
});

test('files that the host user may not read cannot be read, but removed and replaced', t => {
  if (process.geteuid!() !== 0) return t.skip('needs a host user to become');
  const lower = tempDir(t);
  fs.chmodSync(lower, 0o755);
  for (const name of ['a', 'b']) fs.writeFileSync(join(lower, name), 'secret', { mode: 0o600 });
  const { sb } = overTmpfs(lower);
  const { root } = sb;
  process.seteuid!(65534);
  try {
    const [a, b] = [at(root, 'a'), at(root, 'b')];
    assert.equal(a.open(O_RDONLY, ROOT_CRED), -EACCES);
    assert.equal(a.open(O_RDWR, ROOT_CRED), -EACCES);
    assert.equal(root.unlink('a', a), 0);
    assert.equal(root.lookup('a'), -ENOENT);
    const fresh = must(root.mknod('fresh', make(S_IFREG | 0o600)));
    assert.equal(root.rename('fresh', fresh, root, 'b', b, 0), 0);
    assert.equal(contentOf(at(root, 'b')), '');
  } finally {
    process.seteuid!(0);
  }
  assert.equal(fs.readFileSync(join(lower, 'a'), 'latin1'), 'secret');
});

test('mount(2) of an overlay', () => {
  const { vfs, ctx, sys } = tmpfsMachine();
  vfs.registerFileSystem(overlayType);
  for (const dir of ['low', 'l:2', 'up', 'work', 'm']) sys.mkdir(dir);
  sys.put('low/f', 'F');
  sys.put('l:2/g', 'G');
  const overlay = (data: string): number => mount(vfs, ctx, 'none', '/m', 'overlay', 0, data);
  assert.equal(overlay(''), -EINVAL);
  assert.equal(overlay('lowerdir=/low,upperdir=/up'), -EINVAL);
  assert.equal(overlay('lowerdir=/nothing'), -ENOENT);
  assert.equal(overlay('lowerdir=/low:/l\\:2,upperdir=/up,workdir=/work'), 0);
  assert.deepEqual((sys.names('m') as string[]).sort(), ['f', 'g']);
  assert.equal(sys.put('m/f', 'new'), 0);
  assert.equal(sys.text('up/f'), 'new');
  assert.equal(sys.text('low/f'), 'F');
  assert.equal(sys.unlink('m/g'), 0);
  assert.equal(sys.stat('m/g'), -ENOENT);
  assert.equal(sys.text('l:2/g'), 'G');
  assert.notEqual((sys.stat('m/f') as Inode).sb, (sys.stat('up/f') as Inode).sb);
  const file = must<File | number>(sys.open('m/f', O_RDONLY)) as File;
  assert.equal(file.inode, sys.stat('m/f'));
  file.put();
  sys.mkdir('ro');
  assert.equal(mount(vfs, ctx, 'none', '/ro', 'overlay', 0, 'lowerdir=/low'), 0);
  assert.equal(sys.text('ro/f'), 'F');
  assert.equal(sys.put('ro/f', 'x'), -EROFS);
  assert.equal(sys.unlink('ro/f'), -EROFS);
});

test('a directory that was renamed where it was keeps its lower part', () => {
  const { vfs, ctx, sys } = tmpfsMachine();
  vfs.registerFileSystem(overlayType);
  for (const dir of ['low', 'low/d', 'low/d/old', 'mid', 'mid/d', 'mid/d/old', 'mid/d/between'])
    sys.mkdir(dir);
  for (const dir of ['up', 'up/d', 'up/d/new', 'up/d/bad', 'up/n', 'work', 'm']) sys.mkdir(dir);
  sys.put('low/d/old/f', 'F');
  sys.put('mid/d/between/g', 'G');
  sys.put('up/d/new/h', 'H');
  const redirects = (dir: string, to: string): unknown =>
    must<Inode>(sys.stat(dir)).setxattr('trusted.overlay.redirect', to, 0);
  redirects('up/d/new', 'between');
  redirects('mid/d/between', 'old');
  redirects('up/d/bad', '../old');
  redirects('up/n', 'd');
  const options = 'lowerdir=/mid:/low,upperdir=/up,workdir=/work';
  assert.equal(mount(vfs, ctx, 'none', '/m', 'overlay', 0, options), 0);
  assert.deepEqual((sys.names('m/d/new') as string[]).sort(), ['f', 'g', 'h']);
  assert.equal(sys.text('m/d/new/f'), 'F');
  assert.deepEqual(sys.names('m/d/bad'), []);
  assert.deepEqual((sys.names('m/n') as string[]).sort(), ['between', 'old']);
  assert.equal(sys.rename('m/d/new', 'm/moved'), 0);
  assert.deepEqual((sys.names('m/moved') as string[]).sort(), ['f', 'g', 'h']);
});

test('layers that were unmounted elsewhere go with the overlay', () => {
  const { vfs, ctx, sys, ram } = tmpfsMachine();
  vfs.registerFileSystem(overlayType);
  for (const dir of ['low', 'high', 'm']) sys.mkdir(dir);
  const state = (): number[] => [vfs.roots.size, vfs.dcache.count, vfs.mountCount, ram.usedPages];
  const before = state();
  const mounts = (where: string, type: string, data: string): void =>
    assert.equal(mount(vfs, ctx, 'none', where, type, 0, data), 0);
  const unmounts = (where: string): void => assert.equal(umount(vfs, must(sys.path(where)), 0), 0);
  mounts('/low', 'tmpfs', '');
  mounts('/high', 'tmpfs', '');
  for (const dir of ['high/up', 'high/work']) sys.mkdir(dir);
  sys.put('low/f', 'F');
  sys.put('high/up/g', 'G');
  const { sb } = must<Inode>(sys.stat('high'));
  mounts('/m', 'overlay', 'lowerdir=/low,upperdir=/high/up,workdir=/high/work');
  unmounts('/low');
  unmounts('/high');
  assert.equal(sys.put('m/f', 'new'), 0);
  assert.equal(sys.text('m/g'), 'G');
  unmounts('/m');
  assert.deepEqual(state(), before);
  assert.equal(sb.forgetRoot, null);
});
