/**
 * What every filesystem that can be written to must do: one suite, run on each of them.
 *
 * `makeRoot` answers system calls (`Sys`) whose caller is root and whose working directory is an empty
 * directory of the filesystem under test. What it cannot do is named in `cannot`.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { link } from '../../../src/fs/create.ts';
import type { Path } from '../../../src/fs/dentry.ts';
import type { File } from '../../../src/fs/file.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { getXattr, listXattr, removeXattr, setXattr } from '../../../src/fs/xattr.ts';
import * as errno from '../../../src/uapi/errno.ts';
import {
  AT_EMPTY_PATH,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  SEEK_DATA,
  SEEK_HOLE,
} from '../../../src/uapi/fcntl.ts';
import { makedev, S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT, S_IFSOCK } from '../../../src/uapi/stat.ts';
import { type Sys, user } from './machine.ts';

export type Ability =
  | 'chown'
  | 'devices'
  | 'exchange'
  | 'fallocate'
  | 'hard links'
  | 'holes'
  | 'special files'
  | 'times'
  | 'tmpfile'
  | 'whiteout'
  | 'xattr';

export interface SuiteRoot {
  readonly sys: Sys;
  /** Called after each test. */
  done?(): void;
}

const {
  EACCES,
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  ENAMETOOLONG,
  ENODATA,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  ENXIO,
  EPERM,
} = errno;

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const text = (data: Uint8Array | number): string | number =>
  typeof data === 'number' ? data : Buffer.from(data).toString('latin1');

/** The object, which must not be an error. */
export function must<T extends object>(result: T | number): T {
  assert.notEqual(typeof result, 'number', `unexpected error ${result}`);
  return result as T;
}

export function runFilesystemSuite(
  name: string,
  makeRoot: () => SuiteRoot,
  cannot: readonly Ability[] = [],
): void {
  const check = (what: string, needs: readonly Ability[], act: (sys: Sys) => void): void => {
    const missing = needs.filter(ability => cannot.includes(ability));
    test(what, { skip: missing.length > 0 && `cannot: ${missing.join(', ')}` }, () => {
      const root = makeRoot();
      try {
        act(root.sys);
      } finally {
        root.done?.();
      }
    });
  };
  describe(name, () => {
    names(check);
    renames(check);
    links(check);
    openings(check);
    data(check);
    attributes(check);
  });
}

type Check = (what: string, needs: readonly Ability[], act: (sys: Sys) => void) => void;

function names(check: Check): void {
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

function renames(check: Check): void {
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

function links(check: Check): void {
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

function openings(check: Check): void {
  check('O_CREAT, O_EXCL, O_TRUNC, O_APPEND', [], sys => {
    const file = must<File>(sys.open('f', O_CREAT | O_EXCL | O_RDWR, 0o640));
    assert.equal(must<Inode>(sys.stat('f')).mode & 0o777, 0o640);
    assert.equal(sys.open('f', O_CREAT | O_EXCL | O_RDWR), -EEXIST);
    assert.equal(sys.write(file, bytes('hello')), 5);
    const append = must<File>(sys.open('f', O_WRONLY | O_APPEND));
    assert.equal(sys.write(append, bytes(' world')), 6);
    assert.equal(text(sys.read(file, 100, 0)), 'hello world');
    must<File>(sys.open('f', O_WRONLY | O_TRUNC)).put();
    assert.equal(text(sys.read(file, 100, 0)), '');
    file.put();
    append.put();
  });

  check('a file lives on while it is open', [], sys => {
    sys.put('f', 'still here');
    const file = must<File>(sys.open('f', O_RDWR));
    assert.equal(sys.unlink('f'), 0);
    assert.equal(sys.put('f', 'another'), 0);
    assert.equal(text(sys.read(file, 100, 0)), 'still here');
    assert.equal(sys.write(file, bytes('still HERE'), 0), 10);
    assert.equal(text(sys.read(file, 100, 0)), 'still HERE');
    assert.equal(sys.text('f'), 'another');
    file.inode.refresh();
    assert.equal(file.inode.nlink, 0);
    file.put();
  });

  check('directories and what is none', [], sys => {
    sys.mkdir('d');
    sys.put('f', '');
    assert.equal(sys.open('d', O_RDWR), -EISDIR);
    assert.equal(sys.open('f', O_RDONLY | O_DIRECTORY), -ENOTDIR);
    assert.equal(sys.open('d', O_CREAT | O_RDONLY), -EISDIR);
    must<File>(sys.open('d', O_RDONLY)).put();
  });

  check('O_PATH gives a place, not a file', [], sys => {
    sys.put('f', 'F', 0o000);
    const file = must<File>(sys.open('f', O_PATH));
    assert.equal(sys.read(file, 1, 0), -errno.EBADF);
    assert.equal(file.inode, sys.stat('f'));
    file.put();
  });

  check('O_TMPFILE makes a file without a name, which may get one', ['tmpfile'], sys => {
    const file = must<File>(sys.open('.', O_TMPFILE | O_RDWR, 0o600));
    assert.deepEqual(sys.names('.'), []);
    assert.equal(sys.write(file, bytes('secret')), 6);
    assert.equal(link(sys.vfs, sys.ctx, file.path, '', null, 'named', AT_EMPTY_PATH), 0);
    file.put();
    assert.equal(sys.text('named'), 'secret');
    assert.equal(must<Inode>(sys.stat('named')).nlink, 1);
    const hidden = must<File>(sys.open('.', O_TMPFILE | O_EXCL | O_RDWR, 0o600));
    assert.equal(link(sys.vfs, sys.ctx, hidden.path, '', null, 'other', AT_EMPTY_PATH), -ENOENT);
    hidden.put();
    assert.equal(sys.open('.', O_TMPFILE, 0o600), -EINVAL);
  });
}

function data(check: Check): void {
  check('reads and writes across pages', [], sys => {
    const file = must<File>(sys.open('f', O_CREAT | O_RDWR));
    const pattern = Uint8Array.from({ length: 20000 }, (_, i) => (i * 7) & 255);
    assert.equal(sys.write(file, pattern, 0), pattern.length);
    for (const [pos, len] of [
      [0, 20000],
      [4095, 2],
      [4096, 4096],
      [19999, 10],
      [12345, 6789],
    ] as const) {
      assert.deepEqual(
        [...must<Uint8Array>(sys.read(file, len, pos))],
        [...pattern.subarray(pos, pos + len)],
      );
    }
    assert.equal(must<Uint8Array>(sys.read(file, 10, 20000)).length, 0);
    assert.equal(must<Uint8Array>(sys.read(file, 10, 1e9)).length, 0);
    file.put();
  });

  check('truncation cuts and extends with zeros', [], sys => {
    sys.put('f', 'x'.repeat(5000));
    assert.equal(sys.truncate('f', 10), 0);
    assert.equal(sys.truncate('f', 9000), 0);
    assert.equal(sys.text('f'), 'x'.repeat(10) + '\0'.repeat(8990));
    assert.equal(sys.truncate('f', -1), -EINVAL);
    assert.equal(sys.truncate('.', 1), -EISDIR);
  });

  check('holes read as zeros, and are found', ['holes'], sys => {
    const file = must<File>(sys.open('f', O_CREAT | O_RDWR));
    sys.write(file, bytes('head'), 0);
    sys.write(file, bytes('tail'), 1 << 20);
    assert.equal(text(sys.read(file, 8, (1 << 20) - 4)), '\0\0\0\0tail');
    file.inode.refresh();
    assert.ok(file.inode.blocks * 512 < 1 << 18, 'a hole takes no blocks');
    assert.equal(file.seek(0, SEEK_DATA), 0);
    assert.equal(file.seek(0, SEEK_HOLE), 4096);
    assert.equal(file.seek(4096, SEEK_DATA), 1 << 20);
    assert.equal(file.seek(1 << 20, SEEK_HOLE), (1 << 20) + 4);
    assert.equal(file.seek((1 << 20) + 4, SEEK_DATA), -ENXIO);
    file.put();
  });

  check('fallocate allocates and punches holes', ['fallocate'], sys => {
    const file = must<File>(sys.open('f', O_CREAT | O_RDWR));
    sys.write(file, new Uint8Array(16384).fill(88), 0);
    assert.equal(file.fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1000, 10000), 0);
    const expected = 'X'.repeat(1000) + '\0'.repeat(10000) + 'X'.repeat(5384);
    assert.equal(text(sys.read(file, 20000, 0)), expected);
    assert.equal(file.fallocate(0, 16384, 10000), 0);
    file.inode.refresh();
    assert.equal(file.inode.size, 26384);
    assert.equal(file.fallocate(FALLOC_FL_KEEP_SIZE, 40000, 4096), 0);
    file.inode.refresh();
    assert.equal(file.inode.size, 26384);
    assert.equal(file.fallocate(0, 0, 0), -EINVAL);
    file.put();
  });
}

function attributes(check: Check): void {
  check('modes, and who may change them', ['chown'], sys => {
    sys.put('f', '', 0o666);
    assert.equal(must<Inode>(sys.stat('f')).mode & 0o7777, 0o644);
    assert.equal(sys.chmod('f', 0o4711), 0);
    assert.equal(must<Inode>(sys.stat('f')).mode & 0o7777, 0o4711);
    assert.equal(
      sys.as(user(1000), () => sys.chmod('f', 0o777)),
      -EPERM,
    );
    assert.equal(sys.chown('f', 1000, 1000), 0);
    const inode = must<Inode>(sys.stat('f'));
    assert.deepEqual([inode.uid, inode.gid, inode.mode & 0o7777], [1000, 1000, 0o711]);
    assert.equal(
      sys.as(user(1000), () => sys.chmod('f', 0o600)),
      0,
    );
    assert.equal(
      sys.as(user(1001), () => sys.open('f', O_RDONLY)),
      -EACCES,
    );
    assert.equal(
      sys.as(user(1000), () => sys.chown('f', 1001, -1)),
      -EPERM,
    );
  });

  check('sticky directories', ['chown'], sys => {
    sys.mkdir('t');
    sys.chmod('t', 0o1777);
    assert.equal(
      sys.as(user(1000), () => sys.put('t/f', '')),
      0,
    );
    assert.equal(
      sys.as(user(1001), () => sys.unlink('t/f')),
      -EPERM,
    );
    assert.equal(
      sys.as(user(1001), () => sys.rename('t/f', 't/g')),
      -EPERM,
    );
    assert.equal(
      sys.as(user(1000), () => sys.unlink('t/f')),
      0,
    );
  });

  check('set-group-ID directories hand their group on', ['chown'], sys => {
    sys.mkdir('d');
    sys.chown('d', 0, 77);
    sys.chmod('d', 0o2775);
    sys.put('d/f', '');
    sys.mkdir('d/e');
    assert.equal(must<Inode>(sys.stat('d/f')).gid, 77);
    assert.equal(must<Inode>(sys.stat('d/e')).gid, 77);
    assert.equal(must<Inode>(sys.stat('d/e')).mode & 0o7777, 0o2755);
  });

  check('times are set and kept', ['times'], sys => {
    sys.put('f', '');
    assert.equal(sys.utimes('f', { sec: 1000, nsec: 5000 }, { sec: 2000, nsec: 7000 }), 0);
    const { atime, mtime } = must<Inode>(sys.stat('f'));
    assert.deepEqual([atime.sec, atime.nsec, mtime.sec, mtime.nsec], [1000, 5000, 2000, 7000]);
    assert.equal(sys.utimes('f', null, { sec: 3000, nsec: 0 }), 0);
    assert.equal(must<Inode>(sys.stat('f')).atime.sec, 1000);
  });

  check('extended attributes', ['xattr'], sys => {
    sys.put('f', '');
    const { vfs, ctx } = sys;
    const path = must<Path>(sys.path('f'));
    assert.equal(setXattr(vfs, ctx, path, 'user.a', 'value\0\xff', 0), 0);
    assert.equal(setXattr(vfs, ctx, path, 'user.a', 'x', 1), -EEXIST);
    assert.equal(setXattr(vfs, ctx, path, 'user.b', 'x', 2), -ENODATA);
    assert.equal(getXattr(ctx, path, 'user.a'), 'value\0\xff');
    assert.deepEqual(listXattr(ctx, path), ['user.a']);
    assert.equal(removeXattr(vfs, ctx, path, 'user.a'), 0);
    assert.equal(getXattr(ctx, path, 'user.a'), -ENODATA);
    assert.equal(setXattr(vfs, ctx, path, 'other.a', '', 0), -errno.EOPNOTSUPP);
  });
}
