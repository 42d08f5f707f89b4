import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { File } from '../../../src/fs/file.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { ENOSPC } from '../../../src/uapi/errno.ts';
import { O_CREAT, O_EXCL, O_RDWR, O_TMPFILE } from '../../../src/uapi/fcntl.ts';
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
