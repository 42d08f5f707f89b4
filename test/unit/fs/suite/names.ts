/** Names: files and directories come and go. */
import assert from 'node:assert/strict';
import type { File } from '../../../../src/fs/file.ts';
import type { Inode } from '../../../../src/fs/inode.ts';
import {
  EEXIST,
  EINVAL,
  EISDIR,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  ENXIO,
} from '../../../../src/uapi/errno.ts';
import { O_DIRECTORY, O_RDONLY, O_RDWR } from '../../../../src/uapi/fcntl.ts';
import { makedev, S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT, S_IFSOCK } from '../../../../src/uapi/stat.ts';
import { type Check, must } from './check.ts';

export function names(check: Check): void {
  check('files come and go', [], sys => {
    assert.equal(sys.put('f', 'hello'), 0);
    assert.equal(sys.text('f'), 'hello');
    assert.equal(must<Inode>(sys.stat('f')).size, 5);
    assert.equal(sys.unlink('f'), 0);
    assert.equal(sys.stat('f'), -ENOENT);
    assert.equal(sys.unlink('f'), -ENOENT);
  });

  check('directories come, fill and go', [], sys => {
    assert.equal(sys.mkdir('d'), 0);
    assert.equal(sys.mkdir('d'), -EEXIST);
    assert.equal(sys.put('d/f', ''), 0);
    assert.equal(sys.rmdir('d'), -ENOTEMPTY);
    assert.equal(sys.unlink('d'), -EISDIR);
    assert.equal(sys.rmdir('d/f'), -ENOTDIR);
    assert.equal(sys.unlink('d/f'), 0);
    assert.equal(sys.rmdir('d'), 0);
    assert.equal(sys.stat('d'), -ENOENT);
  });

  check('names: their length, dots and slashes', [], sys => {
    assert.equal(sys.put('x'.repeat(255), ''), 0);
    assert.equal(sys.put('x'.repeat(256), ''), -ENAMETOOLONG);
    assert.equal(sys.mkdir('\xe4\xff\x01 name'), 0);
    assert.deepEqual((sys.names('.') as string[]).sort(), ['x'.repeat(255), '\xe4\xff\x01 name']);
    assert.equal(sys.mkdir('.'), -EEXIST);
    assert.equal(sys.rmdir('.'), -EINVAL);
    assert.equal(sys.mkdir('e/'), 0);
    assert.equal(sys.put('f/', ''), -EISDIR);
    assert.equal(sys.put('f', ''), 0);
    assert.equal(sys.stat('f/'), -ENOTDIR);
    assert.equal(sys.stat('f/.'), -ENOTDIR);
    assert.equal(sys.stat('e//.//../e/'), sys.stat('e'));
  });

  check('a directory of many names is listed once each while they are removed', [], sys => {
    const count = 1000;
    sys.mkdir('many');
    for (let i = 0; i < count; i++) assert.equal(sys.mknod(`many/${i}`, 0o100644), 0);
    const dir = must<File>(sys.open('many', O_RDONLY | O_DIRECTORY));
    const seen = new Set<string>();
    for (let progress = true; progress; ) {
      const batch: string[] = [];
      dir.readdir(dir.pos, (entry, _ino, _type, next) => {
        if (batch.length === 50) return false;
        batch.push(entry);
        dir.pos = next;
        return true;
      });
      for (const entry of batch) {
        assert.ok(!seen.has(entry), `${entry} was listed twice`);
        seen.add(entry);
        if (entry !== '.' && entry !== '..') assert.equal(sys.unlink(`many/${entry}`), 0);
      }
      progress = batch.length > 0;
    }
    dir.put();
    assert.equal(seen.size, count + 2);
    assert.equal(sys.rmdir('many'), 0);
  });

  check('entries tell inode numbers and types', [], sys => {
    sys.mkdir('d');
    sys.put('f', '');
    sys.symlink('f', 'l');
    const dir = must<File>(sys.open('.', O_RDONLY | O_DIRECTORY));
    const types = new Map<string, number>();
    dir.readdir(0, (entry, ino, type) => {
      if (entry !== '.' && entry !== '..') {
        assert.equal(ino, must<Inode>(sys.lstat(entry)).ino);
        types.set(entry, type);
      }
      return true;
    });
    dir.put();
    assert.deepEqual([types.get('d'), types.get('f'), types.get('l')], [4, 8, 10]);
  });

  check('special files keep their types and numbers', ['special files'], sys => {
    assert.equal(sys.mknod('fifo', S_IFIFO | 0o600), 0);
    assert.equal(sys.mknod('sock', S_IFSOCK | 0o600), 0);
    assert.equal(must<Inode>(sys.stat('fifo')).mode, S_IFIFO | 0o600);
    assert.equal(sys.open('sock', O_RDWR), -ENXIO);
  });

  check('device nodes', ['special files', 'devices'], sys => {
    assert.equal(sys.mknod('chr', S_IFCHR | 0o600, makedev(1, 3)), 0);
    assert.equal(sys.mknod('blk', S_IFBLK | 0o600, makedev(98, 300)), 0);
    assert.equal(must<Inode>(sys.stat('chr')).rdev, makedev(1, 3));
    assert.equal(must<Inode>(sys.stat('blk')).rdev, makedev(98, 300));
    assert.equal(must<Inode>(sys.stat('blk')).mode & S_IFMT, S_IFBLK);
  });
}
