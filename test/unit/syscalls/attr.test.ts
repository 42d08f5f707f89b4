// test: needs root, whose view of the host is the oracle
/** Attributes, sizes, times and directories, compared with the host's. */
import { test } from 'node:test';
import * as f from '../../../src/uapi/fcntl.ts';
import { S_IFIFO } from '../../../src/uapi/stat.ts';
import { UTIME_NOW, UTIME_OMIT } from '../../../src/uapi/utime.ts';
import { BAD, compare, type Ref, Script } from './script.ts';

const HERE = f.AT_FDCWD;
const NOWHERE = 99;
const NAMES = ['file', 'dir', 'link', 'dangling', 'none', '', '.', 'file/', 'fifo'];

function tree(): Script {
  const s = new Script();
  s.call('openat', HERE, 'file', f.O_CREAT | f.O_RDWR, 0o644).call('write', 3, 'content', 7);
  s.call('mkdir', 'dir', 0o755).call('symlink', 'file', 'link').call('symlink', 'nowhere', 'dangling');
  return s.call('mknod', 'fifo', S_IFIFO | 0o644, 0);
}

/** Of a struct stat: nlink, mode, uid, gid, rdev, size, blksize; not the device, inode and blocks. */
function peekStat(s: Script, buf: Ref): void {
  s.peek(buf, 48, 16).call('stat', 'file', buf);
}

test('stat and its relatives', () => {
  const s = tree();
  const buf = s.buf(256);
  for (const name of NAMES) {
    s.call('stat', name, buf).call('lstat', name, buf).call('newfstatat', HERE, name, buf, 0);
    s.call('newfstatat', HERE, name, buf, f.AT_SYMLINK_NOFOLLOW | f.AT_EMPTY_PATH);
    s.call('newfstatat', NOWHERE, name, buf, f.AT_EMPTY_PATH).call(
      'newfstatat',
      3,
      name,
      buf,
      f.AT_EMPTY_PATH,
    );
    s.call('statx', HERE, name, 0, 0xfff, buf).call('statx', NOWHERE, name, f.AT_EMPTY_PATH, 0xfff, buf);
    s.call('statx', 3, name, f.AT_EMPTY_PATH, 0xfff, buf);
  }
  for (const name of ['file', 'link', 'dangling', 'fifo']) {
    s.call('lstat', name, buf);
    peekStat(s, buf);
    s.call('statx', HERE, name, 0x100, 0x7ff, buf).peek(buf, 14, 16).peek(buf, 8, 40);
  }
  s.call('fstat', 3, buf);
  peekStat(s, buf);
  s.call('stat', 'file', BAD).call('stat', BAD, buf).call('fstat', NOWHERE, buf).call('fstat', 3, BAD);
  s.call('newfstatat', HERE, 'file', buf, 1)
    .call('newfstatat', HERE, 0, buf, f.AT_EMPTY_PATH)
    .call('newfstatat', HERE, 0, buf, 0);
  s.call('newfstatat', 3, BAD, buf, f.AT_EMPTY_PATH)
    .call('statx', HERE, 'file', 0, -1, buf)
    .call('statx', HERE, 'file', 0x6000, 1, buf);
  s.call('statx', HERE, 'file', 1, 1, buf)
    .call('statx', HERE, 'file', 0, 1, BAD)
    .call('statx', HERE, BAD, 0, 1, buf);
  s.call('open', 'dangling', f.O_PATH | f.O_NOFOLLOW).call('fstat', 4, buf);
  peekStat(s, buf);
  s.call('pipe', s.buf(8)).call('fstat', 5, buf).peek(buf, 16, 16);
  compare(s);
});

test('chmod and chown as root', () => {
  const s = tree();
  const buf = s.buf(144);
  for (const name of NAMES) {
    s.call('chmod', name, 0o7777)
      .call('chown', name, 12, 34)
      .call('lchown', name, 56, -1)
      .call('lstat', name, buf);
    s.peek(buf, 12, 24)
      .call('fchmodat', HERE, name, 0o600)
      .call('fchmodat2', HERE, name, 0o640, f.AT_SYMLINK_NOFOLLOW);
    s.call('fchownat', HERE, name, 1, 2, f.AT_SYMLINK_NOFOLLOW).call(
      'fchownat',
      3,
      name,
      3,
      4,
      f.AT_EMPTY_PATH,
    );
    s.call('fchmodat2', 3, name, 0o6755, f.AT_EMPTY_PATH).call('fchownat', HERE, name, 1, 1, 1);
  }
  s.call('fchmod', 3, 0o6777).call('fchown', 3, 7, 8).call('fstat', 3, buf).peek(buf, 12, 24);
  s.call('fchmod', 3, 0o2666).call('fchown', 3, -1, 9).call('fstat', 3, buf).peek(buf, 12, 24);
  s.call('fchmod', NOWHERE, 0)
    .call('fchown', NOWHERE, 0, 0)
    .call('chmod', BAD, 0)
    .call('fchmodat2', HERE, 'file', 0, 1);
  s.call('pipe', s.buf(8))
    .call('fchmod', 4, 0o640)
    .call('fchown', 4, 5, 6)
    .call('fstat', 4, buf)
    .peek(buf, 12, 24);
  compare(s);
});

test('what others may not', () => {
  const s = tree();
  const buf = s.buf(256);
  s.call('chmod', '.', 0o777)
    .call('mkdir', 'closed', 0o700)
    .call('mknod', 'closed/x', 0o100644, 0)
    .call('chmod', 'file', 0o6755);
  s.call('mkdir', 'sticky', 0o1777)
    .call('chmod', 'sticky', 0o1777)
    .call('mknod', 'sticky/x', 0o100666, 0)
    .user(1000, 1000);
  for (const name of ['file', 'dir', 'link', 'closed', 'closed/x', 'sticky/x', 'fifo']) {
    for (const flags of [
      f.O_RDONLY,
      f.O_WRONLY,
      f.O_RDWR | f.O_NONBLOCK,
      f.O_CREAT,
      f.O_TRUNC,
      f.O_NOATIME,
    ]) {
      s.call('open', name, flags | f.O_NONBLOCK | (flags === 0 && name === 'fifo' ? f.O_PATH : 0), 0o666);
    }
    for (const mode of [0, 1, 2, 4, 7])
      s.call('access', name, mode).call('faccessat2', HERE, name, mode, f.AT_EACCESS);
    s.call('chmod', name, 0o777)
      .call('chown', name, 1000, 1000)
      .call('chown', name, -1, -1)
      .call('truncate', name, 0);
    s.call('utimensat', HERE, name, 0, 0).call('utimensat', HERE, name, s.longs(1, 1, 1, 1), 0);
    s.call('unlink', name)
      .call('rename', name, 'other')

      .call('mkdir', `${name}/sub`, 0o755);
  }
  s.call('write', 3, 'x', 1)
    .call('stat', 'file', buf)
    .peek(buf, 8, 24)
    .call('mknod', 'dev', 0o020644, 0x103)
    .call('chroot', '.');
  s.call('mount', 'none', 'dir', 'tmpfs', 0, 0)
    .call('umount2', 'dir', 0)
    .call('pivot_root', '.', '.')
    .call('umount2', 'none', 0);
  s.call('setxattr', 'file', 'user.a', 'v', 1, 0)
    .call('setxattr', 'file', 'trusted.a', 'v', 1, 0)
    .call('getxattr', 'file', 'trusted.a', buf, 9);
  s.call('open', 'own', f.O_CREAT | f.O_RDWR, 0o6755)
    .call('chmod', 'own', 0o6755)
    .call('chown', 'own', -1, 0)
    .call('chown', 'own', 0, -1);
  s.call('chmod', 'own', 0o2755)
    .call('stat', 'own', buf)
    .peek(buf, 12, 24)
    .call('chown', 'own', 1000, 1000)
    .call('stat', 'own', buf)
    .peek(buf, 12, 24);
  compare(s);
});

test('truncate, fallocate and advice', () => {
  const s = tree();
  const buf = s.buf(64);
  for (const name of NAMES) s.call('truncate', name, 3).call('truncate', name, -1);
  s.call('ftruncate', 3, 5)
    .call('pread64', 3, buf, 64, 0)
    .peek(buf, 8)
    .call('ftruncate', 3, -1)
    .call('ftruncate', NOWHERE, 0);
  s.call('open', 'file', f.O_RDONLY).call('ftruncate', 4, 0).call('open', 'dir', f.O_RDONLY);
  s.call('ftruncate', 5, 0)
    .call('open', 'file', f.O_PATH)
    .call('ftruncate', 6, 0)
    .call('pipe', s.buf(8))
    .call('ftruncate', 8, 0);
  for (const [mode, offset, len] of [
    [0, 0, 100],
    [0, -1, 1],
    [0, 0, 0],
    [0, 0, -1],
    [1, 0, 8192],
    [3, 0, 4],
    [2, 0, 4],
    [0x10, 0, 50],
    [0x11, 4096, 100],
    [8, 0, 1],
    [0x20, 0, 1],
    [0x18, 0, 4096],
    [0x80, 0, 1],
    [4, 0, 1],
    [0, 2 ** 62, 2 ** 62],
  ]) {
    if ((mode! & 0x38) === 0) s.call('fallocate', 3, mode!, offset!, len!).call('lseek', 3, 0, 2);
  }
  s.call('fallocate', 4, 0, 0, 1)
    .call('fallocate', 5, 0, 0, 1)
    .call('fallocate', 6, 0, 0, 1)
    .call('fallocate', 8, 0, 0, 1);
  s.call('fallocate', NOWHERE, 0, 0, 1).call('fallocate', NOWHERE, 0, -1, 1).call('fallocate', 3, 4, -1, 1);
  s.call('fadvise64', 3, 0, 0, 0)
    .call('fadvise64', 3, 0, 0, 6)
    .call('fadvise64', 3, 0, -1, 0)
    .call('fadvise64', 7, 0, 0, 0);
  s.call('fadvise64', NOWHERE, 0, 0, 9)
    .call('readahead', 3, 0, 10)
    .call('readahead', 7, 0, 10)
    .call('readahead', NOWHERE, 0, 10);
  for (const fd of [3, 4, 5, 6, 7, NOWHERE]) {
    s.call('fsync', fd)
      .call('fdatasync', fd)
      .call('sync_file_range', fd, 0, 0, 2)
      .call('sync_file_range', fd, 0, 0, 8);
    s.call('syncfs', fd).call('sync_file_range', fd, -1, 0, 2);
  }
  compare(s);
});

test('file times', () => {
  const s = tree();
  const buf = s.buf(144);
  const show = (): Script => s.call('lstat', 'file', buf).peek(buf, 32, 72);
  s.call('utimensat', HERE, 'file', s.longs(1, 2, 3, 4), 0);
  show().call('utimensat', HERE, 'file', s.longs(9, UTIME_OMIT, 5, 6), 0);
  show().call('utimensat', 3, 0, s.longs(-7, 8, 9, UTIME_OMIT), 0);
  show().call('utimes', 'link', s.longs(100, 999_999, 200, 1));
  show().call('utime', 'file', s.longs(11, 22));
  show().call('futimesat', HERE, 'file', s.longs(1, 2, 3, 4));
  show().call('futimesat', 3, 0, s.longs(5, 6, 7, 8));
  show();
  s.call('utimensat', HERE, 'link', s.longs(1, 2, 3, 4), f.AT_SYMLINK_NOFOLLOW)
    .call('lstat', 'link', buf)
    .peek(buf, 32, 72);
  for (const name of NAMES) {
    s.call('utimensat', HERE, name, 0, 0).call(
      'utimensat',
      HERE,
      name,
      s.longs(0, UTIME_NOW, 0, UTIME_NOW),
      0,
    );
    s.call('utimensat', HERE, name, s.longs(0, -1, 0, 0), 0).call(
      'utimensat',
      HERE,
      name,
      s.longs(0, UTIME_OMIT, 0, UTIME_OMIT),
      0,
    );
    s.call('utimes', name, s.longs(0, 1_000_000, 0, 0))
      .call('utimes', name, 0)
      .call('utime', name, 0);
  }
  s.call('utimensat', HERE, 'file', BAD, 0)
    .call('utimensat', HERE, 0, 0, 0)
    .call('utimensat', NOWHERE, 0, 0, 0);
  s.call('utimensat', 3, 0, 0, 0x100)
    .call('utimensat', HERE, 'file', 0, 1)
    .call('utimensat', NOWHERE, 'file', 0, 0);
  s.call('utimes', 'file', BAD)
    .call('utime', 'file', BAD)
    .call('utimes', 0, 0)
    .call('utimensat', 3, '', 0, 0x1000);
  compare(s);
});

test('getdents', () => {
  const s = new Script();
  const buf = s.buf(4096);
  s.call('mkdir', 'empty', 0o755).call('open', 'empty', f.O_DIRECTORY).call('getdents64', 3, buf, 4096);
  s.peek(buf, 3, 16).call('getdents64', 3, buf, 4096).call('lseek', 3, 0, 0).call('getdents64', 3, buf, 30);
  s.call('getdents64', 3, buf, 30)
    .call('getdents64', 3, buf, 30)
    .call('lseek', 3, 0, 0)
    .call('getdents64', 3, buf, 10);
  s.call('getdents64', 3, buf, 0)
    .call('getdents', 3, buf, 4096)
    .peek(buf, 2, 16)
    .call('lseek', 3, 0, 0)
    .call('getdents', 3, buf, 8);
  s.call('getdents64', 3, BAD, 4096)
    .call('getdents64', NOWHERE, buf, 4096)
    .call('open', 'f', f.O_CREAT, 0o644);
  s.call('getdents64', 4, buf, 4096).call('open', 'empty', f.O_PATH).call('getdents64', 5, buf, 4096);
  for (let i = 0; i < 20; i++) s.call('mknod', `empty/${100 + i}`, 0o100644, 0);
  s.call('lseek', 3, 0, 0).call('getdents64', 3, buf, 4096).call('getdents64', 3, buf, 4096);
  s.call('lseek', 3, 0, 0).call('getdents64', 3, buf, 300).call('getdents64', 3, buf, 2000);
  compare(s);
});

test('extended attributes', () => {
  const s = tree();
  const buf = s.buf(70_000);
  const big = s.bytes(new Uint8Array(65_537).fill(66));
  for (const name of [
    'trusted.one',
    'user.two',
    'security.three',
    'user.',
    'user',
    'other.x',
    '',
    `trusted.${'x'.repeat(250)}`,
  ]) {
    s.call('setxattr', 'file', name, 'value', 5, 2).call('setxattr', 'file', name, 'value', 5, 0);
    s.call('setxattr', 'file', name, 'second', 6, 1).call('getxattr', 'file', name, buf, 64).peek(buf, 8);
    s.call('getxattr', 'file', name, buf, 3)
      .call('getxattr', 'file', name, 0, 0)
      .call('fgetxattr', 3, name, buf, 64);
    s.call('lsetxattr', 'link', name, 'v', 1, 0)
      .call('lgetxattr', 'link', name, buf, 9)
      .call('setxattr', 'fifo', name, 'v', 1, 0);
    s.call('getxattr', 'fifo', name, buf, 9)
      .call('removexattr', 'dir', name)
      .call('lremovexattr', 'link', name);
  }
  s.call('listxattr', 'file', 0, 0).call('listxattr', 'file', buf, 4).call('llistxattr', 'dangling', buf, 64);
  s.call('setxattr', 'file', 'trusted.big', big, 65_537, 0).call(
    'setxattr',
    'file',
    'trusted.big',
    BAD,
    4,
    0,
  );
  s.call('setxattr', 'file', 'trusted.x', 'v', 1, 4)
    .call('setxattr', 'file', BAD, 'v', 1, 0)
    .call('setxattr', 'none', 'trusted.x', 'v', 1, 0);
  s.call('setxattr', 'file', 'trusted.empty', 0, 0, 0).call('getxattr', 'file', 'trusted.empty', buf, 9);
  s.call('fsetxattr', NOWHERE, 'trusted.x', 'v', 1, 0)
    .call('fremovexattr', 3, 'trusted.one')
    .call('fremovexattr', 3, 'trusted.one');
  s.call('flistxattr', NOWHERE, buf, 9)
    .call('fgetxattr', NOWHERE, 'trusted.one', buf, 9)
    .call('getxattr', 'none', 'trusted.one', buf, 9);
  compare(s);
});

test('statfs', () => {
  const s = tree();
  const buf = s.buf(120);
  for (const name of NAMES) s.call('statfs', name, buf);
  s.call('statfs', 'file', buf)
    .peek(buf, 16)
    .peek(buf, 16, 64)
    .call('fstatfs', 3, buf)
    .call('statfs', 'file', BAD)
    .call('fstatfs', NOWHERE, buf);
  s.call('statfs', BAD, buf)
    .call('pipe', s.buf(8))
    .call('fstatfs', 4, buf)
    .peek(buf, 16)
    .call('ustat', -1, buf)
    .call('fstatfs', 3, BAD);
  compare(s);
});
