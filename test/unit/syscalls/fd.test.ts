/** Descriptors, fcntl(2) and ioctl(2), compared with the host's. */
import { test } from 'node:test';
import * as f from '../../../src/uapi/fcntl.ts';
import { BAD, compare, withFile } from './script.ts';

const NOWHERE = 99;

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
