// test: needs root, whose view of the host is the oracle
/** Opening, making, removing and renaming by name, compared with the host's. */
import { test } from 'node:test';
import * as f from '../../../src/uapi/fcntl.ts';
import { RLIMIT_NOFILE } from '../../../src/uapi/resource.ts';
import { S_IFCHR, S_IFDIR, S_IFIFO, S_IFREG, S_IFSOCK } from '../../../src/uapi/stat.ts';
import { BAD, compare, Script } from './script.ts';

const HERE = f.AT_FDCWD;
const NOWHERE = 99;
const LONG_NAME = 'n'.repeat(256);
const LONG_PATH = './'.repeat(2100);

/** A small tree: file, dir, dir/inner, link -> file, dirlink -> dir, dangling, fifo. */
function tree(): Script {
  const s = new Script();
  s.call('openat', HERE, 'file', f.O_CREAT | f.O_RDWR, 0o644)
    .call('write', 3, 'content', 7)
    .call('close', 3);
  s.call('mkdir', 'dir', 0o755)
    .call('openat', HERE, 'dir/inner', f.O_CREAT | f.O_WRONLY, 0o600)
    .call('close', 3);
  s.call('symlink', 'file', 'link').call('symlink', 'dir', 'dirlink').call('symlink', 'nowhere', 'dangling');
  s.call('symlink', 'loop', 'loop').call('mknod', 'fifo', S_IFIFO | 0o644, 0);
  return s;
}

const NAMES = [
  'file',
  'dir',
  'link',
  'dirlink',
  'dangling',
  'loop',
  'none',
  '',
  '.',
  '..',
  'file/',
  'dir/',
  'link/',
  'none/',
  'file/x',
  'dir/.',
  'dir/..',
  'dir/inner',
  'dirlink/inner',
  'none/x',
  LONG_NAME,
  LONG_PATH,
  'dir/../file',
];

test('open: names and flags', () => {
  const scripts = [
    f.O_RDONLY,
    f.O_WRONLY,
    f.O_RDWR | f.O_TRUNC,
    f.O_DIRECTORY,
    f.O_NOFOLLOW,
    f.O_PATH,
    f.O_PATH | f.O_NOFOLLOW,
    f.O_CREAT,
    f.O_CREAT | f.O_EXCL,
    f.O_CREAT | f.O_NOFOLLOW,
    f.O_CREAT | f.O_DIRECTORY,
    f.O_TMPFILE | f.O_RDWR,
    f.O_TMPFILE,
    f.O_DIRECTORY | f.O_WRONLY,
    f.O_CREAT | f.O_WRONLY | f.O_TRUNC,
    f.O_DIRECTORY | f.O_NOFOLLOW,
    3,
  ].map(flags => {
    const s = tree();
    for (const name of NAMES) s.call('openat', HERE, name, flags, 0o644).call('close', 3);
    return s;
  });
  compare(...scripts);
});

test('open: descriptors, pointers, limits', () => {
  const s = tree();
  s.call('openat', HERE, BAD, 0)
    .call('open', 0, 0)
    .call('openat', NOWHERE, 'file', 0)
    .call('openat', NOWHERE, '', 0);
  s.call('open', 'dir', f.O_DIRECTORY)
    .call('openat', 3, 'inner', 0)
    .call('openat', 4, 'x', 0)
    .call('openat', 3, '', 0);
  s.call('creat', 'made', 0o600).call('fcntl', 5, f.F_GETFL, 0).call('fcntl', 3, f.F_GETFL, 0);
  s.call('open', 'file', f.O_RDWR | f.O_CLOEXEC | f.O_NONBLOCK | f.O_SYNC | f.O_NOCTTY).call(
    'fcntl',
    6,
    f.F_GETFL,
    0,
  );
  s.call('fcntl', 6, f.F_GETFD, 0)
    .call('open', 'dir', f.O_PATH)
    .call('fcntl', 7, f.F_GETFL, 0)
    .call('fchmod', 7, 0);
  s.rlimit(RLIMIT_NOFILE, 8)
    .call('open', 'none', 0)
    .call('open', 'file', 0)
    .call('dup', 3)
    .call('open', 'none', 0);
  s.call('open', 'fresh', f.O_CREAT | f.O_RDWR, 0o600)
    .call('access', 'fresh', 0)
    .call('dup', 3)
    .call('dup2', 3, 8);
  s.call('dup2', 3, 7).call('pipe', s.buf(8)).call('fcntl', 3, f.F_DUPFD, 8).call('fcntl', 3, f.F_DUPFD, -1);
  compare(s);
});

test('openat2', () => {
  const s = tree();
  const how = (flags: number, mode = 0, resolve = 0): number | { at: number } =>
    s.longs(flags, mode, resolve);
  s.call('openat2', HERE, 'file', how(0), 24)
    .call('openat2', HERE, 'file', how(0), 8)
    .call('openat2', HERE, 'file', BAD, 24);
  s.call('openat2', HERE, 'file', how(2 ** 40), 24).call('openat2', HERE, 'file', how(0, 0o600), 24);
  s.call('openat2', HERE, 'new', how(f.O_CREAT, 0o10600), 24).call(
    'openat2',
    HERE,
    'new',
    how(f.O_CREAT, 0o600),
    24,
  );
  for (const resolve of [1, 2, 4, 8, 16, 24, 64, 2 ** 33]) {
    for (const name of ['file', 'link', 'dir/../file', '../', '/', 'dirlink/inner']) {
      s.call('openat2', HERE, name, how(f.O_RDONLY, 0, resolve), 24);
    }
  }
  s.call('openat2', HERE, 'file', s.longs(0, 0, 0, 0), 32).call(
    'openat2',
    HERE,
    'file',
    s.longs(0, 0, 0, 1),
    32,
  );
  s.call('openat2', HERE, 'file', BAD, 5000).call('openat2', HERE, 'file', how(f.O_PATH | f.O_CREAT), 24);
  compare(s);
});

test('mkdir, mknod, rmdir, unlink', () => {
  const scripts = NAMES.map(name => {
    const s = tree();
    s.call('mkdir', name, 0o1777)
      .call('mknod', name, S_IFREG | 0o644, 0)
      .call('mknod', name, 0o600, 0);
    s.call('rmdir', name)
      .call('unlink', name)
      .call('unlinkat', HERE, name, f.AT_REMOVEDIR)
      .call('rmdir', name);
    s.call('mknod', name, S_IFSOCK | 0o644, 0)
      .call('mknod', name, S_IFDIR | 0o644, 0)
      .call('unlink', name);
    s.call('mknod', name, S_IFCHR | 0o644, 0x103)
      .call('mknod', name, 0o120000, 0)
      .call('symlink', name, 'sym');
    s.call('symlink', 'target', name).call('symlink', '', name);
    return s;
  });
  const s = tree();
  s.call('mkdir', BAD, 0)
    .call('unlinkat', HERE, 'file', 1)
    .call('unlinkat', NOWHERE, 'file', 0)
    .call('symlink', BAD, 'x');
  s.call('rmdir', 'dir')
    .call('unlink', 'dir/inner')
    .call('rmdir', 'dirlink')
    .call('rmdir', 'dir')
    .call('rmdir', '/');
  compare(s, ...scripts);
});

test('a removed directory', () => {
  const s = tree();
  const buf = s.buf(256);
  s.call('mkdir', 'gone', 0o755)
    .call('open', 'gone', f.O_DIRECTORY)
    .call('chdir', 'gone')
    .call('rmdir', '../gone');
  s.call('getcwd', buf, 256)
    .call('open', 'x', f.O_CREAT | f.O_RDWR, 0o644)
    .call('mkdir', 'y', 0o755);
  s.call('getdents64', 3, buf, 256)
    .call('open', '.', 0)
    .call('openat', 3, 'x', f.O_CREAT | f.O_RDWR, 0o644);
  s.call('chdir', '..').call('access', 'file', 0);
  compare(s);
});

test('rename', () => {
  const pairs = [
    ['file', 'new'],
    ['file', 'file'],
    ['file', 'dir'],
    ['dir', 'file'],
    ['dir', 'dir/inner'],
    ['dir', 'dir/sub'],
    ['file', 'dir/file'],
    ['dir/inner', 'inner'],
    ['none', 'new'],
    ['none', ''],
    ['', 'new'],
    ['file', 'none/x'],
    ['link', 'dir/link'],
    ['dir', 'newdir'],
    ['dir', 'newdir/'],
    ['file', 'new/'],
    ['file/', 'new'],
    ['.', 'x'],
    ['dir', '..'],
    ['dir/..', 'x'],
    ['dir/inner', 'dir'],
    ['dangling', 'file'],
    ['empty', 'dir'],
    ['dir', 'empty'],
    ['file', 'link'],
    ['hard', 'file'],
    [LONG_NAME, 'x'],
    ['file', LONG_NAME],
  ] as const;
  const scripts = pairs.map(([from, to]) => {
    const s = tree().call('mkdir', 'empty', 0o755).call('link', 'file', 'hard');
    for (const flags of [4, 8, 3, 1, 2, 0]) s.call('renameat2', HERE, from, HERE, to, flags);
    for (const name of ['file', 'new', 'dir', 'empty', 'link']) s.call('access', name, 0);
    return s
      .call('rename', from, to)
      .call('renameat', NOWHERE, from, HERE, to)
      .call('renameat', HERE, from, NOWHERE, to);
  });
  compare(...scripts);
});

test('link', () => {
  const scripts = NAMES.map(name => {
    const s = tree();
    s.call('link', name, 'to')
      .call('unlink', 'to')
      .call('link', 'file', name)
      .call('linkat', HERE, name, HERE, 'to2', 0x400);
    s.call('linkat', HERE, name, HERE, 'to3', 0x1000).call('linkat', HERE, name, HERE, 'to4', 1);
    return s;
  });
  const s = tree();
  s.call('open', '.', f.O_TMPFILE | f.O_RDWR, 0o644)
    .call('linkat', 3, '', HERE, 'named', f.AT_EMPTY_PATH)
    .call('access', 'named', 0);
  s.call('open', '.', f.O_TMPFILE | f.O_RDWR | f.O_EXCL, 0o644).call(
    'linkat',
    4,
    '',
    HERE,
    'named2',
    f.AT_EMPTY_PATH,
  );
  s.call('open', 'file', f.O_PATH)
    .call('linkat', 5, '', HERE, 'named3', f.AT_EMPTY_PATH)
    .call('linkat', NOWHERE, '', HERE, 'x', f.AT_EMPTY_PATH);
  compare(s, ...scripts);
});

test('readlink, access, chdir, getcwd', () => {
  const s = tree();
  const buf = s.buf(64);
  for (const name of NAMES) {
    s.call('readlink', name, buf, 64)
      .call('access', name, 0)
      .call('access', name, 7)
      .call('chdir', name)
      .call('chdir', 'dirlink/..');
    s.call('faccessat2', HERE, name, 4, f.AT_SYMLINK_NOFOLLOW);
  }
  s.call('readlink', 'link', buf, 2)
    .peek(buf, 8)
    .call('readlink', 'link', buf, 0)
    .call('readlink', 'link', buf, -1);
  s.call('readlink', 'link', BAD, 10)
    .call('readlink', BAD, buf, 10)
    .call('open', 'link', f.O_PATH | f.O_NOFOLLOW);
  s.call('readlinkat', 3, '', buf, 64)
    .peek(buf, 8)
    .call('readlinkat', HERE, '', buf, 64)
    .call('readlinkat', NOWHERE, '', buf, 64);
  s.call('access', 'file', 8)
    .call('access', BAD, 0)
    .call('faccessat2', HERE, 'file', 0, 0x10)
    .call('faccessat2', 3, '', 0, 0x1000);
  s.call('getcwd', buf, 0)
    .call('getcwd', buf, 1)
    .call('getcwd', BAD, 64)
    .call('fchdir', NOWHERE)
    .call('fchdir', 3);
  s.call('open', 'dir', f.O_PATH)
    .call('fchdir', 4)
    .call('access', 'inner', 0)
    .call('chroot', 'none')
    .call('umask', 0o777)
    .call('umask', -1);
  s.call('umask', 0).call('chroot', '.').call('getcwd', buf, 64).peek(buf, 4);
  compare(s);
});
