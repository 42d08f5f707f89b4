/** More names for a file, and other ones: links and renames. */
import assert from 'node:assert/strict';
import type { Inode } from '../../../../src/fs/inode.ts';
import {
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
} from '../../../../src/uapi/errno.ts';
import {
  O_CREAT,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
} from '../../../../src/uapi/fcntl.ts';
import { S_IFCHR, S_IFMT } from '../../../../src/uapi/stat.ts';
import { type Check, must } from './check.ts';

export function renames(check: Check): void {
  check('rename replaces files and empty directories', [], sys => {
    sys.put('a', 'A');
    sys.put('b', 'B');
    assert.equal(sys.rename('a', 'b'), 0);
    assert.equal(sys.text('b'), 'A');
    assert.equal(sys.stat('a'), -ENOENT);
    sys.mkdir('d');
    sys.mkdir('e');
    sys.put('d/x', 'X');
    assert.equal(sys.rename('d', 'e'), 0);
    assert.equal(sys.text('e/x'), 'X');
    assert.equal(sys.rename('b', 'e'), -EISDIR);
    assert.equal(sys.rename('e', 'b'), -ENOTDIR);
    sys.mkdir('f');
    assert.equal(sys.rename('f', 'e'), -ENOTEMPTY);
    assert.equal(sys.rename('e', 'e/x/y'), -ENOTDIR);
    assert.equal(sys.rename('e', 'e/y'), -EINVAL);
  });

  check('a directory moves with all that it holds', [], sys => {
    sys.mkdir('a');
    sys.mkdir('a/b');
    sys.mkdir('c');
    sys.put('a/b/f', 'F');
    assert.equal(sys.rename('a/b', 'c/b2'), 0);
    assert.equal(sys.text('c/b2/f'), 'F');
    assert.equal(sys.stat('c/b2/..'), sys.stat('c'));
    assert.equal(sys.rmdir('a'), 0);
  });

  check('RENAME_NOREPLACE', [], sys => {
    sys.put('a', 'A');
    sys.put('b', 'B');
    assert.equal(sys.rename('a', 'b', RENAME_NOREPLACE), -EEXIST);
    assert.equal(sys.rename('a', 'c', RENAME_NOREPLACE), 0);
    assert.equal(sys.text('c'), 'A');
  });

  check('RENAME_EXCHANGE', ['exchange'], sys => {
    sys.mkdir('d');
    sys.put('d/x', 'X');
    sys.put('f', 'F');
    assert.equal(sys.rename('d', 'f', RENAME_EXCHANGE), 0);
    assert.equal(sys.text('f/x'), 'X');
    assert.equal(sys.text('d'), 'F');
    assert.equal(sys.rename('d', 'none', RENAME_EXCHANGE), -ENOENT);
    assert.equal(sys.rename('d', 'f', RENAME_EXCHANGE | RENAME_NOREPLACE), -EINVAL);
  });

  check('RENAME_WHITEOUT', ['whiteout'], sys => {
    sys.put('f', 'F');
    assert.equal(sys.rename('f', 'g', RENAME_WHITEOUT), 0);
    const whiteout = must<Inode>(sys.lstat('f'));
    assert.deepEqual([whiteout.mode & S_IFMT, whiteout.rdev], [S_IFCHR, 0]);
    assert.equal(sys.text('g'), 'F');
  });
}

export function links(check: Check): void {
  check('hard links are one file', ['hard links'], sys => {
    sys.put('a', 'one');
    assert.equal(sys.link('a', 'b'), 0);
    assert.equal(must<Inode>(sys.stat('a')).nlink, 2);
    assert.equal(must<Inode>(sys.stat('a')).ino, must<Inode>(sys.stat('b')).ino);
    sys.put('b', 'two');
    assert.equal(sys.text('a'), 'two');
    assert.equal(sys.unlink('a'), 0);
    assert.equal(must<Inode>(sys.stat('b')).nlink, 1);
    sys.mkdir('d');
    assert.equal(sys.link('d', 'e'), -EPERM);
    assert.equal(sys.link('b', 'd'), -EEXIST);
  });

  check('symbolic links are followed, or not', [], sys => {
    sys.mkdir('d');
    sys.put('d/f', 'F');
    assert.equal(sys.symlink('d/f', 'l'), 0);
    assert.equal(sys.symlink('d', 'dl'), 0);
    assert.equal(sys.readlink('l'), 'd/f');
    assert.equal(must<Inode>(sys.lstat('l')).size, 3);
    assert.equal(sys.text('l'), 'F');
    assert.equal(sys.text('dl/f'), 'F');
    assert.equal(sys.readlink('d/f'), -EINVAL);
    assert.equal(sys.open('l', O_RDONLY | O_NOFOLLOW), -ELOOP);
    assert.equal(sys.symlink('new', 'dangling'), 0);
    assert.equal(sys.put('dangling', 'N'), 0);
    assert.equal(sys.text('new'), 'N');
    assert.equal(sys.unlink('l'), 0);
    assert.equal(sys.text('d/f'), 'F');
  });

  check('circles and long chains of links end', [], sys => {
    sys.symlink('b', 'a');
    sys.symlink('a', 'b');
    assert.equal(sys.stat('a'), -ELOOP);
    assert.equal(sys.open('a', O_CREAT | O_RDWR), -ELOOP);
    sys.put('l0', 'end');
    for (let i = 1; i <= 41; i++) sys.symlink(`l${i - 1}`, `l${i}`);
    assert.equal(sys.text('l40'), 'end');
    assert.equal(sys.stat('l41'), -ELOOP);
  });

  check('long targets', [], sys => {
    const target = 'x/'.repeat(2000);
    assert.equal(sys.symlink(target, 'l'), 0);
    assert.equal(sys.readlink('l'), target);
    assert.equal(sys.symlink('y'.repeat(4096), 'm'), -ENAMETOOLONG);
    assert.equal(sys.symlink('', 'm'), -ENOENT);
  });
}
