/** What is in files, and how they are opened for it. */
import assert from 'node:assert/strict';
import { link } from '../../../../src/fs/create.ts';
import type { File } from '../../../../src/fs/file.ts';
import type { Inode } from '../../../../src/fs/inode.ts';
import { EBADF, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENXIO } from '../../../../src/uapi/errno.ts';
import {
  AT_EMPTY_PATH,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  SEEK_DATA,
  SEEK_HOLE,
} from '../../../../src/uapi/fcntl.ts';
import { bytes, type Check, must, text } from './check.ts';

export function openings(check: Check): void {
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
    assert.equal(sys.read(file, 1, 0), -EBADF);
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

export function data(check: Check): void {
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
