/** Descriptors, locks, polling, pipes and event files, compared with the host's. */
import { test } from 'node:test';
import * as f from '../../../src/uapi/fcntl.ts';
import { BAD, compare, type Ref, Script } from './script.ts';

const HERE = f.AT_FDCWD;
const NOWHERE = 99;

function withFile(): Script {
  const s = new Script();
  return s.call('openat', HERE, 'file', f.O_CREAT | f.O_RDWR, 0o644).call('write', 3, '0123456789', 10);
}

test('dup, close, close_range', () => {
  const s = withFile();
  s.call('dup', 3)
    .call('dup', NOWHERE)
    .call('dup2', 3, 10)
    .call('dup2', 3, 3)
    .call('dup2', NOWHERE, NOWHERE)
    .call('dup2', 3, -1);
  s.call('dup3', 3, 11, f.O_CLOEXEC)
    .call('fcntl', 11, f.F_GETFD, 0)
    .call('dup3', 3, 3, 0)
    .call('dup3', 3, 12, 1);
  s.call('dup3', NOWHERE, 12, 0)
    .call('dup2', 11, 10)
    .call('fcntl', 10, f.F_GETFD, 0)
    .call('close', 4)
    .call('close', 4)
    .call('close', -1);
  s.call('fcntl', 3, f.F_DUPFD, 20).call('fcntl', 3, f.F_DUPFD_CLOEXEC, 20).call('fcntl', 21, f.F_GETFD, 0);
  s.call('fcntl', 21, f.F_SETFD, 0)
    .call('fcntl', 21, f.F_GETFD, 0)
    .call('fcntl', 21, f.F_SETFD, -1)
    .call('fcntl', 21, f.F_GETFD, 0);
  s.call('lseek', 3, 5, 0)
    .call('lseek', 20, 0, 1)
    .call('close_range', 20, 10, 0)
    .call('close_range', 20, 21, 8)
    .call('close_range', 3, 9, 4);
  s.call('fcntl', 3, f.F_GETFD, 0)
    .call('close_range', 10, 900, 0)
    .call('lseek', 10, 0, 0)
    .call('lseek', 3, 0, 0)
    .call('close_range', 3, 20, 2);
  s.call('close', 3);
  compare(s);
});

test('fcntl', () => {
  const s = withFile();
  const buf = s.buf(64);
  for (const cmd of [0, 1, 2, 3, 4, 8, 9, 10, 11, 17, 35, 99, 1030, 1031, 1032, 1034, -1])
    s.call('fcntl', NOWHERE, cmd, 0);
  for (const flags of [
    f.O_APPEND,
    f.O_NONBLOCK,
    f.O_APPEND | f.O_CREAT | f.O_WRONLY,
    0,
    -1 & ~f.O_DIRECT & ~f.FASYNC,
  ]) {
    s.call('fcntl', 3, f.F_SETFL, flags).call('fcntl', 3, f.F_GETFL, 0);
  }
  s.call('fcntl', 3, f.F_GETPIPE_SZ, 0)
    .call('fcntl', 3, f.F_SETPIPE_SZ, 4096)
    .call('fcntl', 3, f.F_SETSIG, 65)
    .call('fcntl', 3, f.F_SETSIG, -1);
  s.call('fcntl', 3, f.F_SETSIG, 10)
    .call('fcntl', 3, f.F_GETSIG, 0)
    .call('fcntl', 3, f.F_GETOWN, 0)
    .call('fcntl', 3, f.F_SETOWN, 999_999);
  s.call('fcntl', 3, f.F_SETOWN, -(2 ** 31))
    .call('fcntl', 3, f.F_GETOWN_EX, buf)
    .peek(buf, 8)
    .call('fcntl', 3, f.F_GETOWN_EX, BAD);
  s.call('fcntl', 3, f.F_SETOWN_EX, s.ints(7, 1))
    .call('fcntl', 3, f.F_SETOWN_EX, s.ints(0, 0))
    .call('fcntl', 3, f.F_SETOWN_EX, BAD);
  s.call('fcntl', 3, 99, 0)
    .call('fcntl', 3, f.F_GETLEASE, 0)
    .call('pipe', s.buf(8))
    .call('fcntl', 4, f.F_GETPIPE_SZ, 0);
  s.call('fcntl', 4, f.F_SETPIPE_SZ, 5000)
    .call('fcntl', 5, f.F_SETPIPE_SZ, -1)
    .call('fcntl', 4, f.F_SETPIPE_SZ, 0);
  s.call('open', 'file', f.O_PATH)
    .call('fcntl', 6, f.F_GETFD, 0)
    .call('fcntl', 6, f.F_GETFL, 0)
    .call('fcntl', 6, f.F_SETFL, 0);
  s.call('fcntl', 6, f.F_GETLK, BAD).call('fcntl', 6, f.F_DUPFD, 0).call('fcntl', 6, 99, 0);
  compare(s);
});

/** A struct flock. */
const flock = (s: Script, type: number, whence: number, start: number, len: number, pid = 0): Ref =>
  s.longs((type & 0xffff) | (whence << 16), start, len, pid);

test('record locks', () => {
  const s = withFile();
  s.call('open', 'file', f.O_RDONLY).call('open', 'file', f.O_WRONLY).call('lseek', 3, 5, 0);
  for (const cmd of [f.F_SETLK, f.F_OFD_SETLK, f.F_GETLK, f.F_OFD_GETLK]) {
    for (const type of [f.F_RDLCK, f.F_WRLCK, f.F_UNLCK, 3, -1]) {
      s.call('fcntl', 3, cmd, flock(s, type, 0, 0, 10)).call('fcntl', 4, cmd, flock(s, type, 0, 20, 10));
      s.call('fcntl', 5, cmd, flock(s, type, 0, 40, 10));
    }
    for (const [whence, start, len] of [
      [0, -1, 1],
      [1, -5, 1],
      [1, -6, 1],
      [2, -10, 10],
      [2, -11, 1],
      [0, 5, -5],
      [0, 5, -6],
      [3, 0, 0],
      [0, 0, 0],
      [9, -1, 0],
    ]) {
      s.call('fcntl', 3, cmd, flock(s, f.F_WRLCK, whence!, start!, len!)).call(
        'fcntl',
        3,
        cmd,
        flock(s, f.F_UNLCK, 0, 0, 0),
      );
    }
    s.call('fcntl', 3, cmd, BAD)
      .call('fcntl', 3, cmd, flock(s, f.F_RDLCK, 0, 0, 0, 5))
      .call('fcntl', 3, cmd, flock(s, f.F_UNLCK, 0, 0, 0));
  }
  // Locks of open files are each other's obstacles even within a process.
  const get = flock(s, f.F_WRLCK, 0, 0, 0);
  s.call('fcntl', 3, f.F_OFD_SETLK, flock(s, f.F_RDLCK, 0, 10, 10)).call(
    'fcntl',
    3,
    f.F_OFD_SETLK,
    flock(s, f.F_WRLCK, 0, 30, 0),
  );
  s.call('fcntl', 5, f.F_OFD_GETLK, get)
    .peek(get, 32)
    .call('fcntl', 5, f.F_OFD_SETLK, flock(s, f.F_WRLCK, 0, 15, 1));
  s.call('fcntl', 4, f.F_OFD_SETLK, flock(s, f.F_RDLCK, 0, 15, 1)).call(
    'fcntl',
    3,
    f.F_SETLK,
    flock(s, f.F_WRLCK, 0, 15, 1),
  );
  const free = flock(s, f.F_WRLCK, 1, 0, 5);
  s.call('fcntl', 5, f.F_OFD_GETLK, free)
    .peek(free, 32)
    .call('close', 3)
    .call('fcntl', 5, f.F_OFD_GETLK, get)
    .peek(get, 32);
  compare(s);
});

test('flock', () => {
  const s = withFile();
  s.call('open', 'file', f.O_RDONLY);
  for (const operation of [f.LOCK_SH, f.LOCK_EX, f.LOCK_UN, f.LOCK_SH, 0, 3, f.LOCK_EX]) {
    s.call('flock', 3, operation | f.LOCK_NB)
      .call('flock', 4, f.LOCK_SH | f.LOCK_NB)
      .call('flock', 4, f.LOCK_EX | f.LOCK_NB);
    s.call('flock', 4, f.LOCK_UN);
  }
  s.call('flock', NOWHERE, f.LOCK_SH)
    .call('flock', NOWHERE, 3)
    .call('open', 'file', f.O_PATH)
    .call('flock', 5, f.LOCK_SH);
  s.call('dup', 3)
    .call('close', 3)
    .call('flock', 4, f.LOCK_EX | f.LOCK_NB)
    .call('close', 6)
    .call('flock', 4, f.LOCK_EX | f.LOCK_NB);
  compare(s);
});

test('ioctl', () => {
  const s = withFile();
  const buf = s.buf(16);
  s.call('ioctl', 3, 0x5451, 0)
    .call('fcntl', 3, f.F_GETFD, 0)
    .call('ioctl', 3, 0x5450, 0)
    .call('fcntl', 3, f.F_GETFD, 0);
  s.call('ioctl', 3, 0x5421, s.ints(1))
    .call('fcntl', 3, f.F_GETFL, 0)
    .call('ioctl', 3, 0x5421, s.ints(0))
    .call('fcntl', 3, f.F_GETFL, 0);
  s.call('ioctl', 3, 0x5421, BAD)
    .call('ioctl', 3, 0x5452, s.ints(1))
    .call('ioctl', 3, 0x5452, s.ints(0))
    .call('ioctl', 3, 0x5460, buf)
    .peek(buf, 8);
  s.call('lseek', 3, 4, 0)
    .call('ioctl', 3, 0x541b, buf)
    .peek(buf, 4)
    .call('ioctl', 3, 2, buf)
    .peek(buf, 4)
    .call('ioctl', 3, 0x5401, buf);
  s.call('ioctl', NOWHERE, 0x5451, 0)
    .call('pipe', s.buf(8))
    .call('write', 5, 'abc', 3)
    .call('ioctl', 4, 0x541b, buf)
    .peek(buf, 4);
  s.call('ioctl', 4, 0x5460, buf)
    .call('ioctl', 4, 0x541b, BAD)
    .call('ioctl', 4, 0x5401, buf)
    .call('open', 'file', f.O_PATH)
    .call('ioctl', 6, 0x5451, 0);
  s.call('ioctl', 4, 0x5452, s.ints(1))
    .call('fcntl', 4, f.F_GETFL, 0)
    .call('fcntl', 4, f.F_SETFL, 0)
    .call('fcntl', 4, f.F_GETFL, 0);
  compare(s);
});

/** Descriptors: 3 file, 4 and 5 a pipe with data, 6 and 7 an empty one, 8 an eventfd, 9 the end of a broken pipe. */
function withFiles(): Script {
  const s = withFile()
    .call('pipe', new Script().buf(8))
    .call('write', 5, 'x', 1)
    .call('pipe', new Script().buf(8));
  return s
    .call('eventfd2', 0, 0)
    .call('pipe', new Script().buf(8))
    .call('close', 9)
    .call('dup2', 10, 9)
    .call('close', 10);
}

test('poll and ppoll', () => {
  const s = withFiles();
  const fds = s.ints(...[3, 4, 5, 6, 7, 8, 9, NOWHERE, -1, -99].flatMap(fd => [fd, 0x47]));
  for (const timeout of [0, 0, -1, 50]) s.call('poll', fds, 10, timeout).peek(fds, 80);
  s.call('poll', { at: fds.at + 24 }, 1, 0)
    .peek(fds, 80)
    .call('poll', BAD, 1, 0)
    .call('poll', BAD, 0, 0)
    .call('poll', fds, -1, 0);
  const some = s.ints(6, 1, 8, 1);
  s.call('poll', some, 2, 0).peek(some, 16).call('ppoll', some, 2, s.longs(0, 0), 0, 0).peek(some, 16);
  s.call('ppoll', some, 2, s.longs(0, -1), 0, 0)
    .call('ppoll', some, 2, s.longs(-1, 0), 0, 0)
    .call('ppoll', some, 2, BAD, 0, 0);
  s.call('ppoll', some, 2, s.longs(0, 0), some, 4)
    .call('ppoll', some, 2, s.longs(0, 0), BAD, 8)
    .call('ppoll', fds, 10, 0, s.longs(0), 8);
  s.call('write', 8, s.longs(1), 8).call('poll', some, 2, -1).peek(some, 16);
  compare(s);
});

test('select and pselect6', () => {
  const s = withFiles();
  const bits = (...fds: number[]): Ref =>
    s.longs(
      fds.reduce((sum, fd) => sum + 2 ** fd, 0),
      0,
    );
  const all = [3, 4, 5, 6, 7, 8, 9];
  const [r, w, e] = [bits(...all), bits(...all), bits(...all)];
  s.call('select', 10, r, w, e, s.longs(0, 0)).peek(r, 16).peek(w, 16).peek(e, 16);
  const again = bits(...all);
  s.call('select', 10, again, 0, 0, 0)
    .peek(again, 16)
    .call('select', 4, bits(3, 6), 0, 0, 0)
    .call('select', 0, 0, 0, 0, s.longs(0, 0));
  s.call('select', -1, 0, 0, 0, 0)
    .call('select', 10, bits(1, 20), 0, 0, s.longs(0, 0))
    .call('select', 30, bits(20), 0, 0, s.longs(0, 0));
  s.call('select', 10, BAD, 0, 0, 0)
    .call('select', 10, 0, 0, 0, BAD)
    .call('select', 10, 0, 0, 0, s.longs(-1, 0))
    .call('select', 1, 0, 0, 0, s.longs(0, -1));
  const empty = bits(6, 8);
  s.call('select', 10, empty, 0, 0, s.longs(0, 0)).peek(empty, 16).call('pselect6', 10, bits(3), 0, 0, 0, 0);
  const packed = s.longs(0, 8);
  s.call('pselect6', 10, bits(3), 0, 0, s.longs(0, 0), packed).call(
    'pselect6',
    10,
    bits(3),
    0,
    0,
    s.longs(0, 1e9),
    0,
  );
  s.call('pselect6', 10, bits(3), 0, 0, 0, BAD)
    .call('pselect6', 10, bits(3), 0, 0, 0, s.longs(BAD, 8))
    .call('pselect6', 10, bits(3), 0, 0, 0, s.longs(BAD, 4));
  compare(s);
});

test('epoll', () => {
  const s = withFiles();
  const event = (events: number, data: number): Ref => s.ints(events, data, 0);
  const buf = s.buf(128);
  s.call('epoll_create', 0)
    .call('epoll_create', -1)
    .call('epoll_create1', 1)
    .call('epoll_create1', f.O_CLOEXEC)
    .call('fcntl', 10, f.F_GETFD, 0);
  for (const fd of [3, 4, 5, 6, 8, 9, 10, NOWHERE])
    s.call('epoll_ctl', 10, 1, fd, event(5, fd)).call('epoll_ctl', 10, 1, fd, event(5, fd));
  s.call('epoll_wait', 10, buf, 8, 0)
    .peek(buf, 48)
    .call('epoll_wait', 10, buf, 1, 0)
    .call('epoll_wait', 10, buf, 0, 0)
    .call('epoll_wait', 10, buf, -1, 0);
  s.call('epoll_wait', 10, BAD, 1, 0)
    .call('epoll_wait', NOWHERE, buf, 1, 0)
    .call('epoll_wait', 3, buf, 1, 0)
    .call('epoll_wait', NOWHERE, buf, 0, 0);
  s.call('epoll_ctl', 10, 3, 4, event(2 ** 31 - 2 ** 32 + 1, 44))
    .call('epoll_ctl', 10, 2, 9, 0)
    .call('epoll_ctl', 10, 2, 9, 0)
    .call('epoll_wait', 10, buf, 8, 0)
    .peek(buf, 36);
  s.call('epoll_wait', 10, buf, 8, 0)
    .call('epoll_ctl', 10, 3, 9, event(1, 1))
    .call('epoll_ctl', 10, 9, 4, event(1, 1))
    .call('epoll_ctl', 3, 1, 4, event(1, 1));
  s.call('epoll_ctl', 10, 1, 4, BAD)
    .call('epoll_ctl', NOWHERE, 1, 4, event(1, 1))
    .call('epoll_ctl', 10, 2, 5, BAD)
    .call('epoll_ctl', 4, 1, 3, event(1, 1));
  s.call('epoll_pwait', 10, buf, 8, 0, s.longs(0), 8)
    .call('epoll_pwait', 10, buf, 8, 0, s.longs(0), 4)
    .call('epoll_pwait2', 10, buf, 8, s.longs(0, 0), 0, 0);
  s.call('epoll_pwait2', 10, buf, 8, s.longs(0, -1), 0, 0)
    .call('epoll_pwait2', 10, buf, 8, BAD, 0, 0)
    .call('close', 4)
    .call('epoll_wait', 10, buf, 8, 0);
  compare(s);
});

test('eventfd, timerfd, signalfd, pidfd', () => {
  const s = new Script();
  const buf = s.buf(128);
  s.call('eventfd2', 5, f.O_NONBLOCK)
    .call('read', 3, buf, 8)
    .peek(buf, 8)
    .call('read', 3, buf, 8)
    .call('read', 3, buf, 4)
    .call('write', 3, s.longs(-1), 8);
  s.call('eventfd2', 3, f.O_NONBLOCK | 1)
    .call('read', 4, buf, 8)
    .peek(buf, 8)
    .call('eventfd2', 0, 2)
    .call('eventfd', 1)
    .call('write', 3, s.longs(7), 9);
  s.call('timerfd_create', 1, f.O_NONBLOCK)
    .call('timerfd_create', 99, 0)
    .call('timerfd_create', 1, 1)
    .call('timerfd_gettime', 6, buf)
    .peek(buf, 32);
  s.call('timerfd_settime', 6, 0, s.longs(0, 0, 0, -1), 0)
    .call('timerfd_settime', 6, 4, s.longs(0, 0, 1, 0), 0)
    .call('timerfd_settime', 6, 0, BAD, 0);
  s.call('timerfd_settime', 3, 0, s.longs(0, 0, 1, 0), 0)
    .call('timerfd_settime', NOWHERE, 0, s.longs(0, 0, 1, 0), 0)
    .call('timerfd_gettime', 3, buf);
  s.call('timerfd_settime', 6, 0, s.longs(5, 0, 1000, 0), buf)
    .peek(buf, 32)
    .call('read', 6, buf, 8)
    .call('timerfd_gettime', NOWHERE, buf)
    .call('timerfd_gettime', 6, BAD);
  s.call('signalfd4', -1, s.longs(2 ** 9), 8, f.O_NONBLOCK)
    .call('signalfd4', -1, s.longs(0), 4, 0)
    .call('signalfd4', -1, s.longs(0), 8, 1)
    .call('signalfd4', -1, BAD, 8, 0);
  s.call('read', 7, buf, 128)
    .call('read', 7, buf, 100)
    .call('signalfd', 7, s.longs(2 ** 10), 8)
    .call('signalfd', 3, s.longs(0), 8)
    .call('signalfd', NOWHERE, s.longs(0), 8);
  s.call('write', 7, buf, 8)
    .call('pidfd_open', 0, 0)
    .call('pidfd_open', -1, 0)
    .call('pidfd_open', 4_000_000, 0)
    .call('pidfd_open', 1, 1);
  s.call('pidfd_getfd', 3, 0, 0).call('pidfd_getfd', 3, 0, 1).call('pidfd_getfd', NOWHERE, 0, 0);
  compare(s);
});

test('splice, tee, vmsplice, sendfile, copy_file_range', () => {
  const s = withFile();
  const buf = s.buf(64);
  const off = (value: number): Ref => s.longs(value);
  s.call('pipe2', s.buf(8), f.O_NONBLOCK)
    .call('pipe2', s.buf(8), f.O_NONBLOCK)
    .call('openat', HERE, 'out', f.O_CREAT | f.O_RDWR, 0o644);
  const at = off(3);
  s.call('splice', 3, at, 5, 0, 4, 0)
    .peek(at, 8)
    .call('splice', 3, 0, 5, 0, 4, 0)
    .call('lseek', 3, 0, 0)
    .call('splice', 3, 0, 5, 0, 100, 0)
    .call('lseek', 3, 0, 1);
  s.call('tee', 4, 7, 6, 0)
    .call('read', 6, buf, 64)
    .peek(buf, 8)
    .call('tee', 4, 5, 6, 0)
    .call('tee', 3, 7, 6, 0)
    .call('tee', 4, 7, 0, 0)
    .call('tee', 4, 7, 6, 16);
  const to = off(20);
  s.call('splice', 4, 0, 8, to, 5, 0)
    .peek(to, 8)
    .call('splice', 4, 0, 8, 0, 3, 0)
    .call('splice', 4, 0, 7, 0, 2, 0)
    .call('splice', 4, 0, 8, 0, 100, 0)
    .call('splice', 4, 0, 8, 0, 1, 0);
  s.call('pread64', 8, buf, 64, 0)
    .peek(buf, 32)
    .call('splice', 3, 0, 8, 0, 1, 0)
    .call('splice', 4, off(0), 8, 0, 1, 0)
    .call('splice', 3, 0, 5, off(0), 1, 0);
  s.call('splice', 3, off(-1), 5, 0, 1, 0)
    .call('splice', NOWHERE, 0, 5, 0, 1, 0)
    .call('splice', 5, 0, 4, 0, 1, 0)
    .call('splice', 3, BAD, 5, 0, 1, 0)
    .call('splice', 3, 0, 5, 0, 1, 99)
    .call('splice', 3, 0, 5, 0, 0, 99);
  s.call('splice', 3, off(100), 5, 0, 1, 0)
    .call('splice', 4, 0, 5, 0, 1, 0)
    .call('vmsplice', 5, s.iov([s.str('lent'), 4]), 1, 0)
    .call('vmsplice', 4, s.iov([buf, 9]), 1, 0)
    .peek(buf, 8)
    .call('vmsplice', 3, s.iov([buf, 9]), 1, 0);
  const from = off(2);
  s.call('sendfile', 8, 3, from, 5)
    .peek(from, 8)
    .call('sendfile', 8, 3, 0, 100)
    .call('lseek', 3, 0, 0)
    .call('sendfile', 8, 3, 0, 4)
    .call('lseek', 3, 0, 1)
    .call('lseek', 8, 0, 1);
  s.call('sendfile', 5, 3, 0, 100)
    .call('sendfile', 8, 4, 0, 1)
    .call('sendfile', 4, 3, 0, 1)
    .call('sendfile', 8, 5, 0, 1)
    .call('sendfile', 8, 3, off(-1), 1)
    .call('sendfile', NOWHERE, 3, 0, 1)
    .call('sendfile', 8, NOWHERE, 0, 1);
  s.call('sendfile', 8, 3, BAD, 1)
    .call('sendfile', 8, 4, off(0), 1)
    .call('pread64', 8, buf, 64, 0)
    .peek(buf, 64);
  const [a, b] = [off(1), off(50)];
  s.call('copy_file_range', 3, a, 8, b, 5, 0)
    .peek(a, 8)
    .peek(b, 8)
    .call('lseek', 3, 6, 0)
    .call('copy_file_range', 3, 0, 8, 0, 100, 0)
    .call('lseek', 8, 0, 1)
    .call('copy_file_range', 3, 0, 8, 0, 100, 0);
  s.call('copy_file_range', 3, off(0), 3, off(5), 6, 0)
    .call('copy_file_range', 3, off(0), 3, off(20), 6, 0)
    .call('copy_file_range', 3, off(0), 8, 0, 1, 1)
    .call('copy_file_range', 4, 0, 8, 0, 1, 0)
    .call('copy_file_range', 3, off(-1), 8, 0, 1, 0);
  s.call('open', '.', f.O_RDONLY)
    .call('copy_file_range', 9, 0, 8, 0, 1, 0)
    .call('copy_file_range', NOWHERE, 0, 8, 0, 1, 0)
    .call('open', 'file', f.O_RDONLY)
    .call('copy_file_range', 8, 0, 10, 0, 1, 0)
    .call('sendfile', 9, 3, 0, 1)
    .call('sendfile', 8, 9, 0, 1);
  s.call('openat', HERE, 'out', f.O_WRONLY | f.O_APPEND)
    .call('sendfile', 11, 3, off(0), 1)
    .call('splice', 4, 0, 11, 0, 1, 0)
    .call('copy_file_range', 3, off(0), 11, 0, 1, 0);
  compare(s);
});

test('memfd_create and seals', () => {
  const s = new Script();
  const buf = s.buf(144);
  s.call('memfd_create', 'plain', 0)
    .call('fcntl', 3, f.F_GET_SEALS, 0)
    .call('fcntl', 3, f.F_ADD_SEALS, 2)
    .call('fcntl', 3, f.F_GETFL, 0);
  s.call('memfd_create', 'sealed', 2)
    .call('write', 4, 'hello', 5)
    .call('fcntl', 4, f.F_GET_SEALS, 0)
    .call('fcntl', 4, f.F_ADD_SEALS, 64);
  s.call('fcntl', 4, f.F_ADD_SEALS, 4)
    .call('write', 4, 'more', 4)
    .call('ftruncate', 4, 10)
    .call('ftruncate', 4, 3)
    .call('fcntl', 4, f.F_ADD_SEALS, 2);
  s.call('ftruncate', 4, 1)
    .call('pwrite64', 4, 'x', 1, 0)
    .call('fcntl', 4, f.F_ADD_SEALS, 9)
    .call('pwrite64', 4, 'x', 1, 0)
    .call('fcntl', 4, f.F_ADD_SEALS, 1);
  s.call('fcntl', 4, f.F_GET_SEALS, 0)
    .call('memfd_create', 'n'.repeat(249), 0)
    .call('memfd_create', 'n'.repeat(250), 0)
    .call('memfd_create', BAD, 0);
  s.call('memfd_create', 'x', 0x1000)
    .call('memfd_create', 'x', 24)
    .call('memfd_create', 'x', 8)
    .call('fstat', 6, buf)
    .peek(buf, 4, 24);
  s.call('fchmod', 6, 0o777)
    .call('fcntl', 6, f.F_GET_SEALS, 0)
    .call('open', '.', 0)
    .call('fcntl', 7, f.F_GET_SEALS, 0)
    .call('fcntl', NOWHERE, f.F_GET_SEALS, 0);
  compare(s);
});

test('inotify', () => {
  const s = withFile();
  const buf = s.buf(512);
  const drain = (): Script => s.call('read', 4, buf, 512).peek(buf, 160);
  s.call('inotify_init1', f.O_NONBLOCK)
    .call('inotify_init1', 1)
    .call('inotify_add_watch', 4, '.', 0xfff)
    .call('inotify_add_watch', 4, 'file', 0xfff);
  s.call('read', 4, buf, 512).call('write', 3, 'x', 1);
  drain().call('open', 'file', f.O_RDONLY).call('read', 5, buf, 1).call('close', 5);
  drain()
    .call('openat', HERE, 'new', f.O_CREAT | f.O_WRONLY, 0o644)
    .call('close', 5)
    .call('chmod', 'new', 0o600);
  drain()
    .call('mkdir', 'dir', 0o755)
    .call('unlink', 'new')
    .call('rmdir', 'dir')
    .call('truncate', 'file', 2)
    .call('utimes', 'file', 0);
  drain().call('read', 4, buf, 10).call('inotify_rm_watch', 4, 2);
  drain()
    .call('inotify_rm_watch', 4, 2)
    .call('inotify_rm_watch', 4, 9)
    .call('inotify_rm_watch', 3, 1)
    .call('inotify_rm_watch', NOWHERE, 1);
  s.call('inotify_add_watch', 4, '.', 0)
    .call('inotify_add_watch', 4, 'none', 1)
    .call('inotify_add_watch', 4, 'file', 0x01000001)
    .call('inotify_add_watch', 4, '.', 0x30000001);
  s.call('inotify_add_watch', 3, '.', 1)
    .call('inotify_add_watch', NOWHERE, '.', 1)
    .call('inotify_add_watch', 4, BAD, 1)
    .call('inotify_add_watch', 4, '.', 0x10000001)
    .call('inotify_add_watch', 4, '.', 0x20000001);
  s.call('inotify_add_watch', 4, '.', 0x00800001);
  compare(s);
});
