import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CAPS_NONE, ROOT_CRED } from '../../../src/core/cred.ts';
import { hostfsType } from '../../../src/fs/hostfs/type.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { permission } from '../../../src/fs/permission.ts';
import { openLibc } from '../../../src/host/libc.ts';
import { NativeFiles } from '../../../src/host/native-files.ts';
import { EINVAL, ENOENT, ENXIO, EOPNOTSUPP, EROFS, ESTALE } from '../../../src/uapi/errno.ts';
import { O_APPEND, O_RDWR, O_WRONLY, RENAME_EXCHANGE } from '../../../src/uapi/fcntl.ts';
import { MAY_READ, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG } from '../../../src/uapi/stat.ts';
import {
  at,
  contentOf,
  files,
  make,
  mounted,
  must,
  namesIn,
  opened,
  readAll,
  tempDir,
  testEnv,
  writeAt,
} from './env.ts';

test("attributes are the host's", t => {
  const dir = tempDir(t);
  fs.writeFileSync(join(dir, 'f'), 'x'.repeat(5000), { mode: 0o640 });
  fs.utimesSync(join(dir, 'f'), 12.5, 34.25);
  fs.linkSync(join(dir, 'f'), join(dir, 'g'));
  const { root } = mounted(dir);
  const f = at(root, 'f');
  const host = fs.lstatSync(join(dir, 'f'));
  assert.deepEqual(
    [f.ino, f.mode, f.nlink, f.uid, f.gid, f.size, f.blocks],
    [host.ino, host.mode, 2, host.uid, host.gid, 5000, host.blocks],
  );
  assert.deepEqual(
    [f.atime, f.mtime],
    [
      { sec: 12, nsec: 5e8 },
      { sec: 34, nsec: 25e7 },
    ],
  );
  assert.equal(at(root, 'g'), f, 'hard links are one inode');
});

test('a file that is made for another owner has the mode that was asked for', {
  skip: !files.privileged,
}, t => {
  const { root } = mounted(tempDir(t));
  for (const [name, mode] of [
    ['program', S_IFREG | 0o4755],
    ['directory', S_IFDIR | 0o2755],
  ] as const) {
    const init = { mode, uid: 1000, gid: 1000, rdev: 0 };
    const made = must(mode >= S_IFREG ? root.mknod(name, init) : root.mkdir(name, init)) as Inode;
    assert.deepEqual([made.mode, made.uid], [mode, 1000]);
  }
});

test('what the host changes is seen, unless it never does', t => {
  const dir = tempDir(t);
  const name = join(dir, 'f');
  fs.writeFileSync(name, 'one');
  const sb = mounted(dir);
  const steady = mounted(dir, { cacheAlways: true, readOnly: true });
  const f = at(sb.root, 'f');
  const g = at(steady.root, 'f');
  fs.writeFileSync(name, 'three');
  f.refresh();
  g.refresh();
  assert.deepEqual([f.size, g.size], [5, 3]);
  assert.ok(sb.revalidate(sb.root, 'f', f));
  fs.renameSync(name, join(dir, 'h'));
  assert.ok(!sb.revalidate(sb.root, 'f', f));
  assert.ok(sb.revalidate(sb.root, 'f', null));
  assert.ok(!sb.revalidate(sb.root, 'h', null));
  assert.equal(at(sb.root, 'h'), f);
  assert.equal(contentOf(f), 'three');
});

test('links are never followed on the host, and no name leaves the directory', t => {
  const outer = tempDir(t);
  const dir = join(outer, 'in');
  fs.mkdirSync(dir);
  fs.writeFileSync(join(outer, 'secret'), 'secret');
  fs.symlinkSync('/etc/passwd', join(dir, 'abs'));
  fs.symlinkSync('../secret', join(dir, 'rel'));
  fs.symlinkSync('..', join(dir, 'up'));
  const { root } = mounted(dir);
  for (const [name, target] of [
    ['abs', '/etc/passwd'],
    ['rel', '../secret'],
    ['up', '..'],
  ] as const) {
    const link = at(root, name);
    assert.equal(link.type, S_IFLNK);
    assert.equal((link as unknown as { readlink(): string }).readlink(), target);
    assert.ok((link.open(0, ROOT_CRED) as number) < 0);
    assert.ok((link.lookup('passwd') as number) < 0, 'a link is no directory');
  }
  for (const name of ['..', '.', '', 'a/b', '../secret', '/etc', 'a\0b', '\u0100']) {
    assert.equal(root.lookup(name), -EINVAL, JSON.stringify(name));
    assert.equal(root.mkdir(name, make(S_IFDIR | 0o755)), -EINVAL);
    assert.equal(root.mknod(name, make(S_IFREG | 0o644)), -EINVAL);
    assert.equal(root.symlink(name, 'x', make(S_IFLNK)), -EINVAL);
    assert.equal(root.rename(name, root, root, 'x', null, 0), -EINVAL);
    assert.equal(root.unlink(name, root), -EINVAL);
  }
  assert.ok(fs.existsSync(join(outer, 'secret')));
});

test('a directory that became a link is not walked through', t => {
  const dir = tempDir(t);
  fs.mkdirSync(join(dir, 'd/e'), { recursive: true });
  fs.writeFileSync(join(dir, 'd/e/passwd'), 'mine');
  const sb = mounted(dir);
  const file = at(sb.root, 'd/e/passwd');
  const e = at(sb.root, 'd/e');
  fs.renameSync(join(dir, 'd/e'), join(dir, 'gone'));
  fs.symlinkSync('/etc', join(dir, 'd/e'));
  sb.handles.closeIdle();
  assert.ok((e.lookup('passwd') as number) < 0);
  assert.ok((file.open(0, ROOT_CRED) as number) < 0);
  assert.ok(file.setattr({ mode: 0o777 }) < 0);
});

test('another file in the place of one that we know is stale', t => {
  const dir = tempDir(t);
  fs.writeFileSync(join(dir, 'f'), 'one');
  fs.writeFileSync(join(dir, 'other'), 'two');
  const { root } = mounted(dir);
  const f = at(root, 'f');
  fs.renameSync(join(dir, 'other'), join(dir, 'f'));
  assert.equal(f.open(0, ROOT_CRED), -ESTALE);
});

test('mount(2) of a directory stays in the jail', t => {
  const dir = tempDir(t);
  fs.mkdirSync(join(dir, 'sub'));
  fs.symlinkSync('/usr', join(dir, 'out'));
  fs.symlinkSync('../../../../../..', join(dir, 'up'));
  const type = hostfsType(files, { directory: dir, readOnly: true });
  const mount = (data: string, source = '') => type.mount({ source, data, readOnly: false }, testEnv());
  assert.equal(mount('/out'), -ENOENT);
  assert.equal(mount('/nothing'), -ENOENT);
  assert.equal(mount('', '/nothing'), -ENOENT);
  assert.equal(mount('nonsense=1'), -EINVAL);
  const up = must(mount('/up'));
  assert.ok(namesIn(up.root).includes('sub'));
  assert.equal(up.root.mkdir('x', make(S_IFDIR | 0o755)), -EROFS);
  assert.equal(must(mount('/up/../../sub,cache=always')).showOptions(), ',cache=always,/up/../../sub');
});

test("the host's procfs shows nothing; its devices, FIFOs and sockets are not opened", t => {
  const { root } = mounted('/', { readOnly: true, cacheAlways: true });
  const proc = at(root, 'proc');
  assert.deepEqual(namesIn(proc), ['.', '..']);
  assert.equal(proc.lookup('self'), -ENOENT);
  assert.equal(proc.lookup(String(process.pid)), -ENOENT);
  const nothing = at(root, 'dev/null');
  assert.deepEqual([nothing.type, nothing.rdev], [S_IFCHR, 0x103]);
  assert.equal(nothing.open(O_RDWR, ROOT_CRED), -ENXIO);
  assert.notEqual(at(root, 'dev').ino, fs.statSync('/dev').ino, 'inode numbers of another device are moved');
  const dir = tempDir(t);
  const rw = mounted(dir).root;
  const fifo = must(rw.mknod('p', make(S_IFIFO | 0o600)));
  assert.equal(fifo.open(0, ROOT_CRED), -ENXIO);
});

test('files are made, written, cut, renamed, linked and removed', t => {
  const dir = tempDir(t);
  const host = (name: string) => join(dir, name);
  const { root } = mounted(dir);
  const f = must(root.mknod('f', make(S_IFREG | 0o666)));
  f.refs++;
  assert.equal(fs.statSync(host('f')).mode, S_IFREG | 0o666, "whatever the host's umask");
  const file = opened(f, O_RDWR);
  assert.equal(writeAt(file, 'hello world', 0), 11);
  assert.equal(writeAt(file, 'J', 0), 1);
  assert.equal(fs.readFileSync(host('f'), 'latin1'), 'Jello world');
  fs.appendFileSync(host('f'), '!');
  file.flags |= O_APPEND;
  assert.equal(writeAt(file, '?', 0), 1);
  assert.equal(readAll(file), 'Jello world!?');
  assert.equal(f.setattr({ size: 3, mode: 0o400, mtime: { sec: -5, nsec: 7 } }), 0);
  assert.deepEqual([f.size, f.mode & 0o777, f.mtime], [3, 0o400, { sec: -5, nsec: 7 }]);
  assert.equal(fs.statSync(host('f')).size, 3);

  const d = must(root.mkdir('d', make(S_IFDIR | 0o755)));
  assert.equal(root.link('g', f), 0);
  assert.equal(f.nlink, 2);
  assert.equal(root.rename('f', f, d, 'f2', null, 0), 0);
  assert.equal(root.unlink('g', f), 0);
  assert.deepEqual(fs.readdirSync(host('.')), ['d']);
  assert.equal(contentOf(f), 'Jel');
  const s = must(d.symlink('s', 'somewhere', make(S_IFLNK | 0o777)));
  assert.equal(d.rename('s', s, root, 'd', d, RENAME_EXCHANGE) < 0, true, 'into itself');
  assert.equal(fs.readlinkSync(host('d/s')), 'somewhere');
  assert.equal(d.unlink('s', s), 0);
  f.refs++;
  assert.equal(d.unlink('f2', f), 0);
  assert.equal(f.nlink, 0);
  assert.equal(contentOf(f), 'Jel', 'reopened without a name');
  assert.equal(f.setattr({ mode: 0o600 }), 0);
  assert.equal(readAll(file), 'Jel');
  file.put();
  assert.equal(root.rmdir('d', d), 0);
  assert.equal(d.lookup('x'), -ENOENT);
  assert.deepEqual(fs.readdirSync(dir), []);
});

test('extended attributes of users pass, others do not', t => {
  const { root } = mounted(tempDir(t));
  const f = must(root.mknod('f', make(S_IFREG | 0o644)));
  assert.equal(f.setxattr('user.a', '\0\xff', 0), 0);
  assert.deepEqual([f.listxattr(), f.getxattr('user.a')], [['user.a'], '\0\xff']);
  assert.ok(f.setxattr('trusted.a', 'x', 0) < 0);
  assert.equal(f.removexattr('user.a'), 0);
  assert.deepEqual(f.listxattr(), []);
});

test("access control lists are the host's", t => {
  const dir = tempDir(t);
  const acl = { owner: 6, users: [{ id: 7, rights: 4 }], group: 0, groups: [], mask: 4, other: 0 };
  const f = must(mounted(dir).root.mknod('f', make(S_IFREG | 0o640)));
  const kept = f.setattr({ acl });
  if (kept === -EOPNOTSUPP) return t.skip('the host keeps none here');
  assert.equal(kept, 0);
  const seen = at(mounted(dir).root, 'f');
  const may = (fsuid: number, fsgid: number): boolean =>
    permission(seen, MAY_READ, { ...ROOT_CRED, effective: CAPS_NONE, fsuid, fsgid, groups: [] }) === 0;
  assert.equal(may(7, 7), true);
  assert.equal(may(8, seen.gid), false, "the group's bits are the mask");
  assert.deepEqual(seen.acl, acl);
  assert.equal(seen.setattr({ acl: null, mode: 0o640 }), 0);
  seen.learnLists();
  assert.deepEqual([seen.acl, may(7, 7), may(8, seen.gid)], [null, false, true]);
});

test('a file without a name can be given one', t => {
  const dir = tempDir(t);
  const { root } = mounted(dir);
  const f = must(root.tmpfile(make(S_IFREG | 0o600)));
  f.refs++;
  const file = opened(f, O_RDWR);
  writeAt(file, 'x', 0);
  assert.equal(root.link('named', f), 0);
  assert.equal(fs.readFileSync(join(dir, 'named'), 'latin1'), 'x');
});

test('directories are listed whole, in pieces of any size', t => {
  const dir = tempDir(t);
  const names = Array.from({ length: 2000 }, (_, i) => `file-${i}-${'x'.repeat(i % 100)}`);
  for (const name of names) fs.writeFileSync(join(dir, name), '');
  const got = namesIn(mounted(dir).root, 7);
  assert.deepEqual(got.slice(0, 2), ['.', '..']);
  assert.deepEqual(got.slice(2).sort(), names.sort());
});

test('a directory that may be read, but not searched, is listed', t => {
  const dir = tempDir(t);
  fs.mkdirSync(join(dir, 'd'));
  fs.writeFileSync(join(dir, 'd', 'f'), '');
  fs.chmodSync(join(dir, 'd'), 0o400);
  assert.deepEqual(namesIn(at(mounted(dir).root, 'd'), 7), ['.', '..', 'f']);
  fs.chmodSync(join(dir, 'd'), 0o700);
});

test('few descriptors suffice for deep and wide trees', t => {
  const dir = tempDir(t);
  class Few extends NativeFiles {
    override readonly descriptorLimit = 64;
  }
  const few = new Few(openLibc());
  const before = fs.readdirSync('/proc/self/fd').length;
  const sb = must(
    hostfsType(few, { directory: dir, readOnly: false }).mount(
      { source: '', data: '', readOnly: false },
      testEnv(),
    ),
  );
  const dirs = [sb.root];
  for (let i = 0; i < 300; i++) {
    const made = must(dirs.at(-1)!.mkdir('d', make(S_IFDIR | 0o755)));
    made.refs++;
    dirs.push(made);
  }
  for (const at of [299, 5, 150, 0, 298]) {
    const f = must(dirs[at]!.mknod('f', make(S_IFREG | 0o644)));
    f.refs++;
    assert.equal(contentOf(f), '');
    assert.ok(fs.readdirSync('/proc/self/fd').length - before < 24);
  }
  sb.shutdown();
  assert.equal(fs.readdirSync('/proc/self/fd').length, before, 'nothing stays open');
});

test('flags of the last open do not leak into the next', t => {
  const { root } = mounted(tempDir(t));
  const f = must(root.mknod('f', make(S_IFREG | 0o600)));
  const w = opened(f, O_WRONLY);
  writeAt(w, 'abc', 0);
  w.put();
  assert.equal(contentOf(f), 'abc');
});
